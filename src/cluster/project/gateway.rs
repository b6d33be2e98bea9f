//! HTTPRoutes and Gateways of the Gateway API as rows.

use serde_json::Value;

use super::conditions::{current, generation, said};
use super::{items, text};
use crate::domain::object::{GatewayDetail, Listener, RouteDetail};
use crate::domain::route::read;

/// The group of the Gateway API.
pub(super) const GROUP: &str = "gateway.networking.k8s.io";
/// What a route or a Gateway without a word in its status says.
const UNTAKEN: &str = "no controller took it (yet)";

/// Names a Gateway, and one of its listeners perhaps.
#[derive(PartialEq)]
struct Parent {
    gateway: String,
    section: String,
}

impl Parent {
    /// The parent that a reference names; none when it is no Gateway.
    fn of(reference: &Value, namespace: &str) -> Option<Self> {
        if reference["kind"].as_str().is_some_and(|kind| kind != "Gateway") {
            return None;
        }
        let namespace = reference["namespace"].as_str().unwrap_or(namespace);
        Some(Self {
            gateway: format!("{namespace}/{}", reference["name"].as_str()?),
            section: text(&reference["sectionName"]),
        })
    }
}

/// An HTTPRoute. Where it answers, and whether on https, its Gateway says.
pub(super) fn http_route(object: &Value) -> RouteDetail {
    let namespace = text(&object["metadata"]["namespace"]);
    let spec = &object["spec"];
    let wanted = || items(&spec["parentRefs"]).filter_map(|parent| Parent::of(parent, &namespace));
    let told: Vec<(Parent, Option<String>)> = items(&object["status"]["parents"])
        .filter_map(|told| {
            let parent = Parent::of(&told["parentRef"], &namespace)?;
            let against = against(told, &parent, generation(object));
            Some((parent, against))
        })
        .filter(|(parent, _)| wanted().any(|wanted| wanted == *parent))
        .collect();
    let taken = told.iter().find(|(_, against)| against.is_none());
    let refused = match (taken, told.first()) {
        (Some(_), _) => None,
        (None, Some((_, against))) => against.clone(),
        (None, None) => Some(UNTAKEN.to_owned()),
    };
    let class = taken.map(|(parent, _)| parent.gateway.clone());
    RouteDetail {
        rules: read(object),
        class: class.or_else(|| wanted().next().map(|parent| parent.gateway)).unwrap_or_default(),
        addresses: Vec::new(),
        refused,
    }
}

/// What a parent has against a route.
fn against(told: &Value, parent: &Parent, generation: Option<i64>) -> Option<String> {
    let gateway = &parent.gateway;
    let Some(accepted) = current(told, "Accepted", generation) else {
        return Some(format!("Gateway {gateway} has not looked at it as it is now"));
    };
    if accepted["status"] != "True" {
        return Some(format!("Gateway {gateway}: {}", said(accepted)));
    }
    let of = |kind: &str, bad: &str| current(told, kind, generation).filter(|found| found["status"] == bad);
    let bad = of("ResolvedRefs", "False").or_else(|| of("PartiallyInvalid", "True"));
    bad.map(|found| format!("Gateway {gateway}: {}", said(found)))
}

/// A Gateway.
pub(super) fn gateway(object: &Value) -> GatewayDetail {
    let (spec, status) = (&object["spec"], &object["status"]);
    let namespace = text(&object["metadata"]["namespace"]);
    let listener = |listener: &Value| {
        let mut certificates = items(&listener["tls"]["certificateRefs"]);
        let named = certificates.find(|named| named["kind"].as_str().is_none_or(|kind| kind == "Secret"));
        Listener {
            name: text(&listener["name"]),
            host: text(&listener["hostname"]),
            https: listener["protocol"] == "HTTPS",
            secret: named.map(|named| {
                (named["namespace"].as_str().unwrap_or(&namespace).to_owned(), text(&named["name"]))
            }),
        }
    };
    let said_of = |kind: &str| match current(status, kind, generation(object)) {
        Some(found) if found["status"] == "True" => None,
        Some(found) if found["status"] == "False" => Some(said(found)),
        _ => Some(UNTAKEN.to_owned()),
    };
    GatewayDetail {
        class: text(&spec["gatewayClassName"]),
        addresses: items(&status["addresses"]).map(|address| text(&address["value"])).collect(),
        refused: said_of("Accepted").or_else(|| said_of("Programmed")),
        listeners: items(&spec["listeners"]).map(listener).collect(),
    }
}
