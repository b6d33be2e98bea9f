//! Taking an application away: what serves goes before what it needs; volumes stay unless they are named.

use crate::domain::driver::Mode;
use crate::domain::plan::{Class, Expectation, Verb};
use crate::domain::{ObjectKey, OperationKind, Plan, Step};

use super::{Basis, actions, hooks};
use crate::reconcile::render::rank;
use crate::reconcile::situation::is_disposable;

/// The step that marks the custom resource as going.
pub const DELETE_RESOURCE: &str = "announce the end of";
/// The step that waits until no pod is left.
pub const WAIT_GONE: &str = "wait until nothing of it runs";
/// The step that waits until nothing of the last hooks is left.
pub const WAIT_HOOKS_GONE: &str = "wait until nothing of its last hooks runs";
/// The step that lets the custom resource go.
pub const RELEASE: &str = "let go of";

/// The plan of taking an application away; `volumes` are the claims that go too.
pub fn removal(basis: &Basis<'_>, volumes: &[ObjectKey]) -> Plan {
    let mut steps = Vec::new();
    if basis.situation.resource.is_some() {
        let mut mark = Step::named(Verb::Record, format!("{DELETE_RESOURCE} {}", basis.resource()));
        mark.object = Some(basis.resource());
        steps.push(mark);
    }
    let (first, last_words) = hooks::moments(OperationKind::Delete);
    let start: Vec<usize> = (0..steps.len()).collect();
    let start = actions::append(&mut steps, basis, Mode::Pre, &start);
    let start = hooks::append(&mut steps, basis, first, &start);
    actions::append(&mut steps, basis, Mode::Core, &start);
    let mut live: Vec<_> = (basis.situation.live.iter())
        .filter(|(key, live)| live.is_removable(key) || (live.ours && volumes.contains(key)))
        .collect();
    // volumes go last: until then everything can still be brought back
    live.sort_by_key(|(key, _)| (!is_disposable(key), std::cmp::Reverse(rank(key)), (*key).clone()));
    let mut before = start;
    let mut group: Vec<usize> = Vec::new();
    let mut last = None;
    for (key, live) in live {
        let place = (is_disposable(key), rank(key));
        if last.is_some_and(|last| last != place) && !group.is_empty() {
            before = std::mem::take(&mut group);
        }
        last = Some(place);
        group.push(steps.len());
        steps.push(Step {
            after: before.clone(),
            class: class(key),
            expects: Expectation { uid: live.uid.clone(), resource_version: None },
            note: if is_disposable(key) { String::new() } else { "with everything on it".to_owned() },
            ..Step::on(Verb::Delete, key.clone())
        });
    }
    wait_gone(&mut steps, WAIT_GONE);
    let awaited = vec![steps.len() - 1];
    let mut after_gone = hooks::append(&mut steps, basis, last_words, &awaited);
    if after_gone != awaited {
        // what they left behind goes after them
        wait_gone(&mut steps, WAIT_HOOKS_GONE);
        after_gone = vec![steps.len() - 1];
    }
    let after_gone = actions::append(&mut steps, basis, Mode::Post, &after_gone);
    let mut release = Step::named(Verb::Record, format!("{RELEASE} {}", basis.resource()));
    (release.object, release.after) = (Some(basis.resource()), after_gone);
    steps.push(release);
    actions::append_endings(&mut steps, basis);
    basis.plan(steps)
}

fn wait_gone(steps: &mut Vec<Step>, name: &str) {
    let mut gone = Step::named(Verb::Wait, name);
    gone.after = (0..steps.len()).collect();
    gone.timeout = 900;
    steps.push(gone);
}

/// What taking an object away costs.
pub fn class(key: &ObjectKey) -> Class {
    match key.kind.as_str() {
        "PersistentVolumeClaim" => Class::Destructive,
        "ConfigMap" | "Secret" | "ServiceAccount" | "Role" | "RoleBinding" | "NetworkPolicy"
        | "ReplicaSet" => Class::Safe,
        _ => Class::Disruptive,
    }
}
