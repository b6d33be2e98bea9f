//! Services: EndpointSlices from the pods that they select, and the address of those of type LoadBalancer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::object::{
    deleting, flag, label, labels, list, map, name, namespace, number, owner_reference, text, uid,
};
use super::pods::{self, PODS};
use super::selector;
use super::write::{Context, Outcome, Target, Write};

pub mod legacy;
pub mod mirror;

/// The resource.
pub const SERVICES: &str = "services";
/// EndpointSlices.
pub const SLICES: &str = "endpointslices.discovery.k8s.io";
/// Endpoints, the older form.
pub const LEGACY: &str = "endpoints";
const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGER: &str = "endpointslice-controller.k8s.io";
/// The most endpoints of one slice.
const SLICE_SIZE: usize = 100;

/// One slice as it should be.
#[derive(Debug, PartialEq)]
struct Wanted {
    ports: Value,
    endpoints: Vec<Value>,
}

/// Brings the slices of a Service in line with its pods.
pub fn sync(context: &Context<'_>, service: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let selects = map(service, "/spec/selector").filter(|selector| !selector.is_empty());
    let external = text(service, "/spec/type") == "ExternalName";
    let Some(wanted) = selects.filter(|_| !external && !deleting(service)) else { return outcome };
    let mut present: Vec<Arc<Value>> = context.cache.owned(SLICES, uid(service)).cloned().collect();
    present.retain(|slice| label(slice, MANAGED_BY) == MANAGER && !deleting(slice));
    for wanted in slices(context, service, wanted) {
        match take_best(&mut present, &wanted) {
            Some(slice) => update(service, &slice, &wanted, &mut outcome),
            None => {
                outcome.push(Write::Create { resource: SLICES, object: new(service, wanted), note: None })
            }
        }
    }
    for slice in present {
        outcome.push(Write::Delete { target: Target::of(SLICES, &slice), note: None });
    }
    outcome
}

/// The slices of a service: pods that resolve its ports alike go together, a hundred to a slice; one empty slice at least.
fn slices(context: &Context<'_>, service: &Value, selector: &Map<String, Value>) -> Vec<Wanted> {
    let mut groups: BTreeMap<String, (Value, Vec<Value>)> = BTreeMap::new();
    for pod in context.cache.in_namespace(PODS, namespace(service)) {
        let addressed = !text(pod, "/status/podIP").is_empty() && !pods::is_finished(pod);
        if addressed && selector::contains(labels(pod), selector) {
            let ports = ports(service, pod);
            let group = groups.entry(ports.to_string()).or_insert_with(|| (ports, Vec::new()));
            group.1.push(endpoint(service, pod));
        }
    }
    let mut slices: Vec<Wanted> = groups
        .into_values()
        .flat_map(|(ports, endpoints)| {
            let chunks: Vec<Vec<Value>> = endpoints.chunks(SLICE_SIZE).map(<[Value]>::to_vec).collect();
            chunks.into_iter().map(move |endpoints| Wanted { ports: ports.clone(), endpoints })
        })
        .collect();
    if slices.is_empty() {
        slices.push(Wanted { ports: json!([]), endpoints: Vec::new() });
    }
    slices
}

/// The ports of a service as a pod has them; a name that the pod does not know is left out.
fn ports(service: &Value, pod: &Value) -> Value {
    let resolved = list(service, "/spec/ports").iter().filter_map(|port| {
        let target = match port.get("targetPort") {
            Some(Value::String(target)) => match target.parse::<i64>() {
                Ok(number) => number,
                Err(_) => container_port(pod, target, protocol(port))?,
            },
            Some(Value::Number(target)) if target.as_i64() != Some(0) => target.as_i64()?,
            _ => number(port, "/port")?,
        };
        let mut resolved = json!({"name": text(port, "/name"), "port": target, "protocol": protocol(port)});
        if let Some(application) = port.get("appProtocol") {
            resolved["appProtocol"] = application.clone();
        }
        Some(resolved)
    });
    Value::Array(resolved.collect())
}

fn protocol(port: &Value) -> &str {
    match text(port, "/protocol") {
        "" => "TCP",
        protocol => protocol,
    }
}

