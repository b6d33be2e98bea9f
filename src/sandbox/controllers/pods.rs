//! Pods as the workload controllers see them: made from a template, counted, claimed, chosen for deletion.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::object::{
    annotation, condition, condition_is_true, count, created, deleting, labels, list, namespace, number,
    owner_reference, text, time, uid,
};
use super::selector;
use super::write::{Context, Outcome, Target, Write};

/// The resource.
pub const PODS: &str = "pods";

/// Whether a pod still runs or may run: neither finished nor being deleted.
pub fn is_active(pod: &Value) -> bool {
    !is_finished(pod) && !deleting(pod)
}

/// Whether all containers of a pod have ended for good.
pub fn is_finished(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// The condition `Ready`.
pub fn is_ready(pod: &Value) -> bool {
    condition_is_true(pod, "Ready")
}

/// When a ready pod counts as available; `None` while it is not ready.
pub fn available_at(pod: &Value, min_ready_seconds: i64) -> Option<Timestamp> {
    let ready = condition(pod, "Ready").filter(|condition| text(condition, "/status") == "True")?;
    if min_ready_seconds <= 0 {
        return Some(Timestamp::MIN);
    }
    time(ready, "/lastTransitionTime").map(|since| super::object::after(since, min_ready_seconds))
}

/// A pod made from a template, named by `owner`'s name and chance, controlled by `owner`.
pub fn from_template(owner: &Value, template: &Value) -> Value {
    let mut metadata = json!({
        "generateName": format!("{}-", super::object::name(owner)),
        "namespace": namespace(owner),
        "ownerReferences": [owner_reference(owner)],
    });
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = template.pointer(&format!("/metadata/{field}")).filter(|value| !value.is_null())
        {
            metadata[field] = value.clone();
        }
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"].clone()})
}

/// The pods that `owner` controls by its selector. Adopts orphans that match and lets go of pods that no longer do, in `outcome`.
pub fn claim(context: &Context<'_>, owner: &Value, outcome: &mut Outcome) -> Vec<Arc<Value>> {
    claim_where(context, PODS, owner, outcome, |_| true)
}

/// Like [`claim`], for any resource and only among the objects that `fits` allows.
pub fn claim_where(
    context: &Context<'_>,
    resource: &'static str,
    owner: &Value,
    outcome: &mut Outcome,
    fits: impl Fn(&Value) -> bool,
) -> Vec<Arc<Value>> {
    let wanted = owner.pointer("/spec/selector");
    let mut claimed = Vec::new();
    for object in context.cache.owned(resource, uid(owner)) {
        if selector::matches(wanted, labels(object)) && fits(object) {
            claimed.push(object.clone());
        } else if !deleting(owner) && !deleting(object) {
            let others: Vec<&Value> = list(object, "/metadata/ownerReferences")
                .iter()
                .filter(|reference| text(reference, "/uid") != uid(owner))
                .collect();
            outcome.push(own(resource, object, json!(others)));
        }
    }
    if !deleting(owner) {
        for object in context.cache.orphans(resource, namespace(owner)) {
            if !deleting(object) && selector::matches(wanted, labels(object)) && fits(object) {
                let mut owners = list(object, "/metadata/ownerReferences").to_vec();
                owners.push(owner_reference(owner));
                outcome.push(own(resource, object, json!(owners)));
            }
        }
    }
    claimed
}

fn own(resource: &'static str, object: &Value, owners: Value) -> Write {
    Write::Merge {
        target: Target::of(resource, object),
        patch: json!({"metadata": {"ownerReferences": owners}}),
    }
}

/// Whether a claim left adoptions to be done first: the sync goes on when they have been.
pub fn adopts(outcome: &Outcome) -> bool {
    !outcome.writes.is_empty()
}

/// The order in which surplus pods go: unassigned, pending, not ready, cheap, shortly ready, often restarted, young.
pub fn sort_for_deletion(pods: &mut [Arc<Value>]) {
    pods.sort_by_cached_key(|pod| {
        let phase = match text(pod, "/status/phase") {
            "Running" => 2,
            "Unknown" => 1,
            _ => 0,
        };
        let cost: i64 = annotation(pod, "controller.kubernetes.io/pod-deletion-cost")
            .and_then(|cost| cost.parse().ok())
            .unwrap_or(0);
        let ready_since = condition(pod, "Ready").and_then(|ready| time(ready, "/lastTransitionTime"));
        let restarts = list(pod, "/status/containerStatuses")
            .iter()
            .map(|container| count(container, "/restartCount"))
            .max()
            .unwrap_or(0);
        (
            !text(pod, "/spec/nodeName").is_empty(),
            phase,
            is_ready(pod),
            cost,
            Reverse(ready_since.filter(|_| is_ready(pod))),
            Reverse(restarts),
            Reverse(created(pod)),
        )
    });
}

/// What a workload counts among its active pods.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Active pods.
    pub total: i64,
    /// Those with all labels of the template.
    pub labelled: i64,
    /// Those that are ready.
    pub ready: i64,
    /// Those that have been ready long enough.
    pub available: i64,
    /// When the next of the ready ones becomes available.
    pub next: Option<Timestamp>,
}

