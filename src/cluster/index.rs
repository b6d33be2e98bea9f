//! The picture of the cluster that the watches keep: plain tables behind a lock, changed by `apply`, `delete` and `reset`,
//! read by namespace, label and owner. Whoever wants to know that something moved waits on the generation, which carries
//! no data: readers look at what is there, so a hundred changes cost one look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch;

use crate::domain::labels;
use crate::domain::object::EventSummary;
use crate::domain::{ObjectKey, ObjectSummary};

use super::project::Row;
use super::resource::DeploymentResource;

mod space;

use space::{Seen, Space, is_before};

/// The tables. Shared by the watches that write and everybody who reads.
pub struct Index {
    tables: RwLock<Tables>,
    generation: watch::Sender<u64>,
}

#[derive(Default)]
struct Tables {
    generation: u64,
    spaces: BTreeMap<String, Space>,
    deployments: BTreeMap<(String, String), (Arc<DeploymentResource>, u64)>,
    /// When a custom resource last vanished, so that whoever follows changes hears of it.
    vanished: BTreeMap<(String, String), u64>,
    deployments_seen: Seen,
    /// The generation at which the custom resources were first listed; none before.
    listed_at: Option<u64>,
}

/// What moved since a generation: who is woken reads the tables, not this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The generation up to which this speaks.
    pub generation: u64,
    /// Namespaces that became complete: everything in them is to be looked at.
    pub completed: BTreeSet<String>,
    /// Whether the custom resources were listed for the first time: every record is to be looked at.
    pub listed: bool,
    /// Deployments of which an object or the custom resource changed or vanished: `(namespace, name)`.
    pub deployments: BTreeSet<(String, String)>,
}

impl Default for Index {
    fn default() -> Self {
        Self { tables: RwLock::default(), generation: watch::Sender::new(0) }
    }
}

impl Index {
    /// Woken on every change; the number only says that something moved.
    pub fn generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// What moved after `generation`.
    pub fn changes_since(&self, generation: u64) -> Changes {
        let tables = self.read();
        let present = tables.deployments.iter().filter(|(_, (_, at))| *at > generation).map(|(key, _)| key);
        let gone = tables.vanished.iter().filter(|(_, at)| **at > generation).map(|(key, _)| key);
        let mut deployments: BTreeSet<_> = present.chain(gone).cloned().collect();
        for (namespace, space) in &tables.spaces {
            let touched = space.touched.iter().filter(|(_, at)| **at > generation);
            deployments.extend(touched.map(|(deployment, _)| (namespace.clone(), deployment.clone())));
        }
        let completed = tables.spaces.iter().filter(|(_, space)| space.completed > generation);
        Changes {
            generation: tables.generation,
            completed: completed.map(|(namespace, _)| namespace.clone()).collect(),
            listed: tables.listed_at.is_some_and(|at| at > generation),
            deployments,
        }
    }

    /// Something beside the tables changed that readers look at together with them: wakes them.
    pub fn touch(&self) {
        self.write(|_, _| true);
    }

    // Written by the watches.

    /// The watch of `kind` in `namespace` exists: the namespace is not complete before its first list.
    pub fn expect(&self, namespace: &str, kind: &str) {
        self.write(|tables, _| {
            tables.space(namespace).pending.insert(kind.to_owned());
            false
        });
    }

    /// The watch reports that an object is as in `row`.
    pub fn apply(&self, row: Row) {
        self.write(|tables, at| {
            let (key, version) = (&row.summary.key, &row.summary.resource_version);
            let space = tables.space(&key.namespace);
            space.seen.entry(key.kind.clone()).or_default().note(version);
            !space.is_ahead(&key.kind, &key.name, version) && space.put(row, at)
        });
    }

    /// The watch reports that an object is gone, as of `resource_version`.
    pub fn delete(&self, key: &ObjectKey, resource_version: &str) {
        self.write(|tables, at| {
            let space = tables.space(&key.namespace);
            space.seen.entry(key.kind.clone()).or_default().note(resource_version);
            // its successor may be known already
            !space.is_ahead(&key.kind, &key.name, resource_version) && space.remove(&key.kind, &key.name, at)
        });
    }

    /// The watch of `kind` in `namespace` listed everything anew: what is not in `rows` is gone.
    pub fn reset(&self, namespace: &str, kind: &str, rows: Vec<Row>) {
        self.write(|tables, at| tables.space(namespace).reset(kind, rows, at));
    }

    /// The watch of `kind` is denied: as far as we know there is no object, but absence proves nothing.
    pub fn hide(&self, namespace: &str, kind: &str) {
        self.write(|tables, at| {
            let space = tables.space(namespace);
            let changed = space.reset(kind, Vec::new(), at);
            space.hidden.insert(kind.to_owned()) || changed
        });
    }

