//! The way to the sandbox: the one in this process when there is one, else the one behind the state directory's socket.

use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use tower::Service;

use crate::sandbox::pipe::SandboxService;
use crate::sandbox::socket::SocketService;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A client's way to the sandbox; give it to `kube::Client::new`. Clones switch together.
#[derive(Debug, Clone)]
pub struct SandboxRoute {
    here: Arc<RwLock<Option<SandboxService>>>,
    elsewhere: SocketService,
}

impl SandboxRoute {
    /// The way to whoever answers at `socket`.
    pub fn new(socket: &Path) -> Self {
        Self { here: Arc::default(), elsewhere: SocketService::new(socket) }
    }

    /// From now on, the sandbox in this process; or no longer that.
    pub fn lead_to(&self, here: Option<SandboxService>) {
        *self.here.write().unwrap_or_else(PoisonError::into_inner) = here;
    }
}

impl<B> Service<Request<B>> for SandboxRoute
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
        let here = self.here.read().unwrap_or_else(PoisonError::into_inner).clone();
        match here {
            Some(mut here) => here.call(request),
            None => self.elsewhere.call(request),
        }
    }
}
