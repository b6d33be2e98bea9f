//! The decision: from everything that is known, exactly one next move. Pure, so that every path is a test; level-triggered, so
//! that it does not matter how the situation came about: a crash, a lost change, an edit by somebody else.
//!
//! It says whether there is something to do, not how: that is a plan, carried out as an operation.

use jiff::{SignedDuration, Timestamp};

use crate::cluster::DeploymentResource;
use crate::domain::driver::Hook;
use crate::domain::{
    Deployment, DesiredPhase, DriftMode, Health, Instance, InstanceState, ObjectKey, OperationId,
    OperationKind, OperationState, Problem, Verdict,
};
use crate::operate::pause;

use super::situation::{Need, Rendered, Situation, Turn};

/// How long a new instance may take to become healthy before it counts as failed. It is watched further all the same.
pub const HEALTHY_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Record the deployment that a custom resource describes: somebody made it elsewhere, or the records were lost.
    Adopt,
    /// Record what somebody else wrote into the custom resource as a new desired revision.
    Import,
    /// Write what is recorded into the custom resource, creating it.
    WriteDesired,
    /// Plan an operation of this kind and record it.
    Plan(OperationKind),
    /// Carry on with an operation that is recorded.
    Carry(OperationId),
    /// The newest instance is healthy after all: it is the active one.
    Activate,
    /// The newest instance was not applied, or did not become healthy.
    Fail {
        /// Why, for people.
        message: String,
    },
    /// Nothing is left of it: take it out of the records.
    DropRecord,
    /// Nothing is left of it but the custom resource, which nobody recorded: let it go.
    Release,
    /// Nothing to do before something changes.
    Wait(Waiting),
    /// Cannot go on before a person or another tool changes something.
    Stall(Problem),
}

/// Why nothing is done, and until when at the latest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// For what.
    pub on: On,
    /// When to look again even if nothing changes.
    pub until: Option<Timestamp>,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The first lists of the watches.
    Lists,
    /// Nothing: all is as it should be.
    Change,
    /// The objects becoming healthy.
    Health,
    /// Deleted objects going away.
    Gone,
    /// Somebody ending the suspension.
    Suspension,
    /// The next try of what failed.
    Retry,
    /// Its turn in what is done to its whole environment.
    Turn,
}

fn wait(on: On) -> Move {
    Move::Wait(Waiting { on, until: None })
}

/// The next move.
pub fn decide(situation: &Situation) -> Move {
    if !situation.complete {
        return wait(On::Lists);
    }
    match (&situation.record, &situation.resource) {
        (None, None) => wait(On::Change),
        (None, Some(resource)) if resource.deleting => abandon(situation, resource),
        (None, Some(_)) => Move::Adopt,
        (Some(record), None) if record.phase == DesiredPhase::Deleting => take_away(situation),
        (Some(_), None) => Move::WriteDesired,
        (Some(record), Some(resource)) => {
            exchange(record, resource).unwrap_or_else(|| carry_out(situation, record, resource))
        }
    }
}

/// The record and the custom resource say the same, or one of them is newer.
pub fn exchange(record: &Deployment, resource: &DeploymentResource) -> Option<Move> {
    if resource.deleting && record.phase != DesiredPhase::Deleting {
        return Some(Move::Import);
    }
    // of what is going it does not matter any more how it should be
    let going = resource.deleting && record.phase == DesiredPhase::Deleting;
    if going || (resource.draft() == record.draft && resource.phase() == record.phase) {
        return None;
    }
    if resource.spec.environment != record.draft.environment {
        return Some(Move::Stall(Problem::new(
            format!("{} cannot move to another environment", record.draft.name),
            format!(
                "its custom resource says environment '{}', the records say '{}'",
                resource.spec.environment, record.draft.environment
            ),
            "set spec.environment back, and deploy it anew where it should be",
        )));
    }
    // A spec that stands for an older revision than the record is out of date; any other was written by somebody else.
    let outdated = resource.revision.is_some_and(|revision| revision < record.revision);
    Some(if outdated { Move::WriteDesired } else { Move::Import })
}

