//! The node agent: runs the pods that are bound to the node `sandbox`.
//!
//! Containers of known images ([`super::images`]) are real processes of this machine, each in a process group of its own;
//! all others are simulated: Running and Ready after a moment, no process, no exec; the pod says so in the annotation
//! `sandbox.styrmin.io/simulated`. What differs from a real node:
//!
//! - There are no namespaces of the kernel. A container's `/` is the directory `STYRMIN_ROOT`, mounts are links below it
//!   (`volumes`), all processes see the machine's files, processes and network, and run as the person who runs styrmin.
//!   `securityContext` and read-only mounts have no effect.
//! - A pod's address is a loopback address ([`super::network`]), with `hostNetwork` the node's. A process must listen on
//!   `$POD_IP`, which is always set.
//! - What a pod asks for and has no effect is named by the event `FieldsIgnored` (`unsupported`).
//! - Volumes other than configMap, secret, downwardAPI, projected, emptyDir and persistentVolumeClaim fail with the event
//!   `FailedMount`; probes by HTTPS and gRPC fail with the event `Unhealthy`; ephemeral containers are refused.
//! - A memory limit is enforced by measuring (`meter`): a container over it is killed within a second, as `OOMKilled`.
//!   Processor limits have no effect.
//! - [`scene`]: annotations that make pods behave badly.
//! - Whoever is attached to a container gets its output from that moment on, and slows it down by reading slowly. Processes at a
//!   terminal lead a session; killing a session needs `/proc`, elsewhere its jobs are only hung up on.
//! - No process outlives the sandbox, not even `kill -9` (`lifeline`); when it starts again, pods that ran are started again
//!   and count a restart, as after a node's reboot.

mod api_access;
mod backoff;
mod console;
mod container;
mod environment;
mod expand;
mod isolate;
mod lifeline;
mod logs;
mod meter;
mod node;
mod pod;
mod probes;
mod process;
pub mod scene;
mod serve;
mod setup;
mod state;
mod status;
mod termination;
mod tokens;
mod unsupported;
mod volumes;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use backoff::BackOff;
pub use node::NAME as NODE_NAME;

use super::api::{Api, Change, ChangeKind, Subscription};
use super::clock;
use super::network::hosts::HostsFiles;
use super::network::services::Services;
use super::network::{self, Network, NetworkError};
use super::object;
use super::status::Status;
use lifeline::Lifeline;
use pod::{PodRecord, Stop, Why};

/// Who says so, in events and managed fields.
const COMPONENT: &str = "kubelet";
/// What processes get when the sandbox stops, and what those of a force-deleted pod get.
const SHORT_GRACE: Duration = Duration::from_secs(2);
/// How long the task of a pod that has panicked rests.
const REST: Duration = Duration::from_secs(10);
/// What a pod's containers are configured from.
const INPUTS: [&str; 3] = ["configmaps", "secrets", "persistentvolumeclaims"];

/// How the node is set up.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// Where pods, volumes, logs and sockets live.
    pub directory: PathBuf,
    /// The styrmin binary, by its absolute path: known images are subcommands of it.
    pub executable: PathBuf,
    /// The restart back-off.
    pub back_off: BackOff,
    /// How long a simulated container takes to start, and to succeed.
    pub simulated_delay: Duration,
    /// Chooses the block of addresses.
    pub seed: u64,
    /// Where the API server listens for processes, when it does.
    pub api_server: Option<std::net::SocketAddr>,
}

impl NodeOptions {
    /// The defaults: those of a real kubelet where there are any.
    pub fn new(directory: impl Into<PathBuf>, executable: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            executable: executable.into(),
            back_off: BackOff::default(),
            simulated_delay: Duration::from_millis(300),
            seed: 0,
            api_server: None,
        }
    }
}

/// Why there is no node.
#[derive(Debug, Error)]
pub enum KubeletError {
    /// No addresses.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The directory cannot be used.
    #[error("{path}: {source}")]
    Directory {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The API server refuses the node object.
    #[error("the node cannot be registered: {}", .0.message)]
    Refused(Status),
}

/// What all pods share.
#[derive(Debug)]
struct Node {
    api: Api,
    options: NodeOptions,
    network: Network,
    services: Arc<Services>,
    hosts: Arc<HostsFiles>,
    lifeline: PathBuf,
    meter: meter::Meter,
    tokens: tokens::Tokens,
}

impl Node {
    fn pods(&self) -> PathBuf {
        self.options.directory.join("pods")
    }

