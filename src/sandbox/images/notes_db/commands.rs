//! `notes-db dump | restore | stat`: they talk to the running server, so that what they see is consistent.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Method;

use super::{complain, http as client};

const LIMIT: Duration = Duration::from_secs(120);

/// Everything, to standard output.
pub(super) async fn dump(address: SocketAddr) -> u8 {
    match ask(address, Method::GET, "/dump", Bytes::new()).await {
        Ok(body) => write(&body),
        Err(code) => code,
    }
}

/// Everything, from standard input.
pub(super) async fn restore(address: SocketAddr) -> u8 {
    let mut body = Vec::new();
    if let Err(error) = std::io::stdin().lock().read_to_end(&mut body) {
        complain(&format!("notes-db restore: standard input: {error}"));
        return 1;
    }
    match ask(address, Method::POST, "/restore", Bytes::from(body)).await {
        Ok(body) => write(&body),
        Err(code) => code,
    }
}

/// Schema and counts, to standard output.
pub(super) async fn stat(address: SocketAddr) -> u8 {
    match ask(address, Method::GET, "/stat", Bytes::new()).await {
        Ok(body) => write(&body),
        Err(code) => code,
    }
}

async fn ask(address: SocketAddr, method: Method, path: &str, body: Bytes) -> Result<Bytes, u8> {
    match client::call(address, method, path, body, LIMIT).await {
        Ok((status, body)) if status.is_success() => Ok(body),
        Ok((status, body)) => {
            complain(&format!("notes-db: {status}: {}", String::from_utf8_lossy(&body).trim_end()));
            Err(1)
        }
        Err(why) => {
            complain(&format!("notes-db: the server does not answer: {why}"));
            Err(1)
        }
    }
}

fn write(body: &[u8]) -> u8 {
    let mut out = std::io::stdout().lock();
    match out.write_all(body).and_then(|()| out.flush()) {
        Ok(()) => 0,
        Err(error) => {
            complain(&format!("notes-db: standard output: {error}"));
            1
        }
    }
}