fn carry_out(situation: &Situation, record: &Deployment, resource: &DeploymentResource) -> Move {
    if record.phase == DesiredPhase::Deleting {
        return take_away(situation);
    }
    if resource.spec.suspend {
        return wait(On::Suspension);
    }
    if let Some(open) = situation.work.open() {
        return Move::Carry(open.id);
    }
    let wanted = match &situation.wanted {
        Some(Ok(wanted)) => wanted,
        Some(Err(problem)) => return Move::Stall(problem.clone()),
        None => return wait(On::Change),
    };
    let Some(newest) = situation.newest.as_ref().filter(|instance| instance.digest == wanted.digest) else {
        let kind = kind_of_change(situation, record);
        return match &situation.work.turn {
            Turn::Comes => wait(On::Turn),
            // a person stops, starts and goes back as ever
            Turn::Missed(problem) if kind == OperationKind::Update => Move::Stall(problem.clone()),
            _ => held(situation, record).unwrap_or(Move::Plan(kind)),
        };
    };
    let rendered = match &situation.rendered {
        Some(Ok(rendered)) => rendered,
        Some(Err(problem)) => return refuse(newest, problem),
        None => return wait(On::Change),
    };
    if let Some(settled) = settle(situation, newest) {
        return settled;
    }
    let acknowledged = is_acknowledged(record, resource, newest);
    match write(situation, rendered) {
        Some(Writing::Fight(key)) => Move::Stall(fight(&key)),
        Some(Writing::Drift) if acknowledged => match situation.work.drift {
            DriftMode::Correct => held(situation, record).unwrap_or(Move::Plan(OperationKind::Correct)),
            DriftMode::Warn | DriftMode::Ignore => conclude(situation, record, newest),
        },
        None if acknowledged && is_begun(newest) => conclude(situation, record, newest),
        _ => held(situation, record).unwrap_or_else(|| Move::Plan(kind_of_change(situation, record))),
    }
}

/// Whether the custom resource carries what the engine keeps on it for this instance.
pub fn is_acknowledged(record: &Deployment, resource: &DeploymentResource, newest: &Instance) -> bool {
    resource.revision == Some(record.revision)
        && resource.deployment_uid.as_deref() == Some(record.uid.as_str())
        && resource.has_finalizer()
        && resource.trace.context_digest.as_deref() == Some(newest.digest.as_str())
}

fn is_begun(newest: &Instance) -> bool {
    !matches!(newest.state, InstanceState::Planned | InstanceState::Applying)
}

/// An operation that ended badly leaves its instance behind: it has failed too.
fn settle(situation: &Situation, newest: &Instance) -> Option<Move> {
    use OperationState::{Cancelled, Failed, PartiallyFailed, Stale};
    let ended = situation.work.ended(&[Failed, PartiallyFailed, Cancelled, Stale])?;
    let ours = ended.goal.instance == Some(newest.number) && !is_begun(newest);
    ours.then(|| {
        let message = match (&ended.problem, ended.state) {
            (Some(problem), _) => sentence(problem),
            (None, state) => state.as_str().to_owned(),
        };
        Move::Fail { message }
    })
}

/// Whether what is to be done has to wait: for a person after a cancel or a changed plan, for its time after a failure. A
/// changed wish ends all of that.
fn held(situation: &Situation, record: &Deployment) -> Option<Move> {
    use OperationState::{Cancelled, Failed, PartiallyFailed, Stale};
    let last = situation.work.ended(&[Failed, PartiallyFailed, Cancelled, Stale])?;
    if last.goal.revision != record.revision {
        return None;
    }
    match last.state {
        Cancelled => Some(Move::Stall(Problem::new(
            format!("{} was cancelled", last.plan.title),
            last.problem.as_ref().map_or_else(String::new, |problem| problem.why.clone()),
            "carry it out again, or roll back",
        ))),
        Stale if last.origin.confirmed => Some(Move::Stall(last.problem.clone().unwrap_or_else(|| {
            Problem::new(
                format!("{} is out of date", last.plan.title),
                "the cluster changed since it was confirmed",
                "look at the new plan and confirm it again",
            )
        }))),
        Failed | PartiallyFailed | Stale => {
            let failures = situation.work.failures;
            // a plan that nobody confirmed is made anew at once; one that is out of date again and again is not
            let failures = if last.state == Stale { failures.saturating_sub(1) } else { failures };
            let next = last.times.ended?.saturating_add(pause(failures)).ok()?;
            (next > situation.now).then_some(Move::Wait(Waiting { on: On::Retry, until: Some(next) }))
        }
        _ => None,
    }
}

