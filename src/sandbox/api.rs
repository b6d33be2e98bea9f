//! The API server: the one door to the objects, for the controllers and the kubelet as well as for HTTP.
//!
//! ```text
//! http → write / remove (the order of the rules) → rules, admission → objects (tables, rings) → persist
//! ```
//! [`Api`] is synchronous and in memory. Every rule of a real API server holds here too: resourceVersions, generations,
//! finalizers, writes that change nothing and therefore write nothing.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::access::attributes::Attributes;
use super::access::key::Credentials;
use super::access::{Identity, rbac};
use super::clock::Clock;
use super::kinds::ResourceType;
use super::status::Status;

pub(super) mod addresses;
pub(super) mod admission;
mod claims;
mod definitions;
mod events;
pub mod http;
pub mod objects;
pub(in crate::sandbox) mod random;
mod remove;
mod ring;
mod rules;
mod selector;
mod subscription;
pub(super) mod validation;
pub(super) mod versions;
mod write;

pub use super::body::Body;
use super::object;
pub use remove::{DeleteOptions, FOREGROUND, ORPHAN, Propagation, Removal};
pub use ring::{Change, ChangeKind, Entry};
pub use subscription::{Subscription, Watching};
pub use write::{Part, WriteOptions};

use objects::Objects;

/// How many changes each resource remembers for its watches at most; big objects leave room for fewer.
pub const RING_CAPACITY: usize = 8192;

/// The objects of one sandbox. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

struct Shared {
    objects: Mutex<Objects>,
    clock: Arc<dyn Clock>,
    credentials: Credentials,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("revision", &self.revision()).finish_non_exhaustive()
    }
}

impl Api {
    /// An empty cluster in memory, with the namespaces that every cluster has.
    pub fn new(clock: Arc<dyn Clock>, seed: u64) -> Self {
        let api = Self::from_objects(clock, Objects::new(seed, RING_CAPACITY));
        api.make_default_namespaces();
        api
    }

    /// A cluster around a filled store.
    pub fn from_objects(clock: Arc<dyn Clock>, objects: Objects) -> Self {
        Self(Arc::new(Shared { objects: Mutex::new(objects), clock, credentials: Credentials::default() }))
    }

    /// Creates those of the default namespaces that are missing.
    pub fn make_default_namespaces(&self) {
        for name in super::namespaces::DEFAULT {
            let namespace = serde_json::json!({"metadata": {"name": name}});
            if let Err(status) = self.create("namespaces", namespace, "kube-apiserver")
                && status.code != 409
            {
                tracing::warn!(name, %status.message, "cannot create a default namespace");
            }
        }
    }

    /// The objects, locked. Never hold the guard across an await, and call nothing else of `Api` meanwhile.
    pub(super) fn objects(&self) -> MutexGuard<'_, Objects> {
        self.0.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the keeping of writes; what is written later stays in memory.
    pub fn close(&self) {
        self.objects().stop_keeping();
    }

    /// Says that all addresses are `127.<block>.x.y`, and moves the Services of an earlier run there.
    pub fn set_address_block(&self, block: u8) {
        addresses::move_all(&mut self.objects(), block);
    }

    /// The newest resourceVersion.
    pub fn revision(&self) -> u64 {
        self.objects().revision
    }

    /// The type with this qualified name (`pods`, `deployments.apps`).
    pub fn resource_type(&self, resource: &str) -> Option<Arc<ResourceType>> {
        self.objects().kinds.named(resource).cloned()
    }

    /// The type of an object, by its `apiVersion` and `kind`.
    pub fn type_of(&self, api_version: &str, kind: &str) -> Option<Arc<ResourceType>> {
        self.objects().kinds.of_kind(api_version, kind).cloned()
    }

