//! ControllerRevisions: the history of templates that StatefulSets and DaemonSets keep.

use std::sync::Arc;

use serde_json::{Value, json};

use super::hash::template_hash;
use super::object::{count, name, namespace, number, owner_reference, text, uid};
use super::write::{Context, Outcome, Target, Write};

/// The resource.
pub const REVISIONS: &str = "controllerrevisions.apps";
/// The label of a pod that names the revision it was made from.
pub const HASH: &str = "controller-revision-hash";

/// The revisions of a workload.
#[derive(Debug)]
pub struct History {
    /// Oldest first, without the update revision if that is yet to be made.
    pub known: Vec<Arc<Value>>,
    /// The name of the revision of the present template.
    pub update: String,
    /// `status.collisionCount`, counted up when the name of the present template was taken.
    pub collisions: i64,
}

impl History {
    /// Reads the history of a workload and records its present template in it, in `outcome`.
    pub fn record(context: &Context<'_>, workload: &Arc<Value>, outcome: &mut Outcome) -> Self {
        let mut known: Vec<Arc<Value>> = context.cache.owned(REVISIONS, uid(workload)).cloned().collect();
        known.sort_by_key(|revision| (count(revision, "/revision"), name(revision).to_owned()));
        let mut collisions = count(workload, "/status/collisionCount");
        let next = known.last().map_or(0, |last| count(last, "/revision")) + 1;
        let data = data_of(&workload["spec"]["template"]);
        if let Some(equal) = known.iter().rposition(|revision| revision["data"] == data) {
            let update = name(&known[equal]).to_owned();
            if equal + 1 != known.len() {
                // back to an older template: it becomes the newest revision again
                let target = Target::of(REVISIONS, &known[equal]);
                outcome.push(Write::Merge { target, patch: json!({"revision": next}) });
            }
            return Self { known, update, collisions };
        }
        let mut hash = template_hash(&data, collisions);
        let mut update = format!("{}-{hash}", name(workload));
        while context.cache.get(REVISIONS, namespace(workload), &update).is_some() {
            collisions += 1;
            hash = template_hash(&data, collisions);
            update = format!("{}-{hash}", name(workload));
        }
        let mut labels = workload["spec"]["template"]["metadata"]["labels"].clone();
        labels[HASH] = json!(hash);
        outcome.push(Write::Create {
            resource: REVISIONS,
            object: json!({
                "apiVersion": "apps/v1",
                "kind": "ControllerRevision",
                "metadata": {
                    "name": update,
                    "namespace": namespace(workload),
                    "labels": labels,
                    "ownerReferences": [owner_reference(workload)],
                },
                "data": data,
                "revision": next,
            }),
            note: None,
        });
        Self { known, update, collisions }
    }

    /// The template of a revision; the workload's own for the update revision and for one that is lost.
    pub fn template<'a>(&'a self, revision: &str, workload: &'a Value) -> &'a Value {
        let known = self.known.iter().find(|known| revision != self.update && name(known) == revision);
        let template = known.and_then(|known| known.pointer("/data/spec/template"));
        template.unwrap_or(&workload["spec"]["template"])
    }

    /// Deletes the oldest revisions beyond `spec.revisionHistoryLimit` that nobody lives by.
    pub fn trim(&self, workload: &Value, live: &[&str], outcome: &mut Outcome) {
        let limit = number(workload, "/spec/revisionHistoryLimit").unwrap_or(10).max(0) as usize;
        let idle: Vec<&Arc<Value>> = self
            .known
            .iter()
            .filter(|revision| name(revision) != self.update && !live.contains(&name(revision)))
            .collect();
        for revision in idle.iter().take(idle.len().saturating_sub(limit)) {
            outcome.push(Write::Delete { target: Target::of(REVISIONS, revision), note: None });
        }
    }
}

/// What a revision records: the template, as a patch that replaces it.
fn data_of(template: &Value) -> Value {
    let mut template = template.clone();
    template["$patch"] = json!("replace");
    json!({"spec": {"template": template}})
}

/// The hash of a revision's name, as pods of a DaemonSet are labelled.
pub fn hash_of<'a>(revision: &'a str, workload: &Value) -> &'a str {
    revision.strip_prefix(name(workload)).map_or(revision, |rest| rest.trim_start_matches('-'))
}

/// The revision that a pod was made from.
pub fn of_pod(pod: &Value) -> &str {
    super::object::labels(pod).and_then(|labels| labels.get(HASH)).map_or("", |hash| text(hash, ""))
}
