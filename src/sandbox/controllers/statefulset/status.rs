//! The status of a StatefulSet.

use serde_json::{Map, Value, json};

use super::super::object::{count, deleting, generation, list, put};
use super::super::pods;
use super::super::revision;
use super::super::write::Outcome;
use super::{STATEFULSETS, Scene};

/// What is counted over the pods.
#[derive(Debug, Default, Clone, Copy)]
struct Counters {
    replicas: i64,
    ready: i64,
    available: i64,
    current: i64,
    updated: i64,
}

impl Scene<'_> {
    /// Adds the status to what was decided, and trims the history.
    pub(super) fn finish(mut self) -> Outcome {
        let mut counters = self.counters();
        let done = counters.updated == counters.replicas
            && counters.ready == counters.replicas
            && counters.replicas == self.replicas
            && self.rolls();
        if done && self.current != self.history.update {
            self.current = self.history.update.clone();
            counters.current = counters.updated;
        }
        let mut live: Vec<&str> = self.pods.iter().map(|(_, pod)| revision::of_pod(pod)).collect();
        live.push(&self.current);
        self.history.trim(self.set, &live, &mut self.outcome);
        let status = self.compose(counters);
        self.outcome.status(STATEFULSETS, self.set, status);
        self.outcome
    }

    fn counters(&mut self) -> Counters {
        let wait = count(self.set, "/spec/minReadySeconds");
        let mut counters = Counters::default();
        let mut soon = None;
        for (_, pod) in &self.pods {
            counters.replicas += 1;
            if let Some(at) = pods::available_at(pod, wait) {
                counters.ready += 1;
                if at <= self.context.now {
                    counters.available += 1;
                } else {
                    soon = Some(at);
                }
            }
            if !deleting(pod) {
                let revision = revision::of_pod(pod);
                counters.current += i64::from(revision == self.current);
                counters.updated += i64::from(revision == self.history.update);
            }
        }
        if let Some(at) = soon {
            self.outcome.look_again(at);
        }
        counters
    }

    fn compose(&self, counters: Counters) -> Value {
        let mut status = Map::new();
        status.insert("replicas".to_owned(), json!(counters.replicas));
        status.insert("availableReplicas".to_owned(), json!(counters.available));
        put(&mut status, "readyReplicas", counters.ready);
        put(&mut status, "currentReplicas", counters.current);
        put(&mut status, "updatedReplicas", counters.updated);
        put(&mut status, "currentRevision", self.current.as_str());
        put(&mut status, "updateRevision", self.history.update.as_str());
        put(&mut status, "observedGeneration", generation(self.set));
        status.insert("collisionCount".to_owned(), json!(self.history.collisions));
        put(&mut status, "conditions", list(self.set, "/status/conditions").to_vec());
        Value::Object(status)
    }
}
