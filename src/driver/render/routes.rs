//! Services and Ingresses for the driver's services.

use serde_json::{Value, json};

use super::manifests::{kind, name};
use crate::domain::driver::{ServiceScope, ServiceSpec};
use crate::domain::{DriverVersion, labels};
use crate::ingress::{self, Hosts, Route};

/// The objects that the manifests do not bring themselves: a Service per service, and an Ingress per external one that has
/// host names.
pub(super) fn objects(driver: &DriverVersion, context: &Value, rendered: &[(String, Value)]) -> Vec<Value> {
    let brought = |wanted: &str, called: &str| {
        rendered.iter().any(|(_, object)| kind(object) == wanted && name(object) == called)
    };
    let mut objects = Vec::new();
    let mut routes = Vec::new();
    for spec in &driver.spec.services {
        let Some(resolved) = context.get("services").and_then(|services| services.get(&spec.name)) else {
            continue;
        };
        let host = text(resolved, "host");
        if !brought("Service", host) {
            objects.push(service(driver, context, spec, host));
        }
        if spec.scope == ServiceScope::External && !brought("Ingress", host) {
            routes.extend(route(context, spec, resolved, host));
        }
    }
    objects.extend(ingress::render(&routes));
    objects
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or("")
}

/// The selector is the component's own labels and our deployment label: the labels of a driver do not know its deployments.
fn service(driver: &DriverVersion, context: &Value, spec: &ServiceSpec, host: &str) -> Value {
    let component = driver.spec.components.get(&spec.component);
    let mut selector = component.map(|component| component.labels.clone()).unwrap_or_default();
    let deployment = context.pointer("/deployment/name").and_then(Value::as_str).unwrap_or("");
    selector.insert(labels::DEPLOYMENT.to_owned(), deployment.to_owned());
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": host },
        "spec": {
            "type": "ClusterIP",
            "selector": selector,
            "ports": [{
                "name": spec.kind,
                "protocol": "TCP",
                "port": spec.port,
                "targetPort": spec.target_port.unwrap_or(spec.port),
            }],
        },
    })
}

/// The route of an external service; none without host names.
fn route(context: &Value, spec: &ServiceSpec, resolved: &Value, host: &str) -> Option<Route> {
    let hosts = Hosts {
        primary: text(resolved, "primary_fqdn").to_owned(),
        readable: text(resolved, "human_readable_fqdn").to_owned(),
    };
    if hosts.primary.is_empty() {
        return None;
    }
    let config = |pointer: &str| context.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Some(Route {
        name: host.to_owned(),
        namespace: config("/instance/namespace").unwrap_or_default(),
        class: config("/instance/config/ingress_class"),
        hosts,
        path: spec.path.clone(),
        service: host.to_owned(),
        port: spec.port,
    })
}
