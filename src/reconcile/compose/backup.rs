//! Keeping the data of an application: what makes it hold still, one step for each thing that is kept, and what ends it all.

use std::collections::BTreeSet;

use crate::domain::backup::{Backup, BackupPart};
use crate::domain::canonical::canonical_digest;
use crate::domain::driver::{ActionSpec, DriverSpec, Hook, Mode};
use crate::domain::plan::{Class, Verb};
use crate::domain::text::bytes;
use crate::domain::{Plan, Step};

use super::{Basis, actions};

/// What the names of steps begin with that keep a component, or a volume of it.
pub const BACK_UP: &str = "back up ";
/// What the names of steps begin with that make a component hold still.
pub const QUIESCE: &str = "quiesce ";
/// What the names of steps begin with that let it go again.
pub const RESUME: &str = "resume ";
/// The step that writes the manifest, and says what the backup is.
pub const SEAL: &str = "seal backup";
/// The step that stops what cannot be read while it runs.
pub const STOP: &str = "stop for backup";
/// The step that starts it again.
pub const START: &str = "start after backup";

/// The step that takes away what stood in for components that were stopped.
pub const CLEAR: &str = "clear away what stood in";

/// How long one thing may take to be read or written, in seconds.
pub const WITHIN: u32 = 12 * 3600;
/// How long all of it may take, in seconds.
pub const ALL_WITHIN: u32 = 24 * 3600;
/// How long a component may take to hold still, or to go on, in seconds.
const BRIEFLY: u32 = 300;
/// How long the end of a backup may take, in seconds.
pub(super) const SEALED_WITHIN: u32 = 900;

/// What is kept, and where.
pub struct Keeping<'a> {
    /// The driver.
    pub spec: &'a DriverSpec,
    /// What is kept, in this order.
    pub parts: &'a [BackupPart],
    /// The location, and where that is: in words.
    pub place: &'a str,
    /// The last backup of the application: how much to expect.
    pub last: Option<&'a Backup>,
    /// What else is worth knowing before.
    pub warnings: &'a [String],
}

/// The plan of a backup.
pub fn back_up(basis: &Basis<'_>, keeping: &Keeping<'_>) -> Plan {
    let mut steps: Vec<Step> = Vec::new();
    let before = actions::append(&mut steps, basis, Mode::Pre, &[]);
    prepare(&mut steps, 0);
    let ready = stop(&mut steps, keeping, &before);
    let mut held: Vec<String> = Vec::new();
    let components: BTreeSet<&str> = keeping.parts.iter().map(|part| part.component.as_str()).collect();
    for name in components {
        let spec = keeping.spec.components.get(name);
        if spec.is_some_and(|spec| spec.backup_target.quiesce.is_some() && !spec.stops_for_backup()) {
            steps.push(Step {
                after: ready.clone(),
                prepares: true,
                timeout: BRIEFLY,
                note: "its data holds still".to_owned(),
                ..Step::named(Verb::Run, format!("{QUIESCE}{name}"))
            });
            held.push(name.to_owned());
        }
    }
    let first = steps.len();
    reads(&mut steps, keeping, &ready, false);
    let read: Vec<usize> = (first..steps.len()).collect();
    let core = actions::append(&mut steps, basis, Mode::Core, &before);
    let done: Vec<usize> = read.into_iter().chain(core).collect();
    actions::append(&mut steps, basis, Mode::Post, &done);
    let endings = steps.len();
    for name in held {
        steps.push(Step { note: "it goes on".to_owned(), ..ending(format!("{RESUME}{name}")) });
    }
    if steps.iter().any(|step| step.name == STOP) {
        steps.push(ending(CLEAR));
        steps.push(Step { after: vec![steps.len() - 1], ..ending(START) });
    }
    actions::append_endings(&mut steps, basis);
    steps.push(Step {
        after: (endings..steps.len()).collect(),
        timeout: SEALED_WITHIN,
        note: format!("in {}", keeping.place),
        ..ending(SEAL)
    });
    finish(basis, steps, keeping.warnings)
}

