//! Which Service answers for a host and a path. Pure; built anew when an Ingress changes, read at every request.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::sandbox::controllers::INGRESS_CONTROLLER;
use crate::sandbox::object;

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
    pub(super) namespace: String,
    pub(super) service: String,
    pub(super) port: Port,
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
    /// No Ingress names the host.
    UnknownHost,
    /// The host is known, the path is not.
    UnknownPath,
}

/// All rules of the sandbox's Ingresses.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Host (`*.example.org` as `.example.org`, no host as the empty text) → its routes, best first.
    hosts: HashMap<String, Vec<Route>>,
    fallback: Option<Arc<Backend>>,
}

impl Table {
    /// The table of the Ingresses whose class is the sandbox's; older Ingresses win.
    pub(super) fn build(ingresses: &[Arc<Value>], classes: &[Arc<Value>]) -> Self {
        let mut ours: Vec<&Arc<Value>> =
            ingresses.iter().filter(|ingress| is_ours(ingress, classes)).collect();
        ours.sort_by_key(|ingress| object::text(ingress, "/metadata/creationTimestamp").to_owned());
        let mut table = Self::default();
        for ingress in ours {
            table.add(ingress);
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
        let namespace = object::namespace(ingress);
        if let Some(backend) = backend(namespace, &ingress["spec"]["defaultBackend"]) {
            self.fallback.get_or_insert(Arc::new(backend));
        }
        for rule in object::list(ingress, "/spec/rules") {
            let host = object::text(rule, "/host").to_ascii_lowercase();
            let host = host.strip_prefix('*').unwrap_or(&host).to_owned();
            let routes = self.hosts.entry(host).or_default();
            for path in object::list(rule, "/http/paths") {
                if let Some(backend) = backend(namespace, &path["backend"]) {
                    let text = match object::text(path, "/path") {
                        "" => "/",
                        path => path,
                    };
                    let exact = path["pathType"] == "Exact";
                    routes.push(Route { path: text.to_owned(), exact, backend: Arc::new(backend) });
                }
            }
        }
    }

    /// Where a request for `host` (without a port) and `path` goes.
    pub(super) fn find(&self, host: &str, path: &str) -> Found {
        let host = host.to_ascii_lowercase();
        let wildcard = host.find('.').map_or("", |dot| &host[dot..]);
        let mut known = false;
        for name in [host.as_str(), wildcard, ""] {
            let Some(routes) = self.hosts.get(name) else { continue };
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

fn backend(namespace: &str, value: &Value) -> Option<Backend> {
    let service = value["service"]["name"].as_str()?.to_owned();
    let port = &value["service"]["port"];
    let number = port["number"].as_u64().and_then(|number| u16::try_from(number).ok());
    let port = match number {
        Some(number) => Port::Number(number),
        None => Port::Name(port["name"].as_str()?.to_owned()),
    };
    Some(Backend { namespace: namespace.to_owned(), service, port })
}

/// Whether an Ingress's class, or the default class when it names none, is of the sandbox's controller.
fn is_ours(ingress: &Value, classes: &[Arc<Value>]) -> bool {
    let named = match object::text(ingress, "/spec/ingressClassName") {
        "" => ingress["metadata"]["annotations"]["kubernetes.io/ingress.class"].as_str().unwrap_or_default(),
        named => named,
    };
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
        Table::build(&[Arc::new(ingress), Arc::new(other)], &[Arc::new(class)])
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
        assert_eq!(table.find("other.localhost", "/"), Found::UnknownHost);
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
}
