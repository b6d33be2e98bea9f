//! Rollouts that will not finish by themselves, seen at the pods: long before a deadline says so.

use jiff::SignedDuration;

use crate::domain::{ObjectKey, ObjectSummary};

/// What a rollout is stuck in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The waiting reason, or the scheduler's.
    pub reason: String,
    /// In words.
    pub message: String,
    /// How long it has to stay so before it counts: some of these pass by themselves.
    pub patience: SignedDuration,
}

impl Stuck {
    /// What stays the same while the reason goes back and forth: a failed pull is tried again and again.
    pub fn family(&self) -> &str {
        match self.reason.as_str() {
            "ErrImagePull" => "ImagePullBackOff",
            reason => reason,
        }
    }
}

/// Reasons that do not pass by themselves, and how long each is given, in seconds.
const REASONS: [(&str, i64); 10] = [
    ("CrashLoopBackOff", 30),
    ("ImagePullBackOff", 30),
    ("ErrImagePull", 45),
    ("ErrImageNeverPull", 10),
    ("InvalidImageName", 10),
    ("CreateContainerConfigError", 20),
    ("CreateContainerError", 20),
    ("RunContainerError", 20),
    ("StartError", 20),
    ("Unschedulable", 45),
];

/// What the pods that `workload` made last are stuck in; none when they are on their way.
pub fn stuck(workload: &ObjectKey, objects: &[ObjectSummary]) -> Option<Stuck> {
    let owner = objects.iter().find(|object| object.key == *workload)?;
    let owned = |uid: &str| -> Vec<&ObjectSummary> {
        objects.iter().filter(|object| object.owner.as_deref() == Some(uid)).collect()
    };
    let children = owned(&owner.uid);
    // a Deployment's ReplicaSets own the pods; other workloads do so themselves
    let sets: Vec<_> = children.iter().filter(|object| object.key.kind == "ReplicaSet").collect();
    if sets.is_empty() {
        return children.into_iter().filter(|pod| !pod.deleting).find_map(of_pod);
    }
    let pods_of = |set: &ObjectSummary| -> Vec<&ObjectSummary> {
        owned(&set.uid).into_iter().filter(|pod| !pod.deleting).collect()
    };
    // the set that pods are made for now: a rollback takes up an old one, so that its own age says nothing
    let made = |set: &ObjectSummary| pods_of(set).iter().filter_map(|pod| pod.created).max();
    let newest = sets.iter().filter_map(|set| made(set)).max()?;
    let current = sets.into_iter().filter(|set| made(set) == Some(newest));
    current.flat_map(|set| pods_of(set)).find_map(of_pod)
}

fn of_pod(pod: &ObjectSummary) -> Option<Stuck> {
    pod.verdict.causes.iter().find_map(|cause| {
        let (reason, seconds) = REASONS.iter().find(|(reason, _)| *reason == cause.reason)?;
        Some(Stuck {
            reason: (*reason).to_owned(),
            message: format!("{}: {}", pod.key, cause.message),
            patience: SignedDuration::from_secs(*seconds),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::summary;

    fn object(kind: &str, name: &str, owner: &str, status: Value) -> ObjectSummary {
        made_at("2026-01-01T00:00:00Z", kind, name, owner, status)
    }

    fn made_at(at: &str, kind: &str, name: &str, owner: &str, status: Value) -> ObjectSummary {
        let version = if kind == "Pod" { "v1" } else { "apps/v1" };
        summary(
            &json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "demo", "uid": name,
            "creationTimestamp": at,
            "ownerReferences": [{"uid": owner, "controller": true, "kind": "x", "name": "x"}]},
            "spec": {}, "status": status}),
        )
    }

    fn waiting(reason: &str) -> Value {
        json!({"phase": "Pending", "containerStatuses": [
            {"name": "web", "restartCount": 4, "state": {"waiting": {"reason": reason, "message": "m"}}}]})
    }

    #[test]
    fn the_newest_pods_tell() {
        let key = object("Deployment", "web", "", json!({})).key;
        let objects = |reason: &str| {
            [
                object("Deployment", "web", "", json!({})),
                object("ReplicaSet", "web-1", "web", json!({})),
                object("ReplicaSet", "web-2", "web", json!({})),
                object("Pod", "old", "web-1", waiting("CrashLoopBackOff")),
                made_at("2026-01-01T00:00:09Z", "Pod", "new", "web-2", waiting(reason)),
            ]
        };
        let found = stuck(&key, &objects("ImagePullBackOff")).unwrap();
        assert_eq!((found.reason.as_str(), found.patience.as_secs()), ("ImagePullBackOff", 30));
        assert!(found.message.starts_with("Pod/new"), "{found:?}");
        assert_eq!(
            stuck(&key, &objects("ContainerCreating")),
            None,
            "old pods say nothing about the new ones"
        );
        let back = [
            object("Deployment", "web", "", json!({})),
            object("ReplicaSet", "web-1", "web", json!({})),
            made_at("2026-01-01T00:00:05Z", "ReplicaSet", "web-2", "web", json!({})),
            made_at("2026-01-01T00:00:09Z", "Pod", "again", "web-1", waiting("CrashLoopBackOff")),
            made_at("2026-01-01T00:00:06Z", "Pod", "before", "web-2", waiting("ContainerCreating")),
        ];
        assert!(stuck(&key, &back).unwrap().message.starts_with("Pod/again"), "a rollback uses the old set");
    }
}
