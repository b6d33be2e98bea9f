//! Runs a function: its child asks, the journal or the performer answers.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::call::{Call, Refusal};
use super::child::{Child, Said, Worker};
use super::end::{End, Failure};
use super::journal::{CallNote, Journal, Outcome};
use super::protocol::{Asked, LINE_MAX, Language, Program, SECRET, ToChild};
use super::replay::{Move, decide, diverged};
use crate::domain::Problem;
use crate::domain::canonical::canonical_json;

/// Does what is called.
pub trait Performer: Send + Sync {
    /// Performs the call at a position. In doubt it was begun before, and nobody knows what came of it: it is repeated where that
    /// does no harm, looked for, or given back as [`CallError::InDoubt`]. Dropped when the run is.
    fn perform(
        &self,
        call: &Call,
        doubt: bool,
        position: u32,
    ) -> impl Future<Output = Result<Value, CallError>> + Send;
}

/// A call was not performed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// The function fails there, now and at every replay.
    Refused(Problem),
    /// Nobody knows what came of it: a person is asked.
    InDoubt(Problem),
    /// Nothing was done, for a reason that may be gone: the next run tries it again.
    Transient(Problem),
}

/// Runs a function from its top. Dropping it ends the child with all that it started.
pub async fn run(
    worker: &Worker,
    program: &Program,
    journal: &impl Journal,
    performer: &impl Performer,
) -> End {
    let Some(language) = Language::of(&program.file) else {
        let why = "a function is in a file that ends in .star (Starlark) or .py (Python)";
        return End::Failed(Failure::new(format!("'{}' cannot be run", program.file), why));
    };
    if language == Language::Python && journal.recorded(0).is_some() {
        return End::InDoubt(unknown_python(program));
    }
    let child = match Child::start(worker, language, program).await {
        Ok(child) => child,
        Err(end) => return end,
    };
    let mut secrets = BTreeSet::new();
    collect_secrets(&program.context, &mut secrets);
    let session = Session { worker, language, journal, performer, secrets };
    session.converse(child).await
}

fn unknown_python(program: &Program) -> Problem {
    Problem::new(
        "Nobody knows what came of a Python action",
        format!(
            "'{}' in {} was interrupted; Python is not deterministic, so it cannot be taken up where it was",
            program.function, program.file
        ),
        "Look at what it did, by the calls that are recorded, and answer: repeat (it runs anew from its top), done (the whole action \
         counts as done, also what it had not come to), or fail",
    )
}

/// One run of one function.
struct Session<'a, J, P> {
    worker: &'a Worker,
    language: Language,
    journal: &'a J,
    performer: &'a P,
    /// The secrets that the context has, as canonical JSON: a function has no others.
    secrets: BTreeSet<String>,
}

/// What has been used so far.
#[derive(Default)]
struct Used {
    asked: u32,
    position: u32,
    logged: usize,
}

