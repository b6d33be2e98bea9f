//! Ingresses, IngressRoutes and EndpointSlices as rows.

use serde_json::Value;

use super::{items, text};
use crate::domain::object::{Detail, RouteDetail, RouteRule};
use crate::domain::route::{Endpoints, host_fits};

mod matching;

/// The annotation that named the class before there was a field for it, and still does for controllers that may not read classes.
const CLASS: &str = "kubernetes.io/ingress.class";
/// The label that says whose endpoints they are.
const SERVICE: &str = "kubernetes.io/service-name";

/// An Ingress.
pub(super) fn ingress(object: &Value) -> RouteDetail {
    let (spec, status) = (&object["spec"], &object["status"]);
    let secret = |host: &str| {
        let covers = |entry: &&Value| {
            items(&entry["hosts"]).any(|known| known.as_str().is_some_and(|known| host_fits(known, host)))
        };
        // an entry without hosts is for all that no other one names
        let all = |entry: &&Value| items(&entry["hosts"]).next().is_none();
        let mut entries = items(&spec["tls"]);
        let found = entries.find(covers).or_else(|| items(&spec["tls"]).find(all));
        found.map(|entry| text(&entry["secretName"]))
    };
    let rule = |host: &Value, path: &Value| {
        let host = text(host);
        let named = secret(&host);
        RouteRule {
            path: path["path"].as_str().filter(|path| !path.is_empty()).unwrap_or("/").to_owned(),
            service: text(&path["backend"]["service"]["name"]),
            tls: named.is_some(),
            secret: named.filter(|name| !name.is_empty()),
            host,
        }
    };
    // what no path takes goes to the default backend
    let otherwise = serde_json::json!({"backend": spec["defaultBackend"]});
    let rules = items(&spec["rules"]).flat_map(|it| {
        let paths: Vec<&Value> = items(&it["http"]["paths"]).collect();
        let paths = if paths.is_empty() { vec![&otherwise] } else { paths };
        paths.into_iter().map(|path| rule(&it["host"], path)).collect::<Vec<_>>()
    });
    RouteDetail {
        rules: rules.collect(),
        class: class(object),
        addresses: items(&status["loadBalancer"]["ingress"])
            .filter_map(|entry| entry["ip"].as_str().or_else(|| entry["hostname"].as_str()))
            .map(str::to_owned)
            .collect(),
        refused: None,
    }
}

/// An IngressRoute of Traefik. It has no status: nobody says whether it was taken, and where it answers.
pub(super) fn ingress_route(object: &Value) -> RouteDetail {
    let spec = &object["spec"];
    let tls = &spec["tls"];
    let secret = tls["secretName"].as_str().filter(|name| !name.is_empty());
    let rules = items(&spec["routes"]).flat_map(|route| {
        let backend = items(&route["services"])
            .find(|service| service["kind"].as_str().is_none_or(|kind| kind == "Service"));
        let service = backend.map(|backend| text(&backend["name"])).unwrap_or_default();
        let matched = matching::read(route["match"].as_str().unwrap_or_default());
        let rule = move |(host, path)| RouteRule {
            host,
            path,
            service: service.clone(),
            tls: tls.is_object(),
            secret: secret.map(str::to_owned),
        };
        matched.into_iter().map(rule)
    });
    RouteDetail { rules: rules.collect(), class: class(object), addresses: Vec::new(), refused: None }
}

fn class(object: &Value) -> String {
    let named = object["spec"]["ingressClassName"].as_str().filter(|class| !class.is_empty());
    named.map_or_else(|| text(&object["metadata"]["annotations"][CLASS]), str::to_owned)
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
