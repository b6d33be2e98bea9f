//! Owner references (operations reference §3.8).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::MANAGER;
use crate::sandbox::api::{Api, DeleteOptions, FOREGROUND, ORPHAN, Propagation};
use crate::sandbox::object;

/// An object with the table that it is in.
type Row = (String, Arc<Value>);

/// What stands behind an owner reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// There, and staying.
    Solid,
    /// There, but waiting for its dependents to go.
    Waiting,
    /// Gone.
    Missing,
    /// It would be in another namespace: as good as gone, and worth telling.
    Elsewhere,
}

struct Picture {
    rows: Vec<Row>,
    by_uid: HashMap<String, usize>,
    /// The dependents of an owner's uid.
    dependents: HashMap<String, Vec<usize>>,
}

impl Picture {
    fn new(rows: Vec<Row>) -> Self {
        let by_uid = rows
            .iter()
            .enumerate()
            .map(|(index, (_, value))| (object::uid(value).to_owned(), index))
            .collect();
        let mut dependents: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, (_, value)) in rows.iter().enumerate() {
            for owner in object::owners(value) {
                dependents.entry(object::text(owner, "/uid").to_owned()).or_default().push(index);
            }
        }
        Self { rows, by_uid, dependents }
    }

    fn owner(&self, dependent: &Value, reference: &Value) -> Owner {
        let Some(&index) = self.by_uid.get(object::text(reference, "/uid")) else { return Owner::Missing };
        let owner = &self.rows[index].1;
        let home = object::namespace(owner);
        if !home.is_empty() && home != object::namespace(dependent) {
            return Owner::Elsewhere;
        }
        if object::deleting(owner) && object::finalizers(owner).contains(&FOREGROUND) {
            return Owner::Waiting;
        }
        Owner::Solid
    }

    fn dependents_of(&self, owner: &Value) -> impl Iterator<Item = &Row> {
        let indexes = self.dependents.get(object::uid(owner)).map_or(&[][..], Vec::as_slice);
        indexes.iter().map(|&index| &self.rows[index])
    }
}

/// Deletes what nothing owns any more, and lets owners go whose dependents are dealt with.
pub fn collect(api: &Api) {
    let picture = Picture::new(api.everything());
    for (resource, value) in &picture.rows {
        if !object::owners(value).is_empty() && !object::deleting(value) {
            collect_dependent(api, &picture, resource, value);
        }
        if object::deleting(value) {
            release(api, &picture, resource, value);
        }
    }
}

/// One object that names owners.
fn collect_dependent(api: &Api, picture: &Picture, resource: &str, value: &Value) {
    let references = object::owners(value);
    let states: Vec<Owner> = references.iter().map(|reference| picture.owner(value, reference)).collect();
    if states.iter().all(|&state| state == Owner::Solid) {
        return;
    }
    if states.contains(&Owner::Elsewhere) {
        let text = "ownerRef does not exist in this namespace; the owner must be in the same namespace";
        api.record_event(value, true, "OwnerRefInvalidNamespace", text, MANAGER);
    }
    if states.contains(&Owner::Solid) {
        let gone: HashSet<String> = references
            .iter()
            .zip(&states)
            .filter(|(_, state)| **state != Owner::Solid)
            .map(|(reference, _)| object::text(reference, "/uid").to_owned())
            .collect();
        drop_owners(api, resource, value, &gone);
        return;
    }
    let blocked = picture.dependents_of(value).any(|(_, dependent)| blocks(dependent, value));
    let finalizers = object::finalizers(value);
    let propagation = if states.contains(&Owner::Waiting) && blocked || finalizers.contains(&FOREGROUND) {
        Propagation::Foreground
    } else if finalizers.contains(&ORPHAN) {
        Propagation::Orphan
    } else {
        Propagation::Background
    };
    delete(api, resource, value, propagation);
}

/// Lets an object go that is being deleted and waits for the collector.
fn release(api: &Api, picture: &Picture, resource: &str, owner: &Value) {
    let finalizers = object::finalizers(owner);
    if finalizers.contains(&ORPHAN) {
        let uid = HashSet::from([object::uid(owner).to_owned()]);
        for (resource, dependent) in picture.dependents_of(owner) {
            drop_owners(api, resource, dependent, &uid);
        }
        remove_finalizer(api, resource, owner, ORPHAN);
    } else if finalizers.contains(&FOREGROUND)
        && !picture.dependents_of(owner).any(|(_, dependent)| blocks(dependent, owner))
    {
        remove_finalizer(api, resource, owner, FOREGROUND);
    }
}

/// Whether a dependent holds its owner's foreground deletion.
fn blocks(dependent: &Value, owner: &Value) -> bool {
    object::owners(dependent).iter().any(|reference| {
        object::text(reference, "/uid") == object::uid(owner)
            && reference.get("blockOwnerDeletion").and_then(Value::as_bool).unwrap_or(false)
    })
}

fn drop_owners(api: &Api, resource: &str, dependent: &Value, uids: &HashSet<String>) {
    let (namespace, name) = (object::namespace(dependent), object::name(dependent));
    let result = api.mutate(resource, namespace, name, MANAGER, |value| {
        let metadata = object::metadata_mut(value);
        let mut empty = false;
        if let Some(Value::Array(references)) = metadata.get_mut("ownerReferences") {
            references.retain(|reference| !uids.contains(object::text(reference, "/uid")));
            empty = references.is_empty();
        }
        if empty {
            metadata.remove("ownerReferences");
        }
    });
    if let Err(status) = result {
        tracing::warn!(resource, namespace, name, %status.message, "owner references were not removed");
    }
}

/// Takes one finalizer from an object.
pub fn remove_finalizer(api: &Api, resource: &str, value: &Value, finalizer: &str) {
    let (namespace, name) = (object::namespace(value), object::name(value));
    let result = api.mutate(resource, namespace, name, MANAGER, |value| {
        let kept = object::finalizers(value)
            .into_iter()
            .filter(|&one| one != finalizer)
            .map(str::to_owned)
            .collect();
        object::set_finalizers(value, kept);
    });
    if let Err(status) = result {
        tracing::warn!(resource, namespace, name, %status.message, "a finalizer was not removed");
    }
}

fn delete(api: &Api, resource: &str, value: &Value, propagation: Propagation) {
    let (namespace, name) = (object::namespace(value), object::name(value));
    let options = DeleteOptions {
        propagation: Some(propagation),
        uid: Some(object::uid(value).to_owned()),
        ..DeleteOptions::default()
    };
    if let Err(status) = api.delete(resource, namespace, name, &options)
        && status.code != 404
    {
        tracing::warn!(resource, namespace, name, %status.message, "an orphan was not collected");
    }
}
