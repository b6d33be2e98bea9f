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
    // a Deployment's newest ReplicaSet; other workloads own their pods
    let sets = children.iter().filter(|object| object.key.kind == "ReplicaSet");
    let newest = sets.max_by_key(|object| (object.created, object.key.name.clone()));
    let pods = match newest {
        Some(set) => owned(&set.uid),
        None => children,
    };
    pods.into_iter().filter(|pod| !pod.deleting).find_map(of_pod)
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
        let version = if kind == "Pod" { "v1" } else { "apps/v1" };
        summary(
            &json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "demo", "uid": name,
            "creationTimestamp": "2026-01-01T00:00:00Z",
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
                object("Pod", "new", "web-2", waiting(reason)),
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
    }
}
