//! Defaults of Services, endpoints and NetworkPolicies.

use serde_json::{Value, json};

use super::{items_at, put, put_text, text, within_new};

/// A Service's spec; its addresses come from the API.
pub fn service(spec: &mut Value) {
    put_text(spec, "type", "ClusterIP");
    put_text(spec, "sessionAffinity", "None");
    if text(spec, "sessionAffinity") == "ClientIP" {
        within_new(spec, "sessionAffinityConfig", |config| {
            within_new(config, "clientIP", |client| put(client, "timeoutSeconds", json!(10800)));
        });
    }
    for port in items_at(spec, "ports") {
        put_text(port, "protocol", "TCP");
        let unset = port["targetPort"].is_null() || port["targetPort"] == 0 || port["targetPort"] == "";
        if unset && port.is_object() {
            port["targetPort"] = port["port"].clone();
        }
    }
    let kind = text(spec, "type").to_owned();
    if kind == "ExternalName" {
        return;
    }
    put_text(spec, "internalTrafficPolicy", "Cluster");
    put(spec, "ipFamilies", json!(["IPv4"]));
    put_text(spec, "ipFamilyPolicy", "SingleStack");
    if text(spec, "clusterIP") == "None" {
        put(spec, "clusterIPs", json!(["None"]));
    }
    if kind == "NodePort" || kind == "LoadBalancer" {
        put_text(spec, "externalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        put(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
}

/// A NetworkPolicy's spec.
pub fn policy(spec: &mut Value) {
    let egress = spec["egress"].as_array().is_some_and(|rules| !rules.is_empty());
    put(spec, "policyTypes", if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) });
    for rules in ["ingress", "egress"] {
        for rule in items_at(spec, rules) {
            items_at(rule, "ports").for_each(|port| put_text(port, "protocol", "TCP"));
        }
    }
}

/// Endpoints.
pub fn endpoints(object: &mut Value) {
    for subset in items_at(object, "subsets") {
        items_at(subset, "ports").for_each(|port| put_text(port, "protocol", "TCP"));
    }
}

/// An EndpointSlice.
pub fn endpoint_slice(object: &mut Value) {
    for port in items_at(object, "ports") {
        put_text(port, "protocol", "TCP");
        put(port, "name", json!(""));
    }
    for endpoint in items_at(object, "endpoints") {
        put(endpoint, "conditions", json!({}));
    }
}
