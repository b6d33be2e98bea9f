//! How processes reach the API server, when it listens: the volume `kube-api-access` and two variables.
//!
//! A real API server adds the volume to the pod when it is created. Here the node does, when a container starts: the pod in the API
//! stays as it was written, and only while the sandbox is served is there anything to reach. Without the namespace's
//! `kube-root-ca.crt` the volume lacks `ca.crt`. A pod without any process has nobody who would read it, and gets none.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::sandbox::api::Api;
use crate::sandbox::images::{self, Image};
use crate::sandbox::object;

/// Where programs look.
const DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME: &str = "kube-api-access";
/// As a real API server asks for: a bit more than the hour, so that such tokens can be told apart.
const SECONDS: u32 = 3607;

/// The pod as its containers are to be made: with the volume, when it is wanted and not there already.
pub(super) fn with_volume(api: &Api, pod: Arc<Value>) -> Arc<Value> {
    if !wanted(api, &pod) || object::list(&pod, "/spec/volumes").iter().any(|volume| volume["name"] == VOLUME)
    {
        return pod;
    }
    let mut with = (*pod).clone();
    let spec = object::child_mut(&mut with, "spec");
    if let Some(volumes) = spec.entry("volumes").or_insert_with(|| json!([])).as_array_mut() {
        volumes.push(volume());
    }
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            mount(container);
        }
    }
    Arc::new(with)
}

/// The pod's word comes before the account's; neither means yes. Without an account there is nothing to mount.
pub(super) fn wanted(api: &Api, pod: &Value) -> bool {
    if !has_processes(pod) {
        return false;
    }
    let name = match object::text(pod, "/spec/serviceAccountName") {
        "" => "default",
        name => name,
    };
    let Some(account) = api.get("serviceaccounts", object::namespace(pod), name) else { return false };
    let word = |object: &Value| object["automountServiceAccountToken"].as_bool();
    word(&pod["spec"]).or_else(|| word(&account)).unwrap_or(true)
}

/// Whether any of its containers is more than simulated.
fn has_processes(pod: &Value) -> bool {
    ["/spec/containers", "/spec/initContainers"]
        .iter()
        .flat_map(|pointer| object::list(pod, pointer))
        .any(|container| matches!(images::find(object::text(container, "/image")), Image::Known(_)))
}

fn volume() -> Value {
    json!({"name": VOLUME, "projected": {"defaultMode": 0o644, "sources": [
        {"serviceAccountToken": {"expirationSeconds": SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "optional": true, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [
            {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
        ]}},
    ]}})
}

/// A container that mounts something there itself keeps it.
fn mount(container: &mut Value) {
    let map = object::map_mut(container);
    let list = map.entry("volumeMounts").or_insert_with(|| json!([]));
    let Some(mounts) = list.as_array_mut() else { return };
    if mounts.iter().all(|mount| mount["mountPath"] != DIRECTORY) {
        mounts.push(json!({"name": VOLUME, "mountPath": DIRECTORY, "readOnly": true}));
    }
}

/// `KUBERNETES_SERVICE_HOST` and its relative.
pub(super) fn variables(address: SocketAddr) -> [(&'static str, String); 2] {
    [
        ("KUBERNETES_SERVICE_HOST", address.ip().to_string()),
        ("KUBERNETES_SERVICE_PORT", address.port().to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::clock::SystemClock;

    #[test]
    fn the_volume_is_mounted_unless_somebody_says_no() {
        let api = Api::new(Arc::new(SystemClock), 1);
        for (name, automount) in [("robot", Value::Null), ("shy", json!(false))] {
            let account = json!({"metadata": {"name": name, "namespace": "default"}, "automountServiceAccountToken": automount});
            api.create("serviceaccounts", account, "test").unwrap();
        }
        let mounts_of = |image: &str, account: &str, automount: Value| {
            let pod = json!({"metadata": {"name": "p", "namespace": "default"}, "spec": {
                "serviceAccountName": account, "automountServiceAccountToken": automount,
                "containers": [{"name": "a", "image": image}, {"name": "b", "volumeMounts": [{"mountPath": DIRECTORY}]}],
            }});
            let pod = with_volume(&api, Arc::new(pod));
            let count = |index: usize| object::list(&pod["spec"]["containers"][index], "/volumeMounts").len();
            (object::list(&pod, "/spec/volumes").len(), count(0), count(1))
        };
        let mounts = |account: &str, automount: Value| mounts_of("styrmin/host:1", account, automount);
        assert_eq!(mounts("robot", Value::Null), (1, 1, 1));
        assert_eq!(mounts("shy", json!(true)), (1, 1, 1));
        assert_eq!(mounts("shy", Value::Null), (0, 0, 1));
        assert_eq!(mounts("robot", json!(false)), (0, 0, 1));
        assert_eq!(mounts("nobody", Value::Null), (0, 0, 1));
        assert_eq!(mounts_of("example.org/web:1", "robot", json!(true)), (0, 0, 1), "nobody would read it");
    }
}