    /// An answer to a write of ours says that an object is as in `row`. The watch may be ahead already: then the answer is
    /// old news and is dropped. In a namespace that is not watched nothing is kept.
    pub fn offer(&self, row: Row) {
        self.write(|tables, at| {
            let key = &row.summary.key;
            let Some(space) = tables.spaces.get_mut(&key.namespace) else { return false };
            let version = &row.summary.resource_version;
            let covered = space.seen.get(&key.kind).is_none_or(|seen| seen.covers(version));
            !covered && !space.is_ahead(&key.kind, &key.name, version) && space.put(row, at)
        });
    }

    /// The server took the order to delete an object: it counts as going before the watch says so.
    pub fn mark_deleting(&self, key: &ObjectKey) {
        self.write(|tables, at| {
            let Some(space) = tables.spaces.get_mut(&key.namespace) else { return false };
            let Some(mut row) = space.get(&key.kind, &key.name).map(|row| Row::clone(row)) else {
                return false;
            };
            row.summary.deleting = true;
            space.put(row, at)
        });
    }

    /// The watch of events reports one; `uid` is the event's own.
    pub fn apply_event(&self, namespace: &str, uid: &str, event: EventSummary) {
        self.write(|tables, _| tables.space(namespace).put_event(uid, event));
    }

    /// The watch of events listed everything anew.
    pub fn reset_events(&self, namespace: &str, events: Vec<(String, EventSummary)>) {
        self.write(|tables, at| tables.space(namespace).reset_events(events, at));
    }

    /// The watch of custom resources reports one.
    pub fn apply_deployment(&self, resource: DeploymentResource) {
        self.write(|tables, at| {
            tables.deployments_seen.note(&resource.resource_version);
            let key = (resource.namespace.clone(), resource.name.clone());
            !tables.is_ahead(&key, &resource.resource_version) && tables.put_deployment(resource, at)
        });
    }

    /// An answer to a write of ours says that a custom resource is as given; see [`Self::offer`].
    pub fn offer_deployment(&self, resource: DeploymentResource) {
        self.write(|tables, at| {
            let known =
                tables.listed_at.is_some() && !tables.deployments_seen.covers(&resource.resource_version);
            let key = (resource.namespace.clone(), resource.name.clone());
            known && !tables.is_ahead(&key, &resource.resource_version) && tables.put_deployment(resource, at)
        });
    }

    /// The watch of custom resources reports that one is gone.
    pub fn delete_deployment(&self, namespace: &str, name: &str, resource_version: &str) {
        self.write(|tables, at| {
            tables.deployments_seen.note(resource_version);
            let key = (namespace.to_owned(), name.to_owned());
            // its successor may be known already
            !tables.is_ahead(&key, resource_version) && tables.remove_deployment(&key, at)
        });
    }

    /// The watch of custom resources listed everything anew.
    pub fn reset_deployments(&self, resources: Vec<DeploymentResource>) {
        self.write(|tables, at| tables.reset_deployments(resources, at));
    }

    /// The kind itself was removed from the cluster, or may not be watched any more.
    pub fn forget_deployments(&self) {
        self.write(|tables, at| {
            let changed = tables.reset_deployments(Vec::new(), at);
            tables.listed_at = None;
            tables.deployments_seen = Seen::default();
            changed
        });
    }

    // Read by everybody.

    /// Whether every watch of the namespace has listed once: before that, an absent object may exist.
    pub fn is_complete(&self, namespace: &str) -> bool {
        self.read().spaces.get(namespace).is_some_and(Space::is_complete)
    }

    /// Whether the custom resources have been listed.
    pub fn deployments_complete(&self) -> bool {
        self.read().listed_at.is_some()
    }

    /// Whether an object of this kind would be here if it existed.
    pub fn sees(&self, namespace: &str, kind: &str) -> bool {
        let tables = self.read();
        tables
            .spaces
            .get(namespace)
            .is_some_and(|space| space.seen.contains_key(kind) && !space.hidden.contains(kind))
    }

    /// Every object of a namespace, by kind and name.
    pub fn objects(&self, namespace: &str) -> Vec<ObjectSummary> {
        self.collect(namespace, |_| true)
    }

    /// One object.
    pub fn object(&self, key: &ObjectKey) -> Option<ObjectSummary> {
        self.row(key).map(|row| row.summary.clone())
    }

    /// One object with the trace of our writes.
    pub fn row(&self, key: &ObjectKey) -> Option<Arc<Row>> {
        let tables = self.read();
        tables.spaces.get(&key.namespace)?.get(&key.kind, &key.name).cloned()
    }

    /// Everything that belongs to a deployment: what carries its label, and what those objects own, directly or not.
    pub fn objects_of(&self, namespace: &str, deployment: &str) -> Vec<ObjectSummary> {
        let tables = self.read();
        let Some(space) = tables.spaces.get(namespace) else { return Vec::new() };
        space.belonging_to(deployment).into_iter().map(|row| row.summary.clone()).collect()
    }

    /// What carries the label of a deployment and no controller owns: its inventory, as it stands on the objects.
    pub fn inventory(&self, namespace: &str, deployment: &str) -> Vec<Arc<Row>> {
        let tables = self.read();
        let rows = tables.spaces.get(namespace).into_iter().flat_map(|space| space.labelled(deployment));
        rows.filter(|row| is_inventory(row, deployment)).cloned().collect()
    }

