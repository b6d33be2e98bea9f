//! HTTPRoutes and Gateways of the Gateway API as rows.

use serde_json::Value;

use super::{items, text};
use crate::domain::object::{GatewayDetail, Listener, RouteDetail};
use crate::domain::route::{Attachment, Parent, Word, programmed, read};

/// What a route or a Gateway without a word in its status says.
const UNTAKEN: &str = "no controller took it (yet)";

/// An HTTPRoute. Where it answers, and whether on https, its Gateway says.
pub(super) fn http_route(object: &Value) -> RouteDetail {
    let Attachment { parent, word } = Attachment::of(object);
    let by = || parent.as_ref().map(Parent::to_string).unwrap_or_default();
    let refused = match word {
        Some(Word::Taken) => None,
        Some(Word::Faulty(found) | Word::Refused(found) | Word::Open(Some(found))) => {
            Some(format!("{}: {}", by(), found.said()))
        }
        Some(Word::Open(None)) => Some(format!("{} has not looked at it as it is now", by())),
        None => Some(UNTAKEN.to_owned()),
    };
    RouteDetail {
        rules: read(object),
        class: parent.as_ref().and_then(Parent::gateway).unwrap_or_default(),
        addresses: Vec::new(),
        refused,
    }
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
    GatewayDetail {
        class: text(&spec["gatewayClassName"]),
        addresses: items(&status["addresses"]).map(|address| text(&address["value"])).collect(),
        refused: match programmed(object) {
            Word::Taken => None,
            Word::Faulty(found) | Word::Refused(found) => Some(found.said()),
            Word::Open(_) => Some(UNTAKEN.to_owned()),
        },
        listeners: items(&spec["listeners"]).map(listener).collect(),
    }
}
