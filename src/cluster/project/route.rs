//! Ingresses, IngressRoutes and EndpointSlices as rows.

use serde_json::Value;

use super::{items, text};
use crate::domain::object::{Detail, RouteDetail};
use crate::domain::route::{Endpoints, class, read};

/// The label that says whose endpoints they are.
const SERVICE: &str = "kubernetes.io/service-name";

/// An Ingress.
pub(super) fn ingress(object: &Value) -> RouteDetail {
    let status = &object["status"];
    RouteDetail {
        rules: read(object),
        class: class_of(object),
        addresses: items(&status["loadBalancer"]["ingress"])
            .filter_map(|entry| entry["ip"].as_str().or_else(|| entry["hostname"].as_str()))
            .map(str::to_owned)
            .collect(),
        refused: None,
    }
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
