//! One route model, written as the kind that an environment has: Ingress, HTTPRoute or IngressRoute. Pure and deterministic.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::allow::{self, Adapter};
use super::class::Naming;
use crate::domain::Problem;
use crate::domain::names::{LABEL_MAX, bounded};
use crate::domain::route::{CLASS_ANNOTATION, IssuerRef, RouteKind, TlsSource, Via};

/// The annotation of a Certificate that gives the Ingress by which a host is proven (HTTP-01) a class
/// (`pkg/apis/acme/v1/types.go` of cert-manager).
const SOLVER_CLASS: &str = "acme.cert-manager.io/http01-override-ingress-class";

mod http_route;
mod ingress;
mod ingress_route;
mod redirect;

pub use redirect::Redirect;

#[cfg(test)]
mod tests;

/// A route from host names to a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The name of its object.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The host names that it answers to: the primary one, the readable one, and what a person added. Never empty.
    pub hosts: Vec<String>,
    /// The path prefix.
    pub path: String,
    /// The name of the Kubernetes Service.
    pub service: String,
    /// The Service's port.
    pub port: u16,
    /// Where its certificate comes from.
    pub tls: TlsSource,
}

/// The routes of a deployment, and what its environment says about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteSet {
    /// Who answers; none: as before anybody asked, an Ingress of [`Self::class`].
    pub via: Option<Via>,
    /// The ingress class of the environment, where nobody found out who answers; none leaves the choice to the cluster.
    pub class: Option<String>,
    /// Whether the environment has an ingress controller of its own, which keeps the allow-list itself.
    pub dedicated: bool,
    /// Annotations of every route.
    pub annotations: BTreeMap<String, String>,
    /// The blocks of addresses that may come; empty: everybody.
    pub allow: Vec<String>,
    /// What http answers where there is https too.
    pub redirect: Redirect,
    /// The routes.
    pub routes: Vec<Route>,
}

impl RouteSet {
    /// The kind that the routes are written as.
    pub fn kind(&self) -> RouteKind {
        self.via.as_ref().map_or(RouteKind::Ingress, |via| via.kind)
    }

    /// The class that they name; none: none.
    pub fn class(&self) -> Option<&str> {
        match &self.via {
            Some(via) => via.class.as_deref(),
            None => self.class.as_deref(),
        }
    }

    /// How the allow-list is expressed; none where there is nothing to express, or nobody knows to whom.
    ///
    /// # Errors
    /// The kind has no way to express it.
    pub fn adapter(&self) -> Result<Option<Adapter>, Problem> {
        match &self.via {
            Some(via) if !self.allow.is_empty() => allow::adapter(via, self.dedicated).map(Some),
            _ => Ok(None),
        }
    }

    /// The annotations of a route: the environment's, and those that it needs.
    fn annotations_of(&self, route: &Route, adapter: Option<&Adapter>) -> Value {
        let mut annotations = self.annotations.clone();
        if let Some(Naming::Annotation(class)) = self.naming(self.kind()) {
            annotations.insert(CLASS_ANNOTATION.to_owned(), class.to_owned());
        }
        redirect::annotate(&mut annotations, self, route);
        if let Some(adapter) = adapter {
            let place = (route.namespace.as_str(), route.name.as_str());
            allow::annotate(&mut annotations, self.kind(), adapter, place, &self.allow);
        }
        json!(annotations)
    }
}

/// The objects of the routes: each with what it needs beside it, an allow-list's Middleware or policy, what sends http on to https, and
/// cert-manager's Certificate, which come first.
///
/// # Errors
/// The allow-list cannot be expressed, or there is no Gateway to attach to.
pub fn render(set: &RouteSet) -> Result<Vec<Value>, Problem> {
    if set.routes.is_empty() {
        return Ok(Vec::new());
    }
    let adapter = set.adapter()?;
    let mut objects = Vec::new();
    for route in &set.routes {
        objects.extend(certificate(set, route));
        if let Some(adapter) = &adapter {
            let targets = http_route::names(set, route);
            objects.extend(allow::object(adapter, (&route.namespace, &route.name), &targets, &set.allow));
        }
        objects.extend(redirect::middleware(set, route));
        match set.kind() {
            RouteKind::Ingress => objects.push(ingress::render(set, route, adapter.as_ref())),
            RouteKind::IngressRoute => {
                let made = ingress_route::render(set, route, adapter.as_ref());
                objects.extend(redirect::ingress_route(set, route, &made));
                objects.push(made);
            }
            RouteKind::HttpRoute => objects.extend(http_route::render(set, route, adapter.as_ref())?),
        }
    }
    Ok(objects)
}

/// The Secret that holds the certificate of the route of the Kubernetes Service `service`; none where there is none, or the
/// controller has one of its own.
pub fn tls_secret(tls: &TlsSource, service: &str) -> Option<String> {
    match tls {
        TlsSource::Off | TlsSource::Controller => None,
        TlsSource::Secret(name) => Some(name.clone()),
        TlsSource::Issuer(_) => Some(bounded(&[service, "tls"], LABEL_MAX)),
    }
}

/// The Certificate that cert-manager is to make (<https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.Certificate>).
/// It is asked for in the open, not by an annotation of the route: so it is ours to see and to delete, and the same for all kinds.
///
/// Where the environment has an ingress of its own, the hosts lead there: the Ingress by which cert-manager proves them must be of its
/// class, whatever class the issuer names.
fn certificate(set: &RouteSet, route: &Route) -> Option<Value> {
    let TlsSource::Issuer(IssuerRef { name, cluster_wide }) = &route.tls else { return None };
    let secret = tls_secret(&route.tls, &route.service)?;
    let kind = if *cluster_wide { "ClusterIssuer" } else { "Issuer" };
    let annotations = match set.class().filter(|_| set.dedicated && set.via.is_some()) {
        Some(class) => json!({ SOLVER_CLASS: class }),
        None => json!({}),
    };
    let mut made = object("cert-manager.io/v1", "Certificate", (&route.namespace, &secret), annotations);
    made["spec"] = json!({
        "secretName": secret,
        "dnsNames": route.hosts,
        "issuerRef": { "group": "cert-manager.io", "kind": kind, "name": name },
    });
    Some(made)
}

fn path(route: &Route) -> String {
    if route.path.starts_with('/') { route.path.clone() } else { format!("/{}", route.path) }
}

/// The head of an object; without annotations where there are none.
fn object(api_version: &str, kind: &str, (namespace, name): (&str, &str), annotations: Value) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(name));
    metadata.insert("namespace".to_owned(), json!(namespace));
    if annotations.as_object().is_some_and(|annotations| !annotations.is_empty()) {
        metadata.insert("annotations".to_owned(), annotations);
    }
    json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata })
}
