//! `traefik.io/v1alpha1` IngressRoute.

use serde_json::{Value, json};

use super::{Adapter, Route, RouteSet, object, path, tls_secret};
use crate::ingress::allow;

/// An IngressRoute: on the entry point `websecure` with TLS, else on `web`; those are the names that Traefik's chart and our driver
/// give them. Its class is an annotation, the one thing that every version of Traefik reads.
pub(super) fn render(set: &RouteSet, route: &Route, adapter: Option<&Adapter>) -> Value {
    let hosts: Vec<String> = route.hosts.iter().map(|host| matcher("Host", host)).collect();
    let hosts = hosts.join(" || ");
    let path = path(route);
    // every path begins with "/": the matcher would say nothing. Traefik's prefix is one of text, not of path elements
    let matched = match (path.as_str(), route.hosts.len()) {
        ("/", _) => hosts,
        (path, 1) => format!("{hosts} && {}", matcher("PathPrefix", path)),
        (path, _) => format!("({hosts}) && {}", matcher("PathPrefix", path)),
    };
    let mut rule = json!({
        "kind": "Rule",
        "match": matched,
        "services": [{ "name": route.service, "port": route.port }],
    });
    if adapter == Some(&Adapter::Middleware) {
        rule["middlewares"] = json!([{ "name": allow::middleware(&route.name) }]);
    }
    let entry_point = if route.tls.is_off() { "web" } else { "websecure" };
    let mut spec = json!({ "entryPoints": [entry_point], "routes": [rule] });
    if !route.tls.is_off() {
        spec["tls"] = match tls_secret(&route.tls, &route.service) {
            Some(secret) => json!({ "secretName": secret }),
            None => json!({}),
        };
    }
    let annotations = set.annotations_of(route, adapter);
    let mut made =
        object("traefik.io/v1alpha1", "IngressRoute", (&route.namespace, &route.name), annotations);
    made["spec"] = spec;
    made
}

/// A matcher of Traefik's language. A backtick cannot stand between backticks: then the text is quoted.
fn matcher(name: &str, value: &str) -> String {
    if value.contains('`') { format!("{name}({value:?})") } else { format!("{name}(`{value}`)") }
}
