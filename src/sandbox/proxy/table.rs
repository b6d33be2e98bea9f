//! Which Service answers for a host and a path, and which Secret holds the certificate of a host. Pure; built anew when an
//! Ingress or another route changes, read at every request.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::claims::{self, Claim};
use crate::sandbox::api::Api;
use crate::sandbox::controllers::INGRESS_CONTROLLER;
use crate::sandbox::network::allow::AllowList;
use crate::sandbox::object;

/// The annotation of an Ingress of the sandbox's class that sends plain http of its hosts with TLS on to https.
const SSL_REDIRECT: &str = "sandbox.styrmin.io/ssl-redirect";
const DEFAULT_CLASS: &str = "ingressclass.kubernetes.io/is-default-class";

/// A Service's port, by number or by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Port {
    Number(u16),
    Name(String),
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Backend {
    /// The namespace of both Ingress and Service.
    pub(super) namespace: String,
    /// The name of the Ingress.
    pub(super) ingress: String,
    pub(super) allow: Arc<AllowList>,
    pub(super) service: String,
    pub(super) port: Port,
    /// Whether plain http is sent on to https.
    pub(super) to_https: bool,
}

/// Where the certificate of a host is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TlsSecret {
    pub(super) namespace: String,
    /// The name of the Ingress that asks for it.
    pub(super) ingress: String,
    pub(super) secret: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Route {
    path: String,
    exact: bool,
    backend: Arc<Backend>,
}

/// What the table says about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Backend(Arc<Backend>),
    /// Another controller answers for the host.
    Elsewhere(Arc<Claim>),
    /// No Ingress names the host.
    UnknownHost,
    /// The host is known, the path is not.
    UnknownPath,
}

/// The objects that the table is made of.
#[derive(Debug, Default)]
pub(super) struct Sources {
    ingresses: Vec<Arc<Value>>,
    classes: Vec<Arc<Value>>,
    ingress_routes: Vec<Arc<Value>>,
    http_routes: Vec<Arc<Value>>,
    gateways: Vec<Arc<Value>>,
}

impl Sources {
    /// The resources that are looked at; the last three exist only where somebody has defined them.
    pub(super) const RESOURCES: [&str; 5] = [
        "ingresses.networking.k8s.io",
        "ingressclasses.networking.k8s.io",
        "ingressroutes.traefik.io",
        "httproutes.gateway.networking.k8s.io",
        "gateways.gateway.networking.k8s.io",
    ];

    /// The objects as they are now.
    pub(super) fn read(api: &Api) -> Self {
        let [ingresses, classes, ingress_routes, http_routes, gateways] =
            Self::RESOURCES.map(|resource| api.list(resource, None));
        Self { ingresses, classes, ingress_routes, http_routes, gateways }
    }
}

/// All rules of the sandbox's Ingresses, and the hosts of the others. A host `*.example.org` is held as `.example.org`, no
/// host as the empty text.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Host → its routes, best first.
    hosts: HashMap<String, Vec<Route>>,
    fallback: Option<Arc<Backend>>,
    /// Host → where its certificate is.
    secrets: HashMap<String, Arc<TlsSecret>>,
    /// Host → who else answers for it.
    claims: HashMap<String, Arc<Claim>>,
}

impl Table {
    /// The table of the Ingresses whose class is the sandbox's, and of the routes of others; older Ingresses win.
    pub(super) fn build(sources: &Sources) -> Self {
        let mut ingresses: Vec<&Arc<Value>> = sources.ingresses.iter().collect();
        ingresses.sort_by_key(|ingress| object::text(ingress, "/metadata/creationTimestamp"));
        let mut table = Self::default();
        for ingress in ingresses {
            if is_ours(ingress, &sources.classes) {
                table.add(ingress);
            } else {
                table.claim(claims::of_ingress(ingress, class_of(ingress)));
            }
        }
        for route in &sources.ingress_routes {
            table.claim(claims::of_ingress_route(route));
        }
        for route in &sources.http_routes {
            table.claim(claims::of_http_route(route, &sources.gateways));
        }
        for routes in table.hosts.values_mut() {
            // An exact path beats a prefix of the same length, a longer path a shorter one; the sort is stable.
            routes.sort_by_key(|route| {
                std::cmp::Reverse((route.path.trim_end_matches('/').len(), route.exact))
            });
        }
        table
    }