    /// One object; `namespace` is empty for cluster-scoped ones.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.objects().get(resource, namespace, name).cloned()
    }

    /// The objects of a resource, of one namespace or of all, by namespace and name.
    pub fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        self.objects().list(resource, namespace)
    }

    /// Creates an object; its namespace is `metadata.namespace`.
    pub fn create(&self, resource: &str, object: Value, manager: &str) -> Result<Arc<Value>, Status> {
        let options = WriteOptions::new(manager, Part::Main, self.now());
        self.locked(resource, |objects, kind| write::create(objects, kind, object, &options))
    }

    /// Updates the main resource.
    pub fn update(&self, resource: &str, object: Value, manager: &str) -> Result<Arc<Value>, Status> {
        let options = WriteOptions::new(manager, Part::Main, self.now());
        self.locked(resource, |objects, kind| write::update(objects, kind, object, &options))
    }

    /// Updates the status subresource.
    pub fn update_status(&self, resource: &str, object: Value, manager: &str) -> Result<Arc<Value>, Status> {
        let options = WriteOptions::new(manager, Part::Status, self.now());
        self.locked(resource, |objects, kind| write::update(objects, kind, object, &options))
    }

    /// Reads, changes and writes the main resource at once, so that no conflict is possible; `None` when it does not
    /// exist. `change` runs under the lock: it must not call the `Api`.
    #[expect(
        clippy::too_many_arguments,
        reason = "three words name an object, and callers read better with them in line"
    )]
    pub fn mutate(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        manager: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Option<Arc<Value>>, Status> {
        self.mutate_part(
            resource,
            (namespace, name),
            &WriteOptions::new(manager, Part::Main, self.now()),
            change,
        )
    }

    /// As [`Api::mutate`], for the status subresource.
    #[expect(
        clippy::too_many_arguments,
        reason = "three words name an object, and callers read better with them in line"
    )]
    pub fn mutate_status(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        manager: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Option<Arc<Value>>, Status> {
        self.mutate_part(
            resource,
            (namespace, name),
            &WriteOptions::new(manager, Part::Status, self.now()),
            change,
        )
    }

    /// As [`Api::mutate`], for any part of the object.
    pub(super) fn mutate_part(
        &self,
        resource: &str,
        (namespace, name): (&str, &str),
        options: &WriteOptions,
        change: impl FnOnce(&mut Value),
    ) -> Result<Option<Arc<Value>>, Status> {
        self.locked(resource, |objects, kind| {
            let Some(old) = objects.get(&kind.storage(), namespace, name).cloned() else { return Ok(None) };
            let mut value = (*old).clone();
            change(&mut value);
            write::update(objects, kind, value, options).map(Some)
        })
    }

    /// Deletes an object: the object as it was last, or as it is now when something still holds it.
    pub fn delete(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Arc<Value>, Status> {
        let now = self.now();
        self.locked(resource, |objects, kind| {
            remove::delete(objects, kind, (namespace, name), options, Some(now)).map(|removal| removal.object)
        })
    }

    fn locked<T>(
        &self,
        resource: &str,
        act: impl FnOnce(&mut Objects, &ResourceType) -> Result<T, Status>,
    ) -> Result<T, Status> {
        let mut objects = self.objects();
        let kind = objects.kinds.named(resource).cloned().ok_or_else(Status::unknown_resource)?;
        act(&mut objects, &kind)
    }

    /// Woken on every write; carries the newest resourceVersion only.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.objects().changes()
    }

    /// Woken on the writes after which there may be something to collect.
    pub(super) fn collectable(&self) -> watch::Receiver<u64> {
        self.objects().collectable()
    }

    /// The resources that have objects, by qualified name.
    pub fn stored_resources(&self) -> Vec<String> {
        self.objects().resources()
    }

    /// Every object of every resource at one moment, with the resource's qualified name.
    pub fn everything(&self) -> Vec<(String, Arc<Value>)> {
        let objects = self.objects();
        let mut all = Vec::new();
        for resource in objects.resources() {
            let rows = objects.list(&resource, None);
            all.extend(rows.into_iter().map(|row| (resource.clone(), row)));
        }
        all
    }

    /// The changes of a resource from now on, in order, each one.
    pub fn subscribe(&self, resource: &str) -> Subscription {
        let revision = self.revision();
        self.subscribe_from(resource, revision)
    }

    /// The changes of a resource after a resourceVersion.
    pub fn subscribe_from(&self, resource: &str, revision: u64) -> Subscription {
        Subscription::new(self.clone(), resource, revision)
    }

    /// The sandbox's time.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The sandbox's clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock.clone()
    }

    /// `length` seeded random letters of Kubernetes' alphabet for generated names.
    pub fn random_suffix(&self, length: usize) -> String {
        self.objects().random.suffix(length)
    }

    /// A seeded random uid.
    pub fn random_uuid(&self) -> String {
        self.objects().random.uuid()
    }

    /// Whether somebody may do something.
    pub fn authorize(&self, user: &Identity, asked: &Attributes) -> rbac::Decision {
        rbac::authorize(&self.objects(), user, asked)
    }

    /// The rules that somebody has in a namespace, and what could not be looked at.
    pub fn rules_for(&self, user: &Identity, namespace: &str) -> (Vec<Value>, Vec<String>) {
        rbac::rules_for(&self.objects(), user, namespace)
    }

    /// The secrets of the server, which are no objects.
    pub fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    /// Records a core/v1 Event about an object; one that was recorded before is counted up.
    #[expect(
        clippy::too_many_arguments,
        reason = "the words of an event, in the order in which they are read"
    )]
    pub fn record_event(&self, about: &Value, warning: bool, reason: &str, message: &str, component: &str) {
        events::record(self, about, &events::Note { warning, reason, message, component });
    }
}

#[cfg(test)]
mod tests;
