//! `networking.k8s.io/v1` Ingress.

use serde_json::{Value, json};

use super::{Adapter, Naming, Route, RouteKind, RouteSet, object, path, tls_secret};

/// An Ingress with a rule for each host.
///
/// With TLS it has the hosts and their Secret, and nothing of the controller's own: Traefik serves https on entry points that are
/// set up for it (`http.tls`, as its chart and our driver do), where a `router.tls` annotation would take http away.
pub(super) fn render(set: &RouteSet, route: &Route, adapter: Option<&Adapter>) -> Value {
    let path = path(route);
    let rule = |host: &String| {
        json!({
            "host": host,
            "http": { "paths": [{
                "path": path,
                "pathType": "Prefix",
                "backend": { "service": { "name": route.service, "port": { "number": route.port } } },
            }] },
        })
    };
    let mut spec = json!({ "rules": route.hosts.iter().map(rule).collect::<Vec<_>>() });
    if let Some(Naming::Field(class)) = set.naming(RouteKind::Ingress) {
        spec["ingressClassName"] = json!(class);
    }
    if !route.tls.is_off() {
        let mut entry = json!({ "hosts": route.hosts });
        if let Some(secret) = tls_secret(&route.tls, &route.service) {
            entry["secretName"] = json!(secret);
        }
        spec["tls"] = json!([entry]);
    }
    let annotations = set.annotations_of(route, adapter);
    let mut made = object("networking.k8s.io/v1", "Ingress", (&route.namespace, &route.name), annotations);
    made["spec"] = spec;
    made
}
