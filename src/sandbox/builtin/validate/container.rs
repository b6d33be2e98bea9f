//! Containers: names, images, ports, environment, mounts, resources, probes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::names;
use super::{is_blank, items, non_negative, one_of, pod, required, text, well_formed};
use crate::sandbox::schema::causes::Causes;
use crate::sandbox::schema::quantity::Quantity;

const HANDLERS: [&str; 5] = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
const SOURCES: [&str; 5] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];

/// The containers and init containers of a pod, which has these volumes.
pub fn check_all(spec: &Value, volumes: &BTreeSet<&str>, path: &str, causes: &mut Causes) {
    if items(&spec["containers"]).is_empty() {
        causes.required(&format!("{path}.containers"), "");
    }
    let mut seen = BTreeSet::new();
    for list in ["containers", "initContainers"] {
        for (index, container) in items(&spec[list]).iter().enumerate() {
            let path = format!("{path}.{list}[{index}]");
            let name = &container["name"];
            if required(name, &format!("{path}.name"), causes) {
                well_formed(name, &format!("{path}.name"), names::label_1123(text(name)), causes);
                if !seen.insert(text(name)) {
                    causes.duplicate(&format!("{path}.name"), name);
                }
            }
            check(container, volumes, &path, causes);
            let sidecar = list == "initContainers" && text(&container["restartPolicy"]) == "Always";
            if list == "initContainers" && !sidecar {
                no_probes(container, &path, causes);
            }
        }
    }
}

fn no_probes(container: &Value, path: &str, causes: &mut Causes) {
    for probe in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
        if container[probe].is_object() {
            let detail = "may not be set for init containers without restartPolicy=Always";
            causes.forbidden(&format!("{path}.{probe}"), detail);
        }
    }
}

fn check(container: &Value, volumes: &BTreeSet<&str>, path: &str, causes: &mut Causes) {
    let image = &container["image"];
    if required(image, &format!("{path}.image"), causes) && text(image).trim() != text(image) {
        causes.invalid(&format!("{path}.image"), image, "must not have leading or trailing whitespace");
    }
    let policies = ["Always", "IfNotPresent", "Never"];
    one_of(&container["imagePullPolicy"], &format!("{path}.imagePullPolicy"), &policies, causes);
    let message = &container["terminationMessagePolicy"];
    if !is_blank(message) && !["File", "FallbackToLogsOnError"].contains(&text(message)) {
        let at = format!("{path}.terminationMessagePolicy");
        causes.invalid(&at, message, "must be 'File' or 'FallbackToLogsOnError'");
    }
    check_ports(items(&container["ports"]), &format!("{path}.ports"), causes);
    for (index, variable) in items(&container["env"]).iter().enumerate() {
        check_variable(variable, &format!("{path}.env[{index}]"), causes);
    }
    for (index, source) in items(&container["envFrom"]).iter().enumerate() {
        check_env_from(source, &format!("{path}.envFrom"), index, causes);
    }
    check_mounts(items(&container["volumeMounts"]), volumes, &format!("{path}.volumeMounts"), causes);
    check_resources(&container["resources"], &format!("{path}.resources"), causes);
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container[probe].is_object() {
            check_probe(&container[probe], &format!("{path}.{probe}"), causes);
            let successes = &container[probe]["successThreshold"];
            if probe != "readinessProbe" && successes.as_i64().is_some_and(|count| count != 1) {
                causes.invalid(&format!("{path}.{probe}.successThreshold"), successes, "must be 1");
            }
        }
    }
    for hook in ["postStart", "preStop"] {
        if container["lifecycle"][hook].is_object() {
            check_handler(&container["lifecycle"][hook], &format!("{path}.lifecycle.{hook}"), causes);
        }
    }
    pod::check_user(&container["securityContext"], &format!("{path}.securityContext"), causes);
}

fn check_ports(ports: &[Value], path: &str, causes: &mut Causes) {
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let name = &port["name"];
        if !is_blank(name) {
            let problems = names::port_name(text(name));
            if problems.is_empty() && !seen.insert(text(name)) {
                causes.duplicate(&format!("{path}.name"), name);
            }
            well_formed(name, &format!("{path}.name"), problems, causes);
        }
        let number = &port["containerPort"];
        match number.as_i64() {
            None | Some(0) => causes.required(&format!("{path}.containerPort"), ""),
            Some(value) => {
                well_formed(number, &format!("{path}.containerPort"), names::port_number(value), causes)
            }
        }
        if let Some(value) = port["hostPort"].as_i64().filter(|value| *value != 0) {
            well_formed(&port["hostPort"], &format!("{path}.hostPort"), names::port_number(value), causes);
        }
        one_of(&port["protocol"], &format!("{path}.protocol"), &["SCTP", "TCP", "UDP"], causes);
    }
}

