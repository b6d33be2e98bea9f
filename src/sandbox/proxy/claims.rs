//! Hosts that another controller answers for: Ingresses of another class, IngressRoutes of Traefik, HTTPRoutes of the Gateway
//! API. Pure.

use std::sync::Arc;

use serde_json::Value;

use crate::sandbox::object;

/// Says that somebody else answers for a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// `The Ingress demo/web of the class nginx`.
    pub(super) what: String,
    /// Where its controller's load balancer is looked for.
    pub(super) namespace: String,
    /// The addresses that its controller has published; they say more than the namespace.
    pub(super) addresses: Vec<String>,
}

impl Claim {
    fn new(kind: &str, object: &Value) -> Self {
        let what = format!("The {kind} {}/{}", object::namespace(object), object::name(object));
        Self { what, namespace: object::namespace(object).to_owned(), addresses: Vec::new() }
    }
}

/// The hosts of an Ingress that is not the sandbox's.
pub(super) fn of_ingress(ingress: &Value, class: &str) -> Vec<(String, Claim)> {
    let mut claim = Claim::new("Ingress", ingress);
    if !class.is_empty() {
        claim.what = format!("{} of the class {class}", claim.what);
    }
    claim.addresses = texts(ingress, "/status/loadBalancer/ingress", "/ip");
    let hosts = texts(ingress, "/spec/rules", "/host").into_iter();
    hosts.map(|host| (host, claim.clone())).collect()
}

/// The hosts of an IngressRoute: what its rules say in `Host(…)`.
pub(super) fn of_ingress_route(route: &Value) -> Vec<(String, Claim)> {
    let claim = Claim::new("IngressRoute", route);
    let routes = object::list(route, "/spec/routes").iter();
    routes
        .flat_map(|rule| hosts_of_match(object::text(rule, "/match")))
        .map(|host| (host, claim.clone()))
        .collect()
}

/// The hosts of an HTTPRoute, or of the listeners of its Gateways where it names none.
pub(super) fn of_http_route(route: &Value, gateways: &[Arc<Value>]) -> Vec<(String, Claim)> {
    let mut found = Vec::new();
    for parent in object::list(route, "/spec/parentRefs") {
        let mut claim = Claim::new("HTTPRoute", route);
        if let Some(namespace) = parent["namespace"].as_str() {
            claim.namespace = namespace.to_owned();
        }
        let gateway = gateways.iter().find(|gateway| {
            object::namespace(gateway) == claim.namespace
                && object::name(gateway) == object::text(parent, "/name")
        });
        let mut hosts: Vec<String> = object::list(route, "/spec/hostnames")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        if let Some(gateway) = gateway {
            claim.addresses = texts(gateway, "/status/addresses", "/value");
            if hosts.is_empty() {
                hosts = texts(gateway, "/spec/listeners", "/hostname");
            }
        }
        found.extend(hosts.into_iter().map(|host| (host, claim.clone())));
    }
    found
}

/// A text of each entry of a list, where it has one.
fn texts(object: &Value, list: &str, pointer: &str) -> Vec<String> {
    let entries = object::list(object, list).iter().map(|entry| object::text(entry, pointer));
    entries.filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// The hosts that a rule of Traefik names: ``Host(`a`, `b`) && PathPrefix(`/`)``. Those after a `!` are not meant; patterns
/// (`HostRegexp`) name no host.
fn hosts_of_match(rule: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    let mut rest = rule;
    while let Some(at) = rest.find("Host(") {
        let (before, inner) = (rest[..at].trim_end(), &rest[at + "Host(".len()..]);
        let end = inner.find(')').unwrap_or(inner.len());
        let negated = before.ends_with('!');
        let other = rest[..at].ends_with(|letter: char| letter.is_ascii_alphanumeric());
        if !negated && !other {
            let words = inner[..end].split(',').map(|word| word.trim().trim_matches(['`', '"', '\'']));
            hosts.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
        }
        rest = &inner[end..];
    }
    hosts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_of_traefik_name_their_hosts() {
        for (rule, hosts) in [
            ("Host(`a.localhost`)", vec!["a.localhost"]),
            ("Host(`a.localhost`) && PathPrefix(`/x`)", vec!["a.localhost"]),
            ("Host(`a`) || Host( \"b\" )", vec!["a", "b"]),
            ("Host(`a`, `b`)", vec!["a", "b"]),
            ("Host(`a`) && !Host(`b`)", vec!["a"]),
            ("HostRegexp(`^.+$`)", vec![]),
            ("PathPrefix(`/`)", vec![]),
            ("Host(`a", vec!["a"]),
            ("", vec![]),
        ] {
            assert_eq!(hosts_of_match(rule), hosts, "{rule}");
        }
    }

    #[test]
    fn a_route_of_a_gateway_belongs_to_where_the_gateway_is() {
        let gateway = Arc::new(json!({"metadata": {"name": "shared", "namespace": "edge"},
            "spec": {"listeners": [{"hostname": "*.example.org"}]},
            "status": {"addresses": [{"value": "127.9.200.3"}]}}));
        let mut route = json!({"metadata": {"name": "web", "namespace": "demo"},
            "spec": {"parentRefs": [{"name": "shared", "namespace": "edge"}], "hostnames": ["a.localhost"]}});
        let claims = of_http_route(&route, std::slice::from_ref(&gateway));
        let (host, claim) = &claims[0];
        assert_eq!((host.as_str(), claim.namespace.as_str()), ("a.localhost", "edge"));
        assert_eq!(claim.addresses, ["127.9.200.3"]);
        route["spec"]["hostnames"] = json!([]);
        assert_eq!(of_http_route(&route, &[gateway])[0].0, "*.example.org");
    }

    #[test]
    fn an_ingress_of_another_class_says_so() {
        let ingress = json!({"metadata": {"name": "web", "namespace": "demo"},
            "spec": {"rules": [{"host": "a.localhost"}, {}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "127.9.200.4"}]}}});
        let claims = of_ingress(&ingress, "nginx");
        assert_eq!(claims.len(), 1);
        assert_eq!(claims[0].1.what, "The Ingress demo/web of the class nginx");
        assert_eq!(claims[0].1.addresses, ["127.9.200.4"]);
    }
}
