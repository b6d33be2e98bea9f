//! The embedded sandbox of a state directory: it runs in the process that holds the engine, and the others reach it there.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::Options;
use super::paths::Paths;
use super::route::SandboxRoute;
use crate::domain::route::{Isolation, RouteKind, SANDBOX, Via};
use crate::domain::{ClusterKind, ClusterRecord, Environment, Problem};
use crate::sandbox::{self, Sandbox, SandboxError, SandboxOptions, TlsPort};
use crate::store::Store;

/// The environment that a new sandbox offers.
const DEMO: &str = "demo";
/// The class of the sandbox's ingress, which is its default one.
const INGRESS_CLASS: &str = "sandbox";
/// The namespace that its ingress counts as a pod of.
const INGRESS_NAMESPACE: &str = "kube-system";
/// The socket, in the sandbox's directory.
const SOCKET: &str = "sandbox.sock";
/// How often, and how long after each other, it is tried to start in the place of one whose process is just dying: the
/// kernel lets go of its files and addresses one by one.
const TRIES: u32 = 50;
const FEW_TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(40);

/// Where the sandbox of a state directory lives, and how it is reached.
#[derive(Debug, Clone)]
pub struct SandboxHome {
    directory: PathBuf,
    executable: PathBuf,
    ingress_port: u16,
    /// None: nobody asked for a port.
    ingress_tls_port: Option<u16>,
    shared: bool,
    /// The way of this process's clients.
    pub route: SandboxRoute,
}

impl SandboxHome {
    /// The home in the state directory.
    ///
    /// # Errors
    /// This program's own file is not found.
    pub fn new(options: &Options, paths: &Paths) -> Result<Self, Problem> {
        let directory = paths.sandbox();
        let route = SandboxRoute::new(&directory.join(SOCKET));
        let executable = options.executable.clone().map_or_else(own_executable, Ok)?;
        let (ingress_port, ingress_tls_port) = (options.ingress_port, options.ingress_tls_port);
        let shared = !options.ephemeral;
        Ok(Self { directory, executable, ingress_port, ingress_tls_port, shared, route })
    }

    /// The record of a sandbox whose ingress has these ports, for http and for https.
    pub fn record(ingress_port: Option<u16>, ingress_tls_port: Option<u16>) -> ClusterRecord {
        ClusterRecord {
            name: ClusterKind::Sandbox.as_str().to_owned(),
            kind: ClusterKind::Sandbox,
            fqdn_suffix: Some("localhost".to_owned()),
            storage_class: Some("standard".to_owned()),
            ingress_port,
            ingress_tls_port,
        }
    }

    /// Starts the sandbox in this process, opens its socket, records where its ingress is, and offers the demo. In place of
    /// one that ran before, its ingress keeps the address that people have open.
    ///
    /// # Errors
    /// It cannot start: the message says what to do about just that.
    pub async fn start(&self, store: &Store, succeeds: bool) -> Result<Sandbox, Problem> {
        let name = ClusterKind::Sandbox.as_str();
        let before = store.cluster(name).await?;
        let asked = self.asked(before.as_ref());
        let wanted = before.as_ref().filter(|_| succeeds).map_or(asked, |record| Ports {
            http: record.ingress_port.unwrap_or(asked.http),
            https: record.ingress_tls_port.map_or(asked.https, TlsPort::Exactly),
        });
        let tries = if succeeds { TRIES } else { FEW_TRIES };
        let mut started = self.try_start(wanted, tries).await;
        if wanted != asked && matches!(started, Err(SandboxError::Ingress(_))) {
            started = self.try_start(asked, 1).await;
        }
        let mut sandbox = started.map_err(|error| refused(&self.directory, &error))?;
        if self.shared {
            allow_more_files();
            let path = self.directory.join(SOCKET);
            if let Err(error) = sandbox.listen(&path) {
                sandbox.stop().await;
                let next = "make the directory writable for you, or name another --state-dir";
                let what = format!("The sandbox cannot be shared at {}", path.display());
                return Err(Problem::new(what, error.to_string(), next));
            }
        }
        let (http, https) = (sandbox.ingress_address().port(), sandbox.ingress_tls_address().port());
        // what a person has set for the cluster stays
        let record = match before {
            Some(record) => {
                ClusterRecord { ingress_port: Some(http), ingress_tls_port: Some(https), ..record }
            }
            None => Self::record(Some(http), Some(https)),
        };
        store.upsert_cluster(&record).await?;
        offer_demo(store, &record).await?;
        self.route.lead_to(Some(sandbox.service()));
        Ok(sandbox)
    }

