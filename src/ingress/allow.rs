//! An allow-list of addresses, as each controller understands it. Kubernetes has no word for it, so there is an adapter for each,
//! and an error for those that have none.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::Problem;
use crate::domain::names::{LABEL_MAX, bounded};
use crate::domain::route::{self, ENVOY_GATEWAY, RouteKind, TRAEFIK, TRAEFIK_GATEWAY, Via};

/// Traefik's annotation that names the middlewares of an Ingress.
pub(super) const MIDDLEWARES: &str = "traefik.ingress.kubernetes.io/router.middlewares";
/// Other names of the annotations that take a list, one of which would win over the one that we set.
const SYNONYMS: [&str; 3] = [
    "nginx.ingress.kubernetes.io/allowlist-source-range",
    "haproxy-ingress.github.io/whitelist-source-range",
    "haproxy.org/whitelist",
];

/// How an allow-list is expressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// Not at the routes: the environment's own ingress controller keeps it, for every request.
    OwnIngress,
    /// By an annotation that takes the blocks.
    Annotation(&'static str),
    /// By a Middleware of Traefik's that the routes name
    /// (<https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/ipallowlist/>). Traefik's Gateway provider
    /// takes it as a filter `ExtensionRef`
    /// (<https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/gateway-api/#using-traefik-middleware-as-httproute-filter>).
    Middleware,
    /// By a SecurityPolicy of Envoy Gateway's that names the route
    /// (<https://gateway.envoyproxy.io/docs/tasks/security/restrict-ip-access/>).
    SecurityPolicy,
}

/// How the routes of `via` express an allow-list.
///
/// # Errors
/// They cannot.
pub fn adapter(via: &Via, dedicated: bool) -> Result<Adapter, Problem> {
    let controller = via.controller.as_str();
    match via.kind {
        _ if dedicated => return Ok(Adapter::OwnIngress),
        RouteKind::Ingress if controller == TRAEFIK => return Ok(Adapter::Middleware),
        RouteKind::Ingress => {
            let known = route::controller(controller).filter(|known| known.is(controller));
            if let Some(annotation) = known.and_then(|known| known.allow_list) {
                return Ok(Adapter::Annotation(annotation));
            }
        }
        RouteKind::IngressRoute => return Ok(Adapter::Middleware),
        RouteKind::HttpRoute if controller == TRAEFIK_GATEWAY => return Ok(Adapter::Middleware),
        RouteKind::HttpRoute if controller == ENVOY_GATEWAY => return Ok(Adapter::SecurityPolicy),
        RouteKind::HttpRoute => {}
    }
    let who = if controller.is_empty() { "a controller that nobody knows" } else { controller };
    Err(Problem::new(
        "The allow-list of the environment cannot be expressed",
        format!(
            "its routes are of the kind {} for {who}, and Styrmin knows no way to say it there",
            via.kind.as_str()
        ),
        "give the environment an ingress of its own (styrmin environment set NAME --dedicated-ingress), choose another class or kind of route, or take the list away (--allow-all)",
    ))
}

/// The name of the Middleware, or policy, of the route `name`.
pub(super) fn middleware(name: &str) -> String {
    bounded(&[name, "allow"], LABEL_MAX)
}

/// The object that a route called `name`, which the objects `targets` carry, needs beside it.
pub(super) fn object(
    adapter: &Adapter,
    (namespace, name): (&str, &str),
    targets: &[String],
    allow: &[String],
) -> Option<Value> {
    let target =
        |name: &String| json!({ "group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": name });
    let metadata = json!({ "name": middleware(name), "namespace": namespace });
    match adapter {
        Adapter::OwnIngress | Adapter::Annotation(_) => None,
        Adapter::Middleware => Some(json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "Middleware",
            "metadata": metadata,
            "spec": { "ipAllowList": { "sourceRange": allow } },
        })),
        Adapter::SecurityPolicy => Some(json!({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "SecurityPolicy",
            "metadata": metadata,
            "spec": {
                "targetRefs": targets.iter().map(target).collect::<Vec<_>>(),
                "authorization": {
                    "defaultAction": "Deny",
                    "rules": [{ "name": "allowed", "action": "Allow", "principal": { "clientCIDRs": allow } }],
                },
            },
        })),
    }
}

/// Adds the annotation of an Ingress `name` that says the list. What a person said of middlewares stays, behind ours.
pub(super) fn annotate(
    annotations: &mut BTreeMap<String, String>,
    kind: RouteKind,
    adapter: &Adapter,
    (namespace, name): (&str, &str),
    allow: &[String],
) {
    match adapter {
        Adapter::Annotation(key) => {
            annotations.retain(|name, _| !SYNONYMS.contains(&name.as_str()));
            annotations.insert((*key).to_owned(), allow.join(","));
        }
        Adapter::Middleware if kind == RouteKind::Ingress => {
            let ours = format!("{namespace}-{}@kubernetescrd", middleware(name));
            let all = match annotations.get(MIDDLEWARES) {
                Some(others) if !others.is_empty() => format!("{ours},{others}"),
                _ => ours,
            };
            annotations.insert(MIDDLEWARES.to_owned(), all);
        }
        _ => {}
    }
}

/// The filter of an HTTPRoute `name`.
pub(super) fn filter(adapter: &Adapter, name: &str) -> Option<Value> {
    (*adapter == Adapter::Middleware).then(|| {
        let reference = json!({ "group": "traefik.io", "kind": "Middleware", "name": middleware(name) });
        json!({ "type": "ExtensionRef", "extensionRef": reference })
    })
}
