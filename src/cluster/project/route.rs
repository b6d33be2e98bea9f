//! Routes as rows.

use serde_json::Value;

use super::{items, text};
use crate::domain::object::{RouteDetail, RouteRule};

/// An Ingress.
pub(super) fn ingress(object: &Value) -> RouteDetail {
    let (spec, status) = (&object["spec"], &object["status"]);
    let secret = |host: &str| {
        let mut entries = items(&spec["tls"]);
        entries
            .find(|entry| items(&entry["hosts"]).any(|known| known == host))
            .map(|entry| text(&entry["secretName"]))
    };
    let rule = |rule: &Value, path: &Value| {
        let host = text(&rule["host"]);
        let named = secret(&host);
        RouteRule {
            path: path["path"].as_str().unwrap_or("/").to_owned(),
            service: text(&path["backend"]["service"]["name"]),
            tls: named.is_some(),
            secret: named.filter(|name| !name.is_empty()),
            host,
        }
    };
    RouteDetail {
        rules: items(&spec["rules"])
            .flat_map(|it| items(&it["http"]["paths"]).map(move |path| rule(it, path)))
            .collect(),
        class: text(&spec["ingressClassName"]),
        addresses: items(&status["loadBalancer"]["ingress"])
            .filter_map(|entry| entry["ip"].as_str().or_else(|| entry["hostname"].as_str()))
            .map(str::to_owned)
            .collect(),
        refused: None,
    }
}
