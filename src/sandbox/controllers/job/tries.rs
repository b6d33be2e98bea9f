//! Pods of Jobs whose completions have indexes: who stands for which, how often each was tried, and when to try again.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object::{after, annotation, deleting, list, name, number};
use super::super::pods;
use super::policy::{self, Verdict};
use super::{FIRST_DELAY, LONGEST_DELAY, Scene, end_of};

/// The annotation and label with a pod's completion index.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
const IGNORED: &str = "batch.kubernetes.io/job-index-ignored-failure-count";
const VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// The completion index of a pod.
pub(super) fn index_of(pod: &Value) -> Option<i64> {
    annotation(pod, INDEX)?.parse().ok().filter(|index| *index >= 0)
}

/// `spec.backoffLimitPerIndex`.
pub(super) fn limit_per_index(job: &Value) -> Option<i64> {
    number(job, "/spec/backoffLimitPerIndex").filter(|_| policy::is_indexed(job))
}

fn counted(pod: &Value, key: &str) -> i64 {
    annotation(pod, key).and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// How often an index had been tried in vain before this pod.
fn tried(pod: &Value) -> i64 {
    counted(pod, FAILURES) + counted(pod, IGNORED)
}

/// Whether the failure of this pod is the last of its index.
pub(super) fn gives_up(job: &Value, pod: &Value, verdict: &Verdict) -> bool {
    match verdict {
        Verdict::FailIndex => true,
        Verdict::Ignore => false,
        _ => limit_per_index(job).is_some_and(|limit| counted(pod, FAILURES) >= limit),
    }
}

/// Whether a later pod of the same index carries its count on.
pub(super) fn is_replaced(pod: &Value, pods: &[Arc<Value>]) -> bool {
    let index = index_of(pod);
    pods.iter().any(|other| index_of(other) == index && tried(other) > tried(pod))
}

/// The delay after the `failures`-th failure in a row.
pub(super) fn delay(failures: i64) -> i64 {
    let doublings = u32::try_from(failures - 1).unwrap_or(0).min(10);
    (FIRST_DELAY << doublings).min(LONGEST_DELAY)
}

impl Scene<'_> {
    /// The indexes that pods may be made for now, lowest first; for those that must wait, the look is planned.
    pub(super) fn free_indexes(&mut self) -> Vec<i64> {
        let completions = number(self.job, "/spec/completions").unwrap_or(0);
        let waits = policy::replaces_only_failed(self.job);
        let taken: BTreeSet<i64> = self
            .pods
            .iter()
            .filter(|pod| pods::is_active(pod) || waits && deleting(pod) && !pods::is_finished(pod))
            .filter_map(|pod| index_of(pod))
            .collect();
        let mut free = Vec::new();
        for index in 0..completions {
            let over =
                self.tracking.completed.contains(index) || self.tracking.failed_indexes.contains(index);
            if over || taken.contains(&index) {
                continue;
            }
            match self.retry_at(index) {
                Some(at) if at > self.context.now => self.outcome.look_again(at),
                _ => free.push(index),
            }
        }
        free
    }

    /// The last pod of an index that failed, where each index has its own limit.
    fn last_failed(&self, index: i64) -> Option<&Arc<Value>> {
        limit_per_index(self.job)?;
        let of_index = self.pods.iter().filter(|pod| index_of(pod) == Some(index));
        of_index.filter(|pod| policy::is_failed(pod, self.job)).max_by_key(|pod| tried(pod))
    }

    fn retry_at(&self, index: i64) -> Option<Timestamp> {
        let last = self.last_failed(index)?;
        end_of(last).map(|ended| after(ended, delay(tried(last) + 1)))
    }

    /// Active pods that stand for no index, or for one that another pod has.
    pub(super) fn superfluous(&self) -> Vec<Arc<Value>> {
        let completions = number(self.job, "/spec/completions").unwrap_or(0);
        let mut seen = BTreeSet::new();
        let mut needed = |pod: &Value| {
            let index = index_of(pod).filter(|index| *index < completions);
            index.is_some_and(|index| seen.insert(index) && !self.tracking.completed.contains(index))
        };
        self.active.iter().filter(|pod| !needed(pod)).cloned().collect()
    }

    /// Makes a pod the one of an index: its annotations, label, host name and variable.
    pub(super) fn give_index(&self, pod: &mut Value, index: i64) {
        let job = self.job;
        let text = json!(index.to_string());
        pod["metadata"]["generateName"] = json!(format!("{}-{index}-", name(job)));
        pod["metadata"]["annotations"][INDEX] = text.clone();
        pod["metadata"]["labels"][INDEX] = text;
        if limit_per_index(job).is_some() {
            let (mut failures, mut ignored) = (0, 0);
            if let Some(last) = self.last_failed(index) {
                let is_ignored = policy::judge(job, last) == Verdict::Ignore;
                failures = counted(last, FAILURES) + i64::from(!is_ignored);
                ignored = counted(last, IGNORED) + i64::from(is_ignored);
            }
            pod["metadata"]["annotations"][FAILURES] = json!(failures.to_string());
            if ignored > 0 {
                pod["metadata"]["annotations"][IGNORED] = json!(ignored.to_string());
            }
        }
        pod["spec"]["hostname"] = json!(format!("{}-{index}", name(job)));
        for containers in ["containers", "initContainers"] {
            for container in pod["spec"][containers].as_array_mut().into_iter().flatten() {
                tell_index(container);
            }
        }
    }
}

/// Lets a container know its index, unless it sets that variable itself.
fn tell_index(container: &mut Value) {
    let known = list(container, "/env").iter().any(|variable| variable["name"] == VARIABLE);
    if known {
        return;
    }
    let mut variables = list(container, "/env").to_vec();
    let path = format!("metadata.labels['{INDEX}']");
    variables
        .push(json!({"name": VARIABLE, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}));
    container["env"] = json!(variables);
}