fn container_port(pod: &Value, wanted: &str, wanted_protocol: &str) -> Option<i64> {
    list(pod, "/spec/containers")
        .iter()
        .flat_map(|container| list(container, "/ports"))
        .find(|port| name_of(port) == wanted && protocol(port) == wanted_protocol)
        .and_then(|port| number(port, "/containerPort"))
}

fn name_of(port: &Value) -> &str {
    text(port, "/name")
}

fn endpoint(service: &Value, pod: &Value) -> Value {
    let serving = pods::is_ready(pod);
    let terminating = deleting(pod);
    let published = flag(service, "/spec/publishNotReadyAddresses");
    let mut endpoint = json!({
        "addresses": [text(pod, "/status/podIP")],
        "conditions": {
            "ready": published || serving && !terminating, "serving": serving, "terminating": terminating},
        "targetRef": {"kind": "Pod", "name": name(pod), "namespace": namespace(pod), "uid": uid(pod)},
    });
    let node = text(pod, "/spec/nodeName");
    if !node.is_empty() {
        endpoint["nodeName"] = json!(node);
    }
    let host = text(pod, "/spec/hostname");
    if !host.is_empty() && text(pod, "/spec/subdomain") == name(service) {
        endpoint["hostname"] = json!(host);
    }
    endpoint
}

/// Takes the present slice that already has most of the wanted endpoints' ports, the equal one first.
fn take_best(present: &mut Vec<Arc<Value>>, wanted: &Wanted) -> Option<Arc<Value>> {
    let equal = |slice: &Arc<Value>| {
        list(slice, "/endpoints") == wanted.endpoints.as_slice() && slice["ports"] == wanted.ports
    };
    let alike = |slice: &Arc<Value>| slice["ports"] == wanted.ports || list(slice, "/endpoints").is_empty();
    let found = present.iter().position(equal).or_else(|| present.iter().position(alike));
    let found = found.or(if present.is_empty() { None } else { Some(0) })?;
    Some(present.remove(found))
}

fn update(service: &Value, slice: &Arc<Value>, wanted: &Wanted, outcome: &mut Outcome) {
    let mut patch = Map::new();
    if list(slice, "/endpoints") != wanted.endpoints.as_slice() {
        patch.insert("endpoints".to_owned(), json!(wanted.endpoints));
    }
    if list(slice, "/ports") != wanted.ports.as_array().map_or(&[][..], Vec::as_slice) {
        patch.insert("ports".to_owned(), wanted.ports.clone());
    }
    if labels(slice) != slice_labels(service).as_object() {
        patch.insert("metadata".to_owned(), json!({"labels": slice_labels(service)}));
    }
    if !patch.is_empty() {
        outcome.push(Write::Merge { target: Target::of(SLICES, slice), patch: Value::Object(patch) });
    }
}

fn slice_labels(service: &Value) -> Value {
    let mut all = labels(service).cloned().unwrap_or_default();
    all.insert(SERVICE_NAME.to_owned(), json!(name(service)));
    all.insert(MANAGED_BY.to_owned(), json!(MANAGER));
    if text(service, "/spec/clusterIP") == "None" {
        all.insert("service.kubernetes.io/headless".to_owned(), json!(""));
    }
    Value::Object(all)
}

fn new(service: &Value, wanted: Wanted) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": format!("{}-", name(service)),
            "namespace": namespace(service),
            "labels": slice_labels(service),
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": wanted.endpoints,
        "ports": wanted.ports,
    })
}

/// A Service of type LoadBalancer answers on its cluster address: the sandbox's are reachable from the whole machine.
pub fn sync_load_balancer(service: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let address = text(service, "/spec/clusterIP");
    let balanced = text(service, "/spec/type") == "LoadBalancer" && !matches!(address, "" | "None");
    let balancer = if balanced { json!({"ingress": [{"ip": address}]}) } else { json!({}) };
    let present = service.pointer("/status/loadBalancer").cloned().unwrap_or_else(|| json!({}));
    if !deleting(service) && present != balancer {
        outcome.status(SERVICES, service, json!({"loadBalancer": balancer}));
    }
    outcome
}

#[cfg(test)]
mod tests;