    /// The pods of a namespace that carry all `labels`, by name.
    pub fn pods_of(&self, namespace: &str, labels: &BTreeMap<String, String>) -> Vec<ObjectSummary> {
        self.select(namespace, "Pod", labels)
    }

    /// The objects of a kind that carry all `labels`, by name. An empty selector selects nothing.
    pub fn select(
        &self,
        namespace: &str,
        kind: &str,
        labels: &BTreeMap<String, String>,
    ) -> Vec<ObjectSummary> {
        if labels.is_empty() {
            return Vec::new();
        }
        let matches = |object: &ObjectSummary| {
            labels.iter().all(|(name, value)| object.labels.get(name) == Some(value))
        };
        self.collect(namespace, |object| object.key.kind == kind && matches(object))
    }

    /// The objects that the object with this uid controls.
    pub fn owned_by(&self, namespace: &str, uid: &str) -> Vec<ObjectSummary> {
        self.collect(namespace, |object| object.owner.as_deref() == Some(uid))
    }

    /// The events of a namespace, newest first.
    pub fn events(&self, namespace: &str) -> Vec<EventSummary> {
        self.read().spaces.get(namespace).map(Space::events).unwrap_or_default()
    }

    /// The events about any of `objects` (`Pod/web-1`), newest first.
    pub fn events_of(&self, namespace: &str, objects: &BTreeSet<String>) -> Vec<EventSummary> {
        let mut events = self.events(namespace);
        events.retain(|event| objects.contains(&event.object));
        events
    }

    /// Every custom resource, by namespace and name.
    pub fn custom_resources(&self) -> Vec<Arc<DeploymentResource>> {
        self.read().deployments.values().map(|(resource, _)| Arc::clone(resource)).collect()
    }

    /// One custom resource.
    pub fn custom_resource(&self, namespace: &str, name: &str) -> Option<Arc<DeploymentResource>> {
        let key = (namespace.to_owned(), name.to_owned());
        self.read().deployments.get(&key).map(|(resource, _)| Arc::clone(resource))
    }

    fn collect(&self, namespace: &str, keep: impl Fn(&ObjectSummary) -> bool) -> Vec<ObjectSummary> {
        let tables = self.read();
        let rows = tables.spaces.get(namespace).into_iter().flat_map(Space::rows);
        rows.map(|row| &row.summary).filter(|object| keep(object)).cloned().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one change with the generation that it gets; the generation moves only when `change` says that something did.
    fn write(&self, change: impl FnOnce(&mut Tables, u64) -> bool) {
        let mut tables: RwLockWriteGuard<'_, Tables> =
            self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let next = tables.generation + 1;
        if change(&mut tables, next) {
            tables.generation = next;
            drop(tables);
            self.generation.send_if_modified(|current| {
                let newer = next > *current;
                *current = next.max(*current);
                newer
            });
        }
    }
}

/// Whether a row was written for `deployment`, as opposed to created by a controller from what was.
fn is_inventory(row: &Row, deployment: &str) -> bool {
    row.summary.owner.is_none()
        && row.summary.labels.get(labels::DEPLOYMENT).is_some_and(|name| name == deployment)
}

impl Tables {
    fn space(&mut self, namespace: &str) -> &mut Space {
        self.spaces.entry(namespace.to_owned()).or_default()
    }

    /// Whether more is known of a custom resource than as of `version`: an answer to a write of ours was ahead of the watch.
    fn is_ahead(&self, key: &(String, String), version: &str) -> bool {
        self.deployments.get(key).is_some_and(|(known, _)| is_before(version, &known.resource_version))
    }

    fn put_deployment(&mut self, resource: DeploymentResource, at: u64) -> bool {
        let key = (resource.namespace.clone(), resource.name.clone());
        if self.deployments.get(&key).is_some_and(|(known, _)| **known == resource) {
            return false;
        }
        self.vanished.remove(&key);
        self.deployments.insert(key, (Arc::new(resource), at));
        true
    }

    fn remove_deployment(&mut self, key: &(String, String), at: u64) -> bool {
        let existed = self.deployments.remove(key).is_some();
        if existed {
            self.vanished.insert(key.clone(), at);
        }
        existed
    }

    fn reset_deployments(&mut self, resources: Vec<DeploymentResource>, at: u64) -> bool {
        let listed: BTreeSet<_> = resources.iter().map(|r| (r.namespace.clone(), r.name.clone())).collect();
        let gone: Vec<_> = self.deployments.keys().filter(|key| !listed.contains(*key)).cloned().collect();
        let mut changed = self.listed_at.is_none();
        self.listed_at.get_or_insert(at);
        for key in gone {
            changed |= self.remove_deployment(&key, at);
        }
        for resource in resources {
            self.deployments_seen.note(&resource.resource_version);
            changed |= self.put_deployment(resource, at);
        }
        changed
    }
}

#[cfg(test)]
mod tests;
