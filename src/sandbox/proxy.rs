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
    },
    /// Anything else.
    #[error("the ingress cannot listen on {address}: {source}; choose another address or port")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A proxy that listens.
#[derive(Debug)]
pub struct IngressProxy {
    api: Api,
    listener: TcpListener,
    address: SocketAddr,
}

impl IngressProxy {
    /// Listens on `address`; port 0 takes any free one.
    ///
    /// # Errors
    /// The address is taken, or cannot be listened on.
    pub async fn bind(api: Api, address: SocketAddr) -> Result<Self, ProxyError> {
        let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => ProxyError::Taken { address },
            _ => ProxyError::Refused { address, source },
        })?;
        let address = listener.local_addr().map_err(|source| ProxyError::Refused { address, source })?;
        Ok(Self { api, listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let services = Services::new(self.api.clone());
        let table = Arc::new(RwLock::new(read_table(&self.api)));
        let forwarder = Arc::new(Forwarder::new(Arc::clone(&services), Arc::clone(&table)));
        tokio::join!(
            services.follow(stop.clone()),
            keep_current(&self.api, &table, &stop),
            accept(&self.listener, forwarder, &stop)
        );
    }
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