/// What the change is called.
fn kind_of_change(situation: &Situation, record: &Deployment) -> OperationKind {
    let Some(newest) = &situation.newest else { return OperationKind::Deploy };
    let stopped_last = situation.work.has_stopped();
    match record.phase {
        DesiredPhase::Deleting => OperationKind::Delete,
        DesiredPhase::Stopped if !stopped_last => OperationKind::Stop,
        DesiredPhase::Running if stopped_last => OperationKind::Start,
        // also where it failed, or is wished for anew with something else beside
        _ if situation.work.goes_back => OperationKind::Rollback,
        // also what failed on its way to another version
        _ if situation.work.hook == Some(Hook::Upgrade) => OperationKind::Upgrade,
        _ if newest.draft.as_ref().is_some_and(|draft| is_upgrade(draft, &record.draft)) => {
            OperationKind::Upgrade
        }
        _ => OperationKind::Update,
    }
}

/// Whether the application or its driver gets another version.
pub fn is_upgrade(old: &crate::domain::DeploymentDraft, new: &crate::domain::DeploymentDraft) -> bool {
    old.application_version != new.application_version || old.driver != new.driver
}

/// An instance that cannot even be rendered has failed.
fn refuse(newest: &Instance, problem: &Problem) -> Move {
    match newest.state {
        InstanceState::Applying | InstanceState::Planned => Move::Fail { message: problem.what.clone() },
        _ => Move::Stall(problem.clone()),
    }
}

/// What there is to write.
enum Writing {
    New,
    Drift,
    Fight(ObjectKey),
}

fn write(situation: &Situation, rendered: &Rendered) -> Option<Writing> {
    let mut found = None;
    for object in &rendered.objects {
        match situation.need(object) {
            None => {}
            Some(Need::New) => return Some(Writing::New),
            Some(Need::Drift) => found = Some(Writing::Drift),
            Some(Need::Fight) => found = found.or_else(|| Some(Writing::Fight(object.key.clone()))),
        }
    }
    found.or_else(|| (!situation.unwanted().is_empty()).then_some(Writing::New))
}

fn fight(key: &ObjectKey) -> Problem {
    Problem::new(
        format!("somebody else keeps changing {key}"),
        "it was set right five times within ten minutes and changed again each time",
        "find out who writes it (kubectl get … --show-managed-fields), and let one of the two have it",
    )
}

/// Everything is written: is it healthy?
fn conclude(situation: &Situation, record: &Deployment, newest: &Instance) -> Move {
    let verdict = situation.verdict().unwrap_or_else(Verdict::healthy);
    let good = matches!(verdict.health, Health::Healthy | Health::Stopped);
    match newest.state {
        InstanceState::Active => wait(if good { On::Change } else { On::Health }),
        // Health is not enough where actions lead there: they have to have run.
        InstanceState::Failed if situation.work.hook.is_some() => {
            held(situation, record).unwrap_or_else(|| Move::Plan(kind_of_change(situation, record)))
        }
        _ if good => Move::Activate,
        _ => wait(On::Health),
    }
}

/// On its way out: an operation does it.
fn take_away(situation: &Situation) -> Move {
    if let Some(open) = situation.work.open() {
        return Move::Carry(open.id);
    }
    let record = situation.record.as_ref();
    let done = situation.work.ended(&[OperationState::Succeeded]).is_some_and(|last| {
        last.kind == OperationKind::Delete
            && record.is_some_and(|record| record.revision == last.goal.revision)
    });
    match situation.resource.is_none() && situation.is_gone() {
        true => Move::DropRecord,
        // Somebody else's finalizer holds it.
        false if done && situation.is_gone() => wait(On::Gone),
        false => {
            record.and_then(|record| held(situation, record)).unwrap_or(Move::Plan(OperationKind::Delete))
        }
    }
}

/// A custom resource that nobody recorded is being deleted: it goes once nothing of it is left.
fn abandon(situation: &Situation, resource: &DeploymentResource) -> Move {
    if !resource.has_finalizer() {
        return wait(On::Gone);
    }
    // Its objects are recorded first, so that an operation can take them away.
    if situation.is_gone() { Move::Release } else { Move::Adopt }
}

/// A problem in one line.
pub fn sentence(problem: &Problem) -> String {
    match problem.why.is_empty() {
        true => problem.what.clone(),
        false => format!("{}: {}", problem.what, problem.why),
    }
}

#[cfg(test)]
pub(in crate::reconcile) mod tests;
