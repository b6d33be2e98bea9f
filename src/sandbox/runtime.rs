//! What the API server asks of the node: logs, exec, attach, port-forward. The kubelet implements it, `streaming` speaks the wire.

use std::io;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use super::status::Status;

/// Bytes as they become available; ends when there are no more.
pub type ByteStream = BoxStream<'static, io::Result<Bytes>>;
/// The reading end of a pipe.
pub type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// Tells a terminal how many columns and rows its client has.
pub type Resize = Box<dyn Fn(u16, u16) + Send + Sync>;
/// The writing end of a pipe.
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// Both directions of a connection into a pod.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// From when on log lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// `sinceSeconds`.
    Seconds(u32),
    /// `sinceTime`.
    Time(Timestamp),
}

/// Which of the container's output streams is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogSource {
    /// Both, in the order in which they were read: two pipes have no common order.
    #[default]
    All,
    /// Standard output only.
    Stdout,
    /// Standard error only.
    Stderr,
}

/// `PodLogOptions`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// The container; may be left out when the pod has one.
    pub container: Option<String>,
    /// Keep the stream open until the container ends.
    pub follow: bool,
    /// The container's life before the last restart.
    pub previous: bool,
    /// Lines before this are left out.
    pub since: Option<Since>,
    /// Prefix every line with its RFC 3339 time.
    pub timestamps: bool,
    /// Only so many of the last lines.
    pub tail_lines: Option<usize>,
    /// Stop after so many bytes.
    pub limit_bytes: Option<usize>,
    /// Standard output, standard error, or both.
    pub source: LogSource,
}

/// `PodExecOptions` and `PodAttachOptions` (whose command is empty).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecOptions {
    /// The container; may be left out when the pod has one.
    pub container: Option<String>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Whether the client sends input.
    pub stdin: bool,
    /// Whether the client wants standard output.
    pub stdout: bool,
    /// Whether the client wants standard error.
    pub stderr: bool,
    /// Whether the client asked for a terminal: then there is no standard error of its own.
    pub tty: bool,
}

/// How a process of [`Runtime::exec`] ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// Its exit code; 128 + n after signal n.
    Code(i32),
    /// It could not be run at all, and why.
    Failed(String),
}

/// A process inside a container. Dropping it kills what [`Runtime::exec`] has started, with everything that it started, and lets
/// go of what [`Runtime::attach`] gave.
pub struct Process {
    /// Its standard input, when asked for.
    pub stdin: Option<Writer>,
    /// Its standard output, when asked for.
    pub stdout: Option<Reader>,
    /// Its standard error, when asked for (and no terminal was).
    pub stderr: Option<Reader>,
    /// Changes the size of its terminal, when it has one.
    pub resize: Option<Resize>,
    /// Resolves when it has ended.
    pub exit: BoxFuture<'static, Exit>,
}

/// What is used, on average over a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Billionths of a processor.
    pub processor_nanos: u64,
    /// Bytes, as last measured.
    pub memory: u64,
    /// How long the window is that ends now.
    pub window: std::time::Duration,
}

/// What a container's processes use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerUsage {
    /// The pod's uid.
    pub pod: String,
    /// The container's name.
    pub container: String,
    /// What is used.
    pub usage: Usage,
}

/// The node's side of the streaming subresources of pods.
///
/// Refusals that are known before the connection is upgraded are a [`Status`].
pub trait Runtime: Send + Sync {
    /// The log of a container. 400 while it waits to start, or has no previous life.
    fn logs<'a>(&'a self, pod: &'a Value, options: LogOptions) -> BoxFuture<'a, Result<ByteStream, Status>>;

    /// Runs a command in a container's environment and directory.
    fn exec<'a>(&'a self, pod: &'a Value, options: ExecOptions) -> BoxFuture<'a, Result<Process, Status>>;

    /// The container's main process: its output from now on, its input when it has one.
    fn attach<'a>(&'a self, pod: &'a Value, options: ExecOptions) -> BoxFuture<'a, Result<Process, Status>>;

    /// Whether the pod can be connected to at all.
    fn check_forward(&self, pod: &Value) -> Result<(), Status>;

    /// A connection to a port of the pod.
    fn connect<'a>(&'a self, pod: &'a Value, port: u16) -> BoxFuture<'a, io::Result<Box<dyn Connection>>>;

    /// What the whole node uses, and each container that has processes.
    fn usage(&self) -> (Usage, Vec<ContainerUsage>);
}
