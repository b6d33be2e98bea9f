//! Making the data of an application that of a backup: what writes stops, what is there is kept, then it is replaced.

use crate::domain::backup::{Backup, BackupPart, RestoreRequest};
use crate::domain::canonical::canonical_digest;
use crate::domain::driver::{DriverSpec, Mode};
use crate::domain::plan::{Class, Verb};
use crate::domain::text::bytes;
use crate::domain::{Health, ObjectKey, ObjectSummary, Plan, Step};
use crate::reconcile::components::component_workloads;

use super::backup::{CLEAR, Keeping, SEALED_WITHIN, WITHIN, ending, finish, prepare, reads};
use super::{Basis, HEALTHY_WITHIN, actions};

/// The step that stops what could write meanwhile.
pub const STOP_WRITERS: &str = "stop for restore";
/// The step that stops what cannot be restored while it runs.
pub const STOP_RESTORED: &str = "stop what is restored";
/// The step that ends the backup of what was there.
pub const SEAL_SAFETY: &str = "seal safety backup";
/// What the names of steps begin with that write a component, or a volume of it.
pub const RESTORE: &str = "restore ";
/// The step that starts what was stopped.
pub const START_AGAIN: &str = "start after restore";
/// The same, when something went wrong on the way.
pub const START_ANYHOW: &str = "start what was stopped";

/// What is restored, and into what.
pub struct Restoring<'a> {
    /// The backup.
    pub backup: &'a Backup,
    /// What of it.
    pub request: &'a RestoreRequest,
    /// What is kept before, of what is overwritten.
    pub safety: Keeping<'a>,
    /// The workloads of the components, by component.
    pub workloads: &'a [(String, Vec<ObjectKey>)],
}

/// The plan of a restore.
pub fn restore(basis: &Basis<'_>, restoring: &Restoring<'_>) -> Plan {
    let spec = restoring.safety.spec;
    let stopping = Stopping::of(spec, &restoring.request.chosen(restoring.backup));
    let mut steps: Vec<Step> = Vec::new();
    let before = actions::append(&mut steps, basis, Mode::Pre, &[]);
    let before = stop(&mut steps, STOP_WRITERS, &stopping.writers, before);
    // a server that cannot be read while it runs is read when it has stopped
    let (late, early): (Vec<BackupPart>, Vec<BackupPart>) =
        restoring.safety.parts.iter().cloned().partition(|part| {
            spec.components.get(&part.component).is_some_and(|component| component.stops_for_backup())
        });
    let first = steps.len();
    reads(&mut steps, &Keeping { parts: &early, ..keeping(restoring) }, &before, true);
    let mut ready: Vec<usize> = before.iter().copied().chain(first..steps.len()).collect();
    ready = stop(&mut steps, STOP_RESTORED, &stopping.restored, ready);
    let late_first = steps.len();
    reads(&mut steps, &Keeping { parts: &late, ..keeping(restoring) }, &ready, true);
    if !restoring.safety.parts.is_empty() {
        let kept = (first..first + early.len()).chain(late_first..steps.len());
        steps.push(Step {
            after: kept.chain(ready.iter().copied()).collect(),
            timeout: SEALED_WITHIN,
            note: format!("in {}", restoring.safety.place),
            ..Step::named(Verb::Run, SEAL_SAFETY)
        });
        ready.push(steps.len() - 1);
    }
    prepare(&mut steps, 0);
    for part in restoring.request.parts(restoring.backup) {
        steps.push(write(restoring, part, ready));
        ready = vec![steps.len() - 1];
    }
    let done = start(&mut steps, restoring, &stopping, ready);
    actions::append(&mut steps, basis, Mode::Post, &done);
    let cleared = (!stopping.restored.is_empty()).then_some(steps.len());
    steps.extend(cleared.map(|_| Step { on_failure: true, ..ending(CLEAR) }));
    if !stopping.is_empty() {
        let after = cleared.into_iter().collect();
        steps.push(Step { after, on_failure: true, ..ending(START_ANYHOW) });
    }
    let started = steps.len();
    actions::append_endings(&mut steps, basis);
    let again: Vec<usize> = (0..started).filter(|at| steps[*at].name == START_ANYHOW).collect();
    for step in steps.iter_mut().skip(started) {
        step.after.extend(again.iter().copied());
    }
    finish(basis, steps, restoring.safety.warnings)
}

/// The components that are stopped for a restore.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stopping {
    /// What could write meanwhile: all but servers that keep data.
    pub writers: Vec<String>,
    /// What cannot be restored while it runs.
    pub restored: Vec<String>,
}

