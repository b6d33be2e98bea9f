//! The server's end of a connection: reads frames, keeps the streams apart, writes what they say.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use super::frame::{CANCEL, Decoder, Frame, Malformed, PROTOCOL_ERROR, REFUSED_STREAM, encode};
use super::headers::{Deflater, Headers, Inflater};

/// The most streams that may be open at once.
const STREAMS_MAX: usize = 1000;
/// Pieces of input that wait in a stream for its reader; then the whole connection waits.
const INPUT_QUEUE: usize = 4;
/// Frames that wait for the transport; then those who write wait.
const OUTPUT_QUEUE: usize = 16;
/// Bytes read from the transport at once.
const READ: usize = 32 * 1024;
/// Input that is taken before its window is granted anew, in bytes; half of what a client may send unasked.
const GRANT: u32 = 32 * 1024;
/// How often a client is asked whether it is still there: one that is gone is noticed even when its input is not read.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// How long a client may take to close a connection that has ended.
const CLOSING: Duration = Duration::from_secs(30);

/// A stream that the client has opened.
pub(crate) struct Stream {
    /// Its number: odd, and greater than that of every stream before it.
    pub(crate) id: u32,
    pub(crate) headers: Headers,
    /// What the client sends; ends when it has half-closed the stream, or is gone.
    pub(crate) input: mpsc::Receiver<Bytes>,
    pub(crate) output: StreamWriter,
    /// Cancelled when the client resets the stream.
    pub(crate) reset: CancellationToken,
    /// The stream's place among those that may be open: given back when the stream is dropped.
    _place: Arc<OwnedSemaphorePermit>,
}

/// The writing end of a stream.
#[derive(Debug, Clone)]
pub(crate) struct StreamWriter {
    id: u32,
    frames: mpsc::Sender<Frame>,
}

impl StreamWriter {
    /// Sends bytes; waits while the transport is slow. False when the client is gone.
    pub(crate) async fn send(&self, data: Bytes) -> bool {
        self.frames.send(Frame::Data { id: self.id, fin: false, data }).await.is_ok()
    }

    /// Half-closes the stream: nothing more will be sent.
    pub(crate) async fn finish(&self) {
        self.frames.send(Frame::Data { id: self.id, fin: true, data: Bytes::new() }).await.ok();
    }
}

/// Ends a connection in order.
pub(crate) struct Closer(mpsc::Sender<Frame>);

impl Closer {
    /// Says goodbye after everything that was sent before.
    pub(crate) async fn close(self) {
        self.0.send(Frame::GoAway { last: 0, status: 0 }).await.ok();
    }
}

/// Runs a connection in a task of its own until the transport ends or what comes is malformed. Streams for which `wanted` is
/// false are reset.
pub(crate) fn open<T>(transport: T, wanted: fn(&Headers) -> bool) -> (mpsc::Receiver<Stream>, Closer)
where
    T: AsyncRead + AsyncWrite + Send + 'static,
{
    let (opened, streams) = mpsc::channel(INPUT_QUEUE);
    let (frames, outgoing) = mpsc::channel(OUTPUT_QUEUE);
    let closer = Closer(frames.clone());
    tokio::spawn(async move {
        let (reader, mut writer) = tokio::io::split(transport);
        let incoming = Incoming {
            wanted,
            opened,
            frames,
            inputs: HashMap::new(),
            places: Arc::new(Semaphore::new(STREAMS_MAX)),
            inflater: Inflater::default(),
            last: 0,
            granted: 0,
        };
        let reading = incoming.run(reader);
        tokio::pin!(reading);
        let ended = tokio::select! {
            ended = &mut reading => Some(ended),
            finished = write(&mut writer, outgoing) => match finished {
                // The client reads what is left, then closes; it would lose something if we closed first.
                Ok(()) => timeout(CLOSING, reading).await.ok(),
                Err(_) => None,
            },
        };
        if let Some(Err(error)) = ended {
            tracing::debug!(%error, "a SPDY connection was ended");
        }
        writer.shutdown().await.ok();
    });
    (streams, closer)
}

/// Writes frames until one says goodbye.
async fn write(
    writer: &mut (impl AsyncWrite + Unpin),
    mut frames: mpsc::Receiver<Frame>,
) -> std::io::Result<()> {
    let mut deflater = Deflater::new().map_err(std::io::Error::other)?;
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let mut ping = 0;
    let mut buffer = BytesMut::new();
    loop {
        let mut frame = tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => frame,
                None => return Ok(()),
            },
            _ = heartbeat.tick() => {
                // Even numbers are the server's.
                ping = (ping + 2) & 0x7fff_ffff;
                Frame::Ping(ping)
            }
        };
        if let Frame::SynReply { headers, .. } = &mut frame {
            *headers = deflater.write(&[]).map_err(std::io::Error::other)?.into();
        }
        buffer.clear();
        encode(&frame, &mut buffer);
        writer.write_all(&buffer).await?;
        writer.flush().await?;
        if matches!(frame, Frame::GoAway { .. }) {
            return Ok(());
        }
    }
}

