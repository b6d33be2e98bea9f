//! The status of a Deployment: counters, `Available`, and `Progressing` with its deadline.

use serde_json::{Map, Value, json};

use super::super::object::{after, count, flag, generation, name, number, put, stamp, text, time};
use super::super::write::{Outcome, set_condition};
use super::{DEPLOYMENTS, Rollout};

const PROGRESSING: &str = "Progressing";
const TIMES: [&str; 1] = ["lastUpdateTime"];
const NO_DEADLINE: i64 = i32::MAX as i64;

/// The counters of a status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counters {
    replicas: i64,
    updated: i64,
    ready: i64,
    available: i64,
}

impl Counters {
    fn written(deployment: &Value) -> Self {
        let field = |name: &str| count(deployment, &format!("/status/{name}"));
        Self {
            replicas: field("replicas"),
            updated: field("updatedReplicas"),
            ready: field("readyReplicas"),
            available: field("availableReplicas"),
        }
    }

    /// Whether anything moved in the right direction since `before`.
    fn progressed(self, before: Self) -> bool {
        self.updated > before.updated
            || self.replicas - self.updated < before.replicas - before.updated
            || self.ready > before.ready
            || self.available > before.available
    }

    fn complete(self, wanted: i64) -> bool {
        self.updated == wanted && self.replicas == wanted && self.available == wanted
    }
}

