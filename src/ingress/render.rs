//! Routes as Ingress objects (networking.k8s.io/v1).

use serde_json::{Value, json};

use super::Hosts;

/// A route from host names to a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The name of the Ingress.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The ingress class; none leaves the choice to the cluster's default class.
    pub class: Option<String>,
    /// The host names that it answers to.
    pub hosts: Hosts,
    /// The path prefix.
    pub path: String,
    /// The name of the Kubernetes Service.
    pub service: String,
    /// The Service's port.
    pub port: u16,
}

/// One Ingress per route, with a rule for each host.
pub fn render(routes: &[Route]) -> Vec<Value> {
    routes.iter().map(ingress).collect()
}

fn ingress(route: &Route) -> Value {
    let path = if route.path.starts_with('/') { route.path.clone() } else { format!("/{}", route.path) };
    let rule = |host: &str| {
        json!({
            "host": host,
            "http": { "paths": [{
                "path": path,
                "pathType": "Prefix",
                "backend": { "service": { "name": route.service, "port": { "number": route.port } } },
            }] },
        })
    };
    let mut spec = json!({ "rules": [rule(&route.hosts.primary), rule(&route.hosts.readable)] });
    if let Some(class) = &route.class {
        spec["ingressClassName"] = json!(class);
    }
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": { "name": route.name, "namespace": route.namespace },
        "spec": spec,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingress::hosts;

    fn route() -> Route {
        Route {
            name: "notes".to_owned(),
            namespace: "demo".to_owned(),
            class: Some("sandbox".to_owned()),
            hosts: hosts("notes", "uid", "demo", "localhost"),
            path: "app".to_owned(),
            service: "notes".to_owned(),
            port: 8080,
        }
    }

    #[test]
    fn an_ingress_routes_both_hosts_to_the_service() {
        let objects = render(&[route()]);
        let spec = &objects[0]["spec"];
        assert_eq!(spec["ingressClassName"], "sandbox");
        assert_eq!(spec["rules"][0]["host"], route().hosts.primary);
        assert_eq!(spec["rules"][1]["host"], "notes-demo.localhost");
        let path = &spec["rules"][1]["http"]["paths"][0];
        assert_eq!((path["path"].as_str(), path["pathType"].as_str()), (Some("/app"), Some("Prefix")));
        assert_eq!(path["backend"]["service"], json!({"name": "notes", "port": {"number": 8080}}));
    }

    #[test]
    fn no_class_leaves_the_choice_to_the_cluster() {
        let objects = render(&[Route { class: None, ..route() }]);
        assert!(objects[0]["spec"].get("ingressClassName").is_none());
    }
}
