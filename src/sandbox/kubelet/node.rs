//! The node object.

use serde_json::{Value, json};

use crate::sandbox::api::Api;
use crate::sandbox::api::http::GIT_VERSION;
use crate::sandbox::clock::rfc3339;
use crate::sandbox::status::Status;

/// The node's name.
pub const NAME: &str = "sandbox";
/// The most pods that the node takes. More than on a real one, where they are not simulated.
const PODS_MAX: u32 = 20_000;

/// Creates the node, or brings its status up to date. Its heartbeat does not tick: an idle sandbox writes nothing.
///
/// # Errors
/// The API server refuses the object.
pub(super) fn register(api: &Api, address: &str) -> Result<(), Status> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": NAME, "labels": {
            "kubernetes.io/hostname": NAME, "kubernetes.io/os": "linux", "kubernetes.io/arch": architecture,
        }},
        "spec": {},
    });
    match api.create("nodes", node, "kubelet") {
        Err(status) if status.code != 409 => return Err(status),
        _ => {}
    }
    let now = rfc3339(api.now());
    let resources = resources();
    api.mutate_status("nodes", "", NAME, "kubelet", |node| {
        let since = node.pointer("/status/conditions/0/lastTransitionTime").cloned();
        node["status"] = json!({
            "capacity": resources, "allocatable": resources,
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": NAME}],
            "conditions": [{
                "type": "Ready", "status": "True", "reason": "KubeletReady",
                "message": "the sandbox runs known images as processes and simulates the others",
                "lastHeartbeatTime": now, "lastTransitionTime": since.unwrap_or_else(|| json!(now)),
            }],
            "nodeInfo": {
                "architecture": architecture, "operatingSystem": "linux", "osImage": "styrmin sandbox",
                "kubeletVersion": GIT_VERSION,
                "containerRuntimeVersion": concat!("styrmin://", env!("CARGO_PKG_VERSION")),
                "kernelVersion": "", "machineID": "", "systemUUID": "", "bootID": "", "kubeProxyVersion": "",
            },
        });
    })?;
    Ok(())
}

/// The machine's processors and memory. Nothing is reserved: all of it is allocatable.
fn resources() -> Value {
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory_kib(&text));
    let mut resources = json!({"cpu": cpus.to_string(), "pods": PODS_MAX.to_string()});
    if let Some(kib) = memory {
        resources["memory"] = json!(format!("{kib}Ki"));
    }
    resources
}

fn memory_kib(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sandbox::clock::SystemClock;

    #[test]
    fn the_node_is_registered_once_and_ready() {
        let api = Api::new(Arc::new(SystemClock), 1);
        register(&api, "127.9.0.1").unwrap();
        register(&api, "127.9.0.1").unwrap();
        let node = api.get("nodes", "", NAME).unwrap();
        assert_eq!(node["status"]["conditions"][0]["status"], "True");
        assert_eq!(node["status"]["addresses"][0]["address"], "127.9.0.1");
    }

    #[test]
    fn memory_is_read() {
        assert_eq!(memory_kib("MemTotal:       24580 kB\nMemFree: 1 kB\n"), Some(24580));
        assert_eq!(memory_kib(""), None);
    }
}
