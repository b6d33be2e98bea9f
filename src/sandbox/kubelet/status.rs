//! A pod's status, from its specification and its containers. Pure.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::{ContainerState, Current, Role};
use crate::sandbox::clock::rfc3339;
use crate::sandbox::object;

/// What the kubelet knows about a pod.
#[derive(Debug, Clone, Default)]
pub(super) struct PodState {
    /// Its address, once its sandbox is there.
    pub(super) address: Option<Ipv4Addr>,
    /// When the kubelet first saw it.
    pub(super) started: Option<Timestamp>,
    /// Why the kubelet ended it: reason and message.
    pub(super) failure: Option<(&'static str, String)>,
    /// Its containers by name, in the order of the specification, init containers first.
    pub(super) containers: Vec<(String, ContainerState)>,
}

impl PodState {
    fn of(&self, wanted: impl Fn(Role) -> bool) -> impl Iterator<Item = &(String, ContainerState)> {
        self.containers.iter().filter(move |(_, state)| wanted(state.role))
    }
}

/// Writes the status into the pod.
pub(super) fn write(pod: &mut Value, state: &PodState, node_address: Ipv4Addr, now: Timestamp) {
    let phase = phase(pod, state);
    let conditions = conditions(pod, state, phase);
    let quality = quality(&pod["spec"]);
    let generation = pod["metadata"]["generation"].clone();
    let status = object::child_mut(pod, "status");
    status.insert("phase".into(), json!(phase));
    if let Some((reason, message)) = state.failure.as_ref().filter(|_| phase == "Failed") {
        status.insert("reason".into(), json!(reason));
        status.insert("message".into(), json!(message));
    }
    status.insert("qosClass".into(), json!(quality));
    if !generation.is_null() {
        status.insert("observedGeneration".into(), generation);
    }
    status.insert("hostIP".into(), json!(node_address));
    status.insert("hostIPs".into(), json!([{"ip": node_address}]));
    if let Some(address) = state.address {
        status.insert("podIP".into(), json!(address));
        status.insert("podIPs".into(), json!([{"ip": address}]));
    }
    if let Some(started) = state.started {
        status.entry("startTime").or_insert_with(|| json!(rfc3339(started)));
    }
    let values = |init: bool| -> Vec<Value> {
        state.of(|role| (role != Role::Main) == init).map(|(name, state)| state.to_value(name)).collect()
    };
    status.insert("containerStatuses".into(), json!(values(false)));
    if state.of(|role| role != Role::Main).next().is_some() {
        status.insert("initContainerStatuses".into(), json!(values(true)));
    }
    let list = status.entry("conditions").or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        for condition in conditions {
            set_condition(list, condition, now);
        }
    }
}

/// The phase, by the rules of a real kubelet.
pub(super) fn phase(pod: &Value, state: &PodState) -> &'static str {
    let runs = |container: &ContainerState| matches!(container.current, Current::Running { .. });
    if state.failure.is_some() && !state.containers.iter().any(|(_, container)| runs(container)) {
        return "Failed";
    }
    let policy = pod["spec"]["restartPolicy"].as_str().unwrap_or("Always");
    let (mut pending, mut failed) = (false, false);
    for (_, container) in state.of(|role| role != Role::Main) {
        match (container.role, &container.current) {
            (Role::Init, Current::Terminated(ended)) if ended.exit_code == 0 => {}
            (Role::Init, Current::Terminated(ended)) if !Role::Init.restarts(policy, ended.exit_code) => {
                failed = true
            }
            (Role::Sidecar, _) if container.started || container.exit_code().is_some() => {}
            _ => pending = true,
        }
    }
    if failed {
        return "Failed";
    }
    let (mut waiting, mut running, mut succeeded, mut stopped) = (0, 0, 0, 0);
    for (_, container) in state.of(|role| role == Role::Main) {
        match &container.current {
            Current::Running { .. } => running += 1,
            Current::Terminated(ended) => {
                stopped += 1;
                succeeded += u32::from(ended.exit_code == 0);
            }
            Current::Waiting { .. } if container.last.is_some() => stopped += 1,
            Current::Waiting { .. } => waiting += 1,
        }
    }
    let ended_for_good = state
        .of(|role| role == Role::Main)
        .all(|(_, container)| container.exit_code().is_some_and(|code| !Role::Main.restarts(policy, code)));
    match () {
        () if pending && running == 0 && stopped == 0 => "Pending",
        () if waiting > 0 => "Pending",
        () if running > 0 || !ended_for_good => "Running",
        () if succeeded == stopped => "Succeeded",
        () => "Failed",
    }
}

