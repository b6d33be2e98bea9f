//! Services, Ingresses, NetworkPolicies.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::super::names;
use super::{container, is_blank, items, meta, one_of, required, text, well_formed};
use crate::sandbox::schema::causes::Causes;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

/// A Service's spec.
pub fn service(spec: &Value, causes: &mut Causes) {
    let kind = text(&spec["type"]);
    if TYPES.contains(&kind) {
        check_kind(kind, spec, causes);
    } else {
        causes.unsupported("spec.type", &spec["type"], TYPES);
    }
    check_ports(items(&spec["ports"]), kind, causes);
    meta::labels(&spec["selector"], "spec.selector", causes);
    one_of(&spec["sessionAffinity"], "spec.sessionAffinity", &["ClientIP", "None"], causes);
    one_of(&spec["internalTrafficPolicy"], "spec.internalTrafficPolicy", &["Cluster", "Local"], causes);
    one_of(&spec["externalTrafficPolicy"], "spec.externalTrafficPolicy", &["Cluster", "Local"], causes);
    let address = &spec["clusterIP"];
    if !is_blank(address) && text(address) != "None" && text(address).parse::<IpAddr>().is_err() {
        let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        causes.invalid("spec.clusterIPs[0]", address, detail);
    }
}

fn check_kind(kind: &str, spec: &Value, causes: &mut Causes) {
    let headless = text(&spec["clusterIP"]) == "None";
    match kind {
        "ExternalName" => {
            let name = &spec["externalName"];
            if required(name, "spec.externalName", causes) {
                well_formed(
                    name,
                    "spec.externalName",
                    names::subdomain(text(name).trim_end_matches('.')),
                    causes,
                );
            }
            if !is_blank(&spec["clusterIP"]) {
                causes.forbidden("spec.clusterIP", "may not be set when `type` is 'ExternalName'");
            }
        }
        _ if !headless && items(&spec["ports"]).is_empty() => causes.required("spec.ports", ""),
        "LoadBalancer" | "NodePort" if headless => {
            let detail = format!("may not be set to 'None' for {kind} services");
            causes.invalid("spec.clusterIPs[0]", &spec["clusterIP"], &detail);
        }
        _ => {}
    }
}

fn check_ports(ports: &[Value], kind: &str, causes: &mut Causes) {
    let mut seen = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = format!("spec.ports[{index}]");
        let name = &port["name"];
        if ports.len() > 1 && is_blank(name) {
            causes.required(&format!("{path}.name"), "");
        } else if !is_blank(name) {
            well_formed(name, &format!("{path}.name"), names::label_1123(text(name)), causes);
            if !seen.insert(text(name)) {
                causes.duplicate(&format!("{path}.name"), name);
            }
        }
        let number = port["port"].as_i64().unwrap_or(0);
        well_formed(&json!(number), &format!("{path}.port"), names::port_number(number), causes);
        one_of(&port["protocol"], &format!("{path}.protocol"), &["SCTP", "TCP", "UDP"], causes);
        container::check_port(&port["targetPort"], &format!("{path}.targetPort"), causes);
        let node_port = port["nodePort"].as_i64().unwrap_or(0);
        if node_port != 0 && kind == "ClusterIP" {
            causes.forbidden(&format!("{path}.nodePort"), "may not be used when `type` is 'ClusterIP'");
        }
        if !taken.insert((text(&port["protocol"]), number)) {
            causes.duplicate(&path, &json!({"protocol": port["protocol"], "port": number}));
        }
    }
}

/// An Ingress's spec.
pub fn ingress(spec: &Value, causes: &mut Causes) {
    let rules = items(&spec["rules"]);
    if rules.is_empty() && spec["defaultBackend"].is_null() {
        causes.invalid("spec", &spec["rules"], "either `defaultBackend` or `rules` must be specified");
    }
    if spec["defaultBackend"].is_object() {
        check_backend(&spec["defaultBackend"], "spec.defaultBackend", causes);
    }
    for (index, rule) in rules.iter().enumerate() {
        let path = format!("spec.rules[{index}]");
        if !is_blank(&rule["host"]) {
            check_host(&rule["host"], &format!("{path}.host"), causes);
        }
        if rule["http"].is_object() {
            check_paths(&rule["http"]["paths"], &format!("{path}.http.paths"), causes);
        }
    }
    for (index, tls) in items(&spec["tls"]).iter().enumerate() {
        for (at, host) in items(&tls["hosts"]).iter().enumerate() {
            check_dns(host, &format!("spec.tls[{index}].hosts[{at}]"), causes);
        }
    }
    let class = &spec["ingressClassName"];
    if class.is_string() {
        well_formed(class, "spec.ingressClassName", names::subdomain(text(class)), causes);
    }
}