/// The reading side.
struct Incoming {
    wanted: fn(&Headers) -> bool,
    opened: mpsc::Sender<Stream>,
    frames: mpsc::Sender<Frame>,
    /// The open streams.
    inputs: HashMap<u32, Input>,
    places: Arc<Semaphore>,
    inflater: Inflater,
    /// The last stream that was opened.
    last: u32,
    /// Input taken since the connection's window was granted last.
    granted: u32,
}

struct Input {
    /// None when the client has half-closed the stream.
    queue: Option<mpsc::Sender<Bytes>>,
    reset: CancellationToken,
    place: Weak<OwnedSemaphorePermit>,
    /// Input taken since the stream's window was granted last.
    granted: u32,
}

impl Incoming {
    async fn run(mut self, mut reader: impl AsyncRead + Unpin) -> Result<(), Malformed> {
        let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::new());
        loop {
            while let Some(frame) = decoder.decode(&mut buffer)? {
                self.take(frame).await?;
            }
            buffer.reserve(READ);
            match reader.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
        }
    }

    async fn take(&mut self, frame: Frame) -> Result<(), Malformed> {
        match frame {
            Frame::SynStream { id, fin, headers } => {
                let headers = self.inflater.read(&headers)?;
                self.stream(id, fin, headers).await;
            }
            Frame::Data { id, fin, data } => self.data(id, fin, data).await,
            Frame::Reset { id, .. } => {
                if let Some(input) = self.inputs.remove(&id) {
                    input.reset.cancel();
                }
            }
            // An answer that does not fit is not worth waiting for.
            Frame::Ping(id) if id % 2 == 1 => drop(self.frames.try_send(Frame::Ping(id))),
            Frame::Headers { headers, id, fin } => {
                // Later blocks build on it, wanted or not.
                self.inflater.read(&headers)?;
                if let Some(input) = self.inputs.get_mut(&id).filter(|_| fin) {
                    input.queue = None;
                }
            }
            Frame::SynReply { .. } => return Err(Malformed("an answer to a stream that was not opened")),
            Frame::Ping(_)
            | Frame::Settings
            | Frame::GoAway { .. }
            | Frame::WindowUpdate { .. }
            | Frame::Unknown(_) => {}
        }
        Ok(())
    }

    async fn stream(&mut self, id: u32, fin: bool, headers: Headers) {
        self.inputs.retain(|_, input| input.place.strong_count() > 0);
        let orderly = id % 2 == 1 && id > self.last;
        self.last = self.last.max(id);
        let place = if !orderly {
            Err(PROTOCOL_ERROR)
        } else if !(self.wanted)(&headers) {
            Err(CANCEL)
        } else {
            Arc::clone(&self.places).try_acquire_owned().map_err(|_| REFUSED_STREAM)
        };
        let place = match place {
            Ok(place) => Arc::new(place),
            Err(status) => {
                self.frames.send(Frame::Reset { id, status }).await.ok();
                return;
            }
        };
        let (queue, input) = mpsc::channel(INPUT_QUEUE);
        let reset = CancellationToken::new();
        let (known, weak) = (reset.clone(), Arc::downgrade(&place));
        let queue = (!fin).then_some(queue);
        self.inputs.insert(id, Input { queue, reset: known, place: weak, granted: 0 });
        self.frames.send(Frame::SynReply { id, fin: false, headers: Bytes::new() }).await.ok();
        let output = StreamWriter { id, frames: self.frames.clone() };
        self.opened.send(Stream { id, headers, input, output, reset, _place: place }).await.ok();
    }

    async fn data(&mut self, id: u32, fin: bool, data: Bytes) {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.granted = grant(&self.frames, 0, self.granted.saturating_add(length));
        // Data of a stream that is over was sent before the client knew.
        let Some(input) = self.inputs.get_mut(&id) else { return };
        if let Some(queue) = input.queue.as_ref().filter(|_| !data.is_empty()) {
            queue.send(data).await.ok();
        }
        if fin {
            input.queue = None;
        } else {
            input.granted = grant(&self.frames, id, input.granted.saturating_add(length));
        }
    }
}

/// Grants what was taken when it is enough and the queue has room; returns what is still to be granted.
fn grant(frames: &mpsc::Sender<Frame>, id: u32, taken: u32) -> u32 {
    let told = taken >= GRANT && frames.try_send(Frame::WindowUpdate { id, delta: taken }).is_ok();
    if told { 0 } else { taken }
}
