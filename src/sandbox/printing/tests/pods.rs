//! The one word for the state of a pod.

use serde_json::{Value, json};

use super::{cells_of, object};
use crate::sandbox::printing::pods::completed;

/// Ready, status and restarts.
fn shown(pod: Value) -> (String, String, String) {
    let cells = cells_of("pods", pod);
    let text = |at: usize| cells[at].as_str().unwrap_or_default().to_owned();
    (text(1), text(2), text(3))
}

fn state(name: &str, state: Value) -> Value {
    json!({"name": name, "ready": state.get("running").is_some(), "restartCount": 0, "state": state})
}

fn pod(phase: &str, init: Value, containers: Value) -> Value {
    let specs = |states: &Value| -> Value {
        states.as_array().into_iter().flatten().map(|state| json!({"name": state["name"]})).collect()
    };
    json!({"kind": "Pod", "spec": {"initContainers": specs(&init), "containers": specs(&containers)},
        "status": {"phase": phase, "initContainerStatuses": init, "containerStatuses": containers}})
}

#[track_caller]
fn is(pod: Value, ready: &str, status: &str, restarts: &str) {
    assert_eq!(shown(pod), (ready.to_owned(), status.to_owned(), restarts.to_owned()));
}

#[test]
fn phases_and_reasons() {
    let running = || state("a", json!({"running": {}}));
    let waiting = |reason: &str| state("a", json!({"waiting": {"reason": reason}}));
    let ended = |end: Value| state("a", json!({"terminated": end}));
    is(pod("Pending", json!([]), json!([])), "0/0", "Pending", "0");
    is(pod("Running", json!([]), json!([running()])), "1/1", "Running", "0");
    for reason in ["ContainerCreating", "CrashLoopBackOff", "ImagePullBackOff", "CreateContainerConfigError"]
    {
        is(pod("Pending", json!([]), json!([waiting(reason)])), "0/1", reason, "0");
    }
    let completed = json!({"reason": "Completed", "exitCode": 0});
    is(pod("Succeeded", json!([]), json!([ended(completed.clone())])), "0/1", "Completed", "0");
    is(pod("Failed", json!([]), json!([ended(json!({"exitCode": 3}))])), "0/1", "ExitCode:3", "0");
    is(pod("Failed", json!([]), json!([ended(json!({"exitCode": 1, "signal": 9}))])), "0/1", "Signal:9", "0");
    let mut evicted = pod("Failed", json!([]), json!([]));
    evicted["status"]["reason"] = json!("Evicted");
    is(evicted, "0/0", "Evicted", "0");
    let mut gated = pod("Pending", json!([]), json!([]));
    gated["status"]["conditions"] =
        json!([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]);
    is(gated, "0/0", "SchedulingGated", "0");
    let mut half = pod("Running", json!([]), json!([ended(completed), running()]));
    is(half.clone(), "1/2", "NotReady", "0");
    half["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
    is(half, "1/2", "Running", "0");
}

#[test]
fn init_containers_come_first() {
    let done = state("i", json!({"terminated": {"exitCode": 0, "reason": "Completed"}}));
    let at_work = state("j", json!({"running": {}}));
    let waiting = || json!([state("a", json!({"waiting": {"reason": "PodInitializing"}}))]);
    is(pod("Pending", json!([at_work.clone()]), waiting()), "0/1", "Init:0/1", "0");
    is(pod("Pending", json!([done.clone(), at_work]), waiting()), "0/1", "Init:1/2", "0");
    let crashing = state("i", json!({"waiting": {"reason": "CrashLoopBackOff"}}));
    is(pod("Pending", json!([crashing]), waiting()), "0/1", "Init:CrashLoopBackOff", "0");
    let failed = state("i", json!({"terminated": {"exitCode": 1, "reason": "Error"}}));
    is(pod("Pending", json!([failed]), waiting()), "0/1", "Init:Error", "0");
    let bare = state("i", json!({"terminated": {"exitCode": 2}}));
    is(pod("Pending", json!([bare]), waiting()), "0/1", "Init:ExitCode:2", "0");
    is(pod("Pending", json!([done]), waiting()), "0/1", "PodInitializing", "0");
}

#[test]
fn a_sidecar_counts_as_a_container() {
    let mut sidecar = state("side", json!({"running": {}}));
    sidecar["started"] = json!(true);
    sidecar["restartCount"] = json!(2);
    let mut value = pod("Running", json!([sidecar]), json!([state("a", json!({"running": {}}))]));
    value["spec"]["initContainers"][0]["restartPolicy"] = json!("Always");
    is(value, "2/2", "Running", "2");
}

#[test]
fn restarts_tell_when_the_last_one_was() {
    let mut container = state("a", json!({"running": {}}));
    container["restartCount"] = json!(3);
    container["lastState"] = json!({"terminated": {"finishedAt": "2026-03-01T11:55:00Z"}});
    let mut init = state("i", json!({"terminated": {"exitCode": 0}}));
    init["restartCount"] = json!(7);
    is(pod("Running", json!([init.clone()]), json!([container])), "1/1", "Running", "3 (5m ago)");
    init["state"] = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    is(pod("Pending", json!([init]), json!([])), "0/0", "Init:CrashLoopBackOff", "7");
}

#[test]
fn pods_that_are_deleted() {
    let deleted = |phase: &str| {
        let mut value = pod(phase, json!([]), json!([state("a", json!({"running": {}}))]));
        value["metadata"] = json!({"deletionTimestamp": "2026-03-01T12:00:00Z"});
        value
    };
    is(deleted("Running"), "1/1", "Terminating", "0");
    is(deleted("Succeeded"), "1/1", "Succeeded", "0");
    let mut lost = deleted("Running");
    lost["status"]["reason"] = json!("NodeLost");
    is(lost, "1/1", "Unknown", "0");
}

#[test]
fn wide_columns() {
    let mut value = pod("Running", json!([]), json!([]));
    value["spec"]["nodeName"] = json!("n");
    value["spec"]["readinessGates"] = json!([{"conditionType": "a"}, {"conditionType": "b"}]);
    value["status"]["podIPs"] = json!([{"ip": "127.0.0.9"}]);
    value["status"]["conditions"] = json!([{"type": "a", "status": "True"}]);
    let cells = cells_of("pods", value);
    assert_eq!(json!([cells[5], cells[6], cells[7], cells[8]]), json!(["127.0.0.9", "n", "<none>", "1/2"]));
    let cells = cells_of("pods", json!({}));
    assert_eq!(json!([cells[5], cells[6], cells[8]]), json!(["<none>", "<none>", "<none>"]));
}

#[test]
fn the_row_of_a_pod_that_ended_says_so() {
    let of = |phase: &str| completed(&object(pod(phase, json!([]), json!([]))));
    assert_eq!(of("Succeeded").map(|condition| condition["reason"].clone()), Some(json!("Succeeded")));
    assert_eq!(of("Failed").map(|condition| condition["type"].clone()), Some(json!("Completed")));
    assert_eq!(of("Running"), None);
}
