//! The cluster: the only room that names `kube`. It connects, keeps a picture of what is there by watching (never by
//! polling), and writes by server-side apply. It decides nothing.
//!
//! ```text
//! connect ─► Cluster ─► informer ─► project ─► Index ─► (generation) ─► app, reconcile
//!               └─► apply, scale, install, status, events, logs, exec, jobs, http ─► API server
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::api::DynamicObject;
use kube::core::ApiResource;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::world::{Installed, Link};
use crate::domain::{Clock, ClusterKind, ObjectKey};

mod apply;
mod capabilities;
mod certificates;
mod connect;
mod discovery;
mod drift;
mod error;
mod events;
mod exec;
mod follow;
mod http;
mod index;
mod informer;
mod install;
mod jobs;
mod lease;
mod link;
mod logs;
mod offer;
mod outdated;
mod project;
mod resource;
mod scale;
mod status;

pub use apply::{Applied, ApplyOptions, Comparison, DeleteOptions};
pub use connect::Connection;
pub use error::{ClusterError, FieldConflict};
pub use events::Note;
pub use exec::{
    Captured, Command, Ended as ExecEnded, Executed, Input as ExecInput, OutputSender, OutputStream, Process,
    Stopped,
};
pub use follow::Followed;
pub use http::{HttpAnswer, ServiceRequest};
pub use index::{Changes, Index};
pub use install::SYSTEM_NAMESPACE;
pub use jobs::{JOB_KEPT_FOR, JobEnded, JobSpec, JobValue, job, lent};
pub use lease::{Candidate, Ended, LeaseRecord, LeaseTimes, Standing};
pub use logs::LogOptions;
pub use project::{Row, key, summary};
#[cfg(test)]
pub(crate) use resource::sample;
pub use resource::{
    API_VERSION, ComponentOverride, ComponentStatus, DEFINITION, DeploymentResource, DeploymentSpec,
    DeploymentStatus, DriverSelector, EngineTrace, InventoryStatus, KIND, RouteStatus, SpecPhase,
    StatusCondition,
};
pub use scale::Scaled;
pub use status::EngineFields;

/// How long a single request may take. Watches, logs and exec are not bound by it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The name under which the watch of what the cluster was taught is kept.
const TAUGHT: &str = "*";

/// A connected cluster. Cheap to clone; the watches end with the last clone.
#[derive(Clone)]
pub struct Cluster(Arc<Inner>);

struct Inner {
    client: Client,
    name: String,
    kind: ClusterKind,
    clock: Arc<dyn Clock>,
    index: Arc<Index>,
    link: Arc<link::LinkState>,
    discovery: discovery::Discovery,
    /// The definitions of the kinds that it was taught.
    definitions: watch::Sender<informer::Definitions>,
    /// The namespaces that are watched.
    watches: Mutex<BTreeMap<String, CancellationToken>>,
    installed: Arc<watch::Sender<Installed>>,
    /// What of ours the definition of the custom resource does not have.
    lacking: Arc<outdated::Lacking>,
    stop: CancellationToken,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Cluster {
    /// The cluster behind `connection`. Nothing is sent before something is asked or watched.
    pub fn new(connection: Connection, clock: Arc<dyn Clock>) -> Self {
        let index = Arc::new(Index::default());
        Self(Arc::new(Inner {
            link: Arc::new(link::LinkState::new(Arc::clone(&index), Arc::clone(&clock))),
            discovery: discovery::Discovery::new(connection.client.clone()),
            definitions: watch::Sender::default(),
            client: connection.client,
            name: connection.name,
            kind: connection.kind,
            clock,
            index,
            watches: Mutex::default(),
            installed: Arc::new(watch::Sender::new(Installed::Unknown)),
            lacking: Arc::default(),
            stop: CancellationToken::new(),
        }))
    }

    /// `sandbox`, or the kubeconfig's context.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How it is reached.
    pub fn kind(&self) -> ClusterKind {
        self.0.kind
    }

    /// The server's version (`v1.34.0`).
    ///
    /// # Errors
    /// When the server does not answer, or not us.
    pub async fn version(&self) -> Result<String, ClusterError> {
        let info = self.unary("the version", self.0.client.apiserver_version()).await?;
        Ok(info.git_version)
    }

    /// Woken whenever anything that is watched changes, and when the link or the installation does.
    pub fn generation(&self) -> watch::Receiver<u64> {
        self.0.index.generation()
    }

    /// What the watches have found.
    pub fn index(&self) -> Arc<Index> {
        Arc::clone(&self.0.index)
    }

    /// Whether the cluster answers.
    pub fn link(&self) -> Link {
        self.0.link.link()
    }

    /// Tries again at once what failed and waits for its next try: the cluster is likely to answer now.
    pub fn retry_now(&self) {
        self.0.link.retry_now();
    }

    /// Whether the custom resource is defined there, as the watch started by [`Self::watch_deployments`] knows it.
    pub fn installed(&self) -> Installed {
        *self.0.installed.borrow()
    }

    /// Watches what runs in a namespace, until [`Self::unwatch_namespace`] or the last clone is dropped. Asking again does nothing.
    pub fn watch_namespace(&self, namespace: &str) {
        let mut watches = self.0.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if watches.contains_key(namespace) {
            return;
        }
        // No namespace has this name: it stands for the watch of what the cluster was taught.
        if !watches.contains_key(TAUGHT) {
            let stop = self.0.stop.child_token();
            watches.insert(TAUGHT.to_owned(), stop.clone());
            informer::watch_definitions(self, stop);
        }
        let stop = self.0.stop.child_token();
        watches.insert(namespace.to_owned(), stop.clone());
        informer::watch_namespace(self, namespace, stop);
    }

    /// Lists what runs in a namespace that is watched anew, and follows it from there: its watches have fallen silent.
    pub fn watch_anew(&self, namespace: &str) {
        self.unwatch_namespace(namespace);
        self.watch_namespace(namespace);
    }

    /// Stops watching a namespace. What was found stays readable.
    pub fn unwatch_namespace(&self, namespace: &str) {
        let mut watches = self.0.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stop) = watches.remove(namespace) {
            stop.cancel();
        }
    }

    /// Watches the definition of the custom resource and, as long as it is installed, all custom resources. Asking again
    /// does nothing.
    pub fn watch_deployments(&self) {
        let mut watches = self.0.watches.lock().unwrap_or_else(PoisonError::into_inner);
        // No namespace has the empty name: it stands for the cluster-wide watch.
        if watches.contains_key("") {
            return;
        }
        let stop = self.0.stop.child_token();
        watches.insert(String::new(), stop.clone());
        informer::watch_definition(self, stop);
    }

    fn api(&self, resource: &ApiResource, namespace: &str) -> Api<DynamicObject> {
        if namespace.is_empty() {
            Api::all_with(self.0.client.clone(), resource)
        } else {
            Api::namespaced_with(self.0.client.clone(), namespace, resource)
        }
    }

    /// Runs one request with a time limit; `object` names what it is about in the error.
    async fn unary<T>(
        &self,
        object: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, ClusterError> {
        match tokio::time::timeout(REQUEST_TIMEOUT, request).await {
            Ok(result) => result.map_err(|error| ClusterError::from_kube(object, &error)),
            Err(_) => Err(ClusterError::Unreachable {
                message: format!("{object}: no answer within {} s", REQUEST_TIMEOUT.as_secs()),
            }),
        }
    }
}

/// "Deployment/web in demo", as errors name an object.
fn describe(key: &ObjectKey) -> String {
    if key.namespace.is_empty() { key.to_string() } else { format!("{key} in {}", key.namespace) }
}
