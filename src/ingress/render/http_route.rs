//! `gateway.networking.k8s.io/v1` HTTPRoute.

use serde_json::{Value, json};

use super::{Adapter, Route, RouteSet, object, path};
use crate::domain::Problem;
use crate::domain::names::{LABEL_MAX, bounded};
use crate::ingress::allow;

/// How many host names an HTTPRoute may have, by its schema.
const HOSTNAMES: usize = 16;

/// An HTTPRoute; more of them where there are more hosts than one may have. TLS belongs to the Gateway's listener: both its http
/// and its https listener take the route, unless one is named.
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
    let mut parent = json!({
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "namespace": gateway.namespace,
        "name": gateway.name,
    });
    if let Some(section) = &gateway.section {
        parent["sectionName"] = json!(section);
    }
    let mut rule = json!({
        "matches": [{ "path": { "type": "PathPrefix", "value": path(route) } }],
        "backendRefs": [{ "group": "", "kind": "Service", "name": route.service, "port": route.port, "weight": 1 }],
    });
    if let Some(filter) = adapter.and_then(|adapter| allow::filter(adapter, &route.name)) {
        rule["filters"] = json!([filter]);
    }
    let part = |(name, hosts): (String, &[String])| {
        let annotations = set.annotations_of(&route.namespace, &route.name, adapter);
        let mut made =
            object("gateway.networking.k8s.io/v1", "HTTPRoute", (&route.namespace, &name), annotations);
        made["spec"] = json!({ "parentRefs": [parent], "hostnames": hosts, "rules": [rule] });
        made
    };
    Ok(names(route).into_iter().zip(route.hosts.chunks(HOSTNAMES)).map(part).collect())
}

/// The names of the HTTPRoutes of a route.
pub(super) fn names(route: &Route) -> Vec<String> {
    let name = |number: usize| match number {
        0 => route.name.clone(),
        _ => bounded(&[&route.name, &(number + 1).to_string()], LABEL_MAX),
    };
    (0..route.hosts.len().div_ceil(HOSTNAMES)).map(name).collect()
}
