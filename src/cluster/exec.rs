//! Running a command in a container: argv (never a shell line), with its output captured and passed on as it comes, or as
//! streams.
//!
//! ```text
//! exec ─► conversation ─► script (environment, directory, process id) ─► command
//!              └─ time over, or nobody waits any more ─► TERM ─► 5 s ─► KILL
//! ```
//! The protocol knows neither environment, directory nor signals. A few lines of POSIX shell in front of the command do: see
//! [`script`].

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::world::LogTarget;

use super::Cluster;
use super::error::ClusterError;

mod capture;
mod conversation;
mod process;
mod script;

pub(super) use capture::Capture;
pub use capture::Captured;
pub use process::Process;

/// Where output is passed on to, as it comes. Who reads slowly slows the command down; who has stopped reading misses the rest.
pub type OutputSender = mpsc::Sender<(OutputStream, Bytes)>;

/// Input that is passed on as it comes: a command that reads slowly slows down who sends. It needs a shell in the container.
pub struct Input {
    /// How many bytes it will be. None: nobody knows; servers before Kubernetes 1.30 cannot be told where it ends then.
    pub size: Option<u64>,
    /// They themselves, and after them an empty one. Without that the input has no end, and the command waits until it is ended.
    pub chunks: mpsc::Receiver<Bytes>,
}

/// Which output of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A command to be run in a container.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// What it reads; nothing when none.
    pub stdin: Option<Vec<u8>>,
    /// Variables beside those of the container. They never stand on a command line.
    pub env: Vec<(String, String)>,
    /// The directory that it runs in; the container's own when none.
    pub cwd: Option<String>,
    /// How long it may run.
    pub timeout: Duration,
    /// How much of each output is kept, in bytes; the rest is passed on and dropped.
    pub limit: usize,
    /// Whether the digest of output that is dropped is taken.
    pub digest: bool,
}

impl Command {
    /// A command without input, for at most a minute, of whose outputs a MiB each is kept.
    pub fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            stdin: None,
            env: Vec::new(),
            cwd: None,
            timeout: Duration::from_secs(60),
            limit: 1024 * 1024,
            digest: true,
        }
    }

    /// Whether it cannot be run as it is asked for without a shell in the container.
    fn needs_shell(&self) -> bool {
        !self.env.is_empty() || self.cwd.is_some()
    }
}

/// Input and the values of variables may be secret.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.env.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Command")
            .field("argv", &self.argv)
            .field("env", &names)
            .field("cwd", &self.cwd)
            .finish_non_exhaustive()
    }
}

/// A command that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// How it ended.
    pub ended: Ended,
    /// What it wrote.
    pub stdout: Captured,
    /// What it complained.
    pub stderr: Captured,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code.
    Exited(i32),
    /// It ran longer than it may.
    TimedOut {
        /// How long it was allowed to run.
        after: Duration,
        /// What became of it.
        stopped: Stopped,
    },
}

/// What became of a command that was to be stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// It ended on TERM.
    Terminated,
    /// It ended on KILL, 5 s after TERM.
    Killed,
    /// The connection was closed and nobody knows; why that is all.
    Unknown(String),
}

impl Executed {
    /// Its exit code, when it ended by itself.
    pub fn code(&self) -> Option<i32> {
        match self.ended {
            Ended::Exited(code) => Some(code),
            Ended::TimedOut { .. } => None,
        }
    }

    /// Whether something of its output is not kept.
    pub fn is_truncated(&self) -> bool {
        self.stdout.is_truncated() || self.stderr.is_truncated()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "it ended with exit code {code}"),
            Self::TimedOut { after, stopped } => {
                write!(f, "it ran longer than {} s", after.as_secs_f64())?;
                match stopped {
                    Stopped::Terminated => f.write_str(" and was ended (TERM)"),
                    Stopped::Killed => f.write_str(" and was ended (TERM, then KILL)"),
                    Stopped::Unknown(why) => {
                        write!(f, "; the connection was closed, but it may still run: {why}")
                    }
                }
            }
        }
    }
}

impl Cluster {
    /// Runs a command in a container and waits for its end; its output is also passed on as it comes. Dropping this ends the
    /// command: TERM, and KILL 5 s later.
    ///
    /// A non-zero exit code is no error here, and neither is a command that outlives its time: see [`Ended`].
    ///
    /// # Errors
    /// When it cannot be started, or the connection breaks: then nobody knows how it ended.
    pub async fn exec(
        &self,
        target: &LogTarget,
        command: Command,
        output: Option<OutputSender>,
    ) -> Result<Executed, ClusterError> {
        self.converse(target, command, None, output).await
    }

    /// As [`Self::exec`], with input that comes while it runs, instead of [`Command::stdin`].
    ///
    /// # Errors
    /// As [`Self::exec`], and when there is no shell in the container.
    pub async fn exec_fed(
        &self,
        target: &LogTarget,
        command: Command,
        input: Input,
        output: Option<OutputSender>,
    ) -> Result<Executed, ClusterError> {
        self.converse(target, command, Some(input), output).await
    }

    async fn converse(
        &self,
        target: &LogTarget,
        command: Command,
        input: Option<Input>,
        output: Option<OutputSender>,
    ) -> Result<Executed, ClusterError> {
        script::check(&command).map_err(|message| {
            let object = process::describe(target, &command.argv);
            ClusterError::Invalid { object, message }
        })?;
        let given_up = CancellationToken::new();
        let nobody_waits = given_up.clone().drop_guard();
        let object = process::describe(target, &command.argv);
        let conversation = conversation::Conversation::new(self.clone(), target.clone(), command, given_up);
        // a task of its own, so that it can end the command when nobody waits for it any more
        let ended = tokio::spawn(conversation.run(input, output)).await;
        nobody_waits.disarm();
        ended.unwrap_or_else(|error| Err(ClusterError::Other { object, message: error.to_string() }))
    }
}
