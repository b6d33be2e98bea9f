//! What is journaled about a step when something came of it. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::domain::plan::{Policy, Verb};
use crate::domain::{Problem, Step, StepRecord, StepState};
use crate::store::StepNote;

use super::decide::policy;
use super::{Done, Probed, StepError, StepErrorKind, pause};

/// The shortest pause before another try, whatever the other side asks for.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// What came of a try or of a look.
#[derive(Debug)]
pub(super) enum Landed {
    Executed(Result<Done, StepError>),
    Probed(Result<Probed, StepError>),
}

/// A step whose next try begins.
pub(super) fn started(position: usize, before: &StepRecord, now: Timestamp) -> StepNote {
    let attempt = before.attempt.saturating_add(1);
    let record = StepRecord {
        state: StepState::Started,
        attempt,
        started: before.started.or(Some(now)),
        next_try: None,
        ..before.clone()
    };
    let event = (attempt > 1).then(|| format!("try {attempt}"));
    StepNote { event, ..StepNote::new(position, record) }
}

/// A step that ended without being done.
pub(super) fn ended(
    position: usize,
    before: &StepRecord,
    state: StepState,
    problem: Problem,
    now: Timestamp,
) -> StepNote {
    let event = Some(format!("{}: {}", state.as_str(), problem.what));
    let record =
        StepRecord { state, ended: Some(now), next_try: None, problem: Some(problem), ..before.clone() };
    StepNote { event, ends_run: true, ..StepNote::new(position, record) }
}

/// A step that is put to a person, with why nobody else can tell.
pub(super) fn asking(position: usize, step: &Step, before: &StepRecord, why: Option<Problem>) -> StepNote {
    let problem = why.unwrap_or_else(|| {
        Problem::new(
            format!("Was '{}' done?", step.name),
            "Styrmin ended before it could note what came of it, and doing it twice may do harm",
            answers(step),
        )
    });
    let event = Some(format!("a person is asked: {}", problem.what));
    let record =
        StepRecord { state: StepState::Asking, next_try: None, problem: Some(problem), ..before.clone() };
    StepNote { event, ..StepNote::new(position, record) }
}

/// A step of which something came.
pub(super) fn landed(
    position: usize,
    step: &Step,
    before: &StepRecord,
    landed: Landed,
    now: Timestamp,
) -> StepNote {
    match landed {
        Landed::Executed(Ok(done)) => succeeded(position, before, done, "done", now),
        Landed::Probed(Ok(Probed::Done(done))) => succeeded(position, before, done, "it had been done", now),
        Landed::Probed(Ok(Probed::NotDone)) => {
            let record = StepRecord { state: StepState::Pending, next_try: None, ..before.clone() };
            let event = Some("it had not been done".to_owned());
            StepNote { event, ..StepNote::new(position, record) }
        }
        Landed::Probed(Ok(Probed::Ambiguous(why))) => asking(position, step, before, Some(why)),
        Landed::Executed(Err(error)) => failed(position, step, before, error, now),
        Landed::Probed(Err(error)) => not_seen(position, step, before, error, now),
    }
}

fn succeeded(position: usize, before: &StepRecord, done: Done, words: &str, now: Timestamp) -> StepNote {
    let record = StepRecord {
        state: StepState::Succeeded,
        ended: Some(now),
        next_try: None,
        output: done.output,
        problem: done.warning.map(|warning| *warning),
        ..before.clone()
    };
    let event = Some(done.note.unwrap_or_else(|| words.to_owned()));
    StepNote { position, record, event, inventory: done.inventory, ends_run: true }
}

fn failed(position: usize, step: &Step, before: &StepRecord, error: StepError, now: Timestamp) -> StepNote {
    match error.kind {
        StepErrorKind::Transient { .. } if policy(step) == Policy::Once => {
            asking(position, step, before, Some(in_doubt(step, error.problem)))
        }
        StepErrorKind::Transient { retry_after } => {
            retrying(position, before, error.problem, retry_after, now)
        }
        StepErrorKind::Undone => retrying(position, before, error.problem, None, now),
        StepErrorKind::Again => {
            StepNote { ends_run: true, ..retrying(position, before, error.problem, None, now) }
        }
        StepErrorKind::Lasting => ended(position, before, StepState::Failed, error.problem, now),
        StepErrorKind::InDoubt => asking(position, step, before, Some(error.problem)),
        StepErrorKind::Stale => stale(position, before, error.problem, now),
    }
}

/// A look that failed says nothing about the step.
fn not_seen(position: usize, step: &Step, before: &StepRecord, error: StepError, now: Timestamp) -> StepNote {
    match error.kind {
        StepErrorKind::Transient { retry_after } => {
            // A look counts as a try, so that the pauses grow.
            let attempt = before.attempt.saturating_add(1);
            let record = StepRecord { state: StepState::Unknown, attempt, ..before.clone() };
            again(position, record, error.problem, wait(attempt, retry_after), now)
        }
        StepErrorKind::Lasting | StepErrorKind::Again | StepErrorKind::Undone => {
            asking(position, step, before, Some(in_doubt(step, error.problem)))
        }
        StepErrorKind::InDoubt => asking(position, step, before, Some(error.problem)),
        StepErrorKind::Stale => stale(position, before, error.problem, now),
    }
}

fn stale(position: usize, before: &StepRecord, problem: Problem, now: Timestamp) -> StepNote {
    let mut note = ended(position, before, StepState::Failed, problem, now);
    note.record.stale = true;
    note
}

fn retrying(
    position: usize,
    before: &StepRecord,
    problem: Problem,
    retry_after: Option<std::time::Duration>,
    now: Timestamp,
) -> StepNote {
    let record = StepRecord { state: StepState::Retrying, ..before.clone() };
    again(position, record, problem, wait(before.attempt, retry_after), now)
}

fn again(
    position: usize,
    record: StepRecord,
    problem: Problem,
    wait: SignedDuration,
    now: Timestamp,
) -> StepNote {
    let event = Some(format!("{}; again in {} s", problem.what, wait.as_secs()));
    let next_try = Some(now.saturating_add(wait).unwrap_or(now));
    let record = StepRecord { next_try, problem: Some(problem), ..record };
    StepNote { event, ..StepNote::new(position, record) }
}

fn wait(attempt: u32, retry_after: Option<std::time::Duration>) -> SignedDuration {
    let asked = retry_after.map(|asked| SignedDuration::try_from(asked).unwrap_or(SignedDuration::MAX));
    asked.unwrap_or_else(|| pause(attempt)).max(SHORTEST)
}

/// What a person can answer, and what follows from it.
fn answers(step: &Step) -> &'static str {
    match step.verb {
        Verb::Run => {
            "look at what it works on and at its calls, and answer: done (an open call counts as done, and it goes on behind that; \
             where no call is open the whole step counts as done, also what it had not come to), repeat, or fail"
        }
        _ => "look at what it works on, and answer: done, repeat, or fail",
    }
}

/// The other side did not say whether it did it.
fn in_doubt(step: &Step, problem: Problem) -> Problem {
    Problem::new(
        format!("Was '{}' done?", step.name),
        format!("{} ({})", problem.what, problem.why),
        answers(step),
    )
}
