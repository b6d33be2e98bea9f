//! StatefulSets: pods with names and volumes of their own, made and replaced in order.
//!
//! ```text
//! sync → claim pods → history (revision) → ordinals in order: make, wait │ surplus from the end: delete │ update from the end
//!                                        → claims for volumes (identity)                                → status (status)
//! ```

mod identity;
mod retention;
mod status;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use super::deployment::resolve;
use super::object::{count, deleting, name, number, text};
use super::pods::{self, PODS};
use super::revision::{self, History};
use super::write::{Context, Note, Outcome, Target, Write};

/// The resource.
pub const STATEFULSETS: &str = "statefulsets.apps";

/// Brings a StatefulSet one step further.
pub fn sync(context: &Context<'_>, set: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let fits = |pod: &Value| identity::ordinal(set, name(pod)).is_some();
    let claimed = pods::claim_where(context, PODS, set, &mut outcome, fits);
    if pods::adopts(&outcome) {
        return outcome;
    }
    let history = History::record(context, set, &mut outcome);
    let mut scene = Scene::new(context, set, &claimed, history, outcome);
    if !deleting(set) {
        scene.own_claims();
        scene.step();
    }
    scene.finish()
}

/// One sync of one StatefulSet.
struct Scene<'a> {
    context: &'a Context<'a>,
    set: &'a Arc<Value>,
    history: History,
    /// The revision that pods below the partition keep.
    current: String,
    /// By ordinal.
    pods: Vec<(i64, Arc<Value>)>,
    start: i64,
    replicas: i64,
    outcome: Outcome,
}

impl<'a> Scene<'a> {
    fn new(
        context: &'a Context<'a>,
        set: &'a Arc<Value>,
        claimed: &[Arc<Value>],
        history: History,
        outcome: Outcome,
    ) -> Self {
        let mut pods: Vec<(i64, Arc<Value>)> = claimed
            .iter()
            .filter_map(|pod| identity::ordinal(set, name(pod)).map(|ordinal| (ordinal, pod.clone())))
            .collect();
        pods.sort_by_key(|(ordinal, _)| *ordinal);
        let recorded = text(set, "/status/currentRevision");
        let current = if recorded.is_empty() { history.update.clone() } else { recorded.to_owned() };
        Self {
            context,
            set,
            history,
            current,
            pods,
            start: count(set, "/spec/ordinals/start"),
            replicas: number(set, "/spec/replicas").unwrap_or(1).max(0),
            outcome,
        }
    }

    fn ordinals(&self) -> std::ops::Range<i64> {
        self.start..self.start + self.replicas
    }

    fn pod(&self, ordinal: i64) -> Option<&Arc<Value>> {
        let found = self.pods.binary_search_by_key(&ordinal, |(ordinal, _)| *ordinal).ok()?;
        self.pods.get(found).map(|(_, pod)| pod)
    }

    fn in_order(&self) -> bool {
        text(self.set, "/spec/podManagementPolicy") != "Parallel"
    }

    fn rolls(&self) -> bool {
        text(self.set, "/spec/updateStrategy/type") != "OnDelete"
    }

    fn partition(&self) -> Option<i64> {
        number(self.set, "/spec/updateStrategy/rollingUpdate/partition")
    }

    fn step(&mut self) {
        let goes_on = self.fill() && self.shrink();
        if goes_on && self.rolls() {
            self.update();
        }
    }

    /// Makes what is missing, lowest first. False: wait before anything else.
    fn fill(&mut self) -> bool {
        for ordinal in self.ordinals() {
            match self.pod(ordinal).cloned() {
                None => {
                    let complete = self.make(ordinal);
                    if self.in_order() || !complete {
                        return false;
                    }
                }
                Some(pod) if pods::is_finished(&pod) && !deleting(&pod) => {
                    let message = format!(
                        "StatefulSet {}/{} is recreating failed Pod {}",
                        super::object::namespace(self.set),
                        name(self.set),
                        name(&pod)
                    );
                    let note = Note::warning(self.set, "RecreatingFailedPod", message);
                    self.outcome.push(Write::Delete { target: Target::of(PODS, &pod), note: Some(note) });
                    return false;
                }
                Some(pod) if self.in_order() && !self.settled(&pod) => return false,
                Some(_) => {}
            }
        }
        true
    }