impl<J: Journal, P: Performer> Session<'_, J, P> {
    async fn converse(&self, mut child: Child) -> End {
        let mut used = Used::default();
        loop {
            let asked = match child.listen().await {
                Said::Call(asked) => asked,
                Said::Returned(value) => return self.returned(value, &used),
                Said::Failed(failure) => return End::Failed(failure),
                Said::Broken(failure) => return End::Failed(failure),
                Said::Ended(problem) => return self.ended(problem, &used),
            };
            used.asked += 1;
            if used.asked > self.worker.limits.calls {
                let what = format!("it made more than {} calls", self.worker.limits.calls);
                return End::Failed(Failure::new(what, "").at(asked.place));
            }
            let answer = match self.answer(asked, &mut used).await {
                Ok(answer) => answer,
                Err(end) => return end,
            };
            child.say(&answer).await;
        }
    }

    /// The function returned: then it must have called all that it had called before.
    fn returned(&self, value: Value, used: &Used) -> End {
        match self.journal.recorded(used.position) {
            None => End::Returned(value),
            Some(record) => End::Diverged(diverged("it returned", &record.note)),
        }
    }

    /// The child was ended by something else than its function.
    fn ended(&self, problem: Problem, used: &Used) -> End {
        match self.language == Language::Python && used.position > 0 {
            true => End::InDoubt(problem),
            false => End::Transient(problem),
        }
    }

    async fn answer(&self, asked: Asked, used: &mut Used) -> Result<ToChild, End> {
        let call = match self.read(&asked, used) {
            Ok(call) => call,
            Err(refusal) => return Ok(refused(refusal)),
        };
        let position = used.position;
        used.position += 1;
        let note = CallNote::new(asked.name, asked.arguments, asked.place);
        let doubt = match decide(self.journal.recorded(position), &note) {
            Move::Replay(Outcome::Answered(value)) => return Ok(ToChild::Answer(value)),
            Move::Replay(Outcome::Refused(refusal)) => return Ok(refused(refusal)),
            Move::Diverged(problem) => return Err(End::Diverged(problem)),
            Move::Doubt => true,
            Move::Perform | Move::Replay(Outcome::Undone(_)) => false,
        };
        if !doubt {
            self.journal.begin(position, &note).await.map_err(End::Transient)?;
        }
        let outcome = match self.performer.perform(&call, doubt, position).await {
            Ok(value) => bounded(&note, value),
            Err(CallError::Refused(problem)) => Outcome::Refused(refusal(problem)),
            Err(CallError::InDoubt(problem)) => return Err(End::InDoubt(problem)),
            Err(CallError::Transient(problem)) => Outcome::Undone(problem),
        };
        self.journal.end(position, &outcome).await.map_err(End::Transient)?;
        match outcome {
            Outcome::Answered(value) => Ok(ToChild::Answer(value)),
            Outcome::Refused(refusal) => Ok(refused(refusal)),
            Outcome::Undone(problem) => Err(End::Transient(problem)),
        }
    }

    /// The call, when it is one, with secrets that the function has, and within what may be logged.
    fn read(&self, asked: &Asked, used: &mut Used) -> Result<Call, Refusal> {
        let mut given = BTreeSet::new();
        asked.arguments.values().for_each(|value| collect_secrets(value, &mut given));
        if !given.is_subset(&self.secrets) {
            let why = "secrets come from ctx.prompts and ctx.parameters, and cannot be made";
            return Err(Refusal::new(format!("{}: a secret that the action does not have", asked.name), why));
        }
        let call = Call::read(&asked.name, &asked.arguments)?;
        used.logged = used.logged.saturating_add(call.told());
        if call.told() > 0 && used.logged > self.worker.limits.logged {
            let mib = self.worker.limits.logged as f64 / f64::from(1 << 20);
            return Err(Refusal::new(
                format!("it logged more than {mib} MiB"),
                "what was logged until here is kept",
            ));
        }
        Ok(call)
    }
}

fn refused(refusal: Refusal) -> ToChild {
    ToChild::Refused { what: refusal.what, why: refusal.why }
}

fn refusal(problem: Problem) -> Refusal {
    let parts = [problem.why, problem.next];
    let why: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Refusal::new(problem.what, why.join("\n"))
}

/// An answer that fits a line.
fn bounded(note: &CallNote, value: Value) -> Outcome {
    match value.to_string().len() < LINE_MAX - 64 {
        true => Outcome::Answered(value),
        false => Outcome::Refused(Refusal::new(
            format!("{}: its answer is larger than {} MiB", note.name, LINE_MAX >> 20),
            "it was done",
        )),
    }
}

/// Every secret in a value, at any depth.
fn collect_secrets(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_secrets(item, found)),
        Value::Object(map) => collect_from(map, found),
        _ => {}
    }
}

fn collect_from(map: &Map<String, Value>, found: &mut BTreeSet<String>) {
    if let Some(reference) = map.get(SECRET) {
        found.insert(canonical_json(reference));
    }
    map.values().for_each(|value| collect_secrets(value, found));
}