impl Rollout<'_> {
    /// Adds the status to what was decided. `progress`: whether the roll-out is under way, as opposed to paused or just scaled.
    pub(super) fn finish(mut self, progress: bool) -> Outcome {
        let counters = self.counters();
        self.judge_availability(counters.available);
        if progress {
            self.judge_progress(counters);
        }
        let status = self.compose(counters);
        self.outcome.status(DEPLOYMENTS, self.deployment, status);
        self.outcome
    }

    fn counters(&self) -> Counters {
        let sum = |field: &str| -> i64 {
            self.sets().map(|set| count(&set.object, &format!("/status/{field}"))).sum()
        };
        Counters {
            replicas: sum("replicas"),
            updated: self.new.as_ref().map_or(0, |new| count(&new.object, "/status/replicas")),
            ready: sum("readyReplicas"),
            available: sum("availableReplicas"),
        }
    }

    fn compose(&mut self, counters: Counters) -> Value {
        let mut status = Map::new();
        put(&mut status, "observedGeneration", generation(self.deployment));
        put(&mut status, "replicas", counters.replicas);
        put(&mut status, "updatedReplicas", counters.updated);
        put(&mut status, "readyReplicas", counters.ready);
        put(&mut status, "availableReplicas", counters.available);
        // what is short of the wanted size counts as unavailable too
        put(&mut status, "unavailableReplicas", (self.total() - counters.available).max(0));
        put(&mut status, "collisionCount", self.collisions);
        put(&mut status, "conditions", std::mem::take(&mut self.conditions));
        Value::Object(status)
    }

    fn judge_availability(&mut self, available: i64) {
        let enough = available >= self.replicas - self.unavailable;
        let wanted = if enough {
            json!({"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                "message": "Deployment has minimum availability."})
        } else {
            json!({"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
                "message": "Deployment does not have minimum availability."})
        };
        set_condition(&mut self.conditions, wanted, self.context.now, &TIMES);
        match self.failure() {
            Some((reason, message)) => {
                let failed =
                    json!({"type": "ReplicaFailure", "status": "True", "reason": reason, "message": message});
                set_condition(&mut self.conditions, failed, self.context.now, &TIMES);
            }
            None => self.conditions.retain(|condition| text(condition, "/type") != "ReplicaFailure"),
        }
    }

    fn judge_progress(&mut self, counters: Counters) {
        let Some(deadline) = self.deadline() else {
            self.conditions.retain(|condition| text(condition, "/type") != PROGRESSING);
            return;
        };
        let done =
            counters.replicas == counters.updated && self.progress_reason() == "NewReplicaSetAvailable";
        if done {
            return;
        }
        let subject = self.subject();
        let observed = counters.complete(self.replicas);
        if observed && self.new.is_some() {
            self.progress(
                "True",
                "NewReplicaSetAvailable",
                format!("{subject} has successfully progressed."),
            );
        } else if counters.progressed(Counters::written(self.deployment)) {
            self.progress("True", "ReplicaSetUpdated", format!("{subject} is progressing."));
            self.touch_progress();
        } else if self.timed_out(deadline) {
            self.progress(
                "False",
                "ProgressDeadlineExceeded",
                format!("{subject} has timed out progressing."),
            );
        }
        self.watch_deadline(deadline);
    }

    fn subject(&self) -> String {
        match &self.new {
            Some(new) => format!("ReplicaSet \"{}\"", name(&new.object)),
            None => format!("Deployment \"{}\"", name(self.deployment)),
        }
    }

    fn deadline(&self) -> Option<i64> {
        number(self.deployment, "/spec/progressDeadlineSeconds").filter(|seconds| *seconds != NO_DEADLINE)
    }

    fn progressing(&self) -> Option<&Value> {
        self.conditions.iter().find(|condition| text(condition, "/type") == PROGRESSING)
    }

    fn progress_reason(&self) -> &str {
        self.progressing().map_or("", |condition| text(condition, "/reason"))
    }

    fn progress(&mut self, status: &str, reason: &str, message: String) {
        let wanted = json!({"type": PROGRESSING, "status": status, "reason": reason, "message": message});
        set_condition(&mut self.conditions, wanted, self.context.now, &TIMES);
    }

    /// Progress was made: the deadline starts anew, though the condition reads the same.
    fn touch_progress(&mut self) {
        let now = stamp(self.context.now);
        let mut known = self.conditions.iter_mut();
        if let Some(condition) = known.find(|condition| text(condition, "/type") == PROGRESSING) {
            condition["lastUpdateTime"] = json!(now);
        }
    }

    fn timed_out(&self, deadline: i64) -> bool {
        let Some(condition) = self.progressing() else { return false };
        match text(condition, "/reason") {
            "NewReplicaSetAvailable" => false,
            "ProgressDeadlineExceeded" => true,
            _ => time(condition, "/lastUpdateTime")
                .is_some_and(|since| after(since, deadline) < self.context.now),
        }
    }

    fn watch_deadline(&mut self, deadline: i64) {
        let Some(condition) = self.progressing() else { return };
        let waiting =
            !matches!(text(condition, "/reason"), "NewReplicaSetAvailable" | "ProgressDeadlineExceeded");
        if let Some(since) = time(condition, "/lastUpdateTime").filter(|_| waiting) {
            self.outcome.look_again(after(since, deadline + 1));
        }
    }

    /// Says in `Progressing` that the roll-out was paused or resumed: neither counts towards the deadline.
    pub(super) fn note_pause(&mut self) {
        let reason = self.progress_reason();
        if self.deadline().is_none() || reason == "ProgressDeadlineExceeded" {
            return;
        }
        let noted = reason == "DeploymentPaused";
        match (flag(self.deployment, "/spec/paused"), noted) {
            (true, false) => self.progress("Unknown", "DeploymentPaused", "Deployment is paused".to_owned()),
            (false, true) => {
                self.progress("Unknown", "DeploymentResumed", "Deployment is resumed".to_owned())
            }
            _ => {}
        }
    }

    /// The new ReplicaSet was there already.
    pub(super) fn note_found(&mut self, set: &str) {
        if self.deadline().is_some() && self.progressing().is_none() {
            self.progress("True", "FoundNewReplicaSet", format!("Found new replica set \"{set}\""));
        }
    }

    /// The new ReplicaSet is being made.
    pub(super) fn note_created(&mut self, set: &str) {
        if self.deadline().is_some() {
            self.progress("True", "NewReplicaSetCreated", format!("Created new replica set \"{set}\""));
        }
    }
}