struct Condition {
    kind: &'static str,
    /// What stands in the way: reason and message.
    obstacle: Option<(&'static str, String)>,
}

fn conditions(pod: &Value, state: &PodState, phase: &str) -> Vec<Condition> {
    let names = |containers: Vec<&str>| format!("[{}]", containers.join(" "));
    let incomplete: Vec<&str> = state
        .of(|role| role != Role::Main)
        .filter(|(_, state)| match state.role {
            Role::Sidecar => !state.started,
            _ => state.exit_code() != Some(0),
        })
        .map(|(name, _)| name.as_str())
        .collect();
    let has_run = state.of(|role| role == Role::Main).any(|(_, state)| state.has_run());
    let initialized = (!incomplete.is_empty() && !has_run).then(|| {
        ("ContainersNotInitialized", format!("containers with incomplete status: {}", names(incomplete)))
    });
    let unready: Vec<&str> = state
        .of(|role| role != Role::Init)
        .filter(|(_, state)| !state.ready)
        .map(|(name, _)| name.as_str())
        .collect();
    let containers = match phase {
        "Succeeded" => Some(("PodCompleted", String::new())),
        "Failed" => Some(("PodFailed", String::new())),
        _ if unready.is_empty() => None,
        _ => Some(("ContainersNotReady", format!("containers with unready status: {}", names(unready)))),
    };
    let gates =
        object::list(pod, "/spec/readinessGates").iter().filter_map(|gate| gate["conditionType"].as_str());
    let closed: Vec<&str> = gates.filter(|gate| !has_condition(pod, gate)).collect();
    let ready = containers.clone().or_else(|| {
        (!closed.is_empty()).then(|| ("ReadinessGatesNotReady", format!("closed gates: {}", names(closed))))
    });
    vec![
        Condition {
            kind: "PodReadyToStartContainers",
            obstacle: state.address.is_none().then(|| ("", String::new())),
        },
        Condition { kind: "Initialized", obstacle: initialized },
        Condition { kind: "Ready", obstacle: ready },
        Condition { kind: "ContainersReady", obstacle: containers },
        Condition { kind: "PodScheduled", obstacle: None },
    ]
}

fn has_condition(pod: &Value, kind: &str) -> bool {
    object::list(pod, "/status/conditions")
        .iter()
        .any(|condition| condition["type"] == kind && condition["status"] == "True")
}

/// Sets a condition; its transition time moves only when its status does.
fn set_condition(list: &mut Vec<Value>, condition: Condition, now: Timestamp) {
    let status = if condition.obstacle.is_none() { "True" } else { "False" };
    let mut value = json!({"type": condition.kind, "status": status, "lastProbeTime": null});
    if let Some((reason, message)) = condition.obstacle {
        for (field, text) in [("reason", reason), ("message", message.as_str())] {
            if !text.is_empty() {
                value[field] = json!(text);
            }
        }
    }
    let present = list.iter_mut().find(|present| present["type"] == condition.kind);
    let same = present.as_ref().filter(|present| present["status"] == status);
    value["lastTransitionTime"] = match same {
        Some(present) => present["lastTransitionTime"].clone(),
        None => json!(rfc3339(now)),
    };
    match present {
        Some(present) => *present = value,
        None => list.push(value),
    }
}

/// The quality of service class.
fn quality(spec: &Value) -> &'static str {
    let containers: Vec<&Value> =
        ["/containers", "/initContainers"].iter().flat_map(|pointer| object::list(spec, pointer)).collect();
    let resource = |container: &Value, kind: &str, name: &str| container["resources"][kind][name].clone();
    let mut any = false;
    let mut guaranteed = true;
    for container in containers {
        for name in ["cpu", "memory"] {
            let (request, limit) =
                (resource(container, "requests", name), resource(container, "limits", name));
            any |= !request.is_null() || !limit.is_null();
            guaranteed &= !limit.is_null() && (request.is_null() || request == limit);
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

#[cfg(test)]
mod tests;
