//! Ingresses, IngressRoutes and EndpointSlices as rows.

use serde_json::Value;

use super::{items, text};
use crate::domain::object::{Detail, RouteDetail};
use crate::domain::route::{Endpoints, class, covers, read};

/// The label that says whose endpoints they are.
const SERVICE: &str = "kubernetes.io/service-name";

/// An Ingress.
pub(super) fn ingress(object: &Value) -> RouteDetail {
    let (spec, status) = (&object["spec"], &object["status"]);
    let mut rules = read(object);
    for rule in rules.iter_mut().filter(|rule| !rule.tls) {
        if let Some(entry) = items(&spec["tls"]).find(|entry| takes(entry, &rule.host)) {
            rule.tls = true;
            rule.secret = entry["secretName"].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
        }
    }
    RouteDetail {
        rules,
        class: class_of(object),
        addresses: items(&status["loadBalancer"]["ingress"])
            .filter_map(|entry| entry["ip"].as_str().or_else(|| entry["hostname"].as_str()))
            .map(str::to_owned)
            .collect(),
        refused: None,
    }
}

/// Whether an entry for https is for a host that no entry names: by a wildcard, or because it is for all.
fn takes(entry: &Value, host: &str) -> bool {
    let mut hosts = items(&entry["hosts"]).filter_map(Value::as_str).peekable();
    hosts.peek().is_none() || hosts.any(|known| covers(known, host))
}

/// An IngressRoute of Traefik. It has no status: nobody says whether it was taken, and where it answers.
pub(super) fn ingress_route(object: &Value) -> RouteDetail {
    RouteDetail { rules: read(object), class: class_of(object), addresses: Vec::new(), refused: None }
}

fn class_of(object: &Value) -> String {
    class(object).unwrap_or_default().to_owned()
}

/// An EndpointSlice. An endpoint that is going is none any more, unless it still takes requests.
pub(super) fn endpoints(object: &Value) -> Detail {
    let mut endpoints = Endpoints::default();
    for endpoint in items(&object["endpoints"]) {
        let conditions = &endpoint["conditions"];
        // what is not said is true
        let ready = conditions["ready"].as_bool().unwrap_or(true);
        endpoints.ready += u32::from(ready);
        endpoints.total += u32::from(ready || conditions["terminating"] != true);
    }
    Detail::Endpoints { service: text(&object["metadata"]["labels"][SERVICE]), endpoints }
}

#[cfg(test)]
mod tests;
