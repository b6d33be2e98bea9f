//! Deleting: preconditions, grace, finalizers, propagation (operations reference §3.8).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::objects::Objects;
use super::ring::ChangeKind;
use super::{definitions, object, rules};
use crate::sandbox::clock::rfc3339;
use crate::sandbox::kinds::ResourceType;
use crate::sandbox::namespaces;
use crate::sandbox::status::Status;

/// The finalizer of an object whose dependents must be left without an owner first.
pub const ORPHAN: &str = "orphan";
/// The finalizer of an object whose dependents must be gone first.
pub const FOREGROUND: &str = "foregroundDeletion";

const DEFAULT_GRACE: i64 = 30;

/// What happens to the objects that a deleted object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted after it.
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay, without that owner.
    Orphan,
}

/// How an object is to be deleted.
#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    /// Seconds that a pod has to stop; its own `terminationGracePeriodSeconds` when absent.
    pub grace_seconds: Option<i64>,
    /// What happens to what it owns; background when absent.
    pub propagation: Option<Propagation>,
    /// Only the object with this uid.
    pub uid: Option<String>,
    /// Only the object at this resourceVersion.
    pub resource_version: Option<String>,
    /// Answer as if it were deleted, and store nothing.
    pub dry_run: bool,
}

/// What a deletion did.
#[derive(Debug, Clone)]
pub struct Removal {
    /// The object as it is now, or as it was last.
    pub object: Arc<Value>,
    /// Whether it is gone.
    pub gone: bool,
}

/// Deletes an object, or marks it as being deleted when something still holds it.
pub fn delete(
    objects: &mut Objects,
    kind: &ResourceType,
    key: (&str, &str),
    options: &DeleteOptions,
    now: Option<Timestamp>,
) -> Result<Removal, Status> {
    let (namespace, name) = key;
    let storage = kind.storage();
    let Some(old) = objects.get(&storage, namespace, name).cloned() else {
        return Err(Status::not_found(&kind.qualified(), name));
    };
    check_preconditions(kind, &old, options)?;
    if storage == "namespaces" && namespaces::DEFAULT.contains(&name) {
        return Err(Status::forbidden("namespaces", name, "this namespace may not be deleted"));
    }
    let finalizers = finalizers_after(&old, options.propagation);
    let mut value = (*old).clone();
    object::set_finalizers(&mut value, finalizers.clone());
    let grace = if kind.storage() == "pods" { grace_of(&old, options) } else { 0 };
    let held = !finalizers.is_empty()
        || !object::list(&old, "/spec/finalizers").is_empty() && storage == "namespaces";
    let gone = grace == 0 && !held;
    // Without a time nothing is stored, as in a dry run.
    let Some(now) = now else {
        return Ok(Removal { object: old, gone });
    };
    if options.dry_run {
        if !gone {
            mark(&old, &mut value, grace, now);
        }
        return Ok(Removal { object: Arc::new(value), gone });
    }
    if gone {
        let object = objects.commit(&storage, ChangeKind::Deleted, value);
        after_removal(objects, &storage, &object, now);
        return Ok(Removal { object, gone });
    }
    mark(&old, &mut value, grace, now);
    if storage == "namespaces" {
        object::child_mut(&mut value, "status").insert("phase".to_owned(), json!("Terminating"));
    }
    if value == *old {
        return Ok(Removal { object: old, gone: false });
    }
    Ok(Removal { object: objects.commit(&storage, ChangeKind::Modified, value), gone: false })
}

/// What follows from an object's being gone.
pub fn after_removal(objects: &mut Objects, storage: &str, object: &Value, now: Timestamp) {
    if storage == definitions::RESOURCE {
        definitions::names_are_free(objects, &object["spec"]["group"], now);
    }
}

fn check_preconditions(kind: &ResourceType, old: &Value, options: &DeleteOptions) -> Result<(), Status> {
    let stored = [
        ("UID", &options.uid, object::uid(old), "deleted and then recreated"),
        (
            "ResourceVersion",
            &options.resource_version,
            object::text(old, "/metadata/resourceVersion"),
            "modified",
        ),
    ];
    for (what, wanted, found, happened) in stored {
        if let Some(wanted) = wanted.as_deref()
            && wanted != found
        {
            let why = format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). The object might have been {happened}"
            );
            return Err(Status::conflict(&rules::qualified_kind(kind), object::name(old), &why));
        }
    }
    Ok(())
}

/// The finalizers once the propagation policy has said what it needs; an explicit policy beats what stands there.
fn finalizers_after(old: &Value, propagation: Option<Propagation>) -> Vec<String> {
    let mut finalizers: Vec<String> = object::finalizers(old).into_iter().map(str::to_owned).collect();
    let wanted = match propagation {
        None => return finalizers,
        Some(Propagation::Background) => None,
        Some(Propagation::Foreground) => Some(FOREGROUND),
        Some(Propagation::Orphan) => Some(ORPHAN),
    };
    finalizers.retain(|finalizer| {
        finalizer != ORPHAN && finalizer != FOREGROUND || Some(finalizer.as_str()) == wanted
    });
    if let Some(wanted) = wanted
        && !finalizers.iter().any(|finalizer| finalizer == wanted)
    {
        finalizers.push(wanted.to_owned());
    }
    finalizers
}

/// The seconds a pod gets: none when it runs nowhere or has ended already.
fn grace_of(pod: &Value, options: &DeleteOptions) -> i64 {
    let unscheduled = object::text(pod, "/spec/nodeName").is_empty();
    let ended = matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed");
    if unscheduled || ended {
        return 0;
    }
    let own = pod.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64);
    // A negative grace means one second, as in Kubernetes.
    let grace = options.grace_seconds.or(own).unwrap_or(DEFAULT_GRACE);
    if grace < 0 { 1 } else { grace }
}

/// Sets the deletion marks; a later deletion can only shorten the grace.
fn mark(old: &Value, value: &mut Value, grace: i64, now: Timestamp) {
    let first = deletion_start(old);
    if first.is_some_and(|(_, before)| grace >= before) {
        return;
    }
    let start = first.map_or(now, |(start, _)| start);
    let at = start.saturating_add(SignedDuration::from_secs(grace)).unwrap_or(start);
    let generation = old.pointer("/metadata/generation").and_then(Value::as_i64);
    let metadata = object::metadata_mut(value);
    metadata.insert("deletionTimestamp".to_owned(), Value::from(rfc3339(at)));
    metadata.insert("deletionGracePeriodSeconds".to_owned(), Value::from(grace));
    if let (Some(generation), None) = (generation, first) {
        metadata.insert("generation".to_owned(), Value::from(generation + 1));
    }
}

/// When the first deletion came, and the grace that holds now.
fn deletion_start(old: &Value) -> Option<(Timestamp, i64)> {
    let at: Timestamp = object::text(old, "/metadata/deletionTimestamp").parse().ok()?;
    let grace = old.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64).unwrap_or(0);
    let start = at.saturating_sub(SignedDuration::from_secs(grace)).ok()?;
    Some((start, grace))
}
