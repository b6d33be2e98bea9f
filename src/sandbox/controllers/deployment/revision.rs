//! Which ReplicaSet stands for the present template, how it is made, numbered and annotated, and how many old ones are kept.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::hash::template_hash;
use super::super::object::{
    annotation, count, deleting, map, name, namespace, number, owner_reference, text,
};
use super::super::replicaset::{REPLICASETS, is_observed};
use super::super::write::{Target, Write};
use super::{DESIRED, HASH, MAX, REVISION, REVISION_HISTORY, Rollout, Set};

/// Annotations of a Deployment that its ReplicaSets do not inherit.
const NOT_INHERITED: [&str; 5] =
    ["kubectl.kubernetes.io/last-applied-configuration", REVISION, REVISION_HISTORY, DESIRED, MAX];

/// The oldest ReplicaSet whose template is the Deployment's, but for the hash label.
pub(super) fn find_new<'a>(deployment: &Value, sets: &[&'a Arc<Value>]) -> Option<&'a Arc<Value>> {
    sets.iter().find(|set| same_template(&deployment["spec"]["template"], &set["spec"]["template"])).copied()
}

fn same_template(wanted: &Value, set: &Value) -> bool {
    let bare = |template: &Value| {
        let mut template = template.clone();
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.remove(HASH);
        }
        template
    };
    bare(wanted) == bare(set)
}

impl Rollout<'_> {
    /// Numbers the new ReplicaSet; makes it with `replicas` when it is missing and `create` is set.
    pub(super) fn adopt_revision(&mut self, create: bool) {
        let revision = self.old.iter().map(Set::revision).max().unwrap_or(0) + 1;
        if let Some(new) = &self.new {
            let object = new.object.clone();
            let revision = revision.max(new.revision());
            self.annotate(&object, revision);
            self.number(revision);
            self.note_found(name(&object));
        } else if create {
            self.create(revision);
        }
    }

    /// Brings the annotations and `minReadySeconds` of the new ReplicaSet up to date.
    fn annotate(&mut self, set: &Arc<Value>, revision: i64) {
        let mut wanted = self.inherited();
        wanted.insert(REVISION.to_owned(), json!(revision.to_string()));
        let before = annotation(set, REVISION).unwrap_or_default();
        if !before.is_empty() && before != revision.to_string() {
            let history = annotation(set, REVISION_HISTORY).filter(|history| !history.is_empty());
            let history = history.map_or_else(|| before.to_owned(), |history| format!("{history},{before}"));
            wanted.insert(REVISION_HISTORY.to_owned(), json!(history));
        }
        let known = map(set, "/metadata/annotations");
        wanted.retain(|key, value| known.and_then(|known| known.get(key)) != Some(value));
        let wait = number(self.deployment, "/spec/minReadySeconds").unwrap_or(0);
        let mut patch = json!({});
        if !wanted.is_empty() {
            patch["metadata"] = json!({"annotations": wanted});
        }
        if wait != count(set, "/spec/minReadySeconds") {
            patch["spec"] = json!({"minReadySeconds": wait});
        }
        if patch != json!({}) {
            self.outcome.push(Write::Merge { target: Target::of(REPLICASETS, set), patch });
        }
    }

    /// Writes the revision on the Deployment itself.
    fn number(&mut self, revision: i64) {
        if annotation(self.deployment, REVISION) != Some(&revision.to_string()) {
            self.outcome.push(Write::Merge {
                target: Target::of(super::DEPLOYMENTS, self.deployment),
                patch: json!({"metadata": {"annotations": {REVISION: revision.to_string()}}}),
            });
        }
    }

    fn inherited(&self) -> Map<String, Value> {
        let mut annotations = map(self.deployment, "/metadata/annotations").cloned().unwrap_or_default();
        annotations.retain(|key, _| !NOT_INHERITED.contains(&key.as_str()));
        annotations
    }

    fn create(&mut self, revision: i64) {
        let deployment = self.deployment;
        let hash = template_hash(&deployment["spec"]["template"], self.collisions);
        let set_name = format!("{}-{hash}", name(deployment));
        if self.context.cache.get(REPLICASETS, namespace(deployment), &set_name).is_some() {
            // somebody else's, or ours with another template: the next hash differs
            self.collisions += 1;
            return;
        }
        let replicas = if self.recreates {
            self.replicas
        } else {
            (self.replicas + self.surge - self.total()).clamp(0, self.replicas)
        };
        let object = self.new_set(&set_name, &hash, revision, replicas);
        self.outcome.push(Write::Create { resource: REPLICASETS, object: object.clone(), note: None });
        if replicas > 0 {
            self.tell_resized(&set_name, 0, replicas);
        }
        self.number(revision);
        self.note_created(&set_name);
        self.new = Some(Set { object: Arc::new(object), replicas });
    }

    fn new_set(&self, set_name: &str, hash: &str, revision: i64, replicas: i64) -> Value {
        let deployment = self.deployment;
        let mut annotations = self.inherited();
        annotations.insert(REVISION.to_owned(), json!(revision.to_string()));
        annotations.insert(DESIRED.to_owned(), json!(self.replicas.to_string()));
        annotations.insert(MAX.to_owned(), json!((self.replicas + self.surge).to_string()));
        let mut template = deployment["spec"]["template"].clone();
        template["metadata"]["labels"][HASH] = json!(hash);
        let mut selector = deployment["spec"]["selector"].clone();
        selector["matchLabels"][HASH] = json!(hash);
        let mut set = json!({
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": set_name,
                "namespace": namespace(deployment),
                "labels": template["metadata"]["labels"].clone(),
                "annotations": annotations,
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {"replicas": replicas, "selector": selector, "template": template},
        });
        let wait = count(deployment, "/spec/minReadySeconds");
        if wait > 0 {
            set["spec"]["minReadySeconds"] = json!(wait);
        }
        set
    }

    /// Deletes the oldest ReplicaSets beyond `spec.revisionHistoryLimit` that hold no pods.
    pub(super) fn clean_up(&mut self) {
        let limit = number(self.deployment, "/spec/revisionHistoryLimit").unwrap_or(10);
        let mut alive: Vec<&Set> = self.old.iter().filter(|set| !deleting(&set.object)).collect();
        let surplus = (alive.len() as i64 - limit).max(0) as usize;
        alive.sort_by_key(|set| set.revision());
        for set in alive.into_iter().take(surplus) {
            let empty = count(&set.object, "/status/replicas") == 0 && set.replicas == 0;
            if empty && is_observed(&set.object) {
                self.outcome.push(Write::Delete { target: Target::of(REPLICASETS, &set.object), note: None });
            }
        }
    }

    /// Passes the failure of a ReplicaSet on, or the API's refusal to create one.
    pub(super) fn failure(&self) -> Option<(String, String)> {
        if let Some(failure) = self.context.failure {
            return Some(("ReplicaSetCreateError".to_owned(), failure.to_owned()));
        }
        let set =
            self.sets().find_map(|set| super::super::object::condition(&set.object, "ReplicaFailure"))?;
        Some((text(set, "/reason").to_owned(), text(set, "/message").to_owned()))
    }
}
