//! The process of a run, as its parent sees it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout, Command};

use super::end::{End, Failure};
use super::limits::Limits;
use super::protocol::{Asked, First, FromChild, LINE_MAX, Language, Program, ToChild};
use super::signature::SIGNATURES;
use crate::domain::Problem;

mod death;
mod scratch;
mod stderr;

use scratch::Scratch;
use stderr::Stderr;

/// The hidden verb of the executable that is the worker.
pub const VERB: &str = "action-worker";

/// How long a child that has closed its standard output may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// What Python runs before the action.
const SHIM: &str = include_str!("shim.py");

/// What runs functions, and how much they may use.
#[derive(Debug, Clone)]
pub struct Worker {
    /// This program: it has the Starlark worker in itself.
    pub executable: PathBuf,
    /// Where `python3` is looked for.
    pub path: OsString,
    /// The bounds of each run.
    pub limits: Limits,
}

impl Worker {
    /// The worker in `executable`, with `python3` of this process's PATH.
    pub fn new(executable: PathBuf) -> Self {
        Self { executable, path: std::env::var_os("PATH").unwrap_or_default(), limits: Limits::default() }
    }

    /// The `python3` of the path.
    pub fn python(&self) -> Option<PathBuf> {
        std::env::split_paths(&self.path)
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join("python3"))
            .find(|file| rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok() && file.is_file())
    }
}

/// What was heard from a child.
pub enum Said {
    /// It waits for an answer.
    Call(Asked),
    /// The function returned.
    Returned(Value),
    /// The function failed.
    Failed(Failure),
    /// The child broke, by what the function did.
    Broken(Failure),
    /// The child was ended by somebody else.
    Ended(Problem),
}

/// A running child. Dropping it ends it and all that it started.
pub struct Child {
    process: tokio::process::Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    stderr: Stderr,
    limits: Limits,
    _scratch: Option<Scratch>,
}

impl Child {
    /// Starts a child and tells it what to run.
    pub async fn start(worker: &Worker, language: Language, program: &Program) -> Result<Self, End> {
        let ending = if language == Language::Python { ".py" } else { ".star" };
        let files = program.files.iter().filter(|(path, _)| path.ends_with(ending));
        let first = First {
            files: &files.map(|(path, text)| (path.clone(), text.clone())).collect(),
            file: &program.file,
            function: Some(&program.function),
            context: &program.context,
            limits: worker.limits,
            signatures: (language == Language::Python).then_some(SIGNATURES),
        };
        let line = first_line(&first).map_err(End::Failed)?;
        let (mut command, scratch) = match language {
            Language::Starlark => (starlark(worker), None),
            Language::Python => python(worker)?,
        };
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(|error| End::Transient(not_started(&error)))?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (process.stdin.take(), process.stdout.take(), process.stderr.take())
        else {
            return Err(End::Transient(not_started(&std::io::Error::other("it has no pipes"))));
        };
        let stdout = BufReader::with_capacity(64 << 10, stdout);
        let stderr = Stderr::follow(stderr);
        let limits = worker.limits;
        let mut child = Self { process, stdin, stdout, stderr, limits, _scratch: scratch };
        child.write(line).await;
        Ok(child)
    }

    /// Answers a call.
    pub async fn say(&mut self, answer: &ToChild) {
        // Answers are JSON values, which always have a text.
        self.write(serde_json::to_vec(answer).unwrap_or_default()).await;
    }

    async fn write(&mut self, mut line: Vec<u8>) {
        line.push(b'\n');
        // A child that has died is heard of when it is listened to.
        let _ = self.stdin.write_all(&line).await;
        let _ = self.stdin.flush().await;
    }

