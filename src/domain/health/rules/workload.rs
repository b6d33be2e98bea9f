//! Deployment, StatefulSet, DaemonSet, ReplicaSet.

use super::read::Object;
use super::{Finding, Health};
use crate::domain::conditions::Conditions;

/// A comparison that is not satisfied yet, and how it is told.
struct Gap {
    open: bool,
    reason: &'static str,
    message: String,
}

/// A comparison of two counts: `have` must reach `want`.
fn less(reason: &'static str, what: &str, have: i64, want: i64) -> Gap {
    Gap { open: have < want, reason, message: format!("{have} of {want} replicas are {what}") }
}

/// More pods than desired: the old ones are on their way out.
fn extra(total: i64, desired: i64) -> Gap {
    Gap {
        open: total > desired,
        reason: "ExtraPods",
        message: format!("{} old pods are ending", total - desired),
    }
}

/// The first gap that is open.
fn first_open(gaps: impl IntoIterator<Item = Gap>) -> Option<Finding> {
    gaps.into_iter().find(|gap| gap.open).map(|gap| Finding::progressing(gap.reason, gap.message))
}

fn stopped() -> Finding {
    Finding::new(Health::Stopped, "ScaledToZero", "no replicas are desired")
}

pub(super) fn deployment(object: Object<'_>, conditions: &Conditions<'_>) -> Finding {
    let progressing = conditions.find("Progressing");
    if let Some(condition) = progressing.filter(|found| found.reason() == "ProgressDeadlineExceeded") {
        return Finding::degraded("ProgressDeadlineExceeded", condition.message());
    }
    let desired = object.number("spec.replicas").unwrap_or(1);
    let total = object.count("status.replicas");
    if object.flag("spec.paused") {
        return Finding::new(Health::Suspended, "DeploymentPaused", "its rollout is paused");
    }
    if let Some(failure) = conditions.holds("ReplicaFailure") {
        return Finding::progressing(failure.reason_or("ReplicaFailure"), failure.message());
    }
    let updated = object.count("status.updatedReplicas");
    let counts = [
        less("LessReplicas", "created", total, desired),
        less("LessUpdated", "updated", updated, desired),
        extra(total, desired),
        less("LessAvailable", "available", object.count("status.availableReplicas"), updated),
        less("LessReady", "ready", object.count("status.readyReplicas"), desired),
    ];
    if let Some(finding) = first_open(counts) {
        return finding;
    }
    if desired == 0 {
        return stopped();
    }
    let deadline = object.number("spec.progressDeadlineSeconds");
    let unlimited = deadline.is_none_or(|seconds| seconds == i64::from(i32::MAX));
    let rolled_out =
        progressing.is_some_and(|found| found.is("True") && found.reason() == "NewReplicaSetAvailable");
    if !unlimited && !rolled_out {
        return Finding::progressing("ReplicaSetNotAvailable", "the new replica set is not available yet");
    }
    if conditions.holds("Available").is_none() {
        let message = conditions.find("Available").map_or("it is not available yet", |found| found.message());
        return Finding::progressing("DeploymentNotAvailable", message);
    }
    Finding::healthy()
}

pub(super) fn stateful_set(object: Object<'_>) -> Finding {
    if object.text("spec.updateStrategy.type") == Some("OnDelete") {
        return Finding::healthy();
    }
    let desired = object.number("spec.replicas").unwrap_or(1);
    let total = object.count("status.replicas");
    let counts = [
        less("LessReplicas", "created", total, desired),
        less("LessReady", "ready", object.count("status.readyReplicas"), desired),
        extra(total, desired),
    ];
    if let Some(finding) = first_open(counts) {
        return finding;
    }
    if desired == 0 {
        return stopped();
    }
    if let Some(partition) = object.number("spec.updateStrategy.rollingUpdate.partition") {
        let updated = object.count("status.updatedReplicas");
        let gap = less("PartitionRollout", "updated", updated, (desired - partition).max(0));
        return first_open([gap]).unwrap_or_else(Finding::healthy);
    }
    let current = object.count("status.currentReplicas");
    if let Some(finding) = first_open([less("LessCurrent", "current", current, desired)]) {
        return finding;
    }
    if object.text("status.currentRevision") != object.text("status.updateRevision") {
        return Finding::progressing("RevisionMismatch", "the update has not reached every pod yet");
    }
    Finding::healthy()
}

pub(super) fn daemon_set(object: Object<'_>) -> Finding {
    if object.number("metadata.generation").is_none() {
        return Finding::progressing("NoGeneration", "it has no generation yet");
    }
    if object.number("status.observedGeneration").is_none() {
        return Finding::progressing("NoObservedGeneration", "its controller has not seen it yet");
    }
    let Some(desired) = object.number("status.desiredNumberScheduled") else {
        return Finding::progressing("NoDesiredNumber", "its controller has not counted the nodes yet");
    };
    let current = less("LessCurrent", "scheduled", object.count("status.currentNumberScheduled"), desired);
    let mut counts = vec![current];
    // With OnDelete, pods are updated when a person deletes them: nothing is on its way.
    if object.text("spec.updateStrategy.type") != Some("OnDelete") {
        let updated = object.count("status.updatedNumberScheduled");
        counts.push(less("LessUpdated", "updated", updated, desired));
    }
    counts.push(less("LessAvailable", "available", object.count("status.numberAvailable"), desired));
    counts.push(less("LessReady", "ready", object.count("status.numberReady"), desired));
    first_open(counts).unwrap_or_else(Finding::healthy)
}

pub(super) fn replica_set(object: Object<'_>, conditions: &Conditions<'_>) -> Finding {
    if let Some(failure) = conditions.holds("ReplicaFailure") {
        return Finding::progressing(failure.reason_or("ReplicaFailure"), failure.message());
    }
    let desired = object.number("spec.replicas").unwrap_or(1);
    let counts = [
        less("LessLabelled", "labelled", object.count("status.fullyLabeledReplicas"), desired),
        less("LessAvailable", "available", object.count("status.availableReplicas"), desired),
        less("LessReady", "ready", object.count("status.readyReplicas"), desired),
        extra(object.count("status.replicas"), desired),
    ];
    match first_open(counts) {
        Some(finding) => finding,
        // A deployment keeps its old replica sets at zero: that is how a rollout ends, not a stop.
        None if desired == 0 && object.controller().is_none() => stopped(),
        None => Finding::healthy(),
    }
}
