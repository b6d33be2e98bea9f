//! The table of the semantics, after the documentation of Kubernetes.

use serde_json::json;

use super::*;

/// A pod of `demo` with a named port.
fn pod() -> Value {
    json!({"metadata": {"name": "web-1", "namespace": "demo", "labels": {"app": "web", "tier": "front"}},
    "spec": {"containers": [{"ports": [
        {"name": "http", "containerPort": 8080}, {"name": "dns", "containerPort": 8080, "protocol": "UDP"},
        {"name": "admin", "containerPort": 9090},
    ]}]}})
}

fn policy(name: &str, spec: Value) -> Arc<Value> {
    Arc::new(json!({"metadata": {"name": name, "namespace": "demo"}, "spec": spec}))
}

/// Whether the ingress proxy, a pod of kube-system, may come in at 8080.
fn lets_ingress_in(spec: Value) -> bool {
    let namespace = json!({"kubernetes.io/metadata.name": "kube-system", "trust": "high"});
    let labels = json!({"app.kubernetes.io/name": "sandbox-ingress"});
    let peer = Peer::Pod {
        namespace: "kube-system",
        namespace_labels: namespace.as_object(),
        labels: labels.as_object(),
    };
    denied_by(&[policy("p", spec)], &Target { pod: &pod(), port: 8080 }, &peer).is_empty()
}

/// The same with one rule for every pod of the namespace.
fn rule_lets_in(rule: Value) -> bool {
    lets_ingress_in(json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]}))
}

#[test]
fn only_policies_that_select_the_pod_count() {
    for (spec, let_in) in [
        (json!({"podSelector": {}}), false),
        (json!({}), false),
        (json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}), false),
        (json!({"podSelector": {}, "policyTypes": ["Egress"]}), true),
        (json!({"podSelector": {"matchLabels": {"app": "web"}}}), false),
        (json!({"podSelector": {"matchLabels": {"app": "other"}}}), true),
        (
            json!({"podSelector": {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["front"]}]}}),
            false,
        ),
        (
            json!({"podSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["front"]}]}}),
            true,
        ),
        (json!({"podSelector": {"matchExpressions": [{"key": "new", "operator": "Exists"}]}}), true),
        (json!({"podSelector": {}, "ingress": []}), false),
        (json!({"podSelector": {}, "ingress": [{}]}), true),
    ] {
        assert_eq!(lets_ingress_in(spec.clone()), let_in, "{spec}");
    }
}

#[test]
fn sources_are_alternatives_and_their_selectors_are_not() {
    let system = json!({"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}});
    let ingress = json!({"matchLabels": {"app.kubernetes.io/name": "sandbox-ingress"}});
    for (from, let_in) in [
        (json!([]), true),
        (json!([{"namespaceSelector": {}}]), true),
        (json!([{"namespaceSelector": system}]), true),
        (json!([{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "demo"}}}]), false),
        (
            json!([{"namespaceSelector": {"matchExpressions": [
            {"key": "trust", "operator": "In", "values": ["high", "highest"]},
            {"key": "old", "operator": "DoesNotExist"}]}}]),
            true,
        ),
        (json!([{"podSelector": {}}]), false),
        (json!([{"podSelector": ingress}]), false),
        (json!([{"namespaceSelector": system, "podSelector": ingress}]), true),
        (json!([{"namespaceSelector": system, "podSelector": {"matchLabels": {"app": "x"}}}]), false),
        (json!([{"podSelector": {}}, {"namespaceSelector": system}]), true),
        (json!([{"ipBlock": {"cidr": "0.0.0.0/0"}}]), false),
        (json!([{}]), false),
    ] {
        assert_eq!(rule_lets_in(json!({"from": from})), let_in, "{from}");
    }
}

#[test]
fn ports_are_the_pods_own() {
    for (ports, let_in) in [
        (json!([]), true),
        (json!([{}]), true),
        (json!([{"protocol": "UDP"}]), false),
        (json!([{"port": 8080}]), true),
        (json!([{"port": 8080, "protocol": "UDP"}]), false),
        (json!([{"port": 80}]), false),
        (json!([{"port": 80}, {"port": 8080, "protocol": "TCP"}]), true),
        (json!([{"port": "http"}]), true),
        (json!([{"port": "admin"}]), false),
        (json!([{"port": "dns"}]), false),
        (json!([{"port": "nowhere"}]), false),
        (json!([{"port": 8000, "endPort": 8080}]), true),
        (json!([{"port": 8000, "endPort": 8079}]), false),
        (json!([{"port": 8081, "endPort": 9000}]), false),
    ] {
        assert_eq!(rule_lets_in(json!({"ports": ports})), let_in, "{ports}");
    }
    let both = |port: u16| json!({"from": [{"namespaceSelector": {}}], "ports": [{"port": port}]});
    assert!(rule_lets_in(both(8080)) && !rule_lets_in(both(80)), "sources and ports are both asked for");
}

#[test]
fn blocks_of_addresses_mean_what_is_outside() {
    let denied = |item: Value, address: &str| {
        let policies = [policy("p", json!({"podSelector": {}, "ingress": [{"from": [item]}]}))];
        let (pod, peer) = (pod(), Peer::Outside(address.parse().unwrap()));
        !denied_by(&policies, &Target { pod: &pod, port: 8080 }, &peer).is_empty()
    };
    let block = json!({"ipBlock": {"cidr": "127.0.0.0/8", "except": ["127.0.0.2/32"]}});
    assert!(!denied(block.clone(), "127.0.0.1"));
    assert!(denied(block.clone(), "127.0.0.2"));
    assert!(denied(block, "10.0.0.1"));
    assert!(denied(json!({"namespaceSelector": {}}), "127.0.0.1"));
    assert!(denied(json!({"podSelector": {}}), "127.0.0.1"));
}

#[test]
fn one_policy_that_allows_is_enough_and_those_that_deny_are_named() {
    let deny = || policy("deny", json!({"podSelector": {}}));
    let same = || policy("same", json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}));
    let open = policy("open", json!({"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{}]}));
    let (pod, peer) = (pod(), Peer::Outside("192.0.2.1".parse().unwrap()));
    let target = Target { pod: &pod, port: 8080 };
    assert_eq!(denied_by(&[deny(), same()], &target, &peer), ["deny", "same"]);
    assert!(denied_by(&[deny(), same(), open], &target, &peer).is_empty());
    assert!(denied_by(&[], &target, &peer).is_empty());
    let mut elsewhere = (*deny()).clone();
    elsewhere["metadata"]["namespace"] = json!("other");
    assert!(
        denied_by(&[Arc::new(elsewhere)], &target, &peer).is_empty(),
        "a policy holds in its namespace only"
    );
    let neighbour = Peer::Pod { namespace: "demo", namespace_labels: None, labels: None };
    assert!(denied_by(&[deny(), same()], &target, &neighbour).is_empty());
}
