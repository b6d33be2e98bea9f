//! Counting pods that ended, once each, whatever happens in between.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::object::{controller_of, count, deleting, list, namespace, number, put, text, uid};
use super::super::pods::{PODS, is_finished};
use super::super::write::{Context, Outcome, Target, Write};
use super::JOBS;
use super::indexes::Indexes;
use super::policy::{self, Verdict};
use super::tries;

/// On every pod of a Job until it has been counted.
pub const FINALIZER: &str = "batch.kubernetes.io/job-tracking";

/// What has been counted and what is about to be.
#[derive(Debug, Default)]
pub(super) struct Tracking {
    counted_succeeded: i64,
    counted_failed: i64,
    waiting_succeeded: BTreeSet<String>,
    waiting_failed: BTreeSet<String>,
    indexed: bool,
    /// The indexes that are done, of a Job that has indexes.
    pub(super) completed: Indexes,
    /// The indexes that are given up, of a Job that limits the failures of each.
    pub(super) failed_indexes: Indexes,
}

impl Tracking {
    /// Reads the status and the pods, moves what can be moved, and lets go of pods whose uid is written down.
    pub(super) fn read(job: &Value, pods: &[Arc<Value>], outcome: &mut Outcome) -> Self {
        let limit = number(job, "/spec/completions").unwrap_or(0);
        let mut tracking = Self {
            counted_succeeded: count(job, "/status/succeeded"),
            counted_failed: count(job, "/status/failed"),
            indexed: policy::is_indexed(job),
            completed: Indexes::parse(text(job, "/status/completedIndexes"), limit),
            failed_indexes: Indexes::parse(text(job, "/status/failedIndexes"), limit),
            ..Self::default()
        };
        tracking.count_waiting(job, pods, outcome);
        let written = tracking.completed.clone();
        for pod in pods.iter().filter(|pod| is_held(pod)) {
            if text(pod, "/status/phase") == "Succeeded" {
                tracking.succeed(pod, limit, &written, outcome);
            } else if policy::is_failed(pod, job) {
                tracking.fail(job, pod, pods, outcome);
            }
        }
        tracking
    }

    /// Counts those whose uid was written down and whose finalizer has gone since.
    fn count_waiting(&mut self, job: &Value, pods: &[Arc<Value>], outcome: &mut Outcome) {
        for (field, succeeded) in [("succeeded", true), ("failed", false)] {
            let listed = list(job, &format!("/status/uncountedTerminatedPods/{field}")).iter();
            for waiting in listed.filter_map(Value::as_str) {
                match pods.iter().find(|pod| uid(pod) == waiting && is_held(pod)) {
                    Some(pod) => {
                        outcome.push(release(pod));
                        self.wait(waiting, succeeded);
                    }
                    None if succeeded => self.counted_succeeded += 1,
                    None => self.counted_failed += 1,
                }
            }
        }
    }

    fn succeed(&mut self, pod: &Value, limit: i64, written: &Indexes, outcome: &mut Outcome) {
        if !self.indexed {
            self.wait(uid(pod), true);
            return;
        }
        match tries::index_of(pod).filter(|index| *index < limit) {
            Some(index) if !written.contains(index) => {
                self.completed.insert(index);
                self.failed_indexes.remove(index);
            }
            // its index is written down, or is none of this Job's
            _ => outcome.push(release(pod)),
        }
    }

    fn fail(&mut self, job: &Value, pod: &Value, pods: &[Arc<Value>], outcome: &mut Outcome) {
        let verdict = policy::judge(job, pod);
        if let Some(index) = tries::index_of(pod).filter(|_| tries::limit_per_index(job).is_some()) {
            if tries::gives_up(job, pod, &verdict) {
                self.failed_indexes.insert(index);
            } else if !tries::is_replaced(pod, pods) && !self.completed.contains(index) {
                // it carries the count of its index's failures until its successor does
                return;
            }
        }
        match verdict {
            Verdict::Ignore => outcome.push(release(pod)),
            _ => self.wait(uid(pod), false),
        }
    }

    fn wait(&mut self, uid: &str, succeeded: bool) {
        let (into, other) = if succeeded {
            (&mut self.waiting_succeeded, &self.waiting_failed)
        } else {
            (&mut self.waiting_failed, &self.waiting_succeeded)
        };
        if !other.contains(uid) {
            into.insert(uid.to_owned());
        }
    }

    /// All pods that succeeded so far; of a Job with indexes, all indexes that did.
    pub(super) fn succeeded(&self) -> i64 {
        if self.indexed {
            return self.completed.len();
        }
        self.counted_succeeded + self.waiting_succeeded.len() as i64
    }

    /// All pods that failed so far.
    pub(super) fn failed(&self) -> i64 {
        self.counted_failed + self.waiting_failed.len() as i64
    }

    /// Whether every pod that ended has been counted.
    pub(super) fn is_settled(&self) -> bool {
        self.waiting_succeeded.is_empty() && self.waiting_failed.is_empty()
    }

    /// Writes the counters and the lists into a status.
    pub(super) fn describe(&self, job: &Value, status: &mut Map<String, Value>) {
        put(status, "succeeded", if self.indexed { self.completed.len() } else { self.counted_succeeded });
        put(status, "failed", self.counted_failed);
        if self.indexed {
            put(status, "completedIndexes", self.completed.text());
        }
        if tries::limit_per_index(job).is_some() {
            status.insert("failedIndexes".to_owned(), json!(self.failed_indexes.text()));
        }
        let mut uncounted = json!({});
        for (field, waiting) in [("succeeded", &self.waiting_succeeded), ("failed", &self.waiting_failed)] {
            if !waiting.is_empty() {
                uncounted[field] = json!(waiting);
            }
        }
        status.insert("uncountedTerminatedPods".to_owned(), uncounted);
    }
}

fn is_held(pod: &Value) -> bool {
    list(pod, "/metadata/finalizers").iter().any(|finalizer| finalizer == FINALIZER)
}

fn release(pod: &Value) -> Write {
    let rest: Vec<&Value> =
        list(pod, "/metadata/finalizers").iter().filter(|finalizer| *finalizer != FINALIZER).collect();
    Write::Merge { target: Target::of(PODS, pod), patch: json!({"metadata": {"finalizers": rest}}) }
}

/// Lets go of the pods of a finished Job that ended uncounted.
pub(super) fn let_go(pods: &[Arc<Value>], outcome: &mut Outcome) {
    for pod in pods.iter().filter(|pod| is_held(pod) && (is_finished(pod) || deleting(pod))) {
        outcome.push(release(pod));
    }
}

/// Lets go of a pod whose Job is gone.
pub fn sync_pod(context: &Context<'_>, pod: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let owner = controller_of(pod).filter(|owner| text(owner, "/kind") == "Job");
    let job = owner.and_then(|owner| context.cache.get(JOBS, namespace(pod), text(owner, "/name")));
    let lives = job.zip(owner).is_some_and(|(job, owner)| uid(job) == text(owner, "/uid"));
    if is_held(pod) && !lives {
        outcome.push(release(pod));
    }
    outcome
}
