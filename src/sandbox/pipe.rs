//! HTTP without a network: every request runs over an in-memory pipe of its own, with hyper at both ends.
//!
//! A pipe per request keeps a watch from holding up anything else, and lets any request upgrade (exec, port-forward).

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service;

use super::api::http::Server;
use super::faults::Faults;

/// How much one end can be ahead of the other.
const PIPE: usize = 256 * 1024;

type BoxError = Box<dyn Error + Send + Sync>;

/// The sandbox's API server as a client sees it; give it to `kube::Client::new`. Cheap to clone.
#[derive(Clone)]
pub struct SandboxService {
    server: Arc<Server>,
    faults: Faults,
}

impl fmt::Debug for SandboxService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxService").field("api", self.server.api()).finish_non_exhaustive()
    }
}

impl SandboxService {
    /// A service in front of a server, with its faults on the way.
    pub fn new(server: Arc<Server>, faults: Faults) -> Self {
        Self { server, faults }
    }
}

impl<B> Service<Request<B>> for SandboxService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Incoming>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Response<Incoming>>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (server, faults) = (self.server.clone(), self.faults.clone());
        Box::pin(async move {
            if server.stopped().is_cancelled() {
                return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "the sandbox has stopped"));
            }
            let (client_end, server_end) = tokio::io::duplex(PIPE);
            tokio::spawn(serve(server, faults, server_end));
            send(request, client_end).await.map_err(io::Error::other)
        })
    }
}

/// The server's end of one pipe, or of a connection like one.
pub(super) async fn serve<E>(server: Arc<Server>, faults: Faults, end: E)
where
    E: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let stop = server.stopped().clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (server, faults) = (server.clone(), faults.clone());
        async move { faults.through(&server, request).await }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .half_close(false)
        .serve_connection(TokioIo::new(end), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            // A response that is under way is finished; watches end by themselves.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the sandbox ended early");
    }
}

/// The client's end of one pipe, or of a connection like one.
pub(super) async fn send<B, E>(mut request: Request<B>, end: E) -> hyper::Result<Response<Incoming>>
where
    E: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    if !request.headers().contains_key(header::HOST) {
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("sandbox"));
    }
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Boxed>(TokioIo::new(end)).await?;
    tokio::spawn(connection.with_upgrades());
    sender.send_request(request.map(boxed)).await
}

type Boxed = http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>;

fn boxed<B>(body: B) -> Boxed
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    use http_body_util::BodyExt;
    body.map_err(Into::into).boxed_unsync()
}
