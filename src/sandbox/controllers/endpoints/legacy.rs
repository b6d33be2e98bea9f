//! Endpoints: the older form of a Service's addresses, which older clients and `kubectl describe service` read.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::object::{deleting, flag, label, labels, list, map, name, namespace, text, uid};
use super::super::pods::{self, PODS};
use super::super::selector;
use super::super::write::{Context, Outcome, Target, Write};
use super::{LEGACY, ports};

/// The label of those that the controller made, and whose they are.
pub(super) const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const MANAGER: &str = "endpoint-controller";
const HEADLESS: &str = "service.kubernetes.io/headless";
/// The most addresses of one object.
const CAPACITY: usize = 1000;
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";

/// Whether the controller made them.
pub(super) fn is_managed(endpoints: &Value) -> bool {
    label(endpoints, MANAGED_BY) == MANAGER
}

/// Brings the Endpoints of a Service in line with its pods. Those of a Service without a selector are a person's.
pub fn sync(context: &Context<'_>, service: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let selects = map(service, "/spec/selector").filter(|selector| !selector.is_empty());
    let external = text(service, "/spec/type") == "ExternalName";
    let Some(wanted) = selects.filter(|_| !external && !deleting(service)) else { return outcome };
    let (subsets, truncated) = subsets(context, service, wanted);
    let mut wanted_labels = labels(service).cloned().unwrap_or_default();
    wanted_labels.insert(MANAGED_BY.to_owned(), json!(MANAGER));
    if text(service, "/spec/clusterIP") == "None" {
        wanted_labels.insert(HEADLESS.to_owned(), json!(""));
    }
    let Some(present) = context.cache.get(LEGACY, namespace(service), name(service)) else {
        let mut metadata =
            json!({"name": name(service), "namespace": namespace(service), "labels": wanted_labels});
        if truncated {
            metadata["annotations"] = json!({OVER_CAPACITY: "truncated"});
        }
        let object =
            json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": subsets});
        outcome.push(Write::Create { resource: LEGACY, object, note: None });
        return outcome;
    };
    let mut patch = Map::new();
    if list(present, "/subsets") != subsets.as_slice() {
        let over = if truncated { json!("truncated") } else { Value::Null };
        patch.insert("subsets".to_owned(), json!(subsets));
        patch.insert("metadata".to_owned(), json!({"annotations": {OVER_CAPACITY: over}}));
    }
    if labels(present) != Some(&wanted_labels) {
        let gone =
            labels(present).into_iter().flat_map(Map::keys).filter(|key| !wanted_labels.contains_key(*key));
        let mut change: Map<String, Value> = gone.map(|key| (key.clone(), Value::Null)).collect();
        change.extend(wanted_labels);
        let metadata = patch.entry("metadata").or_insert_with(|| json!({}));
        metadata["labels"] = json!(change);
    }
    if !patch.is_empty() && !deleting(present) {
        outcome.push(Write::Merge { target: Target::of(LEGACY, present), patch: Value::Object(patch) });
    }
    outcome
}

/// Ready and other addresses, by the ports that they have in common.
type Group = (Value, Vec<Value>, Vec<Value>);

/// The subsets, and whether addresses had to be left out.
fn subsets(context: &Context<'_>, service: &Value, wanted: &Map<String, Value>) -> (Vec<Value>, bool) {
    let published = flag(service, "/spec/publishNotReadyAddresses");
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let (mut total, mut truncated) = (0, false);
    for pod in context.cache.in_namespace(PODS, namespace(service)) {
        let addressed = !text(pod, "/status/podIP").is_empty() && !pods::is_finished(pod);
        let stays = published || !deleting(pod);
        if !addressed || !stays || !selector::contains(labels(pod), wanted) {
            continue;
        }
        if total == CAPACITY {
            truncated = true;
            break;
        }
        total += 1;
        let ports = ports(service, pod);
        let group = groups.entry(ports.to_string()).or_insert_with(|| (ports, Vec::new(), Vec::new()));
        let into = if published || pods::is_ready(pod) { &mut group.1 } else { &mut group.2 };
        into.push(address(service, pod));
    }
    (groups.into_values().map(subset).collect(), truncated)
}

fn subset((mut ports, mut ready, mut waiting): Group) -> Value {
    for port in ports.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        if port.get("name").is_some_and(|name| name == "") {
            port.remove("name");
        }
    }
    let mut subset = json!({});
    for (field, addresses) in [("addresses", &mut ready), ("notReadyAddresses", &mut waiting)] {
        addresses.sort_by(|a, b| text(a, "/ip").cmp(text(b, "/ip")));
        if !addresses.is_empty() {
            subset[field] = json!(addresses);
        }
    }
    if ports.as_array().is_some_and(|ports| !ports.is_empty()) {
        subset["ports"] = ports;
    }
    subset
}

fn address(service: &Value, pod: &Value) -> Value {
    let mut address = json!({
        "ip": text(pod, "/status/podIP"),
        "targetRef": {"kind": "Pod", "namespace": namespace(pod), "name": name(pod), "uid": uid(pod)}});
    let node = text(pod, "/spec/nodeName");
    if !node.is_empty() {
        address["nodeName"] = json!(node);
    }
    let host = text(pod, "/spec/hostname");
    if !host.is_empty() && text(pod, "/spec/subdomain") == name(service) {
        address["hostname"] = json!(host);
    }
    address
}
