//! The references that an object makes by name.

use serde_json::Value;

use super::text;

/// A kind and a name.
type Reference<'a> = (&'a str, &'a str);

/// Everything that an object names, as kind and name; names may be empty, and objects absent.
pub(super) fn of(object: &Value) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    if let Some(pod) = pod(object) {
        in_pod(pod, &mut found);
    }
    match text(object, "/kind") {
        "StatefulSet" => found.push(("Service", text(object, "/spec/serviceName"))),
        "RoleBinding" | "ClusterRoleBinding" => {
            found.push((text(object, "/roleRef/kind"), text(object, "/roleRef/name")));
            found.extend(accounts(object));
        }
        "Ingress" => in_ingress(object, &mut found),
        "IngressRoute" | "IngressRouteTCP" | "IngressRouteUDP" => {
            for route in items(object, "/spec/routes") {
                found.extend(items(route, "/services").map(backend));
                found.extend(items(route, "/middlewares").map(|one| ("Middleware", text(one, "/name"))));
            }
            found.push(("Secret", text(object, "/spec/tls/secretName")));
        }
        "HTTPRoute" | "GRPCRoute" | "TCPRoute" | "TLSRoute" | "UDPRoute" => {
            found.extend(items(object, "/spec/parentRefs").map(|one| ("Gateway", text(one, "/name"))));
            for rule in items(object, "/spec/rules") {
                found.extend(items(rule, "/backendRefs").map(backend));
            }
        }
        _ => {}
    }
    // what scales or guards a workload
    for target in ["scaleTargetRef", "targetRef"] {
        let Some(target) = object.pointer("/spec").and_then(|spec| spec.get(target)) else { continue };
        found.push((text(target, "/kind"), text(target, "/name")));
    }
    found
}

/// The pod, or pod template, of a workload.
pub(super) fn pod(object: &Value) -> Option<&Value> {
    object.pointer(match text(object, "/kind") {
        "Pod" => "/spec",
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => "/spec/template/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => return None,
    })
}

/// The service account of a pod.
pub(super) fn account(pod: &Value) -> &str {
    match text(pod, "/serviceAccountName") {
        "" => "default",
        name => name,
    }
}

/// The service accounts that a binding gives rights to.
pub(super) fn accounts(binding: &Value) -> impl Iterator<Item = Reference<'_>> {
    items(binding, "/subjects")
        .map(|subject| (text(subject, "/kind"), text(subject, "/name")))
        .filter(|(kind, _)| *kind == "ServiceAccount")
}

fn in_pod<'a>(pod: &'a Value, found: &mut Vec<Reference<'a>>) {
    found.push(("ServiceAccount", account(pod)));
    found.extend(items(pod, "/imagePullSecrets").map(|one| ("Secret", text(one, "/name"))));
    for volume in items(pod, "/volumes") {
        found.extend([
            ("Secret", text(volume, "/secret/secretName")),
            ("ConfigMap", text(volume, "/configMap/name")),
            ("PersistentVolumeClaim", text(volume, "/persistentVolumeClaim/claimName")),
            ("Secret", text(volume, "/csi/nodePublishSecretRef/name")),
        ]);
        for source in items(volume, "/projected/sources") {
            found.push(("Secret", text(source, "/secret/name")));
            found.push(("ConfigMap", text(source, "/configMap/name")));
        }
    }
    let containers = items(pod, "/initContainers").chain(items(pod, "/containers"));
    for container in containers {
        for source in items(container, "/envFrom") {
            found.push(("Secret", text(source, "/secretRef/name")));
            found.push(("ConfigMap", text(source, "/configMapRef/name")));
        }
        for variable in items(container, "/env") {
            found.push(("Secret", text(variable, "/valueFrom/secretKeyRef/name")));
            found.push(("ConfigMap", text(variable, "/valueFrom/configMapKeyRef/name")));
        }
    }
}

fn in_ingress<'a>(object: &'a Value, found: &mut Vec<Reference<'a>>) {
    found.push(("Service", text(object, "/spec/defaultBackend/service/name")));
    for rule in items(object, "/spec/rules") {
        found.extend(items(rule, "/http/paths").map(|path| ("Service", text(path, "/backend/service/name"))));
    }
    found.extend(items(object, "/spec/tls").map(|one| ("Secret", text(one, "/secretName"))));
}

/// What answers a route: a Service unless it says otherwise.
fn backend(reference: &Value) -> Reference<'_> {
    match text(reference, "/kind") {
        "" => ("Service", text(reference, "/name")),
        kind => (kind, text(reference, "/name")),
    }
}

fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}
