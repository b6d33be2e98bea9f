//! Who does the steps, and what comes of them.

use std::time::Duration;

use crate::domain::names::{LABEL_MAX, bounded, short_hash};
use crate::domain::{Operation, Problem, Step, labels};
use crate::store::InventoryChange;

/// Knows the content of steps. One per operation.
pub trait Executor: Send + Sync {
    /// Does the step once. May wait as long as it takes: the runner ends it by dropping it, which must be safe at any await.
    fn execute(&self, step: StepRun<'_>) -> impl Future<Output = Result<Done, StepError>> + Send;

    /// Looks whether the step was done, after a crash or a try of which nobody knows what came of it. Changes nothing.
    fn probe(&self, step: StepRun<'_>) -> impl Future<Output = Result<Probed, StepError>> + Send;

    /// Whether what the operation makes true is still wanted; if not, it is superseded. Asked when it begins, and whenever
    /// something moved, so it should cost next to nothing.
    fn is_wanted(&self) -> impl Future<Output = bool> + Send;
}

/// One try of one step.
#[derive(Debug, Clone, Copy)]
pub struct StepRun<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// The step's position in the plan.
    pub position: usize,
    /// The step.
    pub step: &'a Step,
    /// Which try, from 1.
    pub attempt: u32,
}

impl StepRun<'_> {
    /// The name of what this step makes in the cluster: `<app>-<action>-<8 hex digits>`, a DNS label, the same at every try, and
    /// never that of another step of any operation.
    pub fn child_name(&self, app: &str) -> String {
        let (id, position) = (self.operation.id.to_string(), self.position.to_string());
        // Row numbers are unique per state directory only.
        let made = [&self.operation.times.created.to_string(), &self.operation.plan_hash, &id, &position];
        let hash = short_hash(&made.map(String::as_str));
        let head = bounded(&[app, &slug(&self.step.name)], LABEL_MAX - hash.len() - 1);
        format!("{head}-{hash}")
    }

    /// The labels of what this step makes in the cluster: by them it is found again.
    pub fn labels(&self) -> [(&'static str, String); 2] {
        [(labels::OPERATION, self.operation.id.to_string()), (labels::STEP, self.position.to_string())]
    }
}

/// Lower-case letters and digits, everything else as single hyphens between them.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// A step was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// What it made: an object's uid, the name of a child.
    pub output: Option<String>,
    /// What happened, in words; none for what its name says.
    pub note: Option<String>,
    /// What went wrong all the same, and does not count as a failure.
    pub warning: Option<Box<Problem>>,
    /// What became of an object. Recorded in the same transaction as the outcome.
    pub inventory: InventoryChange,
}

/// What a look at a step that was left open found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probed {
    /// It was done.
    Done(Done),
    /// It was not: it will be.
    NotDone,
    /// It cannot be told: a person is asked.
    Ambiguous(Problem),
}

/// A try of a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepError {
    /// Why.
    pub problem: Problem,
    /// What follows.
    pub kind: StepErrorKind,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepErrorKind {
    /// It may be otherwise the next time. A step that must not be done twice is put to a person instead: nobody knows what came of it.
    Transient {
        /// When the other side wants to be asked again; none: as the backoff says.
        retry_after: Option<Duration>,
    },
    /// It came to nothing, which is known for certain: whatever the step's policy, it goes on there when it is tried again.
    Undone,
    /// It failed for certain, and may be done once more whatever the step's policy.
    Again,
    /// It will be the same the next time: the step has failed.
    Lasting,
    /// Nobody can tell what came of it: a person is asked.
    InDoubt,
    /// What it was planned on is not so any more: the step has failed, and the plan has to be made anew.
    Stale,
}

impl StepError {
    /// A failure that may be gone the next time.
    pub fn transient(problem: Problem) -> Self {
        Self { problem, kind: StepErrorKind::Transient { retry_after: None } }
    }

    /// A failure that stays.
    pub fn lasting(problem: Problem) -> Self {
        Self { problem, kind: StepErrorKind::Lasting }
    }

    /// Nobody can tell what came of it; the problem says what a person is to look at.
    pub fn in_doubt(problem: Problem) -> Self {
        Self { problem, kind: StepErrorKind::InDoubt }
    }

    /// What the step was planned on is not so any more.
    pub fn stale(problem: Problem) -> Self {
        Self { problem, kind: StepErrorKind::Stale }
    }
}
