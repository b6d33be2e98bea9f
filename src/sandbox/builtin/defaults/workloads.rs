//! Defaults of Deployments, ReplicaSets, StatefulSets and DaemonSets.

use serde_json::{Value, json};

use super::{items_at, pod, put, put_text, storage, text, within, within_new};

/// A Deployment's spec.
pub fn deployment(spec: &mut Value) {
    put(spec, "replicas", json!(1));
    put(spec, "revisionHistoryLimit", json!(10));
    put(spec, "progressDeadlineSeconds", json!(600));
    rolling(spec, "strategy", &[("maxUnavailable", json!("25%")), ("maxSurge", json!("25%"))]);
    within(spec, "template", pod::template);
}

/// The update strategy: rolling, with these numbers, unless another one is asked for.
fn rolling(spec: &mut Value, field: &str, numbers: &[(&str, Value)]) {
    within_new(spec, field, |strategy| {
        put_text(strategy, "type", "RollingUpdate");
        if text(strategy, "type") == "RollingUpdate" {
            within_new(strategy, "rollingUpdate", |update| {
                numbers.iter().for_each(|(name, number)| put(update, name, number.clone()));
            });
        }
    });
}

/// A ReplicaSet.
pub fn replica_set(object: &mut Value) {
    within(object, "spec", |spec| {
        put(spec, "replicas", json!(1));
        within(spec, "template", pod::template);
    });
    within_new(object, "status", |status| put(status, "replicas", json!(0)));
}

/// A StatefulSet.
pub fn stateful_set(object: &mut Value) {
    within(object, "spec", |spec| {
        put(spec, "replicas", json!(1));
        put(spec, "revisionHistoryLimit", json!(10));
        put_text(spec, "podManagementPolicy", "OrderedReady");
        rolling(spec, "updateStrategy", &[("partition", json!(0))]);
        within_new(spec, "persistentVolumeClaimRetentionPolicy", |policy| {
            put_text(policy, "whenDeleted", "Retain");
            put_text(policy, "whenScaled", "Retain");
        });
        within(spec, "template", pod::template);
        items_at(spec, "volumeClaimTemplates").for_each(claim_template);
    });
    within_new(object, "status", |status| put(status, "replicas", json!(0)));
}

fn claim_template(claim: &mut Value) {
    put_text(claim, "apiVersion", "v1");
    put_text(claim, "kind", "PersistentVolumeClaim");
    within(claim, "spec", storage::claim);
    within_new(claim, "status", |status| put_text(status, "phase", "Pending"));
}

/// A DaemonSet.
pub fn daemon_set(object: &mut Value) {
    within(object, "spec", |spec| {
        put(spec, "revisionHistoryLimit", json!(10));
        rolling(spec, "updateStrategy", &[("maxUnavailable", json!(1)), ("maxSurge", json!(0))]);
        within(spec, "template", pod::template);
    });
    within_new(object, "status", |status| {
        for count in ["currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"]
        {
            put(status, count, json!(0));
        }
    });
}
