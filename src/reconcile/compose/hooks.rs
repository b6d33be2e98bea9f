//! The hooks of a chart as steps: each is applied, waited for and, where the chart says so, deleted, one after the other.

use std::cmp::Ordering;

use crate::cluster::key;
use crate::domain::canonical::canonical_digest;
use crate::domain::plan::{Expectation, Verb};
use crate::domain::{OperationKind, Step};
use crate::driver::RenderedHook;
use crate::driver::chart::{DeletePolicy, HookEvent};

use super::Basis;
use crate::reconcile::note::note;

/// How long a hook may take, in seconds, unless its own deadline says otherwise.
const WITHIN: u32 = 900;

/// The moments before and after what an operation applies; none where no hook runs.
pub(super) fn moments(kind: OperationKind) -> (Option<HookEvent>, Option<HookEvent>) {
    match kind {
        OperationKind::Deploy => (Some(HookEvent::PreInstall), Some(HookEvent::PostInstall)),
        OperationKind::Upgrade | OperationKind::Update => {
            (Some(HookEvent::PreUpgrade), Some(HookEvent::PostUpgrade))
        }
        OperationKind::Rollback => (Some(HookEvent::PreRollback), Some(HookEvent::PostRollback)),
        OperationKind::Delete => (Some(HookEvent::PreDelete), Some(HookEvent::PostDelete)),
        // the chart's author was not asked about these: what runs stays what it is
        _ => (None, None),
    }
}

/// Appends the steps of the hooks of a moment, the first one after `before`; gives what the next steps come after.
pub(super) fn append(
    steps: &mut Vec<Step>,
    basis: &Basis<'_>,
    event: Option<HookEvent>,
    before: &[usize],
) -> Vec<usize> {
    let mut before = before.to_vec();
    let Some(event) = event else { return before };
    for hook in in_order(&basis.parts.hooks, event) {
        for mut step in one(basis, hook, event) {
            step.after.clone_from(&before);
            before = vec![steps.len()];
            steps.push(step);
        }
    }
    before
}

/// The hooks of a moment: by weight, then by name, as Helm runs them.
fn in_order(hooks: &[RenderedHook], event: HookEvent) -> Vec<&RenderedHook> {
    let mut chosen: Vec<&RenderedHook> = hooks.iter().filter(|hook| hook.events.contains(&event)).collect();
    let name = |hook: &RenderedHook| key(&hook.object).name;
    chosen.sort_by(|left, right| match left.weight.cmp(&right.weight) {
        Ordering::Equal => name(left).cmp(&name(right)),
        unequal => unequal,
    });
    chosen
}

fn one(basis: &Basis<'_>, hook: &RenderedHook, event: HookEvent) -> Vec<Step> {
    let key = key(&hook.object);
    let live = basis.situation.live.get(&key);
    // one that ran before makes room: its kind can mostly not be changed, and it would not run again
    let verb = if live.is_some() { Verb::Replace } else { Verb::Create };
    let named = |verb: Verb| {
        let step = Step::on(verb, key.clone());
        Step { name: format!("{}: {}", event.name(), step.name), ..step }
    };
    let mut steps = vec![Step {
        note: format!("{} hook  {}", event.name(), note(&hook.object)).trim_end().to_owned(),
        digest: canonical_digest(&hook.object),
        expects: Expectation {
            uid: Some(live.and_then(|live| live.uid.clone()).unwrap_or_default()),
            resource_version: None,
        },
        ..named(verb)
    }];
    if ["Job", "Pod"].contains(&key.kind.as_str()) {
        let own =
            hook.object["spec"]["activeDeadlineSeconds"].as_u64().and_then(|own| u32::try_from(own).ok());
        steps.push(Step {
            timeout: own.map_or(WITHIN, |own| own.saturating_add(60)).min(3600),
            note: format!("{} hook, until it has done its work", event.name()),
            ..named(Verb::Wait)
        });
    }
    let at_the_end = matches!(event, HookEvent::PreDelete | HookEvent::PostDelete);
    if at_the_end || hook.delete_policies.contains(&DeletePolicy::Succeeded) {
        steps.push(Step { note: format!("{} hook: its work is done", event.name()), ..named(Verb::Delete) });
    }
    steps
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hooks_come_by_weight_then_by_name() {
        let hook = |name: &str, weight, events: &[HookEvent]| RenderedHook {
            events: events.to_vec(),
            weight,
            delete_policies: Vec::new(),
            object: json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}}),
        };
        let (install, upgrade) = (HookEvent::PreInstall, HookEvent::PreUpgrade);
        let hooks = [
            hook("b", 1, &[install]),
            hook("c", -1, &[install, upgrade]),
            hook("a", 1, &[install]),
            hook("d", 0, &[upgrade]),
        ];
        let names =
            |event| in_order(&hooks, event).iter().map(|hook| key(&hook.object).name).collect::<Vec<_>>();
        assert_eq!(names(install), ["c", "a", "b"]);
        assert_eq!(names(upgrade), ["c", "d"]);
        assert_eq!(names(HookEvent::Test), [""; 0]);
    }
}
