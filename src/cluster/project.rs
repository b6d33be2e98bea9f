//! Objects become rows: what the cockpit shows and the engine decides on, and nothing else. Health is judged here, where
//! the whole object is at hand; afterwards the object is dropped.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::api::DynamicObject;
use kube::core::ApiResource;
use serde_json::Value;

use crate::domain::health::rules;
use crate::domain::labels;
use crate::domain::names::short_hash;
use crate::domain::object::{ContainerSummary, Detail, EventSummary, PodDetail, WorkloadDetail};
use crate::domain::route::GATEWAY_GROUP;
use crate::domain::{ObjectKey, ObjectSummary};

/// A projected object, and the trace that our own writes left on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What is shown.
    pub summary: ObjectSummary,
    /// A short hash of the fields that the server records as ours; none when we never wrote it. It changes when
    /// somebody else takes one of our fields over or removes it, and never when a controller adds its own: so it tells
    /// drift without keeping the object.
    pub owned: Option<String>,
}

/// The object's JSON as the server would return it by itself: items of a list lack their kind, and `managedFields` is of
/// no use to anybody who reads it.
pub(super) fn complete(mut object: DynamicObject, resource: &ApiResource) -> Value {
    object.metadata.managed_fields = None;
    let mut value = serde_json::to_value(object).unwrap_or_default();
    if value["kind"].as_str().is_none_or(str::is_empty) {
        value["kind"] = resource.kind.clone().into();
        value["apiVersion"] = resource.api_version.clone().into();
    }
    value
}

/// The row of an object as the server sent it.
pub(super) fn row(object: DynamicObject, resource: &ApiResource) -> Row {
    let owned = owned_fields(&object);
    Row { summary: summary(&complete(object, resource)), owned }
}

/// What we applied, with what actions of ours have taken over from that for a while: to others it is all ours.
fn owned_fields(object: &DynamicObject) -> Option<String> {
    let entries = object.metadata.managed_fields.as_ref()?;
    let of = |manager: &'static str| {
        let entries = entries.iter().filter(move |entry| entry.manager.as_deref() == Some(manager));
        entries.filter(|entry| entry.subresource.as_deref() != Some("status"))
    };
    let mut applied = of(labels::MANAGER).filter(|entry| entry.operation.as_deref() == Some("Apply"));
    let applied = applied.find(|entry| entry.subresource.as_deref().unwrap_or_default().is_empty())?;
    let mut ours = applied.fields_v1.as_ref()?.0.clone();
    for entry in of(labels::ACTION_MANAGER) {
        if let Some(fields) = &entry.fields_v1 {
            add_fields(&mut ours, &without_mark(fields.0.clone()));
        }
    }
    Some(short_hash(&[&ours.to_string()]))
}

/// The fields of an action without its mark, which is a note to ourselves and no part of what was applied.
fn without_mark(mut fields: Value) -> Value {
    let Some(metadata) = fields.get_mut("f:metadata").and_then(Value::as_object_mut) else { return fields };
    if let Some(known) = metadata.get_mut("f:labels").and_then(Value::as_object_mut) {
        known.retain(|label, _| label != "." && label.strip_prefix("f:") != Some(labels::SCALED));
        if known.is_empty() {
            metadata.remove("f:labels");
        }
    }
    if metadata.is_empty()
        && let Some(all) = fields.as_object_mut()
    {
        all.remove("f:metadata");
    }
    fields
}

/// Adds a set of fields to another one.
fn add_fields(to: &mut Value, more: &Value) {
    let (Some(to), Some(more)) = (to.as_object_mut(), more.as_object()) else { return };
    for (field, inside) in more {
        match to.get_mut(field) {
            Some(known) => add_fields(known, inside),
            None => {
                to.insert(field.clone(), inside.clone());
            }
        }
    }
}

/// The summary of an object's JSON.
pub fn summary(object: &Value) -> ObjectSummary {
    let metadata = &object["metadata"];
    ObjectSummary {
        key: key(object),
        uid: text(&metadata["uid"]),
        resource_version: text(&metadata["resourceVersion"]),
        owner: controller(metadata),
        labels: strings(&metadata["labels"]),
        created: time(&metadata["creationTimestamp"]),
        deleting: !metadata["deletionTimestamp"].is_null(),
        verdict: rules::assess(object),
        detail: detail(object),
    }
}

/// The name of the object that this JSON describes.
pub fn key(object: &Value) -> ObjectKey {
    ObjectKey {
        api_version: text(&object["apiVersion"]),
        kind: text(&object["kind"]),
        namespace: text(&object["metadata"]["namespace"]),
        name: text(&object["metadata"]["name"]),
    }
}

/// The summary of a core/v1 Event; none when it says nothing about any object or has no time at all.
pub fn event(object: &Value) -> Option<EventSummary> {
    let about = &object["involvedObject"];
    let at = [&object["series"]["lastObservedTime"], &object["lastTimestamp"], &object["eventTime"]]
        .into_iter()
        .chain([&object["firstTimestamp"], &object["metadata"]["creationTimestamp"]])
        .find_map(time)?;
    let count = object["series"]["count"].as_u64().or_else(|| object["count"].as_u64()).unwrap_or(1);
    Some(EventSummary {
        at,
        warning: object["type"] == "Warning",
        reason: text(&object["reason"]),
        message: text(&object["message"]),
        object: format!("{}/{}", about["kind"].as_str()?, about["name"].as_str()?),
        count: u32::try_from(count).unwrap_or(u32::MAX),
    })
}

