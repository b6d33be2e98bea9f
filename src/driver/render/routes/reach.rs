//! Whom policies have to let in where the manifests, or the chart, of a driver bring Services themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::domain::route::{Isolation, Peer, read};
use crate::driver::render::manifests::{kind, name};
use crate::ingress::{Guarded, PolicySet};

/// A service with the pods and the port that its Service has, where the driver brings that: what the driver says of them may be
/// incomplete, and a policy that names another port keeps everybody out.
pub(super) fn as_brought(rendered: &[(String, Value)], declared: Guarded, port: u16) -> Guarded {
    let Some(service) = brought(rendered, &declared.name) else { return declared };
    let Some(selector) = selector(service) else { return declared };
    let entry = ports(service).find(|entry| entry["port"] == port);
    match entry.and_then(target) {
        Some(target) => Guarded { selector, ports: vec![target], ..declared },
        None => Guarded { selector, ..declared },
    }
}

/// Adds the Services that routes of the driver's own lead to, and that are none of its services: the ingress controller reaches them
/// as well. To those that are, it comes at each of their ports. What is told is of those that are not found.
pub(super) fn add_routed(rendered: &[(String, Value)], set: &mut PolicySet) -> Vec<String> {
    let mut missing = BTreeSet::new();
    let routes = rendered.iter().map(|(_, object)| object);
    let rules = routes.flat_map(|route| read(route).into_iter().map(move |rule| (route, rule.service)));
    for (route, called) in rules.filter(|(_, called)| !called.is_empty()) {
        let service = brought(rendered, &called);
        let targets = service.into_iter().flat_map(ports).filter_map(target);
        if let Some(known) = set.services.iter_mut().find(|known| known.name == called) {
            known.external = true;
            for target in targets {
                if !known.ports.contains(&target) {
                    known.ports.push(target);
                }
            }
            continue;
        }
        let Some(service) = service else {
            missing.insert(format!(
                "{}/{} leads to the Service {called}, which is none of the driver's: where connections are kept away, its pods may let nobody in",
                kind(route),
                name(route)
            ));
            continue;
        };
        let Some(selector) = selector(service) else { continue };
        let ports = targets.collect();
        set.services.push(Guarded { name: called, selector, ports, external: true, allow_from: Vec::new() });
    }
    match Isolation::in_force(set.isolation) {
        None => Vec::new(),
        Some(_) => missing.into_iter().collect(),
    }
}

/// What is told of Services that are open to the world, and whose pods let nobody from there in.
pub(super) fn unreachable(rendered: &[(String, Value)], set: &PolicySet) -> Vec<String> {
    if Isolation::in_force(set.isolation).is_none() || set.gate.is_some() {
        return Vec::new();
    }
    let has_policy = rendered.iter().any(|(_, object)| kind(object) == "NetworkPolicy");
    let open =
        |service: &&Value| matches!(service["spec"]["type"].as_str(), Some("LoadBalancer" | "NodePort"));
    let shut = |service: &&Value| {
        let known = set.services.iter().find(|known| known.name == name(service));
        !known.is_some_and(|known| known.allow_from.iter().any(|peer| matches!(peer, Peer::Cidr(_))))
    };
    let services = rendered.iter().map(|(_, object)| object).filter(|object| kind(object) == "Service");
    let told = |service: &Value| {
        format!(
            "Service/{} is of type {}, and the environment keeps connections away: its driver says who may come, by allow_from with a cidr",
            name(service),
            service["spec"]["type"].as_str().unwrap_or_default()
        )
    };
    services.filter(open).filter(shut).filter(|_| !has_policy).map(told).collect()
}

fn brought<'a>(rendered: &'a [(String, Value)], called: &str) -> Option<&'a Value> {
    let mut all = rendered.iter().map(|(_, object)| object);
    all.find(|object| kind(object) == "Service" && name(object) == called)
}

/// The labels of a Service's pods; none where it picks none itself.
fn selector(service: &Value) -> Option<BTreeMap<String, String>> {
    let labels = service["spec"]["selector"].as_object()?;
    let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    Some(labels.iter().filter_map(text).collect()).filter(|labels: &BTreeMap<_, _>| !labels.is_empty())
}

/// The ports of pods that the Services lead to, as a policy has them.
pub(super) fn doors(rendered: &[(String, Value)]) -> Vec<Value> {
    let services = rendered.iter().map(|(_, object)| object).filter(|object| kind(object) == "Service");
    let mut doors = Vec::new();
    for entry in services.flat_map(|service| service["spec"]["ports"].as_array().into_iter().flatten()) {
        let Some(port) = target(entry) else { continue };
        let door = json!({ "port": port, "protocol": entry["protocol"].as_str().unwrap_or("TCP") });
        if !doors.contains(&door) {
            doors.push(door);
        }
    }
    doors
}

fn ports(service: &Value) -> impl Iterator<Item = &Value> {
    let entries = service["spec"]["ports"].as_array().into_iter().flatten();
    entries.filter(|entry| matches!(entry["protocol"].as_str(), None | Some("TCP")))
}

/// The port of the pods, by number or name: the Service's own where it says nothing else.
fn target(entry: &Value) -> Option<Value> {
    let found = [&entry["targetPort"], &entry["port"]].into_iter().find(|port| !port.is_null())?;
    // a number that is written as a text is a number
    match found.as_str().and_then(|text| text.parse::<u16>().ok()) {
        Some(number) => Some(json!(number)),
        None => Some(found.clone()),
    }
}
