//! How an operation ended, and why a step was not done.

use crate::domain::plan::Verb;
use crate::domain::{OperationState, Plan, Problem, Step, StepRecord, StepState};

use super::decide::Stop;

/// How many steps that were not done are named.
const LEFT_MAX: usize = 4;

/// Where a step stands; none when the plan has no such step. What is as it should be counts as done.
pub(super) fn state(plan: &Plan, steps: &[StepRecord], position: usize) -> Option<StepState> {
    match plan.steps.get(position)?.verb {
        Verb::Unchanged => Some(StepState::Succeeded),
        _ => Some(steps.get(position).map_or(StepState::Pending, |record| record.state)),
    }
}

/// Whether a step for failures was left out because there was none.
pub(super) fn is_spared(plan: &Plan, steps: &[StepRecord], position: usize) -> bool {
    let for_failures = plan.steps.get(position).is_some_and(|step| step.finally && step.on_failure);
    for_failures && state(plan, steps, position) == Some(StepState::Skipped)
}

/// How an operation ended all of whose steps have, and why.
pub(super) fn outcome(
    plan: &Plan,
    steps: &[StepRecord],
    stop: Option<Stop<'_>>,
) -> (OperationState, Option<Problem>) {
    let states: Vec<StepState> =
        (0..plan.steps.len()).filter_map(|position| state(plan, steps, position)).collect();
    let is_well = |(position, state): (usize, &StepState)| {
        *state == StepState::Succeeded || is_spared(plan, steps, position)
    };
    if states.iter().enumerate().all(is_well) {
        return (OperationState::Succeeded, None);
    }
    let failed = steps.iter().find(|step| step.state == StepState::Failed);
    // What was cut short is told by its reason; what failed by itself by its own.
    match stop {
        Some(stop @ Stop::Cancelled(_)) => {
            let mut problem = stop.problem();
            problem.why += &left(plan, &states);
            return (OperationState::Cancelled, Some(problem));
        }
        Some(stop @ Stop::Superseded) => return (OperationState::Superseded, Some(stop.problem())),
        _ => {}
    }
    if let Some(stale) = steps.iter().find(|step| step.stale && step.state == StepState::Failed) {
        return (OperationState::Stale, stale.problem.clone());
    }
    let problem = match (failed, stop) {
        (Some(failed), _) => failed.problem.clone(),
        (None, stop) => stop.map(Stop::problem),
    };
    let counts = |(step, state): (&Step, &StepState)| {
        let reached = !step.finally && !step.prepares && !matches!(step.verb, Verb::Unchanged | Verb::Wait);
        reached && *state == StepState::Succeeded
    };
    let reached = plan.steps.iter().zip(&states).any(counts);
    let state = if reached { OperationState::PartiallyFailed } else { OperationState::Failed };
    (state, problem)
}

/// What was not done of a plan that was cut short, in words.
fn left(plan: &Plan, states: &[StepState]) -> String {
    let counts = |(step, _): &(&Step, &StepState)| !matches!(step.verb, Verb::Unchanged | Verb::Wait);
    let steps: Vec<_> = plan.steps.iter().zip(states).filter(counts).collect();
    let open: Vec<&str> = (steps.iter())
        .filter(|(_, state)| **state != StepState::Succeeded)
        .map(|(step, _)| step.name.as_str())
        .collect();
    let named = open.iter().take(LEFT_MAX).map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let more = if open.len() > LEFT_MAX { " and more" } else { "" };
    match open.len() {
        0 => "; everything was written before, and was not waited for".to_owned(),
        count => format!("; {count} of {} steps were not done: {named}{more}", steps.len()),
    }
}

/// A step took longer than it may, with all its tries.
pub(super) fn too_long(step: &Step, record: &StepRecord) -> Problem {
    let mut why = format!("it had {} s", step.timeout);
    if let Some(last) = &record.problem {
        why += &format!("; the last try: {}", last.what);
        if !last.why.is_empty() {
            why += &format!(" ({})", last.why);
        }
    }
    Problem::new(
        format!("'{}' took too long", step.name),
        why,
        "look at what it works on, then plan it again",
    )
}

/// A step for failures, and there was none.
pub(super) fn not_needed() -> Problem {
    Problem::new("It was not needed", "nothing failed", "nothing")
}

/// A step that was ended while it was at work.
pub(super) fn cut_short(step: &Step, stop: Stop<'_>) -> Problem {
    let problem = stop.problem();
    let why = format!("{}; it was at work, and what it had done stays done", problem.why);
    Problem::new(format!("'{}' was cut short", step.name), why, problem.next)
}

/// Nobody will say any more whether a step was done.
pub(super) fn left_open(step: &Step, stop: Stop<'_>, record: &StepRecord) -> Problem {
    let mut why = format!("its outcome was lost, and the operation ended: {}", stop.problem().what);
    if let Some(last) = &record.problem {
        why += &format!(" ({})", last.what);
    }
    Problem::new(
        format!("It is not known whether '{}' was done", step.name),
        why,
        "look at what it works on before it is planned again",
    )
}

/// A step that failed for now is not tried again.
pub(super) fn not_again(stop: Stop<'_>, record: &StepRecord) -> Problem {
    let mut problem = stop.problem();
    if let Some(last) = &record.problem {
        problem.why += &format!("; the last try: {}", last.what);
    }
    problem
}

/// A step that another one needs was not done.
pub(super) fn needs(plan: &Plan, steps: &[StepRecord], needed: usize) -> Problem {
    let Some(step) = plan.steps.get(needed) else {
        return Problem::new("It cannot be done", format!("it needs step {needed}, which is not there"), "");
    };
    let why = match steps.get(needed).and_then(|record| record.problem.as_ref()) {
        Some(problem) => format!("it needs '{}': {}", step.name, problem.what),
        None => format!("it needs '{}', which was not done", step.name),
    };
    Problem::new("It was not done", why, "see that step")
}