fn check_host(host: &Value, path: &str, causes: &mut Causes) {
    if text(host).parse::<IpAddr>().is_ok() {
        causes.invalid(path, host, "must be a DNS name, not an IP address");
    } else {
        check_dns(host, path, causes);
    }
}

fn check_dns(host: &Value, path: &str, causes: &mut Causes) {
    let problem =
        if text(host).contains('*') { names::wildcard(text(host)) } else { names::subdomain(text(host)) };
    well_formed(host, path, problem, causes);
}

fn check_paths(paths: &Value, at: &str, causes: &mut Causes) {
    if items(paths).is_empty() {
        causes.required(at, "");
    }
    for (index, path) in items(paths).iter().enumerate() {
        let at = format!("{at}[{index}]");
        check_path(path, &at, causes);
        check_backend(&path["backend"], &format!("{at}.backend"), causes);
    }
}

fn check_path(path: &Value, at: &str, causes: &mut Causes) {
    let value = text(&path["path"]);
    let shown = json!(value);
    let place = format!("{at}.path");
    match text(&path["pathType"]) {
        "" => causes.required(&format!("{at}.pathType"), "pathType must be specified"),
        "ImplementationSpecific" => {
            if !value.is_empty() && !value.starts_with('/') {
                causes.invalid(&place, &shown, "must be an absolute path");
            }
        }
        "Exact" | "Prefix" => {
            if !value.starts_with('/') {
                causes.invalid(&place, &shown, "must be an absolute path");
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"] {
                if value.contains(part) {
                    causes.invalid(&place, &shown, &format!("must not contain '{part}'"));
                }
            }
            for end in ["/..", "/."] {
                if value.ends_with(end) {
                    causes.invalid(&place, &shown, &format!("cannot end with '{end}'"));
                }
            }
        }
        _ => {
            let known = ["Exact", "ImplementationSpecific", "Prefix"];
            causes.unsupported(&format!("{at}.pathType"), &path["pathType"], known);
        }
    }
}

fn check_backend(backend: &Value, path: &str, causes: &mut Causes) {
    let service = &backend["service"];
    match (service.is_object(), backend["resource"].is_object()) {
        (false, false) => causes.invalid(path, &json!(""), "resource or service backend is required"),
        (true, true) => causes.invalid(path, &json!(""), "cannot set both resource and service backends"),
        (false, true) => {}
        (true, false) => {
            let name = &service["name"];
            if required(name, &format!("{path}.service.name"), causes) {
                well_formed(name, &format!("{path}.service.name"), names::label_1035(text(name)), causes);
            }
            let port = &service["port"];
            let number = port["number"].as_i64().unwrap_or(0);
            let at = format!("{path}.service.port");
            match (is_blank(&port["name"]), number) {
                (true, 0) => causes.required(path, "port name or number is required"),
                (false, 0) => well_formed(
                    &port["name"],
                    &format!("{at}.name"),
                    names::port_name(text(&port["name"])),
                    causes,
                ),
                (false, _) => causes.invalid(path, &json!(""), "cannot set both port name & port number"),
                (true, number) => {
                    well_formed(&port["number"], &format!("{at}.number"), names::port_number(number), causes);
                }
            }
        }
    }
}

/// A NetworkPolicy's spec.
pub fn policy(spec: &Value, causes: &mut Causes) {
    meta::selector(&spec["podSelector"], "spec.podSelector", causes);
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (index, rule) in items(&spec[direction]).iter().enumerate() {
            let path = format!("spec.{direction}[{index}]");
            for (at, port) in items(&rule["ports"]).iter().enumerate() {
                let path = format!("{path}.ports[{at}]");
                one_of(&port["protocol"], &format!("{path}.protocol"), &["SCTP", "TCP", "UDP"], causes);
                if !port["port"].is_null() {
                    container::check_port(&port["port"], &format!("{path}.port"), causes);
                }
            }
            for (at, peer) in items(&rule[peers]).iter().enumerate() {
                let given = ["ipBlock", "podSelector", "namespaceSelector"];
                let count = given.iter().filter(|kind| peer[**kind].is_object()).count();
                let path = format!("{path}.{peers}[{at}]");
                if count == 0 {
                    causes.required(&path, "must specify a peer");
                } else if count > 1 && peer["ipBlock"].is_object() {
                    causes.forbidden(&path, "may not specify both ipBlock and another peer");
                }
            }
        }
    }
    for (index, kind) in items(&spec["policyTypes"]).iter().enumerate() {
        one_of(kind, &format!("spec.policyTypes[{index}]"), &["Ingress", "Egress"], causes);
    }
}
