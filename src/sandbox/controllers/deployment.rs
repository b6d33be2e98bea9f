//! Deployments: one ReplicaSet per revision of the template, and the roll-out from the old ones to the new one.
//!
//! ```text
//! sync → claim ReplicaSets → which is the new one (revision) → paused? scaled? → roll out (rollout) or spread (scale)
//!                                                                              → clean up history → status (status)
//! ```

mod revision;
mod rollout;
mod scale;
mod status;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Value, json};

pub use rollout::resolve;

use super::object::{annotation, count, created, deleting, flag, map, name, number, text};
use super::pods;
use super::replicaset::REPLICASETS;
use super::write::{Context, Note, Outcome, Target, Write, conditions_of};

/// The resource.
pub const DEPLOYMENTS: &str = "deployments.apps";
const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";
const HASH: &str = "pod-template-hash";

/// Brings a Deployment one step further.
pub fn sync(context: &Context<'_>, deployment: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    if map(deployment, "/spec/selector").is_none_or(serde_json::Map::is_empty) {
        let message = "This deployment is selecting all pods. A non-empty selector is required.";
        outcome.push(Write::Event(Note::warning(deployment, "SelectingAll", message)));
        return outcome;
    }
    let sets = pods::claim_where(context, REPLICASETS, deployment, &mut outcome, |_| true);
    if pods::adopts(&outcome) {
        return outcome;
    }
    let mut rollout = Rollout::new(context, deployment, &sets, outcome);
    if deleting(deployment) {
        return rollout.finish(false);
    }
    rollout.note_pause();
    if flag(deployment, "/spec/paused") {
        rollout.adopt_revision(false);
        rollout.scale();
        rollout.clean_up();
        return rollout.finish(false);
    }
    if rollout.is_scaled() {
        rollout.adopt_revision(false);
        rollout.scale();
        return rollout.finish(false);
    }
    if rollout.recreates {
        rollout.recreate();
    } else {
        rollout.roll();
    }
    rollout.finish(true)
}

/// A ReplicaSet and the size that it is to have.
#[derive(Debug, Clone)]
struct Set {
    object: Arc<Value>,
    /// `spec.replicas`, as it will be after this sync.
    replicas: i64,
}

impl Set {
    fn new(object: &Arc<Value>) -> Self {
        Self { object: object.clone(), replicas: number(object, "/spec/replicas").unwrap_or(1).max(0) }
    }

    fn available(&self) -> i64 {
        count(&self.object, "/status/availableReplicas")
    }

    fn revision(&self) -> i64 {
        annotation(&self.object, REVISION).and_then(|revision| revision.parse().ok()).unwrap_or(0)
    }
}

/// One sync of one Deployment: what it reads and what it has decided so far.
struct Rollout<'a> {
    context: &'a Context<'a>,
    deployment: &'a Arc<Value>,
    /// `spec.replicas`.
    replicas: i64,
    surge: i64,
    unavailable: i64,
    recreates: bool,
    new: Option<Set>,
    /// Oldest first.
    old: Vec<Set>,
    conditions: Vec<Value>,
    collisions: i64,
    outcome: Outcome,
}

impl<'a> Rollout<'a> {
    fn new(
        context: &'a Context<'a>,
        deployment: &'a Arc<Value>,
        sets: &[Arc<Value>],
        outcome: Outcome,
    ) -> Self {
        let replicas = number(deployment, "/spec/replicas").unwrap_or(1).max(0);
        let recreates = text(deployment, "/spec/strategy/type") == "Recreate";
        let (surge, unavailable) = if recreates { (0, 0) } else { rollout::limits(deployment, replicas) };
        let mut ordered: Vec<&Arc<Value>> = sets.iter().collect();
        ordered.sort_by_key(|set| (created(set), name(set).to_owned()));
        let new = revision::find_new(deployment, &ordered);
        let old = ordered
            .iter()
            .filter(|set| new.is_none_or(|new| !Arc::ptr_eq(new, set)))
            .map(|set| Set::new(set))
            .collect();
        Self {
            context,
            deployment,
            replicas,
            surge,
            unavailable,
            recreates,
            new: new.map(Set::new),
            old,
            conditions: conditions_of(deployment),
            collisions: count(deployment, "/status/collisionCount"),
            outcome,
        }
    }

    fn sets(&self) -> impl Iterator<Item = &Set> {
        self.new.iter().chain(&self.old)
    }

    fn total(&self) -> i64 {
        self.sets().map(|set| set.replicas).sum()
    }

    /// Sets the size of a ReplicaSet, its size annotations with it, and tells so.
    fn resize(&mut self, which: Which, to: i64) {
        let Some(set) = self.pick(which) else { return };
        let from = set.replicas;
        set.replicas = to;
        let object = set.object.clone();
        let (desired, most) = (self.replicas.to_string(), (self.replicas + self.surge).to_string());
        let annotated =
            annotation(&object, DESIRED) == Some(&desired) && annotation(&object, MAX) == Some(&most);
        if from == to && annotated {
            return;
        }
        let patch = json!({
            "metadata": {"annotations": {DESIRED: desired, MAX: most}}, "spec": {"replicas": to}});
        self.outcome.push(Write::Merge { target: Target::of(REPLICASETS, &object), patch });
        if from != to {
            self.tell_resized(name(&object), from, to);
        }
    }

    fn tell_resized(&mut self, set: &str, from: i64, to: i64) {
        let direction = if to > from { "up" } else { "down" };
        let message = format!("Scaled {direction} replica set {set} from {from} to {to}");
        self.outcome.push(Write::Event(Note::normal(self.deployment, "ScalingReplicaSet", message)));
    }

    fn pick(&mut self, which: Which) -> Option<&mut Set> {
        match which {
            Which::New => self.new.as_mut(),
            Which::Old(index) => self.old.get_mut(index),
        }
    }
}

/// Names a ReplicaSet of a roll-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    New,
    Old(usize),
}