    fn add(&mut self, ingress: &Value) {
        let allow = Arc::new(AllowList::of_ingress(ingress));
        if let Some(backend) = backend(ingress, &allow, &ingress["spec"]["defaultBackend"]) {
            self.fallback.get_or_insert(Arc::new(backend));
        }
        self.add_secrets(ingress);
        let redirects = object::annotation(ingress, SSL_REDIRECT) == Some("true");
        for rule in object::list(ingress, "/spec/rules") {
            let host = object::text(rule, "/host");
            let to_https = redirects && has_tls(ingress, host);
            let routes = self.hosts.entry(key(host)).or_default();
            for path in object::list(rule, "/http/paths") {
                if let Some(backend) = backend(ingress, &allow, &path["backend"]) {
                    let text = match object::text(path, "/path") {
                        "" => "/",
                        path => path,
                    };
                    let exact = path["pathType"] == "Exact";
                    let backend = Arc::new(Backend { to_https, ..backend });
                    routes.push(Route { path: text.to_owned(), exact, backend });
                }
            }
        }
    }

    /// A Secret that names no host is for those of the rules.
    fn add_secrets(&mut self, ingress: &Value) {
        for tls in object::list(ingress, "/spec/tls") {
            let secret = object::text(tls, "/secretName");
            if secret.is_empty() {
                continue;
            }
            let place = Arc::new(TlsSecret {
                namespace: object::namespace(ingress).to_owned(),
                ingress: object::name(ingress).to_owned(),
                secret: secret.to_owned(),
            });
            let named = object::list(tls, "/hosts").iter().filter_map(Value::as_str);
            let mut hosts: Vec<&str> = named.collect();
            if hosts.is_empty() {
                let rules = object::list(ingress, "/spec/rules").iter();
                hosts = rules.map(|rule| object::text(rule, "/host")).collect();
            }
            for host in hosts {
                self.secrets.entry(key(host)).or_insert_with(|| Arc::clone(&place));
            }
        }
    }

    fn claim(&mut self, hosts: Vec<(String, Claim)>) {
        for (host, claim) in hosts {
            self.claims.entry(key(&host)).or_insert_with(|| Arc::new(claim));
        }
    }

    /// Where the certificate for a host is.
    pub(super) fn secret(&self, host: &str) -> Option<Arc<TlsSecret>> {
        let host = host.to_ascii_lowercase();
        [host.as_str(), wildcard(&host)].into_iter().find_map(|name| self.secrets.get(name)).cloned()
    }

    /// Who else answers for a host.
    pub(super) fn elsewhere(&self, host: &str) -> Option<Arc<Claim>> {
        match self.find(host, "/") {
            Found::Elsewhere(claim) => Some(claim),
            _ => None,
        }
    }

    /// Where a request for `host` (without a port) and `path` goes.
    pub(super) fn find(&self, host: &str, path: &str) -> Found {
        let host = host.to_ascii_lowercase();
        let mut known = false;
        for name in [host.as_str(), wildcard(&host), ""] {
            let Some(routes) = self.hosts.get(name) else {
                match self.claims.get(name) {
                    Some(claim) if !known && !name.is_empty() => return Found::Elsewhere(Arc::clone(claim)),
                    _ => continue,
                }
            };
            known = true;
            if let Some(route) = routes.iter().find(|route| route.matches(path)) {
                return Found::Backend(Arc::clone(&route.backend));
            }
        }
        match &self.fallback {
            Some(backend) => Found::Backend(Arc::clone(backend)),
            None if known => Found::UnknownPath,
            None => Found::UnknownHost,
        }
    }

    /// The hosts that are known, in order.
    pub(super) fn hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = self
            .hosts
            .keys()
            .filter(|host| !host.is_empty())
            .map(|host| if host.starts_with('.') { format!("*{host}") } else { host.clone() })
            .collect();
        hosts.sort();
        hosts
    }
}

