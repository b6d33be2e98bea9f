//! The journal of a run, over the records.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::domain::call::{self, CallOutcome};
use crate::domain::{Clock, Problem};
use crate::hooks::{CallNote, CallRecord, Journal, Outcome, Place, Refusal};
use crate::store::{CallEnd, NewCall, RunId, Store};

/// What only tells or asks: losing it in a power cut changes nothing.
const HARMLESS: [&str; 4] = ["log", "progress", "now", "random"];

/// The calls of one run.
pub(super) struct Book<'a> {
    store: &'a Store,
    clock: &'a dyn Clock,
    run: RunId,
    epoch: u64,
    /// Those of earlier tries.
    known: &'a [call::CallRecord],
    /// When calls were begun that are made for the first time.
    begun: Mutex<BTreeMap<u32, Timestamp>>,
}

impl<'a> Book<'a> {
    pub fn new(
        store: &'a Store,
        clock: &'a dyn Clock,
        run: RunId,
        epoch: u64,
        known: &'a [call::CallRecord],
    ) -> Self {
        Self { store, clock, run, epoch, known, begun: Mutex::default() }
    }

    /// When a call was first begun: the same at every try.
    pub fn begun(&self, position: u32) -> Timestamp {
        if let Some(record) = self.record(position) {
            return record.started;
        }
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        *begun.entry(position).or_insert_with(|| self.clock.now())
    }

    fn record(&self, position: u32) -> Option<&call::CallRecord> {
        self.known.get(usize::try_from(position).ok()?)
    }
}

impl Journal for Book<'_> {
    fn recorded(&self, position: u32) -> Option<CallRecord> {
        let record = self.record(position)?;
        let arguments = record.arguments.as_object().cloned().unwrap_or_default();
        let outcome = match &record.outcome {
            CallOutcome::Open => None,
            CallOutcome::Answered(value) => Some(Outcome::Answered(value.clone())),
            CallOutcome::Refused(problem) => {
                Some(Outcome::Refused(Refusal::new(&problem.what, &problem.why)))
            }
            CallOutcome::Undone(problem) => Some(Outcome::Undone(problem.clone())),
            CallOutcome::Told => Some(Outcome::Answered(unseen(&record.name, &arguments, record.started))),
        };
        let note = CallNote {
            name: record.name.clone(),
            arguments,
            digest: record.digest.clone(),
            place: place(&record.place),
        };
        Some(CallRecord { note, outcome })
    }

    async fn begin(&self, position: u32, note: &CallNote) -> Result<(), Problem> {
        let call = NewCall {
            name: note.name.clone(),
            arguments: Value::Object(note.arguments.clone()),
            digest: note.digest.clone(),
            place: note.place.as_ref().map(ToString::to_string).unwrap_or_default(),
            changes: !HARMLESS.contains(&note.name.as_str()),
            begun: self.begun(position),
        };
        Ok(self.store.begin_call(self.run, self.epoch, position, call).await?)
    }

    async fn end(&self, position: u32, outcome: &Outcome) -> Result<(), Problem> {
        let end = match outcome {
            Outcome::Answered(value) => CallEnd::Answered(value.clone()),
            Outcome::Refused(refusal) => CallEnd::Refused(Problem::new(&refusal.what, &refusal.why, "")),
            Outcome::Undone(problem) => CallEnd::Undone(problem.clone()),
        };
        Ok(self.store.end_call(self.run, self.epoch, position, end).await?)
    }
}

/// What a call gives of which a person said that it was done: nobody saw what it printed.
fn unseen(name: &str, arguments: &Map<String, Value>, begun: Timestamp) -> Value {
    let ran = json!({ "exit_code": 0, "stdout": "", "stderr": "", "truncated": false });
    match (name, arguments.get("commands").and_then(Value::as_array)) {
        ("execute_commands", Some(commands)) if commands.iter().all(Value::is_array) => {
            Value::Array(vec![ran; commands.len()])
        }
        ("execute_commands", _) => ran,
        ("run_job", _) => json!({ "succeeded": true, "exit_code": 0, "log": "", "truncated": false }),
        ("http_check", _) => json!({ "status": 200, "millis": 0, "body": "" }),
        ("now", _) => json!(begun.to_string()),
        ("random", _) => json!(0),
        _ => Value::Null,
    }
}

/// `actions.star:12:5`.
fn place(text: &str) -> Option<Place> {
    let mut parts = text.rsplitn(3, ':').collect::<Vec<_>>();
    parts.reverse();
    let number = |text: &str| text.parse().ok();
    match parts.as_slice() {
        [file, line, column] => {
            Some(Place { file: (*file).to_owned(), line: number(line)?, column: number(column) })
        }
        [file, line] => Some(Place { file: (*file).to_owned(), line: number(line)?, column: None }),
        _ => None,
    }
}
