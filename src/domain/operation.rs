//! Operations: everything that changes something, journaled before and after each of its steps.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::backup::Request;
use super::words::words;
use super::{DeploymentId, Plan, Problem, TypedSecrets};

/// The row number of an operation in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OperationId(pub i64);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

words! {
    /// What an operation is for.
    OperationKind {
        /// Styrmin itself is put on a cluster.
        Install => "Install",
        /// An application is created.
        Deploy => "Deploy",
        /// Its configuration changes.
        Update => "Update",
        /// Another version of the application or of its driver.
        Upgrade => "Upgrade",
        /// A new instance that equals an old one.
        Rollback => "Rollback",
        /// Everything is scaled to zero.
        Stop => "Stop",
        /// What was stopped runs again.
        Start => "Start",
        /// Pods are replaced, nothing else changes.
        Restart => "Restart",
        /// A component gets another number of pods.
        Scale => "Scale",
        /// What somebody else changed is set right.
        Correct => "Correct",
        /// An action of its driver runs.
        Action => "Action",
        /// Its data is copied to a backup location.
        Backup => "Backup",
        /// Its data becomes that of a backup.
        Restore => "Restore",
        /// A backup is read back and compared with its digests.
        Verify => "Verify",
        /// A backup is restored into an environment that is made for it, looked at, and taken away.
        Drill => "Drill",
        /// Backups are deleted, and what nothing needs any more goes from their location.
        Prune => "Prune",
        /// An environment is made that equals another one.
        Clone => "Clone",
        /// What is said of an environment or a cluster changes, and what follows from it.
        Configure => "Configure",
        /// The application is taken away.
        Delete => "Delete",
    }
}

words! {
    /// Where an operation stands.
    OperationState {
        /// Recorded; the holder of the engine has not begun it.
        Queued => "Queued",
        /// Under way.
        Running => "Running",
        /// Every step succeeded.
        Succeeded => "Succeeded",
        /// Nothing that counts was reached.
        Failed => "Failed",
        /// Some branches succeeded, others did not.
        PartiallyFailed => "PartiallyFailed",
        /// Somebody ended it at a step's boundary.
        Cancelled => "Cancelled",
        /// A newer wish took its place.
        Superseded => "Superseded",
        /// What it was planned on is not so any more, and the new plan is another one: a person looks again.
        Stale => "Stale",
    }
}

words! {
    /// Where a step stands.
    StepState {
        /// Nothing was done.
        Pending => "Pending",
        /// Journaled before it is done; its outcome is not known yet.
        Started => "Started",
        /// Found `Started` after a crash: it may or may not have been done.
        Unknown => "Unknown",
        /// A try failed; another one comes.
        Retrying => "Retrying",
        /// A person has to say whether it was done.
        Asking => "Asking",
        /// Done.
        Succeeded => "Succeeded",
        /// Not done, and not tried again.
        Failed => "Failed",
        /// Not done: a step that it needs was not, or the operation ended before.
        Skipped => "Skipped",
    }
}

impl OperationKind {
    /// Those that say nothing about what is desired: no failure of theirs is one of what is desired, and no end of theirs an end of it.
    pub const ASIDE: [Self; 7] =
        [Self::Action, Self::Backup, Self::Restore, Self::Verify, Self::Drill, Self::Prune, Self::Clone];
}

impl Subject {
    /// What the names of subjects begin with that are an environment which is not recorded.
    pub const ENVIRONMENT: &str = "environment/";
    /// The name of the subject that is what is said of the cluster.
    pub const CLUSTER: &str = "cluster/";
    /// What the names of subjects begin with that are a backup location.
    pub const LOCATION: &str = "location/";

    /// A backup location, as the subject of what is done to what lies in it.
    pub fn location(cluster: &str, location: &str) -> Self {
        let name = format!("{}{location}", Self::LOCATION);
        Self { cluster: cluster.to_owned(), environment: String::new(), name }
    }

    /// The backup location that it is; none for everything else.
    pub fn as_location(&self) -> Option<&str> {
        self.name.strip_prefix(Self::LOCATION).filter(|_| self.environment.is_empty())
    }

    /// The environment that it is as a whole; none for everything else.
    pub fn as_environment(&self) -> Option<&str> {
        match self.environment.is_empty() {
            true => self.name.strip_prefix(Self::ENVIRONMENT),
            false => Some(self.environment.as_str()).filter(|_| self.name.is_empty()),
        }
    }

    /// Whether it is a whole environment, or what is said of the cluster: operations about it are made of others.
    pub fn is_environment(&self) -> bool {
        match self.environment.is_empty() {
            true => self.name.starts_with(Self::ENVIRONMENT) || self.name == Self::CLUSTER,
            false => self.name.is_empty(),
        }
    }
}

impl OperationState {
    /// Whether it has ended.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl StepState {
    /// Whether it has ended.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped)
    }
}

/// What an operation is about: one application, or the cluster itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// The cluster.
    pub cluster: String,
    /// The environment; empty for the cluster itself.
    pub environment: String,
    /// The deployment; empty for the cluster itself.
    pub name: String,
}

/// Who wants an operation, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// A person (`anna@jump-1`), the field manager of another tool (`kubectl-edit`), or `styrmin` itself.
    pub actor: String,
    /// In words: "confirmed in the cockpit", "drift of Deployment/web", "the custom resource was edited".
    pub cause: String,
    /// Whether a person confirmed this very plan: then no other one is carried out in its place.
    pub confirmed: bool,
}