    fn claims(&self) -> PathBuf {
        self.options.directory.join("volumes")
    }

    /// So much later, by the sandbox's clock.
    fn after(&self, time: Duration) -> Timestamp {
        let now = self.api.now();
        now.saturating_add(time).unwrap_or(now)
    }

    /// Waits until it is so late by the sandbox's clock. What real processes take part in (probes, their end) is timed by
    /// the machine's.
    async fn sleep_until(&self, until: Timestamp) {
        clock::sleep_until(&*self.api.clock(), until).await;
    }

    /// Tells when something that containers are configured from has changed after this call.
    fn inputs(&self) -> Inputs {
        Inputs(INPUTS.map(|resource| self.api.subscribe(resource)))
    }
}

/// Changes of ConfigMaps, Secrets and claims.
struct Inputs([Subscription; 3]);

impl Inputs {
    async fn wait(&mut self) {
        let [config_maps, secrets, claims] = &mut self.0;
        tokio::select! {
            _ = config_maps.recv() => {}
            _ = secrets.recv() => {}
            _ = claims.recv() => {}
        }
    }

    /// As [`Inputs::wait`], for changes in one namespace.
    async fn wait_for(&mut self, namespace: &str) {
        let [config_maps, secrets, claims] = &mut self.0;
        loop {
            let change = tokio::select! {
                change = config_maps.recv() => change,
                change = secrets.recv() => change,
                change = claims.recv() => change,
            };
            // None: some were lost, and this might have been among them.
            if change.is_none_or(|change| object::namespace(&change.object) == namespace) {
                return;
            }
        }
    }
}

/// The node agent. It is also the [`super::runtime::Runtime`] of the API server's streaming subresources.
#[derive(Debug)]
pub struct Kubelet {
    node: Arc<Node>,
    lifeline: Lifeline,
    pods: Mutex<HashMap<String, Entry>>,
}

#[derive(Debug)]
struct Entry {
    record: Arc<PodRecord>,
    worker: JoinHandle<()>,
}

impl Kubelet {
    /// Claims a network, opens the lifeline and registers the node. Call [`Kubelet::run`] next. Needs a tokio runtime.
    ///
    /// # Errors
    /// No addresses are free, the directory cannot be used, or the node is refused.
    pub fn new(api: Api, options: NodeOptions) -> Result<Arc<Self>, KubeletError> {
        let unusable = |source| KubeletError::Directory { path: options.directory.clone(), source };
        make_private(&options.directory).map_err(unusable)?;
        let network = Network::claim(&options.directory, options.seed)?;
        network.adopt(&api);
        let lifeline = Lifeline::bind(&options.directory, &network.block().to_string()).map_err(unusable)?;
        node::register(&api, &network.node_address().to_string()).map_err(KubeletError::Refused)?;
        let services = Services::new(api.clone());
        let hosts = HostsFiles::new(&options.directory.join("hosts"), Arc::clone(&services));
        let path = lifeline.path().to_owned();
        let (meter, tokens) = (meter::Meter::new(), tokens::Tokens::default());
        let node = Arc::new(Node { api, options, network, services, hosts, lifeline: path, meter, tokens });
        Ok(Arc::new(Self { node, lifeline, pods: Mutex::default() }))
    }

    /// The node's own address.
    pub fn address(&self) -> std::net::Ipv4Addr {
        self.node.network.node_address()
    }

    /// Runs pods and Services until `stop`, then ends every process within a few seconds.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let _end = EndAll(Arc::clone(&self));
        let services =
            network::run(Arc::clone(&self.node.services), Arc::clone(&self.node.hosts), stop.clone());
        let pods = async {
            tokio::select! {
                () = self.follow(&stop) => {}
                () = self.lifeline.hold() => {}
            }
        };
        tokio::join!(services, pods);
    }

