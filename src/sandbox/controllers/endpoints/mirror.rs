//! Mirroring: EndpointSlices for the Endpoints that a person wrote for a Service without a selector; and the end of those
//! that the controller made, when their Service is gone.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::object::{deleting, label, labels, list, map, name, namespace, owner_reference, text, uid};
use super::super::write::{Context, Outcome, Target, Write};
use super::{LEGACY, MANAGED_BY, SERVICE_NAME, SERVICES, SLICES, legacy};

const MANAGER: &str = "endpointslicemirroring-controller.k8s.io";
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";

/// Brings the mirror of Endpoints up to date: one slice for each subset and family of addresses.
pub fn sync(context: &Context<'_>, endpoints: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let service = context.cache.get(SERVICES, namespace(endpoints), name(endpoints));
    if legacy::is_managed(endpoints) {
        if service.is_none() && !deleting(endpoints) {
            outcome.push(Write::Delete { target: Target::of(LEGACY, endpoints), note: None });
        }
        return outcome;
    }
    let mut present: Vec<Arc<Value>> = context.cache.owned(SLICES, uid(endpoints)).cloned().collect();
    present.retain(|slice| label(slice, MANAGED_BY) == MANAGER && !deleting(slice));
    for wanted in wanted(service, endpoints) {
        let same = |slice: &Arc<Value>| slice["addressType"] == wanted["addressType"];
        match present.iter().position(same) {
            Some(found) => update(&present.remove(found), &wanted, &mut outcome),
            None => outcome.push(Write::Create { resource: SLICES, object: wanted, note: None }),
        }
    }
    for slice in present {
        outcome.push(Write::Delete { target: Target::of(SLICES, &slice), note: None });
    }
    outcome
}

/// The slices that should be: none without a Service, or with one that has a selector.
fn wanted(service: Option<&Arc<Value>>, endpoints: &Value) -> Vec<Value> {
    let by_hand = service.is_some_and(|service| {
        map(service, "/spec/selector").is_none_or(Map::is_empty) && !deleting(service)
    });
    if !by_hand || deleting(endpoints) || label(endpoints, SKIP) == "true" {
        return Vec::new();
    }
    let mut slices = Vec::new();
    for subset in list(endpoints, "/subsets") {
        for (kind, is_six) in [("IPv4", false), ("IPv6", true)] {
            let mut found = Vec::new();
            for (field, ready) in [("addresses", true), ("notReadyAddresses", false)] {
                let of_kind = |address: &&Value| text(address, "/ip").contains(':') == is_six;
                let addresses = list(subset, &format!("/{field}")).iter().filter(of_kind);
                found.extend(addresses.map(|address| endpoint(address, ready)));
            }
            if !found.is_empty() {
                slices.push(slice(endpoints, kind, found, ports(subset)));
            }
        }
    }
    slices
}

fn endpoint(address: &Value, ready: bool) -> Value {
    let mut endpoint = json!({"addresses": [text(address, "/ip")], "conditions": {"ready": ready}});
    for field in ["hostname", "nodeName", "targetRef"] {
        if let Some(value) = address.get(field) {
            endpoint[field] = value.clone();
        }
    }
    endpoint
}

fn ports(subset: &Value) -> Vec<Value> {
    let filled = |port: &Value| {
        let mut port = port.clone();
        if port.get("name").is_none() {
            port["name"] = json!("");
        }
        port
    };
    list(subset, "/ports").iter().map(filled).collect()
}

fn slice(endpoints: &Value, kind: &str, found: Vec<Value>, ports: Vec<Value>) -> Value {
    let mut all = labels(endpoints).cloned().unwrap_or_default();
    all.insert(SERVICE_NAME.to_owned(), json!(name(endpoints)));
    all.insert(MANAGED_BY.to_owned(), json!(MANAGER));
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {
            "generateName": format!("{}-", name(endpoints)), "namespace": namespace(endpoints), "labels": all,
            "ownerReferences": [owner_reference(endpoints)]},
        "addressType": kind, "endpoints": found, "ports": ports})
}

fn update(slice: &Value, wanted: &Value, outcome: &mut Outcome) {
    let changed = ["endpoints", "ports"].into_iter().filter(|field| slice[*field] != wanted[*field]);
    let patch: Map<String, Value> = changed.map(|field| (field.to_owned(), wanted[field].clone())).collect();
    if !patch.is_empty() {
        outcome.push(Write::Merge { target: Target::of(SLICES, slice), patch: Value::Object(patch) });
    }
}