    /// Whether the next ordinal may be touched: this one is there, ready, and has been for long enough.
    fn settled(&mut self, pod: &Value) -> bool {
        if deleting(pod) {
            return false;
        }
        let wait = count(self.set, "/spec/minReadySeconds");
        match pods::available_at(pod, wait) {
            None => false,
            Some(at) if at > self.context.now => {
                self.outcome.look_again(at);
                false
            }
            Some(_) => true,
        }
    }

    /// Makes the pod of an ordinal, after its volumes' claims. False when a claim is being deleted.
    fn make(&mut self, ordinal: i64) -> bool {
        let revision = self.revision_for(ordinal).to_owned();
        if !self.make_claims(ordinal) {
            return false;
        }
        let pod = identity::pod(self.set, self.history.template(&revision, self.set), ordinal, &revision);
        let pod_name = name(&pod).to_owned();
        let message = format!("create Pod {pod_name} in StatefulSet {} successful: ", name(self.set));
        let note = Some(Note::normal(self.set, "SuccessfulCreate", message));
        self.outcome.push(Write::Create { resource: PODS, object: pod, note });
        true
    }

    /// Old ordinals keep the current revision while an update goes down to them.
    fn revision_for(&self, ordinal: i64) -> &str {
        let keeps = match self.partition() {
            Some(partition) if partition > 0 => ordinal < self.start + partition,
            _ => ordinal < self.start + self.on_current(),
        };
        if self.rolls() && keeps { &self.current } else { &self.history.update }
    }

    fn on_current(&self) -> i64 {
        let stays = |pod: &Value| !deleting(pod) && revision::of_pod(pod) == self.current;
        self.pods.iter().filter(|(_, pod)| stays(pod)).count() as i64
    }

    /// Deletes pods beyond the size, highest first. False: wait.
    fn shrink(&mut self) -> bool {
        let wanted = self.ordinals();
        let surplus: Vec<Arc<Value>> = self
            .pods
            .iter()
            .rev()
            .filter(|(ordinal, _)| !wanted.contains(ordinal))
            .map(|(_, pod)| pod.clone())
            .collect();
        let first_unhealthy = self.pods.iter().map(|(_, pod)| pod).find(|pod| !pods::is_ready(pod)).cloned();
        for pod in &surplus {
            if deleting(pod) {
                if self.in_order() {
                    return false;
                }
                continue;
            }
            let is_first = first_unhealthy.as_ref().is_some_and(|first| name(first) == name(pod));
            if self.in_order() && !pods::is_ready(pod) && !is_first {
                return false;
            }
            self.delete(pod);
            if self.in_order() {
                return false;
            }
        }
        surplus.is_empty()
    }

    fn delete(&mut self, pod: &Value) {
        let message = format!("delete Pod {} in StatefulSet {} successful", name(pod), name(self.set));
        let note = Some(Note::normal(self.set, "SuccessfulDelete", message));
        self.outcome.push(Write::Delete { target: Target::of(PODS, pod), note });
    }

    /// Replaces pods of an old revision, highest ordinal first, down to the partition, as many at a time as may be
    /// unavailable.
    fn update(&mut self) {
        let last = self.start + self.partition().unwrap_or(0);
        let most = self.set.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable");
        let most = most
            .filter(|most| !most.is_null())
            .map_or(1, |most| resolve(Some(most), self.replicas, true).max(1));
        let mut unavailable = 0;
        for ordinal in self.ordinals().rev().take_while(|ordinal| *ordinal >= last) {
            let Some(pod) = self.pod(ordinal).cloned() else { return };
            if revision::of_pod(&pod) != self.history.update && !deleting(&pod) {
                self.delete(&pod);
                unavailable += 1;
            } else if !self.settled(&pod) {
                unavailable += 1;
            }
            if unavailable >= most {
                return;
            }
        }
    }
}
