//! `spec.services`.

use super::peers;
use crate::domain::driver::{ServiceScope, ServiceSpec, TlsSpec};
use crate::domain::names::check_subdomain;
use crate::driver::reader::{Fields, Report};
use crate::driver::yaml::{Node, Tree};

pub(super) const FIELDS: [&str; 10] =
    ["name", "kind", "scope", "port", "targetPort", "target_port", "component", "path", "tls", "allow_from"];

/// The services in their order.
pub(super) fn read(spec: &Fields<'_>, components: &[&str], report: &mut Report<'_>) -> Vec<ServiceSpec> {
    let mut names = super::Names::default();
    let mut services = Vec::new();
    for (position, node) in spec.items("services", report).iter().enumerate() {
        let path = format!("spec.services[{position}]");
        if let Some(service) = service(node, &path, components, report) {
            names.add(node.place, "service", &service.name, report);
            services.push(service);
        }
    }
    services
}

fn service(node: &Node, path: &str, components: &[&str], report: &mut Report<'_>) -> Option<ServiceSpec> {
    let fields = Fields::open(node, path, &FIELDS, report);
    let name = fields.required_text("name", report);
    if let Some(name) = &name {
        super::label(fields.place_of("name"), "service", name, report);
    }
    let port = fields.require("port", report).and_then(|node| report.port(node, &fields.path_of("port")));
    let component = fields.required_text("component", report);
    if let Some(component) = &component {
        let place = fields.place_of("component");
        super::known_component(place, &fields.path_of("component"), component, components, report);
    }
    let scope = scope(&fields, report);
    let kind = kind(&fields, scope, report);
    let target_port = target_port(&fields, report);
    let (path, tls) = (route_path(&fields, report), tls(&fields, scope, report));
    let allow_from = peers::read(&fields, report);
    Some(ServiceSpec {
        name: name?,
        kind,
        scope,
        port: port?,
        target_port,
        component: component?,
        path,
        tls,
        allow_from,
    })
}

/// `true`: as the environment says; or the Secret, or the issuer, of its certificate.
fn tls(fields: &Fields<'_>, scope: ServiceScope, report: &mut Report<'_>) -> Option<TlsSpec> {
    let node = fields.get("tls")?;
    let path = fields.path_of("tls");
    let tls = match node.tree {
        Tree::Bool(true) => TlsSpec::default(),
        Tree::Bool(false) => return None,
        Tree::Map(_) => certificate(node, &path, report),
        _ => {
            report.expected(node, &path, "true, or a mapping with secret, issuer or cluster_issuer");
            return None;
        }
    };
    if scope == ServiceScope::Internal {
        report.warn(node.place, format!("{path} is ignored, the service is internal"), "");
    }
    Some(tls)
}

/// Where the certificate comes from, which one thing says.
fn certificate(node: &Node, path: &str, report: &mut Report<'_>) -> TlsSpec {
    let sources = ["secret", "issuer", "cluster_issuer"];
    let fields = Fields::open(node, path, &sources, report);
    let [secret, issuer, cluster_issuer] = sources.map(|name| fields.optional_text(name, report));
    let given: Vec<&str> = sources.into_iter().filter(|name| fields.get(name).is_some()).collect();
    if let [first, second, ..] = given.as_slice() {
        let message = format!("{path} has a {first} and a {second}");
        report.error(node.place, message, "keep one of them");
    }
    for (name, value) in sources.into_iter().zip([&secret, &issuer, &cluster_issuer]) {
        if let Some(value) = value
            && let Err(why) = check_subdomain(value)
        {
            let message = format!("{} is '{value}', which names no object: {why}", fields.path_of(name));
            report.error(fields.place_of(name), message, "");
        }
    }
    let cluster_wide = cluster_issuer.is_some();
    TlsSpec { secret, issuer: issuer.or(cluster_issuer), cluster_wide }
}

fn scope(fields: &Fields<'_>, report: &mut Report<'_>) -> ServiceScope {
    if fields.get("scope").is_none() {
        return ServiceScope::Internal;
    }
    match super::one_of(fields, "scope", &["internal", "external"], report).as_deref() {
        Some("external") => ServiceScope::External,
        _ => ServiceScope::Internal,
    }
}

/// The kind; `http` when absent. Only http can be routed from outside.
fn kind(fields: &Fields<'_>, scope: ServiceScope, report: &mut Report<'_>) -> String {
    if fields.get("kind").is_none() {
        return "http".to_owned();
    }
    let kind = fields.text("kind", report);
    let place = fields.place_of("kind");
    if kind != "http" && scope == ServiceScope::External {
        let message = format!("{} is '{kind}', only http services can be external", fields.path_of("kind"));
        report.error(place, message, "make it internal, or of kind http");
    } else if !["http", "tcp"].contains(&kind.as_str()) {
        let message = format!("{} is '{kind}', taken as tcp", fields.path_of("kind"));
        report.warn(place, message, "known are http and tcp");
    }
    kind
}

fn target_port(fields: &Fields<'_>, report: &mut Report<'_>) -> Option<u16> {
    let name = if fields.get("targetPort").is_some() { "targetPort" } else { "target_port" };
    fields.get(name).and_then(|node| report.port(node, &fields.path_of(name)))
}

fn route_path(fields: &Fields<'_>, report: &mut Report<'_>) -> String {
    let path = fields.text("path", report);
    if path.is_empty() {
        return "/".to_owned();
    }
    if !path.starts_with('/') || path.contains(char::is_whitespace) {
        let message = format!("{} is '{path}', expected a path such as /app", fields.path_of("path"));
        report.error(fields.place_of("path"), message, "");
    }
    path
}
