//! What is to be kept: a stream of bytes that says itself when it is whole.

use std::io::{Error, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::{Buf, Bytes};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The largest piece that is in flight, in bytes.
const PIECE: usize = 256 << 10;
/// How many pieces are: four MiB.
const PIECES: usize = 16;

/// The end of a stream that is kept.
pub struct Source {
    pieces: mpsc::Receiver<Piece>,
}

/// The beginning of a stream that is kept. Dropped without [`Feed::finish`] it is broken, and nothing of it is kept.
#[derive(Debug)]
pub struct Feed {
    pieces: mpsc::Sender<Piece>,
}

/// Nobody reads the stream any more: what reads it has failed, and says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody reads the stream any more")]
pub struct Closed;

#[derive(Debug)]
enum Piece {
    Data(Bytes),
    Whole,
}

impl Source {
    /// A stream: what is sent into the feed comes out of the source, a few MiB later at most.
    pub fn channel() -> (Feed, Source) {
        let (sender, receiver) = mpsc::channel(PIECES);
        (Feed { pieces: sender }, Source { pieces: receiver })
    }

    /// A stream of these bytes, which is whole.
    pub fn of(bytes: impl Into<Bytes>) -> Source {
        let (feed, source) = Self::channel();
        let bytes = bytes.into();
        tokio::spawn(async move {
            // whoever does not read it any more says why
            if feed.send(bytes).await.is_ok() {
                let _ = feed.finish().await;
            }
        });
        source
    }
}

impl Feed {
    /// Sends what comes next; waits while too much is in flight.
    ///
    /// # Errors
    /// Nobody reads it any more.
    pub async fn send(&self, mut bytes: Bytes) -> Result<(), Closed> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            self.pieces.send(Piece::Data(piece)).await.map_err(|_| Closed)?;
        }
        Ok(())
    }

    /// Says that everything was sent, and that it is whole.
    ///
    /// # Errors
    /// Nobody reads it any more.
    pub async fn finish(self) -> Result<(), Closed> {
        self.pieces.send(Piece::Whole).await.map_err(|_| Closed)
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

/// What became of a stream while it was read.
#[derive(Debug, Default)]
pub(super) struct Tally {
    whole: AtomicBool,
    bytes: AtomicU64,
    digest: std::sync::Mutex<Option<String>>,
}

impl Tally {
    /// How many bytes have come.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    /// The SHA-256 of a stream that has ended whole, in hexadecimal.
    pub(super) fn digest(&self) -> Option<String> {
        let whole = self.whole.load(Ordering::SeqCst);
        self.digest.lock().ok().and_then(|digest| digest.clone()).filter(|_| whole)
    }
}

/// Reads a source from a thread that may wait.
pub(super) struct Reader {
    pieces: mpsc::Receiver<Piece>,
    current: Bytes,
    hasher: Sha256,
    tally: Arc<Tally>,
    progress: Box<dyn Fn(u64) + Send + Sync>,
    stop: CancellationToken,
    io: Handle,
}

impl Reader {
    /// `io` runs the waiting; `stop` ends it.
    pub(super) fn new(
        source: Source,
        tally: Arc<Tally>,
        progress: Box<dyn Fn(u64) + Send + Sync>,
        stop: CancellationToken,
        io: Handle,
    ) -> Self {
        Self {
            pieces: source.pieces,
            current: Bytes::new(),
            hasher: Sha256::new(),
            tally,
            progress,
            stop,
            io,
        }
    }

    fn next(&mut self) -> Result<Option<Piece>, Error> {
        if let (false, Ok(piece)) = (self.stop.is_cancelled(), self.pieces.try_recv()) {
            return Ok(Some(piece));
        }
        let (pieces, stop) = (&mut self.pieces, &self.stop);
        self.io.block_on(async {
            tokio::select! {
                biased;
                () = stop.cancelled() => Err(Error::other("it was cancelled")),
                piece = pieces.recv() => Ok(piece),
            }
        })
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        if self.tally.whole.load(Ordering::SeqCst) || buffer.is_empty() {
            return Ok(0);
        }
        if self.current.is_empty() {
            match self.next()? {
                Some(Piece::Data(bytes)) => {
                    self.hasher.update(&bytes);
                    self.current = bytes;
                    let length = self.current.len() as u64;
                    let total = self.tally.bytes.fetch_add(length, Ordering::SeqCst) + length;
                    (self.progress)(total);
                }
                Some(Piece::Whole) => {
                    let digest = format!("{:x}", std::mem::take(&mut self.hasher).finalize());
                    if let Ok(mut place) = self.tally.digest.lock() {
                        *place = Some(digest);
                    }
                    self.tally.whole.store(true, Ordering::SeqCst);
                    return Ok(0);
                }
                None => return Err(Error::other("the stream ended before it was whole")),
            }
        }
        let length = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
