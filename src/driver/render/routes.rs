//! Services, routes and policies for the driver's services.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::manifests::{kind, name};
use crate::domain::driver::{ServiceScope, ServiceSpec};
use crate::domain::environment::DEDICATED_DRIVER;
use crate::domain::route::{Routing, TlsSource};
use crate::domain::{DriverVersion, Problem, labels};
use crate::ingress::{self, Gate, Guarded, PolicySet, Route, RouteSet};

mod own;
mod reach;

/// What is made for a driver's services.
pub(super) struct Made {
    /// The objects.
    pub objects: Vec<Value>,
    /// What is worth knowing.
    pub warnings: Vec<String>,
}

/// The objects that the manifests do not bring themselves: a Service per service, a route per external one that has host names, and
/// policies where connections are kept away. The routes that they do bring get what the environment says of routes.
///
/// # Errors
/// The environment says something that its kind of route cannot express.
pub(super) fn objects(
    driver: &DriverVersion,
    context: &Value,
    rendered: &mut [(String, Value)],
) -> Result<Made, Problem> {
    let routing = ingress::routing_of(context)?;
    let mut made = Made { objects: Vec::new(), warnings: Vec::new() };
    let mut set = route_set(context, &routing);
    let mut policies = policy_set(driver, context, &routing, rendered);
    for spec in &driver.spec.services {
        let Some(resolved) = context.get("services").and_then(|services| services.get(&spec.name)) else {
            continue;
        };
        let host = text(resolved, "host");
        if !brings(rendered, "Service", host) {
            made.objects.push(service(driver, context, spec, host));
        }
        let external = spec.scope == ServiceScope::External;
        let declared = Guarded {
            name: host.to_owned(),
            selector: selector(driver, context, spec),
            ports: vec![json!(spec.target_port.unwrap_or(spec.port))],
            external,
            allow_from: spec.allow_from.clone(),
        };
        policies.services.push(reach::as_brought(rendered, declared, spec.port));
        if !external {
            continue;
        }
        let hosts: Vec<String> = ingress::hosts_of(resolved).surest_first().map(str::to_owned).collect();
        // instances from before anybody asked keep what they had: only a route of the same name was recognised
        let asked = routing != Routing::default();
        if brings(rendered, "Ingress", host) || (asked && own::carry(rendered, host, &hosts)) {
            continue;
        }
        if hosts.is_empty() {
            made.warnings.push(no_host(context, &spec.name));
            continue;
        }
        made.warnings.extend(untold_certificate(spec, resolved, &routing));
        set.routes.push(route(context, spec, resolved, hosts));
    }
    made.warnings.extend(reach::add_routed(rendered, &mut policies));
    made.warnings.extend(reach::unreachable(rendered, &policies));
    made.objects.extend(own::adapt(rendered, &set, &policies.namespace)?);
    if set.via.is_none() && !set.dedicated && !set.allow.is_empty() && !set.routes.is_empty() {
        made.warnings.push(ingress::UNENFORCED.to_owned());
    }
    for object in ingress::render(&set)? {
        // a route of the driver's own may be called as one of ours of another kind: then both need the same Middleware
        if !made.objects.contains(&object) {
            made.objects.push(object);
        }
    }
    let policies = ingress::policies(&policies).into_iter();
    made.objects.extend(policies.filter(|policy| !brings(rendered, "NetworkPolicy", name(policy))));
    Ok(made)
}

fn brings(rendered: &[(String, Value)], wanted: &str, called: &str) -> bool {
    rendered.iter().any(|(_, object)| kind(object) == wanted && name(object) == called)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or("")
}

