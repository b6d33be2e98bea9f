//! The streams of a container's main process: into its log, to those who are attached, and from them.

use std::fmt;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::process::Command;
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::io::StreamReader;

use super::logs::{LogWriter, capture};
use super::process::Running;
use crate::sandbox::runtime::{Reader, Resize, Writer};

/// Bytes that are read at once, and that wait for the log.
const CHUNK: usize = 32 * 1024;
/// Pieces that wait for somebody who is attached. Then the process waits, as with a real container runtime.
const QUEUE: usize = 16;

/// What a container's specification says about its streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Streams {
    tty: bool,
    stdin: bool,
    stdin_once: bool,
}

impl Streams {
    /// Reads `tty`, `stdin` and `stdinOnce`.
    pub(super) fn of(container: &Value) -> Self {
        let is = |name: &str| container[name] == true;
        Self { tty: is("tty"), stdin: is("stdin"), stdin_once: is("stdinOnce") }
    }
}

/// Where those who are attached get a stream from; `None` once it has ended.
#[derive(Debug)]
struct Outlet(Mutex<Option<Vec<mpsc::Sender<Bytes>>>>);

impl Outlet {
    fn new() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, Option<Vec<mpsc::Sender<Bytes>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream from now on.
    fn attach(&self) -> Reader {
        let (sender, receiver) = mpsc::channel(QUEUE);
        if let Some(clients) = self.clients().as_mut() {
            clients.push(sender);
        }
        let stream = futures::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|bytes| (io::Result::Ok(bytes), receiver))
        });
        Box::new(StreamReader::new(Box::pin(stream)))
    }

    async fn tell(&self, bytes: &Bytes) {
        let clients = self.clients().clone().unwrap_or_default();
        let mut gone = false;
        for client in clients {
            gone |= client.send(bytes.clone()).await.is_err();
        }
        if gone && let Some(clients) = self.clients().as_mut() {
            clients.retain(|client| !client.is_closed());
        }
    }
}

/// The console of a running container.
pub(super) struct Console {
    stdout: Outlet,
    stderr: Outlet,
    /// None when it has none, or it was closed.
    stdin: Arc<AsyncMutex<Option<Writer>>>,
    stdin_once: bool,
    resize: Option<Arc<Resize>>,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("tty", &self.resize.is_some()).finish_non_exhaustive()
    }
}

/// What somebody gets who attaches.
pub(super) struct Attached {
    pub(super) stdin: Option<Writer>,
    pub(super) stdout: Reader,
    pub(super) stderr: Reader,
    pub(super) resize: Option<Resize>,
}

impl Console {
    /// Starts the process with the streams that it is to have. Its output goes into the log by tasks of `captures`.
    pub(super) fn start(
        streams: Streams,
        mut command: Command,
        log: &Arc<LogWriter>,
        captures: &mut JoinSet<()>,
    ) -> io::Result<(Running, Arc<Self>)> {
        if !streams.tty {
            if streams.stdin {
                command.stdin(Stdio::piped());
            }
            let mut process = Running::spawn(command)?;
            let (stdin, stdout, stderr) = process.pipes();
            let console = Arc::new(Self::new(streams, stdin.map(|pipe| Box::new(pipe) as Writer), None));
            if let Some(pipe) = stdout {
                captures.spawn(Arc::clone(&console).copy(Box::new(pipe), "stdout", Arc::clone(log)));
            }
            if let Some(pipe) = stderr {
                captures.spawn(Arc::clone(&console).copy(Box::new(pipe), "stderr", Arc::clone(log)));
            }
            return Ok((process, console));
        }
        let (process, terminal) = Running::spawn_in_terminal(command)?;
        let input = streams.stdin.then_some(terminal.input);
        let console = Arc::new(Self::new(streams, input, Some(terminal.resize)));
        console.stderr.clients().take();
        captures.spawn(Arc::clone(&console).copy(terminal.output, "stdout", Arc::clone(log)));
        Ok((process, console))
    }

    fn new(streams: Streams, stdin: Option<Writer>, resize: Option<Resize>) -> Self {
        Self {
            stdout: Outlet::new(),
            stderr: Outlet::new(),
            stdin: Arc::new(AsyncMutex::new(stdin)),
            stdin_once: streams.stdin_once,
            resize: resize.map(Arc::new),
        }
    }

    /// The output from now on; input goes to the process as long as it takes any.
    pub(super) fn attach(&self, with_stdin: bool) -> Attached {
        let stdin = with_stdin.then(|| {
            let (client, ours) = tokio::io::duplex(CHUNK);
            tokio::spawn(feed(ours, Arc::clone(&self.stdin), self.stdin_once));
            Box::new(client) as Writer
        });
        let resize = self.resize.clone();
        Attached {
            stdin,
            stdout: self.stdout.attach(),
            stderr: self.stderr.attach(),
            resize: resize.map(|resize| Box::new(move |columns, rows| resize(columns, rows)) as Resize),
        }
    }

    /// Carries one stream of the process until its end.
    async fn copy(self: Arc<Self>, mut pipe: Reader, stream: &'static str, log: Arc<LogWriter>) {
        let outlet = if stream == "stdout" { &self.stdout } else { &self.stderr };
        let (mut lines, captured) = tokio::io::duplex(CHUNK);
        let reading = async move {
            let mut buffer = vec![0; CHUNK];
            while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
                let bytes = Bytes::copy_from_slice(&buffer[..count]);
                outlet.tell(&bytes).await;
                lines.write_all(&bytes).await.ok();
            }
            outlet.clients().take();
        };
        tokio::join!(reading, capture(captured, stream, log));
    }
}

/// Passes on what one of those who are attached types, until they stop. With `once` the input ends with the first of them.
async fn feed(mut client: DuplexStream, stdin: Arc<AsyncMutex<Option<Writer>>>, once: bool) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(count @ 1..) = client.read(&mut buffer).await {
        let mut stdin = stdin.lock().await;
        if let Some(writer) = stdin.as_mut()
            && (writer.write_all(&buffer[..count]).await.is_err() || writer.flush().await.is_err())
        {
            // The process reads no more.
            *stdin = None;
        }
    }
    if once && let Some(mut writer) = stdin.lock().await.take() {
        writer.shutdown().await.ok();
    }
}
