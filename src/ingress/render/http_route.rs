//! `gateway.networking.k8s.io/v1` HTTPRoute.

use serde_json::{Value, json};

use super::{Adapter, Route, RouteSet, object, path, redirect};
use crate::domain::Problem;
use crate::domain::names::{LABEL_MAX, bounded};
use crate::ingress::allow;

/// How many host names an HTTPRoute may have, by its schema.
const HOSTNAMES: usize = 16;

/// An HTTPRoute; more of them where there are more hosts than one may have. TLS belongs to the Gateway's listener: both its http
/// and its https listener take the route, unless one is named, or http is sent on to https by a route of its own.
pub(super) fn render(
    set: &RouteSet,
    route: &Route,
    adapter: Option<&Adapter>,
) -> Result<Vec<Value>, Problem> {
    let gateway = set.via.as_ref().and_then(|via| via.gateway.as_ref()).ok_or_else(|| {
        Problem::new(
            format!("The route {} has no Gateway", route.name),
            "an HTTPRoute attaches to a Gateway, and the environment names none",
            "name one: styrmin environment set NAME --gateway NAMESPACE/NAME",
        )
    })?;
    let parent = |section: Option<&str>| {
        let mut parent = json!({
            "group": "gateway.networking.k8s.io",
            "kind": "Gateway",
            "namespace": gateway.namespace,
            "name": gateway.name,
        });
        if let Some(section) = section {
            parent["sectionName"] = json!(section);
        }
        parent
    };
    let section = gateway.section.as_deref();
    // the backend's group is the core's, an empty text: left to its default, since servers up to 1.20 lose one that is applied
    let mut rule = json!({
        "matches": [{ "path": { "type": "PathPrefix", "value": path(route) } }],
        "backendRefs": [{ "kind": "Service", "name": route.service, "port": route.port, "weight": 1 }],
    });
    if let Some(filter) = adapter.and_then(|adapter| allow::filter(adapter, &route.name)) {
        rule["filters"] = json!([filter]);
    }
    let mut made = Vec::new();
    for Part { name, hosts, apart } in parts(set, route) {
        let annotations = set.annotations_of(route, adapter);
        let mut secure =
            object("gateway.networking.k8s.io/v1", "HTTPRoute", (&route.namespace, &name), annotations);
        let attached = |names: &[&str]| names.iter().map(|name| parent(Some(name))).collect::<Vec<_>>();
        let parents = apart.as_ref().map_or_else(|| vec![parent(section)], |apart| attached(&apart.https));
        secure["spec"] = json!({ "parentRefs": parents, "hostnames": hosts, "rules": [rule] });
        let plain = apart.and_then(|apart| redirect::http_route(set, &secure, &attached(&apart.http)));
        made.extend(plain);
        made.push(secure);
    }
    Ok(made)
}

/// The names of the HTTPRoutes of a route, without those that only send on.
pub(super) fn names(set: &RouteSet, route: &Route) -> Vec<String> {
    parts(set, route).into_iter().map(|part| part.name).collect()
}

/// An HTTPRoute of a route.
struct Part<'a> {
    name: String,
    hosts: Vec<String>,
    /// Its listeners, where http is sent on; none: it attaches as it does where nothing is.
    apart: Option<redirect::Apart<'a>>,
}

/// The HTTPRoutes of a route: no more hosts in one than it may have, and those that no https listener takes by themselves.
fn parts<'a>(set: &'a RouteSet, route: &Route) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for (number, hosts) in route.hosts.chunks(HOSTNAMES).enumerate() {
        let name = match number {
            0 => route.name.clone(),
            _ => bounded(&[&route.name, &(number + 1).to_string()], LABEL_MAX),
        };
        let is_sent_on = |host: &String| redirect::is_sent_on(set, route, host);
        let (secure, plain): (Vec<String>, Vec<String>) = hosts.iter().cloned().partition(is_sent_on);
        if secure.is_empty() {
            parts.push(Part { name, hosts: plain, apart: None });
            continue;
        }
        let beside = bounded(&[name.as_str(), "without-https"], LABEL_MAX);
        let apart = Some(redirect::apart(set, &secure));
        parts.push(Part { name, hosts: secure, apart });
        if !plain.is_empty() {
            parts.push(Part { name: beside, hosts: plain, apart: None });
        }
    }
    parts
}
