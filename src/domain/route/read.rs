//! What the objects that carry routes say: Ingresses, HTTPRoutes and IngressRoutes, ours and others'.

use std::collections::BTreeSet;

use serde_json::Value;

use super::matches;
use crate::domain::object::RouteRule;

/// The annotation that named the class of an Ingress before its field did; Traefik's own kinds have nothing else.
pub const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// The hosts, paths and backends of an object that carries routes: one rule for each combination. A host that is empty stands for
/// every one; one that begins with `*.` is a wildcard, one that begins with `~` a pattern of Traefik's. Whether an HTTPRoute answers
/// on https is its Gateway's business: its rules say no. Any other object has none.
pub fn read(object: &Value) -> Vec<RouteRule> {
    let group = object["apiVersion"].as_str().unwrap_or("").split('/').next().unwrap_or("");
    match (group, object["kind"].as_str().unwrap_or("")) {
        ("networking.k8s.io", "Ingress") => ingress(&object["spec"]),
        ("gateway.networking.k8s.io", "HTTPRoute") => http_route(&object["spec"]),
        ("traefik.io" | "traefik.containo.us", "IngressRoute") => ingress_route(&object["spec"]),
        _ => Vec::new(),
    }
}

/// The class that an Ingress or an IngressRoute names, by its field or its annotation; the field wins.
pub fn class(object: &Value) -> Option<&str> {
    let annotation = || object["metadata"]["annotations"][CLASS_ANNOTATION].as_str();
    object["spec"]["ingressClassName"].as_str().or_else(annotation).filter(|class| !class.is_empty())
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

fn ingress(spec: &Value) -> Vec<RouteRule> {
    let rule = |host: &Value, path: &str, backend: &Value| {
        let host = text(host);
        let tls = certified(spec, &host);
        RouteRule {
            path: path.to_owned(),
            service: text(&backend["service"]["name"]),
            tls: tls.is_some(),
            secret: tls.map(|entry| text(&entry["secretName"])).filter(|name| !name.is_empty()),
            host,
        }
    };
    let mut rules = Vec::new();
    for entry in items(&spec["rules"]) {
        let paths = items(&entry["http"]["paths"]);
        let path = |path: &Value| {
            rule(
                &entry["host"],
                path["path"].as_str().filter(|path| !path.is_empty()).unwrap_or("/"),
                &path["backend"],
            )
        };
        rules.extend(paths.map(path));
    }
    if spec["defaultBackend"].is_object() {
        rules.push(rule(&Value::Null, "/", &spec["defaultBackend"]));
    }
    rules
}

/// The entry of an Ingress that says how a host answers on https: the one that names it, else one with a wildcard for it, else one
/// without hosts, which is for all of them. None: on http only.
fn certified<'a>(spec: &'a Value, host: &str) -> Option<&'a Value> {
    let rank = |entry: &Value| {
        let mut known = items(&entry["hosts"]).filter_map(Value::as_str).peekable();
        if known.peek().is_none() {
            return Some(2);
        }
        let of_host = |known: &str| match known {
            known if known == host => Some(0),
            known => is_wildcard_of(known, host).then_some(1),
        };
        known.filter_map(of_host).min()
    };
    let ranked = items(&spec["tls"]).filter_map(|entry| Some((rank(entry)?, entry)));
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, entry)| entry)
}

/// A wildcard of an Ingress, as one in a certificate, stands for one label.
fn is_wildcard_of(known: &str, host: &str) -> bool {
    let rest = host.split_once('.').filter(|(label, _)| !label.is_empty() && *label != "*");
    known.strip_prefix("*.").zip(rest).is_some_and(|(wanted, (_, rest))| wanted == rest)
}

fn http_route(spec: &Value) -> Vec<RouteRule> {
    let mut hosts: Vec<String> = items(&spec["hostnames"]).map(text).collect();
    if hosts.is_empty() {
        hosts.push(String::new());
    }
    let mut rules: Vec<RouteRule> = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in items(&spec["rules"]) {
        let mut paths: Vec<String> = items(&entry["matches"])
            .map(|matched| matched["path"]["value"].as_str().unwrap_or("/").to_owned())
            .collect();
        if paths.is_empty() {
            paths.push("/".to_owned());
        }
        let is_service = |backend: &&Value| {
            matches!(backend["kind"].as_str(), None | Some("Service"))
                && matches!(backend["group"].as_str(), None | Some(""))
        };
        let mut services: Vec<String> =
            items(&entry["backendRefs"]).filter(is_service).map(|backend| text(&backend["name"])).collect();
        if services.is_empty() {
            // a redirect, or a backend of another kind
            services.push(String::new());
        }
        for (host, path, service) in combinations(&hosts, &paths, &services) {
            if seen.insert((host.clone(), path.clone(), service.clone())) {
                rules.push(RouteRule { host, path, service, ..RouteRule::default() });
            }
        }
    }
    rules
}

fn combinations<'a>(
    hosts: &'a [String],
    paths: &'a [String],
    services: &'a [String],
) -> impl Iterator<Item = (String, String, String)> + 'a {
    let pairs = hosts.iter().flat_map(move |host| paths.iter().map(move |path| (host, path)));
    pairs.flat_map(move |(host, path)| {
        services.iter().map(move |service| (host.clone(), path.clone(), service.clone()))
    })
}

