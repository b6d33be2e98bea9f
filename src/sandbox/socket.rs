//! The sandbox for the other processes of its state directory: the same door as the in-memory pipe, on a socket that only
//! its owner may open (mode 0600). Plain HTTP/1.1, one connection per request, upgrades included.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::api::http::Server;
use super::faults::Faults;
use super::{Sandbox, pipe};

/// The longest path that a socket can have, in bytes, on every system.
const LONGEST: usize = 100;
/// How long the listener rests when the system has no file for one more connection.
const REST: Duration = Duration::from_millis(50);
/// How long connections may take to end when the sandbox stops.
const FAREWELL: Duration = Duration::from_secs(3);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Sandbox {
    /// Answers at the socket `path` until the sandbox stops. Whoever runs a sandbox of that directory is the only one: a
    /// socket that lies there is a dead one's and is replaced.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn listen(&mut self, path: &Path) -> io::Result<()> {
        let listener = bind(path)?;
        let (server, faults) = (Arc::clone(&self.server), self.faults.clone());
        self.tasks.spawn(accept(listener, server, faults, self.stop.clone()));
        Ok(())
    }
}

/// Binds under another name first: under its own it is never seen with other rights.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let fresh = path.with_extension("new");
    let near = Near::of(&fresh)?;
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&near.path)?;
    fs::set_permissions(&fresh, Permissions::from_mode(0o600))?;
    fs::rename(&fresh, path)?;
    Ok(listener)
}

async fn accept(listener: UnixListener, server: Arc<Server>, faults: Faults, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(pipe::serve(Arc::clone(&server), faults.clone(), stream));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was lost");
                tokio::time::sleep(REST).await;
            }
        }
    }
    drop(listener);
    // a client that does not read its answer is not waited for
    let _ = tokio::time::timeout(FAREWELL, async { while connections.join_next().await.is_some() {} }).await;
}

/// A sandbox in another process, as a client sees it; give it to `kube::Client::new`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SocketService {
    path: Arc<Path>,
}

impl SocketService {
    /// The sandbox that answers at the socket `path`, now or later: every request tries anew.
    pub fn new(path: &Path) -> Self {
        Self { path: path.into() }
    }
}

impl<B> Service<Request<B>> for SocketService
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
        let path = Arc::clone(&self.path);
        Box::pin(async move {
            let near = Near::of(&path)?;
            let stream = UnixStream::connect(&near.path).await.map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("nobody runs the sandbox at {}: {error}", path.display()),
                )
            })?;
            pipe::send(request, stream).await.map_err(io::Error::other)
        })
    }
}

/// A path that fits into a socket's address: long ones go through the open directory.
struct Near {
    path: PathBuf,
    _directory: Option<File>,
}

impl Near {
    fn of(path: &Path) -> io::Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if path.as_os_str().len() <= LONGEST {
            return Ok(Self { path: path.to_owned(), _directory: None });
        }
        let directory = File::open(parent)?;
        let path = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
        Ok(Self { path, _directory: Some(directory) })
    }
}

#[cfg(test)]
mod tests;
