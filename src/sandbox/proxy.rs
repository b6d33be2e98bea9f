//! The ingress: a reverse proxy on loopback that answers for the Ingresses of the sandbox's class, and the way to the
//! load balancers of other controllers.
//!
//! ```text
//! http  → Host, path ─┬→ ours: allow-list → ready endpoint → NetworkPolicies → the pod
//! https → SNI ────────┴→ another controller's: its Service of type LoadBalancer (https: the bytes as they are)
//! ```
//! Bodies stream both ways, upgrades (WebSocket) pass through. For https the certificate is the one of the Ingress's Secret as
//! it is now, or a self-signed one; a rule with `tls` answers in plain HTTP too, or sends it on to https (308) where the Ingress has the
//! annotation `sandbox.styrmin.io/ssl-redirect: "true"`.
//!
//! What cannot be answered is said in words: 404 an unknown host or one of a class that nobody serves, 403 an address outside the
//! allow-list, 503 no ready endpoint, 504 a NetworkPolicy (a real ingress would wait in vain), 502 an endpoint that does not
//! answer. For NetworkPolicies the proxy is a pod of `kube-system` with the label `app.kubernetes.io/name: sandbox-ingress`.

mod balancer;
mod certificates;
mod claims;
mod connection;
mod exchange;
mod explain;
mod forward;
mod hello;
mod pages;
mod policies;
mod table;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use futures::future::select_all;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use super::api::{Api, Subscription, Watching};
use super::network::services::Services;
use super::serve::Limits;
use certificates::Certificates;
use connection::Connections;
pub(in crate::sandbox) use exchange::strip;
use forward::Forwarder;
use table::{Sources, Table};

/// Who reports events about Ingresses.
const COMPONENT: &str = "sandbox-ingress";

/// The table as it is now, for everybody who reads it.
type SharedTable = Arc<RwLock<Arc<Table>>>;

fn current(table: &RwLock<Arc<Table>>) -> Arc<Table> {
    Arc::clone(&table.read().unwrap_or_else(PoisonError::into_inner))
}

/// At which port https is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsPort {
    /// At this one, or the proxy does not start; 0 takes any free one.
    Exactly(u16),
    /// At this one, or at any free one where another program has it: nobody asked for just this.
    Preferably(u16),
}

impl Default for TlsPort {
    fn default() -> Self {
        Self::Exactly(0)
    }
}

impl TlsPort {
    /// The port where nobody asks for another.
    pub const USUAL: u16 = 8443;

    /// What is meant where a person gives a port for http and perhaps one for https: who takes any free port for http, so
    /// that several sandboxes run beside each other, does not insist on one for https.
    pub fn beside(http: u16, asked: Option<u16>) -> Self {
        match asked {
            Some(port) => Self::Exactly(port),
            None if http == 0 => Self::default(),
            None => Self::Preferably(Self::USUAL),
        }
    }
}

/// Why the proxy does not listen.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// The address is in use.
    #[error(
        "the ingress cannot listen on {address}: another program uses this port; stop it, or choose another port (0 takes any free one)"
    )]
    Taken {
        /// The address.
        address: SocketAddr,
        /// Whether it was to serve https.
        tls: bool,
    },
    /// Anything else.
    #[error("the ingress cannot listen on {address}: {source}; choose another address or port")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// Whether it was to serve https.
        tls: bool,
        /// Why.
        source: std::io::Error,
    },
    /// There are no random numbers for a key.
    #[error("the ingress cannot make its certificate: {0}")]
    Certificate(String),
}

impl ProxyError {
    /// Whether it is about the port for https.
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Taken { tls: true, .. } | Self::Refused { tls: true, .. })
    }
}

/// A proxy that listens.
#[derive(Debug)]
pub struct IngressProxy {
    api: Api,
    plain: TcpListener,
    tls: TcpListener,
    address: SocketAddr,
    tls_address: SocketAddr,
    table: SharedTable,
    config: ServerConfig,
    limits: Limits,
}

impl IngressProxy {
    /// Listens on `address` for http, and on a port of the same address for https; port 0 takes any free one.
    ///
    /// # Errors
    /// An address is taken, or cannot be listened on; the system gives no random numbers.
    pub async fn bind(api: Api, address: SocketAddr, tls: TlsPort) -> Result<Self, ProxyError> {
        let (plain, address) = listen(address, false).await?;
        let at = |port| SocketAddr::new(address.ip(), port);
        let (tls, tls_address) = match tls {
            TlsPort::Exactly(port) => listen(at(port), true).await?,
            TlsPort::Preferably(port) => match listen(at(port), true).await {
                Err(ProxyError::Taken { .. }) => listen(at(0), true).await?,
                other => other?,
            },
        };
        let table = SharedTable::default();
        let config = certificates::config(Certificates::new(api.clone(), Arc::clone(&table))?)?;
        let limits = Limits::of_this_process();
        Ok(Self { api, plain, tls, address, tls_address, table, config, limits })
    }

    /// With other limits than the usual ones.
    #[must_use]
    pub fn limited(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Where it listens for http.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for https.
    pub fn tls_address(&self) -> SocketAddr {
        self.tls_address
    }

    /// Serves until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let services = Services::new(self.api.clone());
        let (table, tls_port) = (Arc::clone(&self.table), self.tls_address.port());
        let forwarder = Forwarder::new(self.api.clone(), Arc::clone(&services), table, tls_port);
        let tls = TlsAcceptor::from(Arc::new(self.config));
        let connections = Connections::new(forwarder, tls, self.limits);
        let follow = Sources::RESOURCES.map(|resource| self.api.subscribe(resource));
        refresh(&self.api, &self.table);
        tokio::join!(
            services.follow(stop.clone()),
            keep_current(&self.api, &self.table, follow, &stop),
            connections.accept(&self.plain, false, &stop),
            connections.accept(&self.tls, true, &stop),
        );
    }
}

/// A listener, and where it is.
async fn listen(address: SocketAddr, tls: bool) -> Result<(TcpListener, SocketAddr), ProxyError> {
    let refused = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AddrInUse => ProxyError::Taken { address, tls },
        _ => ProxyError::Refused { address, tls, source },
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

fn refresh(api: &Api, table: &RwLock<Arc<Table>>) {
    let new = Arc::new(Table::build(&Sources::read(api)));
    *table.write().unwrap_or_else(PoisonError::into_inner) = new;
}

/// Rebuilds the table when one of its sources changes; what has changed together is looked at once.
async fn keep_current(
    api: &Api,
    table: &RwLock<Arc<Table>>,
    mut changes: [Subscription; Sources::RESOURCES.len()],
    stop: &CancellationToken,
) {
    loop {
        let any = select_all(changes.iter_mut().map(|resource| Box::pin(resource.recv())));
        let known = tokio::select! {
            () = stop.cancelled() => return,
            (change, ..) = any => change.is_some(),
        };
        let mut lost = !known;
        for resource in &mut changes {
            while let Some(change) = resource.ready() {
                if matches!(change, Watching::Expired(_)) {
                    lost = true;
                    break;
                }
            }
        }
        if lost {
            changes = Sources::RESOURCES.map(|resource| api.subscribe(resource));
        }
        refresh(api, table);
    }
}
