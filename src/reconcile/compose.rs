//! From what is known to a plan. Pure: asks nobody, and gives the same plan for the same situation, so that a plan that was
//! shown can be told from one that is not the same any more.

mod actions;
mod backup;
mod hooks;
mod removal;
mod restart;
mod restore;
#[cfg(test)]
mod test;
mod velero;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cluster::{API_VERSION, KIND, key};
use crate::domain::canonical::canonical_digest;
use crate::domain::driver::{ActionSpec, Mode};
use crate::domain::plan::{Class, Expectation, Verb};
use crate::domain::{DesiredPhase, Environment, Health, ObjectKey, OperationKind, Plan, Step};
use crate::driver::Rendering;

use super::decide::HEALTHY_WITHIN;
use super::note::note;
use super::order;
use super::situation::{Need, Situation};

pub use actions::{ACTION, act};
pub use backup::{
    ALL_WITHIN, BACK_UP, CLEAR, Keeping, QUIESCE, RESUME, SEAL, START, STOP, back_up,
    hooks as hooks_of_backup, stopped,
};
pub use removal::{DELETE_RESOURCE, RELEASE, removal};
pub use restart::{RESTART, restart};
pub use restore::{
    RESTORE, Restoring, SEAL_SAFETY, START_AGAIN, START_ANYHOW, STOP_RESTORED, STOP_WRITERS, Stopping,
    going_on, restore, running_beside,
};
#[cfg(test)]
pub(in crate::reconcile) use velero::tests::backup as velero_backup;
pub use velero::{Asked, back_up_with, restore_with};

/// The step that writes the engine's fields into the custom resource.
pub const WRITE_CONTEXT: &str = "write the instance into";
/// The step that makes the instance the active one.
pub const ACTIVATE: &str = "make the instance the active one";

/// What a plan is made from.
#[derive(Clone)]
pub struct Basis<'a> {
    /// Its title.
    pub title: String,
    /// The cluster.
    pub cluster: &'a str,
    /// Where.
    pub environment: &'a Environment,
    /// The deployment's name.
    pub name: &'a str,
    /// What is known, with what is to be applied as the rendered objects.
    pub situation: &'a Situation,
    /// What is applied: the same objects, in the same order.
    pub parts: &'a Rendering,
    /// What the plan is for.
    pub kind: OperationKind,
    /// What the environment itself consists of, when that is applied too.
    pub place: &'a [Value],
    /// The steps of the Secrets that Styrmin itself keeps for the deployment.
    pub secrets: &'a [Step],
    /// The actions of the driver.
    pub actions: &'a [ActionSpec],
    /// The digest of the driver: with it, what its actions do.
    pub driver_digest: &'a str,
    /// Whether the instance becomes the active one at the end.
    pub activate: bool,
}

impl Basis<'_> {
    /// The name of the custom resource.
    pub fn resource(&self) -> ObjectKey {
        ObjectKey {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            namespace: self.environment.namespace.clone(),
            name: self.name.to_owned(),
        }
    }

    fn plan(&self, steps: Vec<Step>) -> Plan {
        Plan {
            title: self.title.clone(),
            cluster: self.cluster.to_owned(),
            target: self.environment.name.clone(),
            steps,
            ..Plan::default()
        }
    }
}

/// The plan that makes what runs equal to what is rendered.
pub fn compose(basis: &Basis<'_>) -> Plan {
    let mut steps: Vec<Step> = basis.place.iter().map(place).collect();
    // A quota lies in the namespace, which comes first; a policy keeps away what none before it lets in.
    for (position, step) in steps.iter_mut().enumerate().skip(1) {
        step.after = (0..position).collect();
    }
    steps.extend(basis.parts.definitions.iter().map(definition));
    let home: Vec<usize> = (0..basis.place.len()).take(1).collect();
    steps.extend(basis.secrets.iter().map(|secret| Step { after: home.clone(), ..secret.clone() }));
    let ground: Vec<usize> = (0..steps.len()).collect();
    let mut record = Step::named(Verb::Record, format!("{WRITE_CONTEXT} {}", basis.resource()));
    record.object = Some(basis.resource());
    record.after.clone_from(&ground);
    steps.push(record);
    let recorded = steps.len() - 1;
    let (before, after) = hooks::moments(basis.kind);
    let prepared = actions::append(&mut steps, basis, Mode::Pre, &[recorded]);
    let ready = hooks::append(&mut steps, basis, before, &prepared);
    actions::append(&mut steps, basis, Mode::Core, &prepared);
    let first = steps.len();
    steps.extend(applications(basis, first, &ready));
    let applied: Vec<usize> = (first..first + basis.parts.objects.len()).collect();
    for (offset, object) in basis.parts.objects.iter().enumerate() {
        if let Some(step) = waiting(basis, object, first + offset) {
            steps.push(step);
        }
    }
    let awaited: Vec<usize> = (recorded..steps.len()).collect();
    let done = hooks::append(&mut steps, basis, after, &awaited);
    actions::append(&mut steps, basis, Mode::Post, &done);
    let writes: Vec<usize> =
        applied.iter().copied().filter(|position| steps[*position].verb != Verb::Unchanged).collect();
    steps.extend(basis.situation.unwanted().into_iter().map(|(key, live)| Step {
        after: writes.clone(),
        class: removal::class(key),
        expects: Expectation { uid: live.uid.clone(), resource_version: None },
        ..Step::on(Verb::Delete, key.clone())
    }));
    if basis.activate {
        let mut activate = Step::named(Verb::Record, ACTIVATE);
        activate.after = (recorded..steps.len()).collect();
        steps.push(activate);
    }
    actions::append_endings(&mut steps, basis);
    basis.plan(steps)
}