    /// The ports for a start of its own. Frozen URLs hold the https port: where nobody asks for one, the last one is the best.
    fn asked(&self, before: Option<&ClusterRecord>) -> Ports {
        let https = match TlsPort::beside(self.ingress_port, self.ingress_tls_port) {
            TlsPort::Preferably(usual) => {
                TlsPort::Preferably(before.and_then(|record| record.ingress_tls_port).unwrap_or(usual))
            }
            exactly @ TlsPort::Exactly(_) => exactly,
        };
        Ports { http: self.ingress_port, https }
    }

    async fn try_start(&self, ports: Ports, tries: u32) -> Result<Sandbox, SandboxError> {
        let mut left = tries;
        loop {
            left = left.saturating_sub(1);
            let started = Sandbox::start_for_pods(SandboxOptions {
                directory: Some(self.directory.clone()),
                ingress: SocketAddr::from((Ipv4Addr::LOCALHOST, ports.http)),
                ingress_tls: ports.https,
                executable: self.executable.clone(),
                seed: fresh_seed(),
                clock: Arc::new(sandbox::clock::SystemClock),
            })
            .await;
            match started {
                Err(SandboxError::InUse { .. } | SandboxError::Ingress(_)) if left > 0 => {
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }

    /// Stops it: this process's clients go to whoever starts it next.
    pub async fn stop(&self, sandbox: Sandbox) {
        self.route.lead_to(None);
        sandbox.stop().await;
    }
}

/// Where the ingress is to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ports {
    http: u16,
    https: TlsPort,
}

/// Every watch of every other process is a connection here: as many files as the system lets this user have.
fn allow_more_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: now.maximum, maximum: now.maximum };
    if now.current != now.maximum
        && let Err(error) = setrlimit(Resource::Nofile, wanted)
    {
        tracing::debug!(%error, "the limit of open files stays");
    }
}

/// A number that no two runs share: names and addresses of the sandbox start from it.
pub fn fresh_seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// Why the sandbox does not start, and what to do about just that.
pub fn refused(directory: &Path, error: &SandboxError) -> Problem {
    let next = match error {
        SandboxError::Directory { .. } => "make it writable for you, or name another --state-dir".to_owned(),
        SandboxError::InUse { path } => {
            let kubeconfig = path.join("kubeconfig");
            format!(
                "end that cockpit or that `styrmin sandbox serve`, or name another --state-dir; one that serves can be joined: styrmin --kubeconfig {}",
                kubeconfig.display()
            )
        }
        SandboxError::Damaged { path, .. } => {
            let path = path.display();
            format!(
                "nothing was changed; move it aside (mv {path} {path}.damaged) and start again, or name another --state-dir"
            )
        }
        SandboxError::TooNew { .. } => {
            "start the newer styrmin that wrote it, or name another --state-dir".to_owned()
        }
        SandboxError::Node(_) => {
            "free some memory, processes or loopback addresses, and start again".to_owned()
        }
        SandboxError::Ingress(error) if error.is_tls() => {
            "end the program that has the port, or choose another --ingress-tls-port (0 takes any)".to_owned()
        }
        SandboxError::Ingress(_) => {
            "end the program that has the port, or choose another --ingress-port (0 takes any)".to_owned()
        }
    };
    Problem::new(format!("The sandbox in {} cannot start", directory.display()), error.to_string(), next)
}

/// The file of this very program: the sandbox runs its images with it.
///
/// # Errors
/// The system does not know it.
pub fn own_executable() -> Result<PathBuf, Problem> {
    std::env::current_exe().map_err(|error| {
        let why = format!("this program's own file is not found: {error}");
        Problem::new("The sandbox cannot start", why, "start it by its full path")
    })
}

async fn offer_demo(store: &Store, record: &ClusterRecord) -> Result<(), Problem> {
    if !store.environments(&record.name).await?.is_empty() {
        return Ok(());
    }
    let mut demo = Environment::new(DEMO, &record.name, DEMO);
    demo.routing.isolation = Some(Isolation::Inbound);
    demo.routing.via = Some(Via {
        kind: RouteKind::Ingress,
        controller: SANDBOX.to_owned(),
        class: Some(INGRESS_CLASS.to_owned()),
        gateway: None,
        namespace: Some(INGRESS_NAMESPACE.to_owned()),
    });
    Ok(store.upsert_environment(&demo).await?)
}
