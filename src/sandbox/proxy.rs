//! The ingress: a reverse proxy on loopback that answers for the Ingresses of the sandbox's class.
//!
//! `Host` header and path → Ingress rule → a ready endpoint of the Service, in turn. Bodies stream both ways, upgrades
//! (WebSocket) pass through. TLS is not served: rules with `tls` answer in plain HTTP. An unknown host is 404, a Service
//! without ready endpoints 503, an endpoint that does not answer 502; each says so in words.

mod forward;
mod pages;
mod table;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::body::Body;
use super::network::services::Services;
use forward::Forwarder;
pub(in crate::sandbox) use forward::strip;
use table::Table;

const INGRESSES: &str = "ingresses.networking.k8s.io";
const CLASSES: &str = "ingressclasses.networking.k8s.io";
/// How long a client may take to send its headers.
const HEADERS: Duration = Duration::from_secs(30);

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
}

impl IngressProxy {
    /// Listens on `address` for http, and on a port of the same address for https; port 0 takes any free one.
    ///
    /// # Errors
    /// An address is taken, or cannot be listened on.
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
        Ok(Self { api, plain, tls, address, tls_address })
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
        let table = Arc::new(RwLock::new(read_table(&self.api)));
        let forwarder = Arc::new(Forwarder::new(Arc::clone(&services), Arc::clone(&table)));
        tokio::join!(
            services.follow(stop.clone()),
            keep_current(&self.api, &table, &stop),
            accept(&self.plain, forwarder, &stop)
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

fn read_table(api: &Api) -> Arc<Table> {
    Arc::new(Table::build(&api.list(INGRESSES, None), &api.list(CLASSES, None)))
}

/// Rebuilds the table when an Ingress or a class changes.
async fn keep_current(api: &Api, table: &RwLock<Arc<Table>>, stop: &CancellationToken) {
    let mut ingresses = api.subscribe(INGRESSES);
    let mut classes = api.subscribe(CLASSES);
    loop {
        let new = read_table(api);
        *table.write().unwrap_or_else(PoisonError::into_inner) = new;
        let known = tokio::select! {
            () = stop.cancelled() => return,
            change = ingresses.recv() => change.is_some(),
            change = classes.recv() => change.is_some(),
        };
        if !known {
            ingresses = api.subscribe(INGRESSES);
            classes = api.subscribe(CLASSES);
        }
    }
}

async fn accept(listener: &TcpListener, forwarder: Arc<Forwarder>, stop: &CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, client)) => {
                tokio::spawn(serve(stream, client, Arc::clone(&forwarder), stop.child_token()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the ingress was lost");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, client: SocketAddr, forwarder: Arc<Forwarder>, stop: CancellationToken) {
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request: http::Request<Incoming>| {
        let forwarder = Arc::clone(&forwarder);
        async move {
            Ok::<http::Response<Body>, std::convert::Infallible>(forwarder.answer(request, client).await)
        }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let connection = server.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::select! {
        _ = connection => {}
        () = stop.cancelled() => {}
    }
}
