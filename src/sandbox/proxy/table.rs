//! Which Service answers for a host and a path, and which Secret holds the certificate of a host. Pure; built anew when an
//! Ingress or another route changes, read at every request.
//!
//! The host decides first: the very name, then the wildcard that covers it, then rules without a host. Of the paths under it the
//! longest wins, an exact one before a prefix; `ImplementationSpecific` is a prefix. A host may be in several Ingresses: it has
//! the paths of all, and where two name the same, the older Ingress answers. What no path takes goes to the default backend of
//! an Ingress that names the host, else to the oldest default backend of all.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::claims::{self, Claim};
use crate::sandbox::api::Api;
use crate::sandbox::network::allow::AllowList;
use crate::sandbox::network::ingress_class;
use crate::sandbox::object;

/// The annotation of an Ingress of the sandbox's class that sends plain http of its hosts with TLS on to https.
const SSL_REDIRECT: &str = "sandbox.styrmin.io/ssl-redirect";

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

/// What is known of a host.
#[derive(Debug, Default)]
struct Host {
    /// The best first.
    routes: Vec<Route>,
    /// The default backend of the oldest Ingress that names the host and has one.
    fallback: Option<Arc<Backend>>,
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
    hosts: HashMap<String, Host>,
    /// The default backend of the oldest Ingress that has one.
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
            if ingress_class::is_ours(ingress, sources.classes.iter().map(|class| &**class)) {
                table.add(ingress);
            } else {
                table.claim(claims::of_ingress(ingress, ingress_class::named(ingress)));
            }
        }
        for route in &sources.ingress_routes {
            table.claim(claims::of_ingress_route(route));
        }
        for route in &sources.http_routes {
            table.claim(claims::of_http_route(route, &sources.gateways));
        }
        for host in table.hosts.values_mut() {
            // the sort is stable: older Ingresses stay first
            host.routes.sort_by_key(|route| {
                std::cmp::Reverse((route.path.trim_end_matches('/').len(), route.exact))
            });
        }
        table
    }

    fn add(&mut self, ingress: &Value) {
        let allow = Arc::new(AllowList::of_ingress(ingress));
        let fallback = backend(ingress, &allow, &ingress["spec"]["defaultBackend"]).map(Arc::new);
        if self.fallback.is_none() {
            self.fallback.clone_from(&fallback);
        }
        self.add_secrets(ingress);
        let redirects = object::annotation(ingress, SSL_REDIRECT) == Some("true");
        for rule in object::list(ingress, "/spec/rules") {
            let name = object::text(rule, "/host");
            let to_https = redirects && has_tls(ingress, name);
            let host = self.hosts.entry(key(name)).or_default();
            if host.fallback.is_none() {
                let own = fallback.as_ref();
                host.fallback = own.map(|own| Arc::new(Backend { to_https, ..(**own).clone() }));
            }
            for path in object::list(rule, "/http/paths") {
                if let Some(backend) = backend(ingress, &allow, &path["backend"]) {
                    let text = match object::text(path, "/path") {
                        "" => "/",
                        path => path,
                    };
                    let exact = path["pathType"] == "Exact";
                    let backend = Arc::new(Backend { to_https, ..backend });
                    host.routes.push(Route { path: text.to_owned(), exact, backend });
                }
            }
        }
    }

    /// A Secret that names no host is for those of the rules, and for every host where there are none.
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
            if hosts.is_empty() {
                hosts.push("");
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
        [host.as_str(), wildcard(&host), ""].into_iter().find_map(|name| self.secrets.get(name)).cloned()
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
        let (mut known, mut fallback) = (false, None);
        for name in [host.as_str(), wildcard(&host), ""] {
            let Some(of_host) = self.hosts.get(name) else {
                match self.claims.get(name) {
                    Some(claim) if !known && !name.is_empty() => return Found::Elsewhere(Arc::clone(claim)),
                    _ => continue,
                }
            };
            known = true;
            if let Some(route) = of_host.routes.iter().find(|route| route.matches(path)) {
                return Found::Backend(Arc::clone(&route.backend));
            }
            if !name.is_empty() {
                fallback = fallback.or(of_host.fallback.as_ref());
            }
        }
        match fallback.or(self.fallback.as_ref()) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OLD: &str = "2026-01-01T00:00:00Z";
    const YOUNG: &str = "2026-01-02T00:00:00Z";

    /// The table of these Ingresses; the default class is the sandbox's.
    fn build(ingresses: Vec<Value>) -> Table {
        let class = json!({
            "metadata": {"name": "sandbox", "annotations": {ingress_class::DEFAULT_CLASS: "true"}},
            "spec": {"controller": ingress_class::CONTROLLER},
        });
        Table::build(&Sources {
            ingresses: ingresses.into_iter().map(Arc::new).collect(),
            classes: vec![Arc::new(class)],
            ..Sources::default()
        })
    }

    fn ingress(name: &str, made: &str, spec: Value) -> Value {
        json!({"metadata": {"name": name, "namespace": "demo", "creationTimestamp": made}, "spec": spec})
    }

    fn table(rules: Value) -> Table {
        let other = json!({"ingressClassName": "nginx", "rules": [{"host": "other.localhost"}]});
        build(vec![ingress("i", OLD, json!({"rules": rules})), ingress("o", OLD, other)])
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

    /// The table of examples in the documentation of the Ingress.
    #[test]
    fn path_types_mean_what_kubernetes_says() {
        for (kind, paths, asked, expected) in [
            ("Prefix", &["/"][..], "/any/path", Some("/")),
            ("Exact", &["/foo"], "/foo", Some("/foo")),
            ("Exact", &["/foo"], "/bar", None),
            ("Exact", &["/foo"], "/foo/", None),
            ("Exact", &["/foo/"], "/foo", None),
            ("Prefix", &["/foo"], "/foo", Some("/foo")),
            ("Prefix", &["/foo"], "/foo/", Some("/foo")),
            ("Prefix", &["/foo/"], "/foo", Some("/foo/")),
            ("Prefix", &["/foo/"], "/foo/", Some("/foo/")),
            ("Prefix", &["/aaa/bb"], "/aaa/bbb", None),
            ("Prefix", &["/aaa/bbb"], "/aaa/bbb", Some("/aaa/bbb")),
            ("Prefix", &["/aaa/bbb/"], "/aaa/bbb", Some("/aaa/bbb/")),
            ("Prefix", &["/aaa/bbb"], "/aaa/bbb/", Some("/aaa/bbb")),
            ("Prefix", &["/aaa/bbb"], "/aaa/bbb/ccc", Some("/aaa/bbb")),
            ("Prefix", &["/aaa/bbb"], "/aaa/bbbxyz", None),
            ("Prefix", &["/", "/aaa"], "/aaa/ccc", Some("/aaa")),
            ("Prefix", &["/", "/aaa", "/aaa/bbb"], "/aaa/bbb", Some("/aaa/bbb")),
            ("Prefix", &["/", "/aaa", "/aaa/bbb"], "/ccc", Some("/")),
            ("Prefix", &["/aaa"], "/ccc", None),
            ("Prefix", &["/foo"], "/FOO", None),
            ("ImplementationSpecific", &["/foo"], "/foo/bar", Some("/foo")),
            ("ImplementationSpecific", &[""], "/foo/bar", Some("")),
        ] {
            let paths: Vec<Value> = paths.iter().map(|text| path(text, kind, text)).collect();
            let table = table(json!([{"host": "a.localhost", "http": {"paths": paths}}]));
            let expected = expected.map_or("UnknownPath", |service| service);
            assert_eq!(service(table.find("a.localhost", asked)), expected, "{kind} {paths:?} {asked}");
        }
        let both =
            table(json!([{"http": {"paths": [path("/foo", "Prefix", "p"), path("/foo", "Exact", "e")]}}]));
        assert_eq!(service(both.find("a.localhost", "/foo")), "e");
    }

    #[test]
    fn a_host_in_two_ingresses_has_the_paths_of_both_and_the_older_one_wins() {
        let spec = |paths: Value| json!({"rules": [{"host": "a.localhost", "http": {"paths": paths}}]});
        let young = spec(json!([path("/", "Prefix", "young"), path("/young", "Prefix", "young")]));
        let old = spec(json!([path("/", "Prefix", "old"), path("/young/not", "Exact", "old")]));
        let table = build(vec![ingress("a", YOUNG, young), ingress("b", OLD, old)]);
        let find = |path: &str| service(table.find("a.localhost", path));
        assert_eq!(
            (find("/"), find("/young/x"), find("/young/not")),
            ("old".into(), "young".into(), "old".into())
        );
    }

    #[test]
    fn the_very_host_comes_before_a_wildcard_whatever_is_older() {
        let spec =
            |host: &str| json!({"rules": [{"host": host, "http": {"paths": [path("/", "Prefix", host)]}}]});
        let table = build(vec![
            ingress("a", OLD, json!({"rules": [{"http": {"paths": [path("/long/path", "Exact", "any")]}}]})),
            ingress("b", OLD, spec("*.example.org")),
            ingress("c", YOUNG, spec("a.example.org")),
        ]);
        assert_eq!(service(table.find("a.example.org", "/long/path")), "a.example.org");
        assert_eq!(service(table.find("b.example.org", "/long/path")), "*.example.org");
        assert_eq!(service(table.find("example.org", "/long/path")), "any");
    }

    #[test]
    fn what_no_rule_takes_goes_to_the_default_of_the_hosts_own_ingress() {
        let backend = |name: &str| json!({"service": {"name": name, "port": {"number": 80}}});
        let mut own = ingress(
            "own",
            YOUNG,
            json!({"defaultBackend": backend("own"), "tls": [{"hosts": ["tls.localhost"]}], "rules": [
                {"host": "own.localhost", "http": {"paths": [path("/x", "Prefix", "x")]}}, {"host": "bare.localhost"},
                {"host": "tls.localhost", "http": {"paths": [path("/x", "Prefix", "x")]}},
            ]}),
        );
        own["metadata"]["annotations"] = json!({SSL_REDIRECT: "true"});
        let table = build(vec![
            ingress("all", OLD, json!({"defaultBackend": backend("of all")})),
            own,
            ingress(
                "none",
                YOUNG,
                json!({"rules": [
                    {"host": "none.localhost", "http": {"paths": [path("/x", "Prefix", "x")]}},
                ]}),
            ),
        ]);
        for (host, path, expected) in [
            ("own.localhost", "/x", "x"),
            ("own.localhost", "/y", "own"),
            ("bare.localhost", "/y", "own"),
            ("tls.localhost", "/x", "x"),
            ("tls.localhost", "/y", "own"),
            ("none.localhost", "/y", "of all"),
            ("unknown.localhost", "/", "of all"),
        ] {
            let found = table.find(host, path);
            let to_https = matches!(&found, Found::Backend(backend) if backend.to_https);
            assert_eq!(service(found), expected, "{host}{path}");
            assert_eq!(to_https, host == "tls.localhost", "{host}{path}");
        }
    }

    #[test]
    fn certificates_are_found_by_host() {
        let with = |name: &str, tls: Value| {
            ingress(name, OLD, json!({"rules": [{"host": "rule.localhost"}], "tls": tls}))
        };
        let mut ingresses = vec![
            with("a", json!([{"hosts": ["One.localhost", "*.two.localhost"], "secretName": "named"}])),
            with("b", json!([{"secretName": "rules"}, {"hosts": ["bare.localhost"]}])),
        ];
        let table = build(ingresses.clone());
        let secret = |host: &str| table.secret(host).map(|found| found.secret.clone());
        assert_eq!(secret("one.LOCALHOST").as_deref(), Some("named"));
        assert_eq!(secret("x.two.localhost").as_deref(), Some("named"));
        assert_eq!(secret("rule.localhost").as_deref(), Some("rules"));
        assert_eq!(secret("bare.localhost"), None);
        assert_eq!(secret("two.localhost"), None);
        for spec in
            [json!({"rules": [{}], "tls": [{"secretName": "any"}]}), json!({"tls": [{"secretName": "any"}]})]
        {
            ingresses.push(ingress("c", OLD, spec));
            let table = build(ingresses.clone());
            let secret = |host: &str| table.secret(host).map(|found| found.secret.clone());
            assert_eq!(secret("two.localhost").as_deref(), Some("any"));
            assert_eq!(secret("rule.localhost").as_deref(), Some("rules"));
            ingresses.pop();
        }
    }
}