impl Stopping {
    /// Those of a driver when the components `chosen` are restored.
    pub fn of(spec: &DriverSpec, chosen: &[String]) -> Self {
        let mut stopping = Self::default();
        for (name, component) in &spec.components {
            match (chosen.contains(name), component.stops_for_restore(), component.is_database()) {
                (true, true, _) => stopping.restored.push(name.clone()),
                (false, _, false) => stopping.writers.push(name.clone()),
                _ => {}
            }
        }
        stopping
    }

    fn is_empty(&self) -> bool {
        self.writers.is_empty() && self.restored.is_empty()
    }

    fn has(&self, name: &String) -> bool {
        self.writers.contains(name) || self.restored.contains(name)
    }
}

/// What goes on while these components are restored, in words.
pub fn going_on(spec: &DriverSpec, chosen: &[String], objects: &[ObjectSummary]) -> Vec<String> {
    let stopping = Stopping::of(spec, chosen);
    let mut said = Vec::new();
    for (name, keys) in component_workloads(spec, objects) {
        if stopping.has(&name) {
            let daemons = keys.into_iter().filter(|key| key.kind == "DaemonSet");
            said.extend(daemons.map(|key| {
                format!("{name} goes on running meanwhile: the DaemonSet {} has no number of pods", key.name)
            }));
        }
    }
    let jobs = objects.iter().filter(|object| {
        object.key.kind == "CronJob" && object.verdict.health != Health::Suspended && !object.deleting
    });
    said.extend(jobs.map(|job| {
        let name = &job.key.name;
        format!("the CronJob {name} may begin a run meanwhile: suspend it before, if it writes")
    }));
    said
}

/// The components that are restored and run meanwhile, while others are restored: no servers that keep data, which have to.
pub fn running_beside(spec: &DriverSpec, chosen: &[String]) -> Vec<String> {
    let runs = |name: &&String| {
        let component = spec.components.get(*name);
        component.is_some_and(|component| !component.is_database() && !component.stops_for_restore())
    };
    let beside = chosen.iter().filter(|_| chosen.len() > 1).filter(runs);
    beside
        .map(|name| format!("{name} goes on running while others are restored: it is restored while it runs"))
        .collect()
}

fn keeping<'a>(restoring: &Restoring<'a>) -> Keeping<'a> {
    let Keeping { spec, parts, place, last, warnings } = restoring.safety;
    Keeping { spec, parts, place, last, warnings }
}

/// Stops components; gives what comes after.
fn stop(steps: &mut Vec<Step>, name: &str, components: &[String], before: Vec<usize>) -> Vec<usize> {
    if components.is_empty() {
        return before;
    }
    let mut after = before.clone();
    after.dedup();
    steps.push(Step {
        after,
        class: Class::Disruptive,
        note: components.join(", "),
        ..Step::named(Verb::Run, name)
    });
    before.into_iter().chain([steps.len() - 1]).collect()
}

fn write(restoring: &Restoring<'_>, part: &BackupPart, after: Vec<usize>) -> Step {
    let backup = restoring.backup;
    let what = match &restoring.request.path {
        Some(path) => format!("only {}", path.path),
        None => format!("all of it, {}", bytes(part.bytes)),
    };
    Step {
        after,
        class: Class::Destructive,
        timeout: WITHIN,
        note: format!("{what}, as it was at {}", backup.created.strftime("%Y-%m-%d %H:%M:%S UTC")),
        digest: canonical_digest(&serde_json::json!([backup.id, part.snapshot, restoring.request.path])),
        ..Step::named(Verb::Run, format!("{RESTORE}{}", part.name()))
    }
}

/// Starts what was stopped, and waits until what was touched is healthy; gives what comes after.
fn start(
    steps: &mut Vec<Step>,
    restoring: &Restoring<'_>,
    stopping: &Stopping,
    before: Vec<usize>,
) -> Vec<usize> {
    let mut done = before;
    if !stopping.is_empty() {
        steps.push(Step { after: done, ..Step::named(Verb::Run, START_AGAIN) });
        done = vec![steps.len() - 1];
    }
    let chosen = restoring.request.chosen(restoring.backup);
    let touched = |name: &String| stopping.has(name) || chosen.contains(name);
    let mut keys: Vec<&ObjectKey> =
        restoring.workloads.iter().filter(|(name, _)| touched(name)).flat_map(|(_, keys)| keys).collect();
    keys.sort();
    keys.dedup();
    let first = steps.len();
    for key in keys {
        steps.push(Step {
            after: done.clone(),
            timeout: u32::try_from(HEALTHY_WITHIN.as_secs()).unwrap_or(600),
            note: "until it is healthy".to_owned(),
            ..Step::on(Verb::Wait, key.clone())
        });
    }
    match steps.len() == first {
        true => done,
        false => (first..steps.len()).collect(),
    }
}

#[cfg(test)]
mod tests;
