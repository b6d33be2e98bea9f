//! The actions of a driver as steps: in the modes of the operation's hook, or by itself when a person asks for one.

use crate::domain::canonical::canonical_digest;
use crate::domain::driver::{ActionSpec, Hook, Mode};
use crate::domain::plan::{Class, Policy, Verb};
use crate::domain::{OperationKind, Plan, Step};

use super::Basis;

/// How long an action may take, in seconds, unless its driver says otherwise.
const WITHIN: u32 = 3600;
/// What the names of such steps begin with.
pub const ACTION: &str = "run ";

/// The hook of an operation. `change` is that of what leads from the active instance to what is desired.
pub fn hook(kind: OperationKind, change: Option<Hook>) -> Option<Hook> {
    use OperationKind::{Deploy, Scale, Update, Upgrade};
    match kind {
        // also where an earlier operation failed on the way, or was overtaken: what it began is not done
        Deploy | Update | Upgrade | Scale => change,
        OperationKind::Stop => Some(Hook::Stop),
        OperationKind::Start => Some(Hook::Start),
        OperationKind::Delete => Some(Hook::Delete),
        OperationKind::Backup => Some(Hook::Backup),
        OperationKind::Restore => Some(Hook::Restore),
        // these have no moment of their own: its author was not asked
        _ => None,
    }
}

/// The actions at the hook of an operation that run in `mode`, in the order of the driver.
fn at<'a>(basis: &'a Basis<'_>, mode: Mode) -> impl Iterator<Item = &'a ActionSpec> {
    let hook = hook(basis.kind, basis.situation.work.hook);
    basis.actions.iter().filter(move |action| {
        hook.is_some() && action.hook == hook && action.mode.unwrap_or(Mode::Core) == mode
    })
}

/// Whether an action runs before, or beside, what the operation applies: it may have changed what is as it should be.
pub(super) fn come_first(basis: &Basis<'_>) -> bool {
    at(basis, Mode::Pre).chain(at(basis, Mode::Core)).next().is_some()
}

/// Appends the steps of the actions in a mode, each after `before`; gives what the next mode comes after.
pub(super) fn append(steps: &mut Vec<Step>, basis: &Basis<'_>, mode: Mode, before: &[usize]) -> Vec<usize> {
    let first = steps.len();
    let actions = in_order(at(basis, mode).collect());
    for action in &actions {
        let mut step = step(basis, action);
        if let Some(hook) = action.hook {
            step.note = format!("{} {}  {}", hook.as_str(), mode.as_str(), step.note).trim_end().to_owned();
        }
        let earlier =
            action.after.iter().filter_map(|name| actions.iter().position(|other| other.name == *name));
        step.after = before.iter().copied().chain(earlier.map(|position| first + position)).collect();
        (step.finally, step.on_failure) =
            (mode == Mode::Finally || mode == Mode::Failed, mode == Mode::Failed);
        steps.push(step);
    }
    match actions.is_empty() {
        true => before.to_vec(),
        false => (first..steps.len()).collect(),
    }
}

/// Appends what runs however the operation ends: first what is for failures, then the rest.
pub(super) fn append_endings(steps: &mut Vec<Step>, basis: &Basis<'_>) {
    let after_failure = append(steps, basis, Mode::Failed, &[]);
    append(steps, basis, Mode::Finally, &after_failure);
}

/// The actions, each behind those that it comes after; a driver with circles is refused when it is read.
fn in_order(mut open: Vec<&ActionSpec>) -> Vec<&ActionSpec> {
    let mut ordered: Vec<&ActionSpec> = Vec::new();
    while !open.is_empty() {
        let is_ready = |action: &&ActionSpec| {
            !open.iter().any(|other| other.name != action.name && action.after.contains(&other.name))
        };
        let next = open.iter().position(is_ready).unwrap_or(0);
        ordered.push(open.remove(next));
    }
    ordered
}

/// The plan of one action that a person asked for.
pub fn act(basis: &Basis<'_>, action: &ActionSpec, answers: &serde_json::Value) -> Plan {
    let mut steps = basis.secrets.to_vec();
    let mut step = step(basis, action);
    step.digest = canonical_digest(&serde_json::json!([step.digest, answers]));
    step.after = (0..steps.len()).collect();
    steps.push(step);
    basis.plan(steps)
}

fn step(basis: &Basis<'_>, action: &ActionSpec) -> Step {
    let is_python = action.file().ends_with(".py");
    // a function in Starlark goes on where it was; one in Python cannot
    let usual = if is_python { Policy::Once } else { Policy::Idempotent };
    Step {
        note: action.description.lines().next().unwrap_or_default().to_owned(),
        digest: canonical_digest(&serde_json::json!([basis.driver_digest, action])),
        class: Class::Disruptive,
        // nothing else tells what a function did than its journal
        policy: action.policy.filter(|policy| *policy != Policy::Probe).unwrap_or(usual),
        timeout: action.timeout.unwrap_or(WITHIN),
        ..Step::named(Verb::Run, format!("{ACTION}{}", action.name))
    }
}
