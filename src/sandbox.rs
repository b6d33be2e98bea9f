//! The embedded cluster: an honest small Kubernetes inside the process.
//!
//! It uses nothing else of Styrmin. Whoever talks to it does so through [`Sandbox::service`], over HTTP on an in-memory pipe,
//! exactly as they would talk to a real API server. What it does not do, it refuses with a Kubernetes `Status`.
//!
//! ```text
//! http (pipe) → api (router, verbs) → admission (patch, fields, crd, builtin) → objects (store, log) ← controllers, kubelet
//!                                                                                  │
//!                                                                               persist (SQLite)
//! ```

pub mod access;
pub mod api;
pub mod body;
pub mod builtin;
pub mod clock;
pub mod collector;
pub mod controllers;
pub mod crd;
pub mod faults;
pub mod fields;
pub mod images;
pub mod kinds;
pub mod kubelet;
pub mod metrics;
pub mod namespaces;
pub mod network;
pub mod object;
pub mod openapi;
pub mod patch;
pub mod persist;
pub mod pipe;
pub mod portable;
pub mod printing;
pub mod protobuf;
pub mod proxy;
pub mod runtime;
pub mod schema;
pub mod scratch;
mod selector;
pub mod serve;
pub mod socket;
pub mod status;
pub mod streaming;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use access::key::SigningKey;
use api::http::Server;
use api::objects::Objects;
use api::{Api, RING_CAPACITY};
use clock::{Clock, SystemClock};
use faults::Faults;
use kubelet::{Kubelet, KubeletError, NodeOptions};
use persist::Keeper;
use pipe::SandboxService;
pub use proxy::TlsPort;
use proxy::{IngressProxy, ProxyError};
use scratch::Scratch;

/// How a sandbox is to be run.
#[derive(Clone)]
pub struct SandboxOptions {
    /// Where it keeps its objects and its pods' volumes; `None` keeps nothing.
    pub directory: Option<PathBuf>,
    /// What generated names and uids start from.
    pub seed: u64,
    /// The time on its objects.
    pub clock: Arc<dyn Clock>,
    /// Where the ingress proxy listens; port 0 takes any free one.
    pub ingress: SocketAddr,
    /// Where it listens for https, at the same address.
    pub ingress_tls: TlsPort,
    /// The program whose `image` subcommands are the known images.
    pub executable: PathBuf,
}

impl SandboxOptions {
    /// A sandbox that keeps nothing, by the machine's clock, with its ingress at any free ports of 127.0.0.1.
    pub fn in_memory(seed: u64, executable: impl Into<PathBuf>) -> Self {
        Self {
            directory: None,
            seed,
            clock: Arc::new(SystemClock),
            ingress: (Ipv4Addr::LOCALHOST, 0).into(),
            ingress_tls: TlsPort::default(),
            executable: executable.into(),
        }
    }
}

/// A running embedded cluster. Dropping it ends its tasks at once; [`Sandbox::stop`] ends them in order.
pub struct Sandbox {
    api: Api,
    server: Arc<Server>,
    faults: Faults,
    keeper: Option<Keeper>,
    tasks: JoinSet<()>,
    ingress: SocketAddr,
    ingress_tls: SocketAddr,
    stop: CancellationToken,
    /// The directory of a sandbox that keeps nothing; the last field, so that it goes last.
    _scratch: Option<Scratch>,
}

