//! What Gateways let in, and what is read of classes.

use super::*;
use crate::domain::route::SANDBOX;

fn place<'a>(namespace: &'a str, labels: &[(&str, &str)]) -> Place<'a> {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Place { namespace, labels }
}

fn gateway(programmed: &str, listeners: Value) -> Value {
    json!({"metadata": {"name": "web", "namespace": "infra"},
        "spec": {"gatewayClassName": "c", "listeners": listeners},
        "status": {"conditions": [{"type": "Accepted", "status": "True"}, {"type": "Programmed", "status": programmed}]}})
}

fn listener(name: &str, protocol: &str, allowed: Value) -> Value {
    json!({"name": name, "protocol": protocol, "port": 80, "allowedRoutes": allowed})
}

fn found(gateway: &Value, place: &Place<'_>) -> Vec<String> {
    let controllers = BTreeMap::from([("c", "example.org/c")]);
    let told = |offer: GatewayOffer| {
        assert_eq!(offer.controller, "example.org/c");
        let GatewayRef { namespace, name, section, https } = offer.gateway;
        let section = section.map(|section| format!("/{section}")).unwrap_or_default();
        let scheme = if https { "https" } else { "http" };
        format!("{scheme} {namespace}/{name}{section} [{}]", offer.hostnames.join(","))
    };
    offers(gateway, &controllers, place).into_iter().map(told).collect()
}

#[test]
fn a_listener_takes_the_namespaces_that_it_allows() {
    let team = place("demo", &[("team", "blue")]);
    let selector = |selector: Value| json!({"namespaces": {"from": "Selector", "selector": selector}});
    for (allowed, wanted) in [
        (json!(null), false),
        (json!({"namespaces": {"from": "All"}}), true),
        (json!({"namespaces": {"from": "Same"}}), false),
        (json!({"namespaces": {"from": "None"}}), false),
        (selector(json!({"matchLabels": {"team": "blue"}})), true),
        (selector(json!({"matchLabels": {"team": "red"}})), false),
        (
            selector(
                json!({"matchExpressions": [{"key": "team", "operator": "In", "values": ["red", "blue"]}]}),
            ),
            true,
        ),
        (
            selector(json!({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["blue"]}]})),
            false,
        ),
        (selector(json!({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]})), false),
        (
            selector(json!({"matchExpressions": [{"key": "other", "operator": "NotIn", "values": ["x"]}]})),
            true,
        ),
        (selector(json!({})), true),
        (selector(json!(null)), false),
        (json!({"namespaces": {"from": "All"}, "kinds": [{"kind": "GRPCRoute"}]}), false),
        (
            json!({"namespaces": {"from": "All"}, "kinds": [{"kind": "GRPCRoute"}, {"kind": "HTTPRoute"}]}),
            true,
        ),
    ] {
        let one = gateway("True", json!([listener("http", "HTTP", allowed.clone())]));
        assert_eq!(!found(&one, &team).is_empty(), wanted, "{allowed}");
    }
    let same = gateway("True", json!([listener("http", "HTTP", json!(null))]));
    assert_eq!(found(&same, &place("infra", &[])).len(), 2, "its own namespace is the default");
}

#[test]
fn a_gateway_is_offered_as_a_whole_and_by_its_listeners() {
    let all = json!({"namespaces": {"from": "All"}});
    let mut https = listener("https", "HTTPS", all.clone());
    https["hostname"] = json!("*.example.org");
    let listeners =
        json!([listener("tcp", "TCP", all.clone()), https, listener("inner", "HTTP", json!(null)),]);
    assert_eq!(
        found(&gateway("True", listeners.clone()), &place("demo", &[])),
        ["https infra/web [*.example.org]", "https infra/web/https [*.example.org]"]
    );
    let mut both = listeners.clone();
    both[2] = listener("http", "HTTP", all);
    assert_eq!(
        found(&gateway("True", both), &place("demo", &[])),
        ["https infra/web []", "https infra/web/https [*.example.org]", "http infra/web/http []"],
        "one that takes every host is enough"
    );
    assert!(found(&gateway("False", listeners), &place("demo", &[])).is_empty(), "not programmed");
    assert!(found(&json!({}), &place("demo", &[])).is_empty());
}

#[test]
fn a_namespace_that_does_not_exist_yet_has_its_name() {
    let labels = labels_of("demo", None);
    assert_eq!(labels[NAME_LABEL], "demo");
    let labels = labels_of("demo", Some(&json!({"metadata": {"labels": {"a": "b"}}})));
    assert_eq!(labels, BTreeMap::from([("a".to_owned(), "b".to_owned())]));
}

#[test]
fn the_default_class_says_so() {
    let read = class(
        &json!({"metadata": {"name": "x", "annotations": {IS_DEFAULT: "true"}}, "spec": {"controller": "c"}}),
    );
    assert_eq!(read, ClassOffer { name: "x".into(), controller: "c".into(), is_default: true });
    assert!(!class(&json!({"metadata": {"name": "x"}, "spec": {}})).is_default);
    assert_eq!(SANDBOX, crate::sandbox::network::ingress_class::CONTROLLER);
}

#[test]
fn proxies_on_the_network_of_their_nodes_have_no_namespace() {
    let pod = |namespace: &str, host_network: bool| -> DynamicObject {
        serde_json::from_value(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "x", "namespace": namespace}, "spec": {"hostNetwork": host_network}}))
        .unwrap()
    };
    assert_eq!(home(&[pod("a", false), pod("a", false)]), Some("a"));
    assert_eq!(home(&[pod("a", false), pod("a", true)]), None);
    assert_eq!(home(&[pod("a", false), pod("b", false)]), None);
    assert_eq!(home(&[]), None);
}
