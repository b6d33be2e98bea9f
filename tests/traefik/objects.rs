//! What the tests put into the sandbox.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use styrmin::domain::route::{RouteKind, RouteListener, TRAEFIK, TlsSource, Via};
use styrmin::ingress::{Redirect, Route, RouteSet, dedicated_class, render};
use tokio_rustls::rustls::pki_types::CertificateDer;

pub fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// An application that shows its title at `/`: the front of the demo application, which says there too that it has no database.
pub fn application(namespace: &str, name: &str, title: &str) -> [Value; 2] {
    let labels = json!({"app": name});
    let metadata = json!({"name": name, "namespace": namespace});
    let container = json!({
        "name": "web", "image": "styrmin/notes-web:1.0.0",
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1},
        "env": [{"name": "NOTES_TITLE", "value": title}],
    });
    [
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {
            "replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "terminationGracePeriodSeconds": 1, "containers": [container]}}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {
            "selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}),
    ]
}

/// A route to the Service of the same name.
pub fn route(namespace: &str, name: &str, host: &str, secret: Option<&str>) -> Route {
    let tls = secret.map_or(TlsSource::Off, |secret| TlsSource::Secret(secret.to_owned()));
    Route {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        hosts: vec![host.to_owned()],
        path: "/".to_owned(),
        service: name.to_owned(),
        port: 80,
        tls,
    }
}

/// Traefik as who answers, for a class.
pub fn via(kind: RouteKind, class: &str) -> Via {
    let (controller, class) = (TRAEFIK.to_owned(), Some(class.to_owned()));
    Via { kind, controller, class, gateway: None, namespace: None }
}

/// Routes as Styrmin writes them, with what they need beside them, for these ranges of addresses.
pub fn routes(via: Via, allow: &[&str], routes: Vec<Route>) -> Vec<Value> {
    let allow = allow.iter().map(|&range| range.to_owned()).collect();
    written(&RouteSet { via: Some(via), allow, routes, ..RouteSet::default() })
}

/// The same, with plain http sent on to https; by these listeners of a Gateway, where one answers.
pub fn redirecting(
    via: Via,
    listeners: Vec<RouteListener>,
    allow: &[&str],
    routes: Vec<Route>,
) -> Vec<Value> {
    let allow = allow.iter().map(|&range| range.to_owned()).collect();
    let redirect = Redirect { said: Some(true), listeners, ..Redirect::default() };
    written(&RouteSet { via: Some(via), allow, redirect, routes, ..RouteSet::default() })
}

/// Routes in an environment that has an ingress controller of its own.
pub fn own_routes(environment: &str, routes: Vec<Route>) -> Vec<Value> {
    let via = Some(via(RouteKind::Ingress, &dedicated_class(environment)));
    written(&RouteSet { via, dedicated: true, routes, ..RouteSet::default() })
}

fn written(set: &RouteSet) -> Vec<Value> {
    render(set).unwrap_or_else(|problem| panic!("{problem}"))
}

/// A Secret with a certificate of its own for a host, and the certificate.
pub fn certificate(namespace: &str, name: &str, host: &str) -> (Value, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let encode = |text: String| STANDARD.encode(text);
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": name, "namespace": namespace},
        "data": {"tls.crt": encode(made.cert.pem()), "tls.key": encode(made.signing_key.serialize_pem())},
    });
    (secret, made.cert.der().clone())
}

/// A definition that takes everything: Traefik asks for the kinds, and never for their schemas.
pub fn definition(group: &str, version: &str, kind: &str, plural: &str, scope: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}"), "annotations": {
            "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api"}},
        "spec": {
            "group": group, "scope": scope,
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind},
            "versions": [{
                "name": version, "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    })
}