    /// Waits for what it says next.
    pub async fn listen(&mut self) -> Said {
        let line = match self.line().await {
            Ok(Some(line)) => line,
            Ok(None) => return self.died().await,
            Err(failure) => return Said::Broken(failure),
        };
        match serde_json::from_slice(&line) {
            Ok(FromChild::Call(asked)) => Said::Call(asked),
            Ok(FromChild::Returned(value)) => {
                self.close().await;
                Said::Returned(value)
            }
            Ok(FromChild::Failed(failure)) => {
                self.close().await;
                Said::Failed(failure)
            }
            Ok(FromChild::Checked(_)) | Err(_) => {
                Said::Broken(Failure::new("the action's process said what nobody understands", ""))
            }
        }
    }

    /// The next line without its end; none at the end of the stream.
    async fn line(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut line = Vec::new();
        loop {
            let part = match self.stdout.fill_buf().await {
                Ok(part) if !part.is_empty() => part,
                _ => return Ok(None),
            };
            let end = part.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(&part[..end.unwrap_or(part.len())]);
            let used = end.map_or(part.len(), |end| end + 1);
            self.stdout.consume(used);
            if line.len() > LINE_MAX {
                return Err(Failure::new(too_long("a call"), ""));
            }
            if end.is_some() {
                return Ok(Some(line));
            }
        }
    }

    async fn died(&mut self) -> Said {
        self.ends().await;
        let status = self.close().await;
        let last = self.stderr.last_words().await;
        death::explain(status, &last, self.limits)
    }

    /// Waits until it has ended by itself, without taking its status: a signal to one that is about to end would change it.
    async fn ends(&self) {
        let Some(id) = self.id() else { return };
        let wait = move || waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).map(drop);
        let _ = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(wait)).await;
    }

    /// Ends the group, then takes the status: until then the number is not given to others.
    async fn close(&mut self) -> Option<ExitStatus> {
        self.kill();
        self.process.wait().await.ok()
    }

    fn id(&self) -> Option<Pid> {
        self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }

    fn kill(&self) {
        if let Some(id) = self.id() {
            // It may have ended by itself.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The first line, when it is not too long.
pub fn first_line(first: &First<'_>) -> Result<Vec<u8>, Failure> {
    let line = serde_json::to_vec(first)
        .map_err(|error| Failure::new("the driver cannot be read", error.to_string()))?;
    match line.len() <= LINE_MAX {
        true => Ok(line),
        false => {
            Err(Failure::new(too_long("what the action is given"), "its files and its context together"))
        }
    }
}

/// What is said of too long a message.
pub fn too_long(what: &str) -> String {
    format!("{what} is larger than {} MiB", LINE_MAX >> 20)
}

fn not_started(error: &std::io::Error) -> Problem {
    Problem::new("The action's process cannot be started", error.to_string(), "It is tried again")
}

fn starlark(worker: &Worker) -> Command {
    let mut command = Command::new(&worker.executable);
    command.arg(VERB).env_clear().current_dir("/");
    command
}

fn python(worker: &Worker) -> Result<(Command, Option<Scratch>), End> {
    let Some(python) = worker.python() else {
        let why = "the action is written in Python, and python3 is not on PATH; install it, or write the action as actions.star";
        return Err(End::Failed(Failure::new("there is no python3 on this machine", why)));
    };
    let scratch = Scratch::new().map_err(|error| End::Transient(not_started(&error)))?;
    let mut command = Command::new(python);
    command.args(["-I", "-B", "-X", "utf8", "-c", SHIM]);
    command.env_clear().env("PATH", &worker.path).current_dir(scratch.path());
    Ok((command, Some(scratch)))
}

/// Why a child that was not listened to ended.
pub fn explain_end(status: ExitStatus, stderr: &[u8], limits: Limits) -> Failure {
    match death::explain(Some(status), String::from_utf8_lossy(stderr).trim(), limits) {
        Said::Broken(failure) => failure,
        Said::Ended(problem) => Failure::new(problem.what, problem.why),
        Said::Call(_) | Said::Returned(_) | Said::Failed(_) => Failure::default(),
    }
}