impl Sandbox {
    /// Starts a sandbox, with the objects that its directory holds.
    ///
    /// # Errors
    /// Its directory cannot be used, its file is damaged or in use, its addresses are taken.
    pub async fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        Self::start_reachable(options, None).await
    }

    /// As [`Sandbox::start`], with an address where pods are told that they find the API server.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub async fn start_reachable(
        options: SandboxOptions,
        api_server: Option<SocketAddr>,
    ) -> Result<Self, SandboxError> {
        let stop = CancellationToken::new();
        let faults = Faults::new(options.clock.clone());
        let (api, keeper) = open(&options, faults.clock())?;
        let (directory, scratch) = home(&options)?;
        let node =
            NodeOptions { seed: options.seed, api_server, ..NodeOptions::new(directory, options.executable) };
        let kubelet = Kubelet::new(api.clone(), node)?;
        let proxy = IngressProxy::bind(api.clone(), options.ingress, options.ingress_tls).await?;
        let (ingress, ingress_tls) = (proxy.address(), proxy.tls_address());
        let server = Arc::new(Server::new(api.clone(), keeper.as_ref().map(Keeper::kept), stop.clone()));
        server.set_runtime(kubelet.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(collector::run(api.clone(), stop.clone()));
        tasks.spawn(controllers::run(api.clone(), stop.clone()));
        tasks.spawn(access::controllers::run(api.clone(), stop.clone()));
        tasks.spawn(kubelet.run(stop.clone()));
        tasks.spawn(proxy.run(stop.clone()));
        Ok(Self { api, server, faults, keeper, tasks, ingress, ingress_tls, stop, _scratch: scratch })
    }

    /// Its API server, for `kube::Client::new`.
    pub fn service(&self) -> SandboxService {
        SandboxService::new(self.server.clone(), self.faults.clone())
    }

    /// What goes wrong on purpose, with the requests that come through [`Sandbox::service`].
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Its objects.
    pub fn api(&self) -> Api {
        self.api.clone()
    }

    /// Where its ingress proxy listens.
    pub fn ingress_address(&self) -> SocketAddr {
        self.ingress
    }

    /// Where its ingress proxy listens for https.
    pub fn ingress_tls_address(&self) -> SocketAddr {
        self.ingress_tls
    }

    /// Stops it: no more requests, every process ended, everything on the disk.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.api.close();
        if let Some(keeper) = self.keeper.take() {
            // Joining a thread blocks; it has little left to write.
            let _ = tokio::task::spawn_blocking(move || keeper.close()).await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
        self.api.close();
    }
}

/// The objects, loaded from the directory where there is one.
fn open(options: &SandboxOptions, clock: Arc<dyn Clock>) -> Result<(Api, Option<Keeper>), SandboxError> {
    let mut objects = Objects::new(options.seed, RING_CAPACITY);
    let mut keeper = None;
    if let Some(directory) = &options.directory {
        let (loaded, sink, thread) = persist::open(directory)?;
        objects.load(loaded.revision, loaded.rows);
        objects.keep_in(sink);
        keeper = Some(thread);
    }
    let api = Api::from_objects(clock, objects);
    api.credentials().sign_with(signing_key(options)?);
    api.make_default_namespaces();
    access::defaults::make(&api);
    access::aggregation::gather_all(&api);
    Ok((api, keeper))
}

/// What signs the tokens of ServiceAccounts; a sandbox that keeps nothing has a new one each time.
fn signing_key(options: &SandboxOptions) -> Result<SigningKey, SandboxError> {
    match &options.directory {
        Some(directory) => SigningKey::open(directory),
        None => SigningKey::random()
            .map_err(|error| SandboxError::Directory { path: "token.key".into(), why: error.to_string() }),
    }
}

/// Where the node keeps pods and volumes.
fn home(options: &SandboxOptions) -> Result<(PathBuf, Option<Scratch>), SandboxError> {
    if let Some(directory) = &options.directory {
        return Ok((directory.join("node"), None));
    }
    let scratch = Scratch::new()
        .map_err(|error| SandboxError::Directory { path: std::env::temp_dir(), why: error.to_string() })?;
    Ok((scratch.path().join("node"), Some(scratch)))
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Its directory cannot be used.
    #[error("the sandbox's directory {} cannot be used: {why}", path.display())]
    Directory {
        /// The directory, or the file in it.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// Another process runs it.
    #[error("another process runs the sandbox of {}", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// Its file is damaged. It is left as it is.
    #[error("the sandbox's file {} is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Its file was written by a newer version.
    #[error("the sandbox's file {} has layout {found}, this version knows up to {known}", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The layout of the file.
        found: i64,
        /// The newest layout that is known.
        known: i64,
    },
    /// There is no node.
    #[error(transparent)]
    Node(#[from] KubeletError),
    /// There is no ingress.
    #[error(transparent)]
    Ingress(#[from] ProxyError),
}
