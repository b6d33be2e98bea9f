//! Calls that run commands in a pod.

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Doer, KEPT, refused};
use crate::cluster::{Captured, Command, ExecEnded, Executed, OutputSender, OutputStream};
use crate::domain::call::OutputSource;
use crate::domain::object::Detail;
use crate::domain::world::LogTarget;
use crate::domain::{ObjectSummary, Problem};
use crate::hooks::{CallError, ExecuteCommands};
use crate::reconcile::execute::action::printer::Printer;
use crate::reconcile::execute::action::secrets::Mask;

/// How many chunks of output wait.
const WAITING: usize = 64;
/// How many bytes of one call's output are kept as lines; of what comes after only the end is.
const SHOWN: usize = 1 << 20;
/// How many lines at the end are kept all the same.
const LAST: usize = 100;
/// The longest command in a message, in characters.
const NAMED: usize = 80;

impl Doer<'_> {
    pub(super) async fn execute_commands(
        &self,
        call: &ExecuteCommands,
        doubt: bool,
    ) -> Result<Value, CallError> {
        // before its pod is looked for: that there is none now says nothing about what was done
        if doubt && !call.idempotent {
            return Err(CallError::InDoubt(open(call)));
        }
        let target = self.target(call)?;
        let mut results = Vec::new();
        for argv in &call.commands {
            results.push(self.execute(call, argv, &target).await?);
        }
        match (call.single, results.pop()) {
            (true, Some(result)) => Ok(result),
            (_, last) => Ok(Value::Array(results.into_iter().chain(last).collect())),
        }
    }

    /// The container that commands are run in: of a pod that is ready, the first by name.
    fn target(&self, call: &ExecuteCommands) -> Result<LogTarget, CallError> {
        self.check_component(&call.component)?;
        let view = self.views(std::slice::from_ref(&call.component)).pop();
        let ready = |pod: &&ObjectSummary| {
            let Detail::Pod(detail) = &pod.detail else { return false };
            !pod.deleting && !detail.containers.is_empty() && detail.containers.iter().all(|one| one.ready)
        };
        let pod = view.as_ref().and_then(|view| view.pods.iter().find(ready));
        let Some((pod, Detail::Pod(detail))) = pod.map(|pod| (pod, &pod.detail)) else {
            let why = view.and_then(|view| view.verdict.headline()).unwrap_or_default();
            return Err(refused(format!("the component '{}' has no pod that is ready", call.component), why));
        };
        let names: Vec<&str> = detail.containers.iter().map(|container| container.name.as_str()).collect();
        let wanted = call.container.as_deref().or_else(|| names.first().copied()).unwrap_or_default();
        if !names.contains(&wanted) {
            let hint = crate::domain::suggest::hint(wanted, names.iter().copied());
            return Err(refused(format!("the pod {} has no container '{wanted}'", pod.key.name), hint));
        }
        Ok(LogTarget {
            namespace: pod.key.namespace.clone(),
            pod: pod.key.name.clone(),
            container: wanted.to_owned(),
        })
    }

    async fn execute(
        &self,
        call: &ExecuteCommands,
        argv: &[String],
        target: &LogTarget,
    ) -> Result<Value, CallError> {
        let env = call.env.iter().map(|(name, value)| Ok((name.clone(), self.reveal(value)?)));
        let command = Command {
            stdin: call.stdin.as_ref().map(|text| self.reveal(text)).transpose()?.map(String::into_bytes),
            env: env.collect::<Result<_, CallError>>()?,
            cwd: call.cwd.clone(),
            timeout: call.timeout,
            limit: KEPT,
            ..Command::new(argv.to_vec())
        };
        let shown = self.printer.cover(&shown(argv));
        self.printer
            .print(OutputSource::Note, &format!("$ {shown}  ({}/{})", target.pod, target.container))
            .await;
        let (output, lines) = printing(self.printer);
        let (executed, ()) =
            tokio::join!(self.hands.engine.cluster().exec(target, command, Some(output)), lines);
        let executed = executed.map_err(|error| match (error.is_transient(), call.idempotent) {
            (false, _) => CallError::Refused(error.problem()),
            (true, true) => CallError::Transient(error.problem()),
            (true, false) => CallError::InDoubt(broken(&shown, &error.problem())),
        })?;
        self.judge(call, &shown, &executed)
    }

    fn judge(&self, call: &ExecuteCommands, shown: &str, executed: &Executed) -> Result<Value, CallError> {
        let stdout = self.printer.cover_captured(&executed.stdout);
        let stderr = self.printer.cover_captured(&executed.stderr);
        let code = match &executed.ended {
            ExecEnded::Exited(code) => *code,
            ended @ ExecEnded::TimedOut { .. } => {
                return Err(refused(format!("{shown}: {ended}"), last(&stderr)));
            }
        };
        if call.check && code != 0 {
            let why = if stderr.trim().is_empty() { last(&stdout) } else { last(&stderr) };
            return Err(refused(format!("{shown}: it ended with exit code {code}"), why));
        }
        let mut result = json!({
            "exit_code": code, "stdout": stdout, "stderr": stderr, "truncated": executed.is_truncated(),
        });
        let outputs = [("stdout_digest", &executed.stdout), ("stderr_digest", &executed.stderr)];
        for (name, captured) in outputs {
            if let Some(digest) = self.digest(captured) {
                result[name] = json!(digest);
            }
        }
        Ok(result)
    }
}