fn at(context: &Value, pointer: &str) -> String {
    context.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Whether the environment has an ingress controller of its own.
fn is_dedicated(context: &Value) -> bool {
    context.pointer("/environment/dedicated_ingress").is_some()
}

/// What the environment says about routes, without any.
fn route_set(context: &Value, routing: &Routing) -> RouteSet {
    let blocks = context.pointer("/environment/ip_whitelist").and_then(Value::as_array);
    let tls_port = context.pointer("/instance/config/ingress_tls_port").and_then(Value::as_u64);
    RouteSet {
        via: routing.via.clone(),
        class: Some(at(context, "/instance/config/ingress_class")).filter(|class| !class.is_empty()),
        dedicated: is_dedicated(context),
        annotations: routing.annotations.clone(),
        redirect: ingress::Redirect {
            said: routing.redirect,
            port: tls_port.and_then(|port| u16::try_from(port).ok()),
            listeners: routing.listeners.clone(),
        },
        allow: blocks.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        routes: Vec::new(),
    }
}

/// Whether the deployment is an ingress controller, which everybody comes to: the environment's own, or one under another name.
fn is_gate(driver: &DriverVersion) -> bool {
    driver.reference.name == DEDICATED_DRIVER
}

fn policy_set(
    driver: &DriverVersion,
    context: &Value,
    routing: &Routing,
    rendered: &[(String, Value)],
) -> PolicySet {
    let gate = is_gate(driver)
        .then(|| Gate { deployment: at(context, "/deployment/name"), ports: reach::doors(rendered) });
    PolicySet {
        isolation: routing.isolation,
        via: routing.via.clone(),
        namespace: at(context, "/instance/namespace"),
        gate,
        services: Vec::new(),
    }
}

/// The labels of a service's pods: the component's own and our deployment label, since the labels of a driver do not know its
/// deployments.
fn selector(driver: &DriverVersion, context: &Value, spec: &ServiceSpec) -> BTreeMap<String, String> {
    let component = driver.spec.components.get(&spec.component);
    let mut selector = component.map(|component| component.labels.clone()).unwrap_or_default();
    selector.insert(labels::DEPLOYMENT.to_owned(), at(context, "/deployment/name"));
    selector
}

fn service(driver: &DriverVersion, context: &Value, spec: &ServiceSpec, host: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": host },
        "spec": {
            "type": "ClusterIP",
            "selector": selector(driver, context, spec),
            "ports": [{
                "name": spec.kind,
                "protocol": "TCP",
                "port": spec.port,
                "targetPort": spec.target_port.unwrap_or(spec.port),
            }],
        },
    })
}

fn route(context: &Value, spec: &ServiceSpec, resolved: &Value, hosts: Vec<String>) -> Route {
    let host = text(resolved, "host");
    Route {
        name: host.to_owned(),
        namespace: at(context, "/instance/namespace"),
        hosts,
        path: spec.path.clone(),
        service: host.to_owned(),
        port: spec.port,
        tls: ingress::tls_of(resolved),
    }
}

fn no_host(context: &Value, service: &str) -> String {
    let (environment, cluster) = (at(context, "/environment/name"), at(context, "/cluster/name"));
    format!(
        "{service} is external, but neither the environment {environment} nor the cluster {cluster} has a suffix of host names: it gets none, and no route"
    )
}

/// What a driver says of a certificate, and its environment does not do.
fn untold_certificate(spec: &ServiceSpec, resolved: &Value, routing: &Routing) -> Option<String> {
    let said = spec.tls.as_ref()?;
    let named = said.secret.as_ref().or(said.issuer.as_ref());
    match (ingress::tls_of(resolved), named) {
        (TlsSource::Off, _) if *routing == Routing::default() => Some(format!(
            "{} asks for https, and answers on http: nothing was said of the environment's routes yet; setting the environment does",
            spec.name
        )),
        (TlsSource::Off, _) => Some(format!(
            "{} asks for https, and answers on http: the environment says nothing of certificates (--tls)",
            spec.name
        )),
        (TlsSource::Controller, Some(named)) => Some(format!(
            "{} names the certificate {named}, which is not used: it is the Gateway's listener that shows one",
            spec.name
        )),
        _ => None,
    }
}
