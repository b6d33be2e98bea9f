//! What sends plain http on to https.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Route, RouteSet, object};
use crate::domain::names::{LABEL_MAX, bounded};
use crate::domain::route::{RouteKind, RouteListener, covers};
use crate::ingress::allow::MIDDLEWARES;
use crate::ingress::redirect::{PORT, Way, way};

/// The middleware that the driver of an environment's own ingress writes into Traefik's file.
const OWN: &str = "redirect@file";
/// The port where nobody says another.
const HTTPS: u16 = 443;

/// What http answers where there is https too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirect {
    /// Whether it is sent on; none: each controller does what it does by itself.
    pub said: Option<bool>,
    /// The port of https, as people see it; none: 443.
    pub port: Option<u16>,
    /// The listeners of the Gateway.
    pub listeners: Vec<RouteListener>,
}

impl Redirect {
    /// The port, where it is not the scheme's own.
    fn other_port(&self) -> Option<u16> {
        self.port.filter(|port| *port != HTTPS)
    }
}

/// How http of a route is sent on; none: it is not.
fn on(set: &RouteSet, route: &Route) -> Option<Way> {
    let is_on = set.redirect.said == Some(true) && !route.tls.is_off();
    way(set.via.as_ref().filter(|_| is_on)?, set.dedicated)
}

/// The name of what is needed beside a route, or beside a part of it.
fn beside(name: &str) -> String {
    bounded(&[name, "to-https"], LABEL_MAX)
}

/// The Middleware that a route needs beside it.
pub(super) fn middleware(set: &RouteSet, route: &Route) -> Option<Value> {
    (on(set, route)? == Way::Middleware).then(|| {
        let name = beside(&route.name);
        let mut made = object("traefik.io/v1alpha1", "Middleware", (&route.namespace, &name), json!({}));
        let mut scheme = json!({ "scheme": "https", "permanent": true });
        if let Some(port) = set.redirect.other_port() {
            scheme["port"] = json!(port.to_string());
        }
        made["spec"] = json!({ "redirectScheme": scheme });
        made
    })
}

/// Adds the annotations of an Ingress. What a person said by them stays.
pub(super) fn annotate(annotations: &mut BTreeMap<String, String>, set: &RouteSet, route: &Route) {
    let Some(via) = set.via.as_ref().filter(|via| via.kind == RouteKind::Ingress) else { return };
    let (Some(said), false) = (set.redirect.said, route.tls.is_off()) else { return };
    let middleware = match (way(via, set.dedicated), said) {
        (Some(Way::Annotations(words)), said) => {
            if words.is_unfit(&route.tls) || words.is_said(annotations) {
                return;
            }
            let port = set.redirect.port.unwrap_or(HTTPS).to_string();
            for (key, value) in if said { words.on } else { words.off } {
                let value = if *value == PORT { port.as_str() } else { value };
                annotations.entry((*key).to_owned()).or_insert_with(|| value.to_owned());
            }
            return;
        }
        (Some(Way::Middleware), true) => {
            format!("{}-{}@kubernetescrd", route.namespace, beside(&route.name))
        }
        (Some(Way::OwnIngress), true) => OWN.to_owned(),
        _ => return,
    };
    let all = match annotations.get(MIDDLEWARES) {
        Some(others) if !others.is_empty() => format!("{middleware},{others}"),
        _ => middleware,
    };
    annotations.insert(MIDDLEWARES.to_owned(), all);
}

/// The IngressRoute beside `secure`, which has TLS: the same without it on the entry point `web`, and with the Middleware.
pub(super) fn ingress_route(set: &RouteSet, route: &Route, secure: &Value) -> Option<Value> {
    on(set, route)?;
    let name = beside(&route.name);
    let mut rule = secure["spec"]["routes"][0].clone();
    let mut middlewares = rule["middlewares"].as_array().cloned().unwrap_or_default();
    middlewares.push(json!({ "name": name }));
    rule["middlewares"] = json!(middlewares);
    let mut made = secure.clone();
    made["metadata"]["name"] = json!(name);
    made["spec"] = json!({ "entryPoints": ["web"], "routes": [rule] });
    Some(made)
}

/// An HTTPRoute told apart by listeners.
pub(super) struct Apart<'a> {
    /// Those that it attaches to itself.
    pub(super) https: Vec<&'a str>,
    /// Those that send on to it.
    pub(super) http: Vec<&'a str>,
}

/// The https listeners that an HTTPRoute may attach to: all, or the one that a person named.
fn secure(set: &RouteSet) -> Vec<&RouteListener> {
    let section =
        set.via.as_ref().and_then(|via| via.gateway.as_ref()).and_then(|gateway| gateway.section.as_ref());
    let all = set.redirect.listeners.iter().filter(|listener| listener.https);
    all.filter(|listener| section.is_none_or(|section| *section == listener.name)).collect()
}

fn takes(listener: &RouteListener, host: &str) -> bool {
    listener.host.is_empty() || covers(&listener.host, host)
}

/// Whether http of this host of an HTTPRoute is sent on: it is not where no https listener takes the host.
pub(super) fn is_sent_on(set: &RouteSet, route: &Route, host: &str) -> bool {
    on(set, route).is_some() && secure(set).into_iter().any(|listener| takes(listener, host))
}

/// The listeners for an HTTPRoute with these hosts, all of which are sent on.
pub(super) fn apart<'a>(set: &'a RouteSet, hosts: &[String]) -> Apart<'a> {
    let any = |listener: &RouteListener| hosts.iter().any(|host| takes(listener, host));
    let https = secure(set).into_iter().filter(|listener| any(listener));
    let http = set.redirect.listeners.iter().filter(|listener| !listener.https && any(listener));
    Apart {
        https: https.map(|listener| listener.name.as_str()).collect(),
        http: http.map(|listener| listener.name.as_str()).collect(),
    }
}

/// The HTTPRoute that sends on to `secure`, attached to these parents.
pub(super) fn http_route(set: &RouteSet, secure: &Value, parents: &[Value]) -> Option<Value> {
    if parents.is_empty() {
        return None;
    }
    // 308 would keep the method, but servers of before 1.5 take 301 and 302 only
    let mut redirect = json!({ "scheme": "https", "statusCode": 301 });
    if let Some(port) = set.redirect.other_port() {
        redirect["port"] = json!(port);
    }
    let mut made = secure.clone();
    made["metadata"]["name"] = json!(beside(secure["metadata"]["name"].as_str().unwrap_or_default()));
    made["spec"] = json!({
        "parentRefs": parents,
        "hostnames": secure["spec"]["hostnames"],
        "rules": [{
            "matches": secure["spec"]["rules"][0]["matches"],
            "filters": [{ "type": "RequestRedirect", "requestRedirect": redirect }],
        }],
    });
    Some(made)
}
