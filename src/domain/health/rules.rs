//! Health per kind, from the object's own JSON.
//!
//! The order is kstatus': going away, an unobserved generation, `Reconciling` and `Stalled`, the kind's own rule, `Ready`, and
//! healthy when nothing speaks against it. The differences from kstatus are those that people need: a failed pod nobody
//! replaces is degraded, a running job is on its way, paused is `Suspended`, and zero replicas is `Stopped`.

mod batch;
mod cluster;
mod pod;
mod read;
mod route;
mod workload;

use jiff::Timestamp;
use serde_json::Value;

use super::{Cause, Health, Verdict};
use crate::domain::conditions::Conditions;
use read::Object;

/// What a rule finds: a health, and for all but a healthy one a reason and a message.
struct Finding {
    health: Health,
    reason: String,
    message: String,
}

impl Finding {
    fn healthy() -> Self {
        Self { health: Health::Healthy, reason: String::new(), message: String::new() }
    }

    fn new(health: Health, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { health, reason: reason.into(), message: message.into() }
    }

    fn progressing(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Health::Progressing, reason, message)
    }

    fn degraded(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Health::Degraded, reason, message)
    }
}

/// The verdict of one object, from its JSON as the API server returns it. Without a clock, a pod that no node takes is on its
/// way for ever: see [`assess_at`].
pub fn assess(object: &Value) -> Verdict {
    verdict(object, None)
}

/// As [`assess`]; a pod that no node took within 15 s of its creation is degraded.
pub fn assess_at(object: &Value, now: Timestamp) -> Verdict {
    verdict(object, Some(now))
}

fn verdict(object: &Value, now: Option<Timestamp>) -> Verdict {
    let object = Object(object);
    let finding = find(object, now);
    if finding.health == Health::Healthy {
        return Verdict::healthy();
    }
    let cause = Cause { object: object.key(), reason: finding.reason, message: finding.message };
    Verdict { health: finding.health, causes: vec![cause] }
}

fn find(object: Object<'_>, now: Option<Timestamp>) -> Finding {
    if object.text("metadata.deletionTimestamp").is_some() {
        return Finding::progressing("Terminating", "it is being deleted");
    }
    if let (Some(desired), Some(observed)) =
        (object.number("metadata.generation"), object.number("status.observedGeneration"))
        && desired != observed
    {
        let message = format!("its controller has seen generation {observed} of {desired}");
        return Finding::progressing("LatestGenerationNotObserved", message);
    }
    let conditions = Conditions::of(object.0);
    if let Some(finding) = reconciling_or_stalled(&conditions) {
        return finding;
    }
    by_kind(object, &conditions, now).unwrap_or_else(|| by_ready(&conditions))
}

/// What the two conditions that any controller may set say, in the order in which they stand.
fn reconciling_or_stalled(conditions: &Conditions<'_>) -> Option<Finding> {
    let mut set = conditions.iter().filter(|condition| condition.is("True"));
    set.find_map(|condition| match condition.kind() {
        "Reconciling" => Some(Finding::progressing(condition.reason_or("Reconciling"), condition.message())),
        "Stalled" => Some(Finding::degraded(condition.reason_or("Stalled"), condition.message())),
        _ => None,
    })
}

/// The kind's own rule; none for kinds that have none.
fn by_kind(object: Object<'_>, conditions: &Conditions<'_>, now: Option<Timestamp>) -> Option<Finding> {
    let finding = match (object.group(), object.kind()) {
        ("apps" | "extensions", "Deployment") => workload::deployment(object, conditions),
        ("apps", "StatefulSet") => workload::stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => workload::daemon_set(object),
        ("apps" | "extensions", "ReplicaSet") => workload::replica_set(object, conditions),
        ("", "Pod") => pod::pod(object, conditions, now),
        ("batch", "Job") => batch::job(object, conditions),
        ("batch", "CronJob") => batch::cron_job(object),
        ("", "PersistentVolumeClaim") => cluster::volume_claim(object),
        ("", "Service") => cluster::service(object),
        ("networking.k8s.io" | "extensions", "Ingress") => Finding::healthy(),
        ("gateway.networking.k8s.io", "HTTPRoute") => route::http_route(object),
        ("gateway.networking.k8s.io", "Gateway") => route::gateway(object),
        ("cert-manager.io", "Certificate") => route::certificate(conditions),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => cluster::resource_definition(conditions),
        _ => return None,
    };
    Some(finding)
}

/// The rule for everything else: the condition `Ready`, and healthy without one.
fn by_ready(conditions: &Conditions<'_>) -> Finding {
    match conditions.find("Ready") {
        Some(ready) if !ready.is("True") => {
            Finding::progressing(ready.reason_or("NotReady"), ready.message())
        }
        _ => Finding::healthy(),
    }
}