impl Doer<'_> {
    /// What tells the whole of a cut output apart; none where a secret stands in it, which could be tried out by that.
    pub(super) fn digest<'c>(&self, captured: &'c Captured) -> Option<&'c String> {
        let text = captured.text();
        captured.digest.as_ref().filter(|_| self.printer.cover_captured(captured) == text)
    }
}

/// Passes output on to the lines of the step, until there is no more.
pub(super) fn printing(printer: &Printer) -> (OutputSender, impl Future<Output = ()>) {
    let (sender, mut chunks): (OutputSender, _) = mpsc::channel(WAITING);
    let print = async move {
        let mut streams = [Lines::new(OutputSource::Out), Lines::new(OutputSource::Error)];
        let mut left = SHOWN;
        while let Some((stream, chunk)) = chunks.recv().await {
            let lines = match stream {
                OutputStream::Stdout => &mut streams[0],
                OutputStream::Stderr => &mut streams[1],
            };
            for line in lines.take(&chunk, printer.mask()) {
                match left.checked_sub(line.len() + 1) {
                    Some(rest) => {
                        left = rest;
                        printer.print(lines.source, &line).await;
                    }
                    None => lines.keep(line),
                }
            }
        }
        for mut lines in streams {
            lines.finish(printer).await;
        }
    };
    (sender, print)
}

/// One stream, cut into lines.
struct Lines {
    source: OutputSource,
    open: Vec<u8>,
    last: std::collections::VecDeque<String>,
    dropped: u64,
}

impl Lines {
    /// The longest line that is waited for.
    const LONGEST: usize = 8 << 10;

    fn new(source: OutputSource) -> Self {
        Self { source, open: Vec::new(), last: Default::default(), dropped: 0 }
    }

    /// The lines that a chunk completes. One that is too long is cut, but not through a secret, which would be shown in two parts.
    fn take(&mut self, chunk: &[u8], mask: &Mask) -> Vec<String> {
        let mut lines = Vec::new();
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.open.extend_from_slice(part);
            let end = match self.open.ends_with(b"\n") {
                true => self.open.len(),
                false if self.open.len() > Self::LONGEST => mask.safe_cut(&self.open),
                false => 0,
            };
            if end > 0 {
                let rest = self.open.split_off(end);
                let line = std::mem::replace(&mut self.open, rest);
                lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        }
        lines
    }

    fn keep(&mut self, line: String) {
        self.last.push_back(line);
        if self.last.len() > LAST {
            self.last.pop_front();
            self.dropped += 1;
        }
    }

    async fn finish(&mut self, printer: &Printer) {
        if !self.open.is_empty() {
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.open)).into_owned();
            self.last.push_back(line);
        }
        if self.dropped > 0 {
            printer.print(OutputSource::Note, &format!("… {} lines are left out …", self.dropped)).await;
        }
        for line in std::mem::take(&mut self.last) {
            printer.print(self.source, &line).await;
        }
    }
}

/// The end of an output, for a message.
fn last(output: &str) -> String {
    let lines: Vec<&str> = output.trim_end().lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

fn shown(argv: &[String]) -> String {
    let line = argv.join(" ").replace('\n', " ");
    match line.char_indices().nth(NAMED) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

fn open(call: &ExecuteCommands) -> Problem {
    let commands: Vec<String> = call.commands.iter().map(|argv| format!("'{}'", shown(argv))).collect();
    Problem::new(
        format!("Were {} done in {}?", commands.join(", "), call.component),
        "Styrmin ended before it could note what came of it, and doing it twice may do harm",
        "look at what it works on, and answer: done, repeat, or fail; a command that may be done twice says idempotent = True",
    )
}

fn broken(shown: &str, problem: &Problem) -> Problem {
    Problem::new(
        format!("Was '{shown}' done?"),
        format!("{} ({})", problem.what, problem.why),
        "look at what it works on, and answer: done, repeat, or fail",
    )
}
