//! A connection that remembers how the other side began: whether it speaks TLS at all.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much of the beginning is kept, in bytes.
const KEPT: usize = 8;

/// What the other side said first.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstBytes(Arc<OnceLock<Vec<u8>>>);

impl FirstBytes {
    /// Whether it began as an answer of plain http does.
    pub(super) fn are_http(&self) -> bool {
        self.0.get().is_some_and(|first| first.starts_with(b"HTTP/"))
    }
}

/// A connection whose first bytes are remembered.
#[derive(Debug)]
pub(super) struct Listened<S> {
    stream: S,
    first: FirstBytes,
}

impl<S> Listened<S> {
    pub(super) fn new(stream: S, first: FirstBytes) -> Self {
        Self { stream, first }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Listened<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let new = &buffer.filled()[before..];
        if !new.is_empty() {
            // set once: what comes later is not the beginning
            self.first.0.get_or_init(|| new[..new.len().min(KEPT)].to_vec());
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listened<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
