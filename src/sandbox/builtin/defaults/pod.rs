//! Defaults of pods and pod templates.

use serde_json::{Value, json};

use super::{items_at, put, put_text, text, within, within_new};

/// A pod.
pub fn pod(object: &mut Value) {
    within(object, "spec", |spec| {
        pod_spec(spec);
        put(spec, "enableServiceLinks", json!(true));
        for list in ["containers", "initContainers"] {
            items_at(spec, list).for_each(request_limits);
        }
    });
    within_new(object, "status", |status| put_text(status, "phase", "Pending"));
}

/// A pod template.
pub fn template(template: &mut Value) {
    within(template, "spec", pod_spec);
}

/// In a pod (not in a template), what is limited and not requested is requested.
fn request_limits(container: &mut Value) {
    let Some(limits) = container["resources"]["limits"].as_object().cloned() else { return };
    within(container, "resources", |resources| {
        within_new(resources, "requests", |requests| {
            limits.into_iter().for_each(|(name, limit)| put(requests, &name, limit));
        });
    });
}

fn pod_spec(spec: &mut Value) {
    put_text(spec, "restartPolicy", "Always");
    put_text(spec, "dnsPolicy", "ClusterFirst");
    put_text(spec, "schedulerName", "default-scheduler");
    put(spec, "terminationGracePeriodSeconds", json!(30));
    put(spec, "securityContext", json!({}));
    // The older name of the same field.
    let account = text(spec, "serviceAccountName").to_owned();
    if !account.is_empty() {
        spec["serviceAccount"] = json!(account);
    } else if !text(spec, "serviceAccount").is_empty() {
        spec["serviceAccountName"] = spec["serviceAccount"].clone();
    }
    let host_network = spec["hostNetwork"] == true;
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for container in items_at(spec, list) {
            default_container(container, host_network);
        }
    }
    items_at(spec, "volumes").for_each(volume);
    for constraint in items_at(spec, "topologySpreadConstraints") {
        put_text(constraint, "whenUnsatisfiable", "DoNotSchedule");
    }
}

fn default_container(container: &mut Value, host_network: bool) {
    if !container.is_object() {
        return;
    }
    put(container, "resources", json!({}));
    put_text(container, "terminationMessagePath", "/dev/termination-log");
    put_text(container, "terminationMessagePolicy", "File");
    let policy = pull_policy(text(container, "image"));
    put_text(container, "imagePullPolicy", policy);
    for port in items_at(container, "ports") {
        put_text(port, "protocol", "TCP");
        if host_network {
            let number = port["containerPort"].clone();
            put(port, "hostPort", number);
        }
    }
    for variable in items_at(container, "env") {
        within(variable, "valueFrom", |from| {
            within(from, "fieldRef", |reference| put_text(reference, "apiVersion", "v1"));
        });
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        within(container, name, default_probe);
    }
    within(container, "lifecycle", |lifecycle| {
        within(lifecycle, "postStart", handler);
        within(lifecycle, "preStop", handler);
    });
}

fn default_probe(probe: &mut Value) {
    put(probe, "timeoutSeconds", json!(1));
    put(probe, "periodSeconds", json!(10));
    put(probe, "successThreshold", json!(1));
    put(probe, "failureThreshold", json!(3));
    handler(probe);
    within(probe, "grpc", |grpc| put(grpc, "service", json!("")));
}

fn handler(handler: &mut Value) {
    within(handler, "httpGet", |get| {
        put_text(get, "path", "/");
        put_text(get, "scheme", "HTTP");
    });
}

/// Images without a tag, or with the tag `latest`, are pulled each time.
fn pull_policy(image: &str) -> &'static str {
    if image.contains('@') {
        return "IfNotPresent";
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        None | Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
    }
}

fn volume(volume: &mut Value) {
    let Some(fields) = volume.as_object() else { return };
    if fields.iter().all(|(name, source)| name == "name" || source.is_null()) {
        volume["emptyDir"] = json!({});
    }
    for kind in ["configMap", "secret", "downwardAPI", "projected"] {
        within(volume, kind, |source| put(source, "defaultMode", json!(0o644)));
    }
    within(volume, "hostPath", |source| put(source, "type", json!("")));
    within(volume, "downwardAPI", field_refs);
    within(volume, "projected", |projected| {
        for source in items_at(projected, "sources") {
            within(source, "serviceAccountToken", |token| put(token, "expirationSeconds", json!(3600)));
            within(source, "downwardAPI", field_refs);
        }
    });
}

fn field_refs(source: &mut Value) {
    for item in items_at(source, "items") {
        within(item, "fieldRef", |reference| put_text(reference, "apiVersion", "v1"));
    }
}