fn ingress_route(spec: &Value) -> Vec<RouteRule> {
    let tls = spec["tls"].is_object();
    let secret = spec["tls"]["secretName"].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
    let mut rules: Vec<RouteRule> = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in items(&spec["routes"]) {
        let is_service = |service: &&Value| matches!(service["kind"].as_str(), None | Some("Service"));
        let mut services: Vec<String> =
            items(&entry["services"]).filter(is_service).map(|service| text(&service["name"])).collect();
        if services.is_empty() {
            services.push(String::new());
        }
        for found in matches::alternatives(entry["match"].as_str().unwrap_or("")) {
            for service in &services {
                let (host, path, service) = (found.host.clone(), found.path.clone(), service.clone());
                if seen.insert((host.clone(), path.clone(), service.clone())) {
                    rules.push(RouteRule { host, path, service, tls, secret: secret.clone() });
                }
            }
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(object: &Value) -> Vec<String> {
        let line = |rule: RouteRule| {
            let scheme = if rule.tls { "https" } else { "http" };
            let secret = rule.secret.map(|secret| format!(" ({secret})")).unwrap_or_default();
            format!("{scheme}://{}{} > {}{secret}", rule.host, rule.path, rule.service)
        };
        read(object).into_iter().map(line).collect()
    }

    #[test]
    fn an_ingress_has_a_rule_per_host_and_path() {
        let backend = |name: &str| json!({"service": {"name": name, "port": {"number": 80}}});
        let object = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"annotations": {"kubernetes.io/ingress.class": "nginx"}},
        "spec": {
            "defaultBackend": backend("rest"),
            "tls": [{"hosts": ["a"], "secretName": "s"}, {"hosts": ["b"]}],
            "rules": [
                {"host": "a", "http": {"paths": [{"path": "/x", "backend": backend("web")}, {"backend": backend("api")}]}},
                {"host": "b", "http": {"paths": [{"path": "/", "backend": {"resource": {"kind": "Bucket"}}}]}},
                {"host": "c"}]}});
        assert_eq!(
            told(&object),
            ["https://a/x > web (s)", "https://a/ > api (s)", "https://b/ > ", "http:/// > rest"]
        );
        assert_eq!(class(&object), Some("nginx"));
    }

    #[test]
    fn https_of_an_ingress_is_said_by_the_entry_that_fits_best() {
        let backend = json!({"service": {"name": "web"}});
        let told = |tls: Value, host: &str| {
            let rule = json!({"host": host, "http": {"paths": [{"path": "/", "backend": backend}]}});
            let object = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "spec": {"tls": tls, "rules": [rule]}});
            let rule = read(&object).remove(0);
            assert!(rule.tls || rule.secret.is_none());
            rule.tls.then(|| rule.secret.unwrap_or_default())
        };
        let all = json!([{"secretName": "all"}, {"hosts": ["*.a.b"], "secretName": "wild"},
            {"hosts": ["x.a.b", "y.a.b"], "secretName": "own"}, {"hosts": ["z.a.b"]}]);
        for (host, wanted) in [
            ("x.a.b", "own"),
            ("w.a.b", "wild"),
            ("z.a.b", ""),
            ("a.b", "all"),
            ("v.w.a.b", "all"),
            ("*.a.b", "wild"),
            ("", "all"),
        ] {
            assert_eq!(told(all.clone(), host).as_deref(), Some(wanted), "{host}");
        }
        let some =
            json!([{"hosts": ["*.a.b"], "secretName": "wild"}, {"hosts": ["*.b"], "secretName": "wider"}]);
        assert_eq!(told(some.clone(), "x.a.b").as_deref(), Some("wild"));
        for host in ["a.x", "v.w.a.b", ".a.b", "b", ""] {
            assert_eq!(told(some.clone(), host), None, "{host}");
        }
        assert_eq!(told(json!(null), "x.a.b"), None);
    }

    #[test]
    fn an_http_route_combines_hosts_matches_and_backends() {
        let object = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "spec": {
        "hostnames": ["a", "*.b"],
        "rules": [
            {"matches": [{"path": {"type": "PathPrefix", "value": "/x"}}, {"headers": []}],
             "backendRefs": [{"name": "web", "port": 80}, {"kind": "Other", "group": "o", "name": "no"}]},
            {"filters": [{"type": "RequestRedirect"}]}]}});
        let wanted = ["a/x > web", "a/ > web", "*.b/x > web", "*.b/ > web", "a/ > ", "*.b/ > "];
        assert_eq!(told(&object), wanted.map(|line| format!("http://{line}")));
        let all = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "spec": {"rules": [{"backendRefs": [{"name": "web"}]}]}});
        assert_eq!(told(&all), ["http:/// > web"]);
    }

    #[test]
    fn an_ingress_route_is_read_through_its_match() {
        let object = json!({"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute", "spec": {
            "tls": {"secretName": "s"},
            "routes": [{"match": "Host(`a`) || Host(`b`)", "kind": "Rule", "services": [{"name": "web", "port": 80}]},
                {"match": "Host(`a`) && PathPrefix(`/api`)", "services": [{"name": "api@internal", "kind": "TraefikService"}]}]}});
        assert_eq!(told(&object), ["https://a/ > web (s)", "https://b/ > web (s)", "https://a/api >  (s)"]);
    }

    #[test]
    fn what_is_no_route_has_no_rules() {
        let rules = json!({"rules": [{"host": "a.org", "http": {"paths": [{"path": "/"}]}}]});
        for (object, wanted) in [
            (json!({}), 0),
            (json!(null), 0),
            (json!({"apiVersion": "v1", "kind": "Ingress", "spec": rules}), 0),
            (json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": "no"}), 0),
            (json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": rules}), 1),
            (
                json!({"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute", "spec": {"routes": [{}]}}),
                1,
            ),
        ] {
            assert_eq!(read(&object).len(), wanted, "{object}");
        }
    }
}