impl Route {
    /// A prefix matches whole path elements.
    fn matches(&self, path: &str) -> bool {
        if self.exact {
            return path == self.path;
        }
        let prefix = self.path.trim_end_matches('/');
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The name under which a host is held.
fn key(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    host.strip_prefix('*').unwrap_or(&host).to_owned()
}

/// The name under which the wildcard is held that covers a host; a host of one label has none.
fn wildcard(host: &str) -> &str {
    host.find('.').map_or("", |dot| &host[dot..])
}

fn backend(ingress: &Value, allow: &Arc<AllowList>, value: &Value) -> Option<Backend> {
    let service = value["service"]["name"].as_str()?.to_owned();
    let port = &value["service"]["port"];
    let number = port["number"].as_u64().and_then(|number| u16::try_from(number).ok());
    let port = match number {
        Some(number) => Port::Number(number),
        None => Port::Name(port["name"].as_str()?.to_owned()),
    };
    Some(Backend {
        namespace: object::namespace(ingress).to_owned(),
        ingress: object::name(ingress).to_owned(),
        allow: Arc::clone(allow),
        service,
        port,
        to_https: false,
    })
}

/// Whether an Ingress serves a host over https: an entry that names no host is for those of all rules.
fn has_tls(ingress: &Value, host: &str) -> bool {
    let host = key(host);
    object::list(ingress, "/spec/tls").iter().any(|entry| match object::list(entry, "/hosts") {
        [] => true,
        named => named
            .iter()
            .filter_map(Value::as_str)
            .map(key)
            .any(|named| named == host || (!host.is_empty() && named == wildcard(&host))),
    })
}

/// The class that an Ingress names, by its field or by the older annotation.
fn class_of(ingress: &Value) -> &str {
    match object::text(ingress, "/spec/ingressClassName") {
        "" => object::annotation(ingress, "kubernetes.io/ingress.class").unwrap_or_default(),
        named => named,
    }
}

/// Whether an Ingress's class, or the default class when it names none, is of the sandbox's controller.
fn is_ours(ingress: &Value, classes: &[Arc<Value>]) -> bool {
    let named = class_of(ingress);
    let class = classes.iter().find(|class| match named {
        "" => class["metadata"]["annotations"][DEFAULT_CLASS] == "true",
        named => object::name(class) == named,
    });
    class.is_some_and(|class| class["spec"]["controller"] == INGRESS_CONTROLLER)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(rules: Value) -> Table {
        let class = json!({
            "metadata": {"name": "sandbox", "annotations": {DEFAULT_CLASS: "true"}},
            "spec": {"controller": INGRESS_CONTROLLER},
        });
        let ingress = json!({"metadata": {"name": "i", "namespace": "demo"}, "spec": {"rules": rules}});
        let other = json!({"metadata": {"name": "o", "namespace": "demo"},
            "spec": {"ingressClassName": "nginx", "rules": [{"host": "other.localhost"}]}});
        Table::build(&Sources {
            ingresses: vec![Arc::new(ingress), Arc::new(other)],
            classes: vec![Arc::new(class)],
            ..Sources::default()
        })
    }

    fn path(path: &str, kind: &str, service: &str) -> Value {
        json!({"path": path, "pathType": kind, "backend": {"service": {"name": service, "port": {"number": 80}}}})
    }

    fn service(found: Found) -> String {
        match found {
            Found::Backend(backend) => backend.service.clone(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_longest_path_wins_and_prefixes_match_elements() {
        let table = table(json!([{"host": "Notes.localhost", "http": {"paths": [
            path("/", "Prefix", "web"), path("/api", "Prefix", "api"), path("/api/v1", "Exact", "exact"),
        ]}}]));
        let find = |path: &str| service(table.find("notes.LOCALHOST", path));
        assert_eq!(find("/"), "web");
        assert_eq!(find("/apish"), "web");
        assert_eq!(find("/api"), "api");
        assert_eq!(find("/api/v1"), "exact");
        assert_eq!(find("/api/v1/x"), "api");
        assert_eq!(table.find("unknown.localhost", "/"), Found::UnknownHost);
        let claim = table.elsewhere("other.localhost").unwrap();
        assert_eq!(claim.what, "The Ingress demo/o of the class nginx");
        assert!(table.elsewhere("notes.localhost").is_none());
        assert_eq!(table.hosts(), ["notes.localhost"]);
    }

    #[test]
    fn wildcards_cover_one_label_and_rules_without_a_host_cover_all() {
        let table = table(json!([
            {"host": "*.example.org", "http": {"paths": [path("/", "Prefix", "wild")]}},
            {"http": {"paths": [path("/any", "Prefix", "any")]}},
        ]));
        assert_eq!(service(table.find("a.example.org", "/")), "wild");
        assert_eq!(table.find("a.b.example.org", "/"), Found::UnknownPath);
        assert_eq!(service(table.find("elsewhere", "/any/x")), "any");
    }

    #[test]
    fn certificates_are_found_by_host() {
        let class = json!({"metadata": {"name": "sandbox", "annotations": {DEFAULT_CLASS: "true"}},
            "spec": {"controller": INGRESS_CONTROLLER}});
        let ingress = |name: &str, tls: Value| {
            Arc::new(json!({"metadata": {"name": name, "namespace": "demo"},
                "spec": {"rules": [{"host": "rule.localhost"}], "tls": tls}}))
        };
        let table = Table::build(&Sources {
            ingresses: vec![
                ingress("a", json!([{"hosts": ["One.localhost", "*.two.localhost"], "secretName": "named"}])),
                ingress("b", json!([{"secretName": "rules"}, {"hosts": ["bare.localhost"]}])),
            ],
            classes: vec![Arc::new(class)],
            ..Sources::default()
        });
        let secret = |host: &str| table.secret(host).map(|found| found.secret.clone());
        assert_eq!(secret("one.LOCALHOST").as_deref(), Some("named"));
        assert_eq!(secret("x.two.localhost").as_deref(), Some("named"));
        assert_eq!(secret("rule.localhost").as_deref(), Some("rules"));
        assert_eq!(secret("bare.localhost"), None);
        assert_eq!(secret("two.localhost"), None);
    }
}
