//! A performer that counts what it does, and programs of a few lines.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use styrmin::domain::Problem;
use styrmin::hooks::{Call, CallError, End, Failure, MemoryJournal, Performer, Program, Worker, run};

/// The worker of this very program.
pub fn worker() -> Worker {
    Worker::new(PathBuf::from(env!("CARGO_BIN_EXE_styrmin")))
}

/// A program of several files; the function `main` of the first.
pub fn program_of(files: &[(&str, &str)]) -> Program {
    let all: BTreeMap<String, String> =
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Program {
        files: Arc::new(all),
        file: files[0].0.to_owned(),
        function: "main".to_owned(),
        context: context(),
    }
}

/// A program of one Starlark file.
pub fn program(text: &str) -> Program {
    program_of(&[("actions.star", text)])
}

/// What functions get in these tests.
pub fn context() -> Value {
    json!({
        "deployment": {"name": "notes", "environment": "staging", "namespace": "staging"},
        "hook": "upgrade", "mode": "post", "action": "migrate", "dry_run": false,
        "from_version": "1.0", "to_version": "2.0",
        "driver": {"name": "notes", "version": "3"},
        "prompts": {"password": {"$secret": {"secret": "notes-prompts", "key": "password.ab"}}, "rows": 7},
        "parameters": {"token": {"$secret": {"secret": "notes-parameters", "key": "token.cd", "digest": "cd"}}},
        "components": ["web", "db"],
        "services": [{"name": "web", "port": 8080}],
        "context": {"app": {"name": "notes", "version": "2.0"}},
    })
}

/// Remembers what it did, by position, and answers as a cluster would.
#[derive(Default)]
pub struct Recorder {
    done: Mutex<Vec<(u32, Call, bool)>>,
}

impl Recorder {
    /// Everything that was performed, in its order.
    pub fn done(&self) -> Vec<(u32, Call, bool)> {
        self.done.lock().unwrap().clone()
    }

    /// The calls alone.
    pub fn calls(&self) -> Vec<Call> {
        self.done().into_iter().map(|(_, call, _)| call).collect()
    }

    /// The texts that were logged.
    pub fn logged(&self) -> Vec<String> {
        let text = |call| if let Call::Log { text } = call { Some(text) } else { None };
        self.calls().into_iter().filter_map(text).collect()
    }
}

/// What a call gives.
pub fn answer_of(call: &Call, position: u32) -> Result<Value, CallError> {
    Ok(match call {
        Call::ExecuteCommands(exec) => {
            let one = |words: &Vec<String>| json!({"exit_code": 0, "stdout": words.join(" "), "stderr": "", "truncated": false});
            match exec.single {
                true => one(&exec.commands[0]),
                false => exec.commands.iter().map(one).collect(),
            }
        }
        Call::HttpCheck(_) => json!({"status": 200, "millis": 3, "body": "ok"}),
        Call::RunJob(_) => json!({"succeeded": true, "exit_code": 0, "log": "done", "truncated": false}),
        Call::Now => json!("2026-11-29T12:00:00Z"),
        Call::Random => json!(9_007_199_254_740_991_i64 - i64::from(position)),
        Call::BackUp => {
            return Err(CallError::Refused(Problem::new("backups are not there yet", "", "wait")));
        }
        _ => Value::Null,
    })
}

impl Performer for Recorder {
    async fn perform(&self, call: &Call, doubt: bool, position: u32) -> Result<Value, CallError> {
        self.done.lock().unwrap().push((position, call.clone(), doubt));
        answer_of(call, position)
    }
}

/// Runs a program once, with an empty journal.
pub async fn run_once(program: &Program) -> (End, Recorder) {
    run_with(&worker(), program).await
}

/// The same with another worker.
pub async fn run_with(worker: &Worker, program: &Program) -> (End, Recorder) {
    let recorder = Recorder::default();
    let end = run(worker, program, &MemoryJournal::default(), &recorder).await;
    (end, recorder)
}

/// The failure of a program.
pub async fn failure_of(program: &Program) -> Failure {
    failed(run_once(program).await.0)
}

/// The failure that an end is.
pub fn failed(end: End) -> Failure {
    match end {
        End::Failed(failure) => failure,
        other => panic!("it did not fail: {other:?}"),
    }
}