    async fn follow(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let mut pods = self.node.api.subscribe("pods");
            let mut claims = self.node.api.subscribe("persistentvolumeclaims");
            self.resync();
            loop {
                let known = tokio::select! {
                    () = stop.cancelled() => break,
                    change = pods.recv() => change.map(|change| self.pod_changed(&change)).is_some(),
                    change = claims.recv() => change.map(|change| self.claim_changed(&change)).is_some(),
                };
                if !known {
                    break;
                }
            }
        }
        let entries: Vec<Entry> = self.entries().drain().map(|(_, entry)| entry).collect();
        for entry in &entries {
            entry.record.order(Stop::within(SHORT_GRACE, Why::Silent));
        }
        for entry in entries {
            entry.worker.await.ok();
        }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry>> {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, uid: &str) -> Option<Arc<PodRecord>> {
        self.entries().get(uid).map(|entry| Arc::clone(&entry.record))
    }

    /// Looks at everything anew: at the start, and when changes were lost.
    fn resync(&self) {
        let pods = self.node.api.list("pods", None);
        let uids: HashSet<String> = pods.iter().map(|pod| object::uid(pod).to_owned()).collect();
        let gone: Vec<Arc<PodRecord>> = {
            let entries = self.entries();
            let records = entries.values().map(|entry| &entry.record);
            records.filter(|record| !uids.contains(&record.uid)).cloned().collect()
        };
        for record in gone {
            self.forget(&record.uid);
        }
        remove_others(&self.node.pods(), &uids);
        for pod in &pods {
            self.pod_is(pod);
        }
    }

    fn pod_changed(&self, change: &Change) {
        match change.kind {
            ChangeKind::Deleted => self.forget(object::uid(&change.object)),
            _ => self.pod_is(&change.object),
        }
    }

    fn pod_is(&self, pod: &Arc<Value>) {
        if object::text(pod, "/spec/nodeName") != NODE_NAME {
            return;
        }
        let mut entries = self.entries();
        let entry = entries.entry(object::uid(pod).to_owned()).or_insert_with(|| {
            let record = Arc::new(PodRecord::new(&self.node, pod));
            let worker = tokio::spawn(guarded(Arc::clone(&self.node), Arc::clone(&record)));
            Entry { record, worker }
        });
        entry.record.replace(Arc::clone(pod));
        if object::deleting(pod) {
            let seconds = pod["metadata"]["deletionGracePeriodSeconds"].as_u64().unwrap_or(0);
            entry.record.order(Stop::within(Duration::from_secs(seconds), Why::Deleted));
        }
    }

    /// The pod is gone: what still runs of it ends, and its directory goes.
    fn forget(&self, uid: &str) {
        let Some(Entry { record, worker }) = self.entries().remove(uid) else { return };
        record.order(Stop::within(SHORT_GRACE, Why::Silent));
        self.node.tokens.forget(uid);
        tokio::spawn(async move {
            worker.await.ok();
            remove(&record.directory);
        });
    }

    fn claim_changed(&self, change: &Change) {
        if change.kind == ChangeKind::Deleted {
            remove(&self.node.claims().join(object::uid(&change.object)));
        }
    }
}

/// A pod's task. Should it panic, its processes end with it, and it begins anew.
async fn guarded(node: Arc<Node>, record: Arc<PodRecord>) {
    let task = || pod::run(Arc::clone(&node), Arc::clone(&record));
    let panicked = |said: &str| {
        tracing::error!(pod = record.name, said, "the task of a pod has panicked");
        let message = format!("the sandbox made a mistake and begins anew with the pod: {said}");
        node.api.record_event(&record.pod(), true, "InternalError", &message, COMPONENT);
        record.reset(&node);
    };
    isolate::isolate(task, panicked, REST).await;
}

/// Ends every pod's task, and with it its processes, when [`Kubelet::run`] is dropped before it was told to stop.
struct EndAll(Arc<Kubelet>);

impl Drop for EndAll {
    fn drop(&mut self) {
        for (_, entry) in self.0.entries().drain() {
            entry.worker.abort();
        }
    }
}

/// Removes the directories that belong to no pod. Volumes of claims are never removed this way: only the deletion of a claim
/// that was seen removes data.
fn remove_others(directory: &Path, keep: &HashSet<String>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_none_or(|name| !keep.contains(name)) {
            remove(&entry.path());
        }
    }
}

/// Makes the directory, and those in it that hold secrets and data for nobody else's eyes.
fn make_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    for inner in ["pods", "volumes"] {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory.join(inner))?;
    }
    Ok(())
}

fn remove(directory: &Path) {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, path = %directory.display(), "a directory cannot be removed");
        }
        _ => {}
    }
}