fn detail(object: &Value) -> Detail {
    let (spec, status) = (&object["spec"], &object["status"]);
    match object["kind"].as_str().unwrap_or_default() {
        "Deployment" | "StatefulSet" | "ReplicaSet" => Detail::Workload(WorkloadDetail {
            desired: spec["replicas"].as_u64().map_or(1, clamp),
            ready: number(&status["readyReplicas"]),
            updated: number(&status["updatedReplicas"]),
            available: number(&status["availableReplicas"]),
            images: images(spec),
        }),
        "DaemonSet" => Detail::Workload(WorkloadDetail {
            desired: number(&status["desiredNumberScheduled"]),
            ready: number(&status["numberReady"]),
            updated: number(&status["updatedNumberScheduled"]),
            available: number(&status["numberAvailable"]),
            images: images(spec),
        }),
        "Pod" => Detail::Pod(pod(object)),
        "Service" => Detail::Service {
            cluster_ip: text(&spec["clusterIP"]),
            ports: items(&spec["ports"]).filter_map(|port| port["port"].as_u64()?.try_into().ok()).collect(),
        },
        "Ingress" => Detail::Route(route::ingress(object)),
        "HTTPRoute" => Detail::Route(gateway::http_route(object)),
        "IngressRoute" => Detail::Route(route::ingress_route(object)),
        "Gateway" if is_of(object, GATEWAY_GROUP) => Detail::Gateway(gateway::gateway(object)),
        "Certificate" if is_of(object, "cert-manager.io") => certificate::certificate(object),
        "EndpointSlice" => route::endpoints(object),
        "PersistentVolumeClaim" => {
            let capacity = &status["capacity"]["storage"];
            let size = if capacity.is_null() { &spec["resources"]["requests"]["storage"] } else { capacity };
            Detail::Volume { phase: text(&status["phase"]), size: text(size) }
        }
        _ => Detail::Other,
    }
}

/// Whether an object is of this API group: kinds of others have the same names.
fn is_of(object: &Value, group: &str) -> bool {
    object["apiVersion"]
        .as_str()
        .and_then(|version| version.split_once('/'))
        .is_some_and(|(of, _)| of == group)
}

fn pod(object: &Value) -> PodDetail {
    let (spec, status) = (&object["spec"], &object["status"]);
    let states: BTreeMap<&str, &Value> = items(&status["containerStatuses"])
        .filter_map(|state| Some((state["name"].as_str()?, state)))
        .collect();
    let container = |declared: &Value| {
        let name = text(&declared["name"]);
        match states.get(name.as_str()) {
            Some(status) => container(declared, status),
            None => ContainerSummary { name, image: text(&declared["image"]), ..ContainerSummary::default() },
        }
    };
    PodDetail {
        phase: text(&status["phase"]),
        node: text(&spec["nodeName"]),
        ip: text(&status["podIP"]),
        containers: items(&spec["containers"]).map(container).collect(),
        simulated: marked_simulated(&object["metadata"]),
    }
}

fn marked_simulated(metadata: &Value) -> bool {
    ["annotations", "labels"].into_iter().any(|map| metadata[map][labels::SIMULATED] == "true")
}

fn container(declared: &Value, status: &Value) -> ContainerSummary {
    let (state, last) = (&status["state"], &status["lastState"]["terminated"]);
    let (word, started) = if let Some(running) = state["running"].as_object() {
        ("Running".to_owned(), running.get("startedAt").and_then(time))
    } else if state["terminated"].is_object() {
        (reason(&state["terminated"], "Terminated"), time(&state["terminated"]["startedAt"]))
    } else {
        (reason(&state["waiting"], "Waiting"), None)
    };
    let exit_code = state["terminated"]["exitCode"].as_i64().or_else(|| last["exitCode"].as_i64());
    ContainerSummary {
        name: text(&declared["name"]),
        image: text(&declared["image"]),
        ready: status["ready"] == true,
        restarts: number(&status["restartCount"]),
        state: word,
        exit_code: exit_code.and_then(|code| code.try_into().ok()),
        started,
    }
}

fn reason(state: &Value, otherwise: &str) -> String {
    state["reason"].as_str().filter(|reason| !reason.is_empty()).unwrap_or(otherwise).to_owned()
}

fn images(spec: &Value) -> Vec<String> {
    items(&spec["template"]["spec"]["containers"]).map(|container| text(&container["image"])).collect()
}

fn controller(metadata: &Value) -> Option<String> {
    let owner = items(&metadata["ownerReferences"]).find(|owner| owner["controller"] == true)?;
    owner["uid"].as_str().map(str::to_owned)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(name, value)| (name.clone(), text(value))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u32 {
    value.as_u64().map_or(0, clamp)
}

fn clamp(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

mod certificate;
mod gateway;
mod route;

#[cfg(test)]
mod tests;