/// What is read: one after the other, but for what may be read at the same time. `prepares` says that it is read for the sake of what
/// comes then.
pub(super) fn reads(steps: &mut Vec<Step>, keeping: &Keeping<'_>, ready: &[usize], prepares: bool) {
    let mut before: Option<usize> = None;
    for part in keeping.parts {
        let spec = keeping.spec.components.get(&part.component);
        let quiesce = format!("{QUIESCE}{}", part.component);
        let quiet = steps.iter().position(|step| step.name == quiesce);
        let beside = spec.is_some_and(|spec| spec.backup_target.parallel);
        steps.push(Step {
            after: ready.iter().copied().chain(quiet).collect(),
            behind: before.filter(|_| !beside).into_iter().collect(),
            prepares,
            timeout: WITHIN,
            note: note(part, keeping.last),
            digest: canonical_digest(&serde_json::json!([spec, part.strategy, part.path, keeping.place,])),
            ..Step::named(Verb::Read, format!("{BACK_UP}{}", part.name()))
        });
        if !beside {
            before = Some(steps.len() - 1);
        }
    }
}

/// Stops what cannot be read while it runs; gives what comes after.
fn stop(steps: &mut Vec<Step>, keeping: &Keeping<'_>, before: &[usize]) -> Vec<usize> {
    let names = stopped(keeping.spec, keeping.parts);
    if names.is_empty() {
        return before.to_vec();
    }
    steps.push(Step {
        after: before.to_vec(),
        prepares: true,
        class: Class::Disruptive,
        note: names.join(", "),
        ..Step::named(Verb::Run, STOP)
    });
    vec![steps.len() - 1]
}

/// The components that cannot be read while they run.
pub fn stopped(spec: &DriverSpec, parts: &[BackupPart]) -> Vec<String> {
    let mut names: Vec<String> = parts.iter().map(|part| part.component.clone()).collect();
    names.dedup();
    names.retain(|name| spec.components.get(name).is_some_and(|spec| spec.stops_for_backup()));
    names
}

/// The actions of a driver that are steps of a backup: not the one that is a strategy itself.
pub fn hooks(spec: &DriverSpec) -> Vec<ActionSpec> {
    let by_action = |action: &ActionSpec| {
        let is_its = |target: &crate::domain::driver::ComponentSpec| {
            target.backup.as_deref() == Some("action")
                && match &target.backup_target.action {
                    Some(name) => *name == action.name,
                    None => {
                        action.hook == Some(Hook::Backup) && action.mode.unwrap_or(Mode::Core) == Mode::Core
                    }
                }
        };
        spec.components.values().any(is_its)
    };
    spec.actions.iter().filter(|action| !by_action(action)).cloned().collect()
}

/// The steps from `first` on only prepare what comes then.
pub(super) fn prepare(steps: &mut [Step], first: usize) {
    for step in steps.iter_mut().skip(first) {
        step.prepares = true;
    }
}

pub(super) fn ending(name: impl Into<String>) -> Step {
    Step { finally: true, timeout: BRIEFLY, ..Step::named(Verb::Run, name) }
}

pub(super) fn finish(basis: &Basis<'_>, steps: Vec<Step>, warnings: &[String]) -> Plan {
    let mut plan = basis.plan(steps);
    plan.timeout = ALL_WITHIN;
    plan.warnings.extend(warnings.iter().cloned());
    plan
}

/// The strategy, and how much it was the last time.
fn note(part: &BackupPart, last: Option<&Backup>) -> String {
    let before = last.and_then(|last| last.parts.iter().find(|known| known.name() == part.name()));
    match before.filter(|known| known.bytes > 0) {
        Some(known) => format!("{}, {} the last time", part.strategy, bytes(known.bytes)),
        None => part.strategy.clone(),
    }
}

#[cfg(test)]
mod tests;