/// What an operation makes true.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// The deployment's row; none once it is gone, and for the cluster itself.
    pub deployment: Option<DeploymentId>,
    /// The desired revision that it carries out.
    pub revision: u64,
    /// The number of the instance that it applies.
    pub instance: Option<u32>,
}

/// An action of a driver that a person asked for, and what they answered to its prompts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRequest {
    /// Its name.
    pub action: String,
    /// The answers by the name of the prompt; absent ones take their defaults. A secret's is a reference to where it lies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Value>,
    /// Secrets that were typed and have no reference yet: only on the way from the form to the Secret, never recorded.
    #[serde(skip)]
    pub typed: TypedSecrets,
}

/// When things happened to an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// It was recorded.
    pub created: Timestamp,
    /// Its first step was begun.
    pub started: Option<Timestamp>,
    /// It ended.
    pub ended: Option<Timestamp>,
    /// It fails when it has not ended by then.
    pub deadline: Option<Timestamp>,
}

/// What is asked of a running operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Who asked to cancel it.
    pub cancelled_by: Option<String>,
    /// A newer wish is to take its place.
    pub superseded: bool,
}

/// An operation as it is journaled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its row number.
    pub id: OperationId,
    /// What it is about.
    pub subject: Subject,
    /// What it is for.
    pub kind: OperationKind,
    /// Where it stands.
    pub state: OperationState,
    /// What is done.
    pub plan: Plan,
    /// [`Plan::hash`] of it.
    pub plan_hash: String,
    /// Who wants it.
    pub origin: Origin,
    /// What it makes true.
    pub goal: Goal,
    /// The action that was asked for; none for what is no [`OperationKind::Action`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionRequest>,
    /// What else was asked for, of backups and of what is made of other operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The operation and its step that this one is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<(OperationId, usize)>,
    /// When.
    pub times: Times,
    /// What is asked of it while it runs.
    pub orders: Orders,
    /// Why it ended as it did.
    pub problem: Option<Problem>,
    /// The engine's epoch in which it was last carried on.
    pub epoch: u64,
}

/// A step as it is journaled. Its position in the plan is its position among the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Where it stands.
    pub state: StepState,
    /// How many tries were begun.
    pub attempt: u32,
    /// The first try was begun, since somebody last carried the operation on.
    pub started: Option<Timestamp>,
    /// It ended.
    pub ended: Option<Timestamp>,
    /// The next try.
    pub next_try: Option<Timestamp>,
    /// What it made: an object's uid, the name of a child.
    pub output: Option<String>,
    /// Why the last try failed, or what it waits for. Of one that succeeded: what went wrong all the same, and does not count.
    pub problem: Option<Problem>,
    /// It failed because what it was planned on is not so any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
}

impl Default for StepRecord {
    fn default() -> Self {
        Self {
            state: StepState::Pending,
            attempt: 0,
            started: None,
            ended: None,
            next_try: None,
            output: None,
            problem: None,
            stale: false,
        }
    }
}

/// How far a step is that moves data. Written at most twice a second, by whoever does it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepProgress {
    /// When this was so; none: unknown.
    pub at: Option<Timestamp>,
    /// Bytes that are done.
    pub done: u64,
    /// Bytes in all; none while nobody knows. An estimate from the last time where the source does not say.
    pub total: Option<u64>,
    /// Bytes per second of late.
    pub rate: u64,
    /// What it is at: a table, a file. Never a value.
    pub item: String,
}

/// What a person says of a step that a crash left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StepAnswer {
    /// It was done.
    Done,
    /// It was not: do it.
    Repeat,
    /// It was not, and is not to be.
    Fail,
}

/// What happened during an operation, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationEvent {
    /// When.
    pub at: Timestamp,
    /// The step's position; none for the operation as a whole.
    pub step: Option<usize>,
    /// In words.
    pub message: String,
}

/// An operation with its steps, as the cockpit shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationView {
    /// The operation.
    pub operation: Operation,
    /// One record per step of its plan.
    pub steps: Vec<StepRecord>,
    /// How far the steps that move data are, by position.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moving: BTreeMap<usize, StepProgress>,
}

impl OperationView {
    /// How many steps have ended, of how many.
    pub fn progress(&self) -> (usize, usize) {
        (self.steps.iter().filter(|step| step.state.is_final()).count(), self.steps.len())
    }

    /// The first step that failed, or is being tried again, with why.
    pub fn first_problem(&self) -> Option<(usize, &Problem)> {
        let told = |states: &'static [StepState]| {
            self.steps.iter().enumerate().find_map(move |(position, step)| {
                let problem = step.problem.as_ref().filter(|_| states.contains(&step.state))?;
                Some((position, problem))
            })
        };
        told(&[StepState::Failed])
            .or_else(|| told(&[StepState::Asking, StepState::Retrying]))
            .or_else(|| self.operation.problem.as_ref().map(|problem| (usize::MAX, problem)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for kind in OperationKind::ALL {
            assert_eq!(OperationKind::parse(kind.as_str()), Some(*kind));
        }
        for state in StepState::ALL {
            assert_eq!(StepState::parse(state.as_str()), Some(*state));
        }
        assert!(OperationState::parse("running").is_none());
        assert!(OperationState::Stale.is_final() && !OperationState::Queued.is_final());
    }
}
