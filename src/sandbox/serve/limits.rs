//! How much of the sandbox one client, or all of them together, may take.

use std::time::Duration;

/// The limits of everything that comes in from outside the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time; one more is closed at once.
    pub connections: usize,
    /// Requests at the same time, watches among them; one more is refused with 429.
    pub requests: usize,
    /// Requests with a body at the same time: each may hold three mebibytes, and what they become.
    pub writes: usize,
    /// How long a request with a body waits for its turn before it is refused with 429.
    pub turn: Duration,
    /// How long the TLS handshake may take.
    pub handshake: Duration,
    /// How long the headers of a request may take, and how long a connection may be idle in HTTP/1.1.
    pub headers: Duration,
    /// How long a connection may live without any request from somebody who is known.
    pub unknown: Duration,
    /// How long the body of a request may take; 504 after that, as the API server's `--request-timeout`.
    pub body: Duration,
    /// How long a connection may take to end when the sandbox stops.
    pub farewell: Duration,
    /// Bytes of a request's line and headers; 431 for more.
    pub header_bytes: usize,
    /// Requests at the same time on one HTTP/2 connection.
    pub streams: u32,
    /// How often a silent HTTP/2 connection is asked whether it is still there.
    pub ping: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            requests: 8192,
            writes: 64,
            turn: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            headers: Duration::from_secs(32),
            unknown: Duration::from_secs(32),
            body: Duration::from_secs(60),
            farewell: Duration::from_secs(3),
            header_bytes: 64 * 1024,
            streams: 250,
            ping: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The defaults, with no more connections than half of the files that this process may open: pods and the disk need
    /// some as well.
    pub fn of_this_process() -> Self {
        let mut limits = Self::default();
        if let Some(files) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
            let half = usize::try_from(files / 2).unwrap_or(usize::MAX);
            limits.connections = limits.connections.min(half.max(1));
        }
        limits
    }
}
