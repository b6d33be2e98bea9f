//! The sandbox for other programs: HTTPS on loopback, with a token, and a kubeconfig that says how to come in.
//!
//! ```text
//! accept (how many) → TLS → HTTP/1.1 or HTTP/2 → front (who asks, how many at once, how slowly) → api::http::Server
//! ```
//! Nothing of a request without a known token is read beyond its headers. What the limits are: [`Limits`].

mod certificates;
mod connection;
mod credentials;
pub mod files;
mod front;
mod kubeconfig;
mod limits;
mod patience;
mod pods;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;

pub use certificates::Certificates;
pub(in crate::sandbox) use certificates::valid_for_a_year;
pub use credentials::Credentials;
pub use kubeconfig::Kubeconfig;
pub use limits::Limits;

use super::Sandbox;
use super::access::Tokens;
use connection::Listening;
use front::Front;

/// Why a sandbox cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not this machine's own loopback.
    #[error("{address} is not a loopback address: the sandbox runs programs for whoever may talk to it")]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is a kubeconfig already, and it speaks of other clusters.
    #[error("{} is a kubeconfig of other clusters, or no kubeconfig at all", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// No certificate can be made.
    #[error("no certificate can be made: {0}")]
    Certificate(String),
}

impl ServeError {
    fn file(path: &std::path::Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

/// An address that is listened on, before anything is answered there: until then its clients wait.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Door {
    /// Listens on `wanted`, loopback only. Port 0 takes `before` (where the sandbox listened the last time) when that
    /// is free, so that whoever was connected finds it again, and any free one otherwise.
    ///
    /// # Errors
    /// The address is not loopback, or cannot be listened on.
    pub async fn open(wanted: SocketAddr, before: Option<SocketAddr>) -> Result<Self, ServeError> {
        if !wanted.ip().is_loopback() {
            return Err(ServeError::NotLoopback { address: wanted });
        }
        let refused = |source| ServeError::Address { address: wanted, source };
        let again = before.filter(|before| wanted.port() == 0 && before.ip() == wanted.ip());
        let listener = match again {
            Some(before) => TcpListener::bind(before).await.ok(),
            None => None,
        };
        let listener = match listener {
            Some(listener) => listener,
            None => TcpListener::bind(wanted).await.map_err(refused)?,
        };
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Sandbox {
    /// Answers at `door` until the sandbox stops.
    ///
    /// # Errors
    /// The certificate cannot be used.
    pub fn serve(&mut self, door: Door, credentials: &Credentials, limits: Limits) -> Result<(), ServeError> {
        let acceptor = credentials.certificates.acceptor()?;
        let tokens = Tokens::new(credentials.token.clone()).with_accounts(self.api.clone());
        self.api.credentials().publish_authority(&credentials.certificates.authority);
        let front = Front::new(Arc::clone(&self.server), self.faults.clone(), tokens, limits.clone());
        let listening = Listening::new(door.listener, acceptor, Arc::new(front), limits);
        self.tasks.spawn(listening.run(self.stop.clone()));
        Ok(())
    }
}
