//! HTTP/1.1 in bytes: for tests that say exactly what is sent, and look at all that comes back.
#![allow(dead_code, reason = "shared; each uses its part")]

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// 0 when what came is no answer.
    pub status: u16,
    /// The status line and the headers, or all of what is no answer.
    pub head: String,
    pub body: String,
}

impl Answer {
    /// Splits all that came; what is no UTF-8 is no answer.
    pub fn read(bytes: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(bytes) else {
            let head = String::from_utf8_lossy(bytes).into_owned();
            return Self { status: 0, head, body: String::new() };
        };
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let code = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        Self { status: code.unwrap_or(0), head: head.to_owned(), body: body.to_owned() }
    }

    /// Asserts the status, and that the body has a part.
    #[track_caller]
    pub fn is(&self, status: u16, part: &str) {
        assert!(self.status == status && self.body.contains(part), "not {status} with {part:?}: {self:?}");
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// A GET for a host, after which the connection ends.
pub fn get(host: &str, path: &str) -> String {
    request("GET", host, path, "", "")
}

/// A request after which the connection ends; each line of `headers` ends with `\r\n`.
pub fn request(method: &str, host: &str, path: &str, headers: &str, body: &str) -> String {
    let length = if method == "GET" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}{length}\r\n{body}")
}

/// Sends these very bytes, and reads until the other side ends; a connection that is cut has said what it has.
pub async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Answer {
    // who has answered need not read the rest
    put(&mut stream, bytes).await.ok();
    read(stream).await
}

/// Sends these very bytes. Without the flush, what TLS has taken may wait for a later write that never comes.
pub async fn put(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Reads until the other side ends.
pub async fn read(mut stream: impl AsyncRead + Unpin) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.ok();
    Answer::read(&bytes)
}