fn check_variable(variable: &Value, path: &str, causes: &mut Causes) {
    let name = &variable["name"];
    if required(name, &format!("{path}.name"), causes) {
        well_formed(name, &format!("{path}.name"), names::env_name(text(name)), causes);
    }
    let from = &variable["valueFrom"];
    if !from.is_object() {
        return;
    }
    let at = format!("{path}.valueFrom");
    let given: Vec<&&str> = SOURCES.iter().filter(|source| from[**source].is_object()).collect();
    if given.is_empty() {
        let detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
        causes.invalid(&at, &json!(""), detail);
    } else if !is_blank(&variable["value"]) {
        causes.invalid(&at, &json!(""), "may not be specified when `value` is not empty");
    } else if given.len() > 1 {
        causes.invalid(&at, &json!(""), "may not have more than one field specified at a time");
    }
    for source in ["configMapKeyRef", "secretKeyRef"] {
        let reference = &from[source];
        if reference.is_object() && required(&reference["key"], &format!("{at}.{source}.key"), causes) {
            let problem = names::config_key(text(&reference["key"]));
            well_formed(&reference["key"], &format!("{at}.{source}.key"), problem, causes);
        }
        if reference.is_object() && is_blank(&reference["name"]) {
            causes.required(&format!("{at}.{source}.name"), "");
        }
    }
    if from["fieldRef"].is_object() {
        required(&from["fieldRef"]["fieldPath"], &format!("{at}.fieldRef.fieldPath"), causes);
    }
    if from["resourceFieldRef"].is_object() {
        required(&from["resourceFieldRef"]["resource"], &format!("{at}.resourceFieldRef.resource"), causes);
    }
}

fn check_env_from(source: &Value, list: &str, index: usize, causes: &mut Causes) {
    let path = format!("{list}[{index}]");
    let given: Vec<&str> =
        ["configMapRef", "secretRef"].into_iter().filter(|one| source[*one].is_object()).collect();
    match given.as_slice() {
        [] => causes.invalid(list, &json!(""), "must specify one of: `configMapRef` or `secretRef`"),
        [one] => {
            required(&source[*one]["name"], &format!("{path}.{one}.name"), causes);
        }
        _ => causes.invalid(list, &json!(""), "may not have more than one field specified at a time"),
    }
    let prefix = &source["prefix"];
    if !is_blank(prefix) {
        well_formed(prefix, &format!("{path}.prefix"), names::env_name(text(prefix)), causes);
    }
}

fn check_mounts(mounts: &[Value], volumes: &BTreeSet<&str>, path: &str, causes: &mut Causes) {
    let mut seen = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let (name, place) = (&mount["name"], &mount["mountPath"]);
        required(name, &format!("{path}.name"), causes);
        if !volumes.contains(text(name)) {
            causes.not_found(&format!("{path}.name"), &json!(text(name)));
        }
        if required(place, &format!("{path}.mountPath"), causes) && !seen.insert(text(place)) {
            causes.invalid(&format!("{path}.mountPath"), place, "must be unique");
        }
        let below = text(&mount["subPath"]);
        if below.starts_with('/') {
            causes.invalid(&format!("{path}.subPath"), &mount["subPath"], "must be a relative path");
        } else if below.split('/').any(|part| part == "..") {
            causes.invalid(&format!("{path}.subPath"), &mount["subPath"], "must not contain '..'");
        }
    }
}

fn check_resources(resources: &Value, path: &str, causes: &mut Causes) {
    for kind in ["limits", "requests"] {
        for (name, value) in resources[kind].as_object().into_iter().flatten() {
            let path = format!("{path}.{kind}[{name}]");
            let standard = ["cpu", "memory", "ephemeral-storage"].contains(&name.as_str())
                || name.starts_with("hugepages-");
            well_formed(&json!(name), &path, names::qualified(name), causes);
            if !standard && !name.contains('/') {
                causes.invalid(&path, &json!(name), "must be a standard resource type or fully qualified");
                causes.invalid(&path, &json!(name), "must be a standard resource for containers");
            }
            if Quantity::parse(text(value)).is_some_and(|quantity| quantity.is_negative()) {
                causes.invalid(&path, value, "must be greater than or equal to 0");
            }
        }
    }
    for (name, value) in resources["requests"].as_object().into_iter().flatten() {
        let (request, limit) =
            (Quantity::parse(text(value)), Quantity::parse(text(&resources["limits"][name])));
        if let (Some(request), Some(limit)) = (request, limit)
            && request.nanos() > limit.nanos()
        {
            let detail = format!("must be less than or equal to {name} limit of {limit}");
            causes.invalid(&format!("{path}.requests"), value, &detail);
        }
    }
}

fn check_probe(probe: &Value, path: &str, causes: &mut Causes) {
    check_handler(probe, path, causes);
    for field in
        ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
    {
        non_negative(&probe[field], &format!("{path}.{field}"), causes);
    }
}

fn check_handler(handler: &Value, path: &str, causes: &mut Causes) {
    let mut given = HANDLERS.iter().filter(|kind| handler[**kind].is_object());
    let Some(kind) = given.next() else {
        causes.required(path, "must specify a handler type");
        return;
    };
    for other in given {
        causes.forbidden(&format!("{path}.{other}"), "may not specify more than 1 handler type");
    }
    let at = format!("{path}.{kind}");
    match *kind {
        "exec" if items(&handler["exec"]["command"]).is_empty() => {
            causes.required(&format!("{at}.command"), "")
        }
        "httpGet" => {
            let get = &handler["httpGet"];
            required(&get["path"], &format!("{at}.path"), causes);
            check_port(&get["port"], &format!("{at}.port"), causes);
            one_of(&get["scheme"], &format!("{at}.scheme"), &["HTTP", "HTTPS"], causes);
        }
        "tcpSocket" => check_port(&handler["tcpSocket"]["port"], &format!("{at}.port"), causes),
        "grpc" => check_port(&handler["grpc"]["port"], &format!("{at}.port"), causes),
        _ => {}
    }
}

/// A port by number or by name.
pub fn check_port(port: &Value, path: &str, causes: &mut Causes) {
    match port {
        Value::String(name) => well_formed(port, path, names::port_name(name), causes),
        other => {
            let number = other.as_i64().unwrap_or(0);
            well_formed(&json!(number), path, names::port_number(number), causes);
        }
    }
}