/// The plan that sets right what drifted, and nothing else.
pub fn correct(basis: &Basis<'_>) -> Plan {
    let drifted: BTreeSet<&ObjectKey> = (basis.situation.rendered_objects().iter())
        .filter(|object| basis.situation.need(object).is_some())
        .map(|object| &object.key)
        .collect();
    let kept = |object: &&Value| drifted.contains(&key(object));
    let objects: Vec<Value> = basis.parts.objects.iter().filter(kept).cloned().collect();
    let mut steps: Vec<Step> = Vec::new();
    for object in &objects {
        steps.push(application(basis, object));
    }
    for (position, object) in objects.iter().enumerate() {
        steps.extend(waiting(basis, object, position));
    }
    basis.plan(steps)
}

fn place(object: &Value) -> Step {
    let mut step = Step::on(Verb::Update, key(object));
    step.note = "the environment's own".to_owned();
    step.digest = canonical_digest(object);
    step
}

/// A definition of custom resources is made where it is missing.
fn definition(object: &Value) -> Step {
    let mut step = Step::on(Verb::Create, key(object));
    step.note = "where it is missing".to_owned();
    step.digest = canonical_digest(object);
    step
}

/// A step per object from position `first` on, each after `ready` and after those that it needs.
fn applications(basis: &Basis<'_>, first: usize, ready: &[usize]) -> Vec<Step> {
    let needs = order::needs(&basis.parts.objects);
    let steps = basis.parts.objects.iter().zip(needs).map(|(object, needs)| {
        let mut step = application(basis, object);
        step.after = ready.iter().copied().chain(needs.iter().map(|need| first + need)).collect();
        step
    });
    steps.collect()
}

fn application(basis: &Basis<'_>, object: &Value) -> Step {
    let key = key(object);
    let live = basis.situation.live.get(&key);
    let rendered = basis.situation.rendered_objects().iter().find(|rendered| rendered.key == key);
    let need = match rendered {
        Some(rendered) => basis.situation.need(rendered),
        None => Some(Need::New),
    };
    // an action before may have scaled it
    let again = actions::come_first(basis) && SCALED.contains(&key.kind.as_str());
    let verb = match (need, live) {
        (None, _) if !again => Verb::Unchanged,
        (_, None) => Verb::Create,
        (_, Some(live)) if !live.ours => Verb::Adopt,
        (_, Some(_)) => Verb::Update,
    };
    let uid = match (verb, live) {
        (Verb::Create, _) => Some(String::new()),
        (_, Some(live)) => live.uid.clone(),
        (_, None) => None,
    };
    // what answers nobody cannot stop answering
    let stopped = live.is_some_and(|live| live.verdict.health == Health::Stopped);
    Step {
        note: note(object),
        digest: canonical_digest(object),
        class: if stopped { Class::Safe } else { class(object, verb) },
        expects: Expectation { uid, resource_version: None },
        ..Step::on(verb, key)
    }
}

/// Whether something stops answering while the object changes.
fn class(object: &Value, verb: Verb) -> Class {
    if verb != Verb::Update {
        return Class::Safe;
    }
    let spec = &object["spec"];
    let stops = spec["replicas"].as_u64() == Some(0) || spec["strategy"]["type"] == "Recreate";
    match object["kind"].as_str() {
        Some("StatefulSet") => Class::Disruptive,
        Some("Deployment" | "ReplicaSet") if stops => Class::Disruptive,
        _ => Class::Safe,
    }
}

/// Kinds that an action can give another number of pods.
const SCALED: [&str; 3] = ["Deployment", "StatefulSet", "ReplicaSet"];
/// Kinds that take a while to become what they should be.
const AWAITED: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"];

fn waiting(basis: &Basis<'_>, object: &Value, applied: usize) -> Option<Step> {
    let key = key(object);
    // whether it can be seen is found out while waiting: a plan must not depend on how far the watches have come
    if !AWAITED.contains(&key.kind.as_str()) {
        return None;
    }
    let own =
        object["spec"]["progressDeadlineSeconds"].as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    let usual = u32::try_from(HEALTHY_WITHIN.as_secs()).unwrap_or(600);
    let note = match basis.situation.phase() {
        DesiredPhase::Stopped => "until it has stopped",
        _ => "until it is healthy",
    };
    Some(Step {
        after: vec![applied],
        timeout: own.map_or(usual, |seconds| seconds.saturating_add(60)).min(3600),
        note: note.to_owned(),
        ..Step::on(Verb::Wait, key)
    })
}