/// Counts pods against a workload's template and `minReadySeconds`.
pub fn tally(pods: &[Arc<Value>], workload: &Value, now: Timestamp) -> Tally {
    let wait = number(workload, "/spec/minReadySeconds").unwrap_or(0);
    let wanted = super::object::map(workload, "/spec/template/metadata/labels");
    let mut tally = Tally::default();
    for pod in pods {
        tally.total += 1;
        tally.labelled += i64::from(wanted.is_none_or(|wanted| selector::contains(labels(pod), wanted)));
        match available_at(pod, wait) {
            None => {}
            Some(at) if at <= now => {
                tally.ready += 1;
                tally.available += 1;
            }
            Some(at) => {
                tally.ready += 1;
                tally.next = Some(tally.next.map_or(at, |known| known.min(at)));
            }
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::super::object::name;
    use super::*;

    fn pod(name: &str, node: &str, phase: &str, ready: Option<&str>, created: &str) -> Arc<Value> {
        let mut pod = json!({
            "metadata": {"name": name, "creationTimestamp": created},
            "spec": {"nodeName": node}, "status": {"phase": phase}});
        if let Some(since) = ready {
            pod["status"]["conditions"] =
                json!([{"type": "Ready", "status": "True", "lastTransitionTime": since}]);
        }
        Arc::new(pod)
    }

    #[test]
    fn the_least_useful_pod_goes_first() {
        let old = "2026-01-01T00:00:00Z";
        let new = "2026-01-02T00:00:00Z";
        let mut pods = vec![
            pod("old", "n", "Running", Some(old), old),
            pod("young", "n", "Running", Some(new), new),
            pod("broken", "n", "Running", None, old),
            pod("pending", "n", "Pending", None, old),
            pod("nowhere", "", "Pending", None, old),
        ];
        sort_for_deletion(&mut pods);
        let order: Vec<&str> = pods.iter().map(|pod| name(pod)).collect();
        assert_eq!(order, ["nowhere", "pending", "broken", "young", "old"]);
    }

    #[test]
    fn available_comes_after_ready() {
        let pods = [pod("a", "n", "Running", Some("2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z")];
        let workload = json!({"spec": {"minReadySeconds": 10}});
        let early: Timestamp = "2026-01-01T00:00:05Z".parse().expect("a timestamp");
        let late: Timestamp = "2026-01-01T00:00:10Z".parse().expect("a timestamp");
        let first = tally(&pods, &workload, early);
        assert_eq!((first.ready, first.available, first.next), (1, 0, Some(late)));
        let second = tally(&pods, &workload, late);
        assert_eq!((second.ready, second.available, second.next), (1, 1, None));
    }
}
