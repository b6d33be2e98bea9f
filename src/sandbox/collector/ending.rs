//! Namespaces and custom resource definitions that end, and events that are old.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{MANAGER, owners};
use crate::sandbox::api::{Api, DeleteOptions, Part, WriteOptions};
use crate::sandbox::clock::rfc3339;
use crate::sandbox::namespaces::FINALIZER;
use crate::sandbox::object;

/// Holds a custom resource definition until its custom resources are gone.
pub const DEFINITION_FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";
/// How long events are kept, as by a real server's default.
const EVENT_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Empties the namespaces that are being deleted, pods first, and lets the empty ones go.
pub fn namespaces(api: &Api) {
    for namespace in api.list("namespaces", None) {
        let held = object::texts(&namespace, "/spec/finalizers").contains(&FINALIZER);
        if object::deleting(&namespace) && held {
            end_namespace(api, object::name(&namespace));
        }
    }
}

fn end_namespace(api: &Api, namespace: &str) {
    if !api.list("pods", Some(namespace)).is_empty() {
        delete_all(api, "pods", Some(namespace));
    }
    if api.list("pods", Some(namespace)).is_empty() {
        for resource in api.stored_resources() {
            delete_all(api, &resource, Some(namespace));
        }
    }
    let left: BTreeMap<String, usize> = api
        .stored_resources()
        .into_iter()
        .map(|resource| (api.list(&resource, Some(namespace)).len(), resource))
        .filter(|(count, _)| *count > 0)
        .map(|(count, resource)| (resource, count))
        .collect();
    let result = if left.is_empty() {
        let finalize = |value: &mut Value| value["spec"]["finalizers"] = json!([]);
        let options = WriteOptions::new(MANAGER, Part::Finalize, api.now());
        api.mutate_part("namespaces", ("", namespace), &options, finalize)
    } else {
        let condition = remaining(&left, &rfc3339(api.now()));
        api.mutate_status("namespaces", "", namespace, MANAGER, |value| set_condition(value, condition))
    };
    if let Err(status) = result {
        tracing::warn!(namespace, %status.message, "a namespace does not end");
    }
}

/// The condition that says what holds a namespace.
fn remaining(left: &BTreeMap<String, usize>, now: &str) -> Value {
    let parts: Vec<String> =
        left.iter().map(|(resource, count)| format!("{resource} has {count} resource instances")).collect();
    json!({
        "type": "NamespaceContentRemaining",
        "status": "True",
        "reason": "SomeResourcesRemain",
        "message": format!("Some resources are remaining: {}", parts.join(", ")),
        "lastTransitionTime": now,
    })
}

/// Sets the only condition; its time changes with its text only, so that waiting writes nothing.
fn set_condition(value: &mut Value, condition: Value) {
    if value.pointer("/status/conditions/0/message") != condition.get("message") {
        object::child_mut(value, "status").insert("conditions".to_owned(), json!([condition]));
    }
}

/// Deletes the custom resources of definitions that are being deleted, and lets those go that have none left.
pub fn definitions(api: &Api) {
    for definition in api.list(DEFINITIONS, None) {
        if !object::deleting(&definition) || !object::finalizers(&definition).contains(&DEFINITION_FINALIZER)
        {
            continue;
        }
        let resource = object::name(&definition);
        say_ending(api, resource);
        delete_all(api, resource, None);
        if api.list(resource, None).is_empty() {
            owners::remove_finalizer(api, DEFINITIONS, &definition, DEFINITION_FINALIZER);
        }
    }
}

/// Says on a definition that its custom resources are being deleted.
fn say_ending(api: &Api, definition: &str) {
    let condition = json!({
        "type": "Terminating",
        "status": "True",
        "reason": "InstanceDeletionInProgress",
        "message": "CustomResource deletion is in progress",
        "lastTransitionTime": rfc3339(api.now()),
    });
    let result = api.mutate_status(DEFINITIONS, "", definition, MANAGER, |value| {
        let conditions = object::child_mut(value, "status").entry("conditions").or_insert_with(|| json!([]));
        if let Some(conditions) = conditions.as_array_mut()
            && !conditions.iter().any(|known| known["type"] == "Terminating")
        {
            conditions.push(condition);
        }
    });
    if let Err(status) = result {
        tracing::warn!(definition, %status.message, "a definition does not say that it ends");
    }
}

fn delete_all(api: &Api, resource: &str, namespace: Option<&str>) {
    for value in api.list(resource, namespace) {
        if object::deleting(&value) {
            continue;
        }
        let (namespace, name) = (object::namespace(&value), object::name(&value));
        if let Err(status) = api.delete(resource, namespace, name, &DeleteOptions::default()) {
            tracing::warn!(resource, namespace, name, %status.message, "an object was not deleted with its home");
        }
    }
}

/// Deletes the events that were last seen more than an hour ago.
pub fn old_events(api: &Api) {
    let now = api.now();
    for event in api.list("events", None) {
        let seen =
            ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"]
                .iter()
                .find_map(|pointer| object::text(&event, pointer).parse::<Timestamp>().ok());
        if seen.is_some_and(|seen| now.duration_since(seen) > EVENT_LIFE) {
            let (namespace, name) = (object::namespace(&event), object::name(&event));
            // Somebody else may have deleted it meanwhile.
            let _ = api.delete("events", namespace, name, &DeleteOptions::default());
        }
    }
}
