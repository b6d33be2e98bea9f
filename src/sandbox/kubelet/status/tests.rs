use super::*;
use crate::sandbox::kubelet::state::Terminated;

fn running() -> Current {
    Current::Running { since: Timestamp::UNIX_EPOCH, id: "sandbox://1".into() }
}

fn ended(exit_code: i32) -> Current {
    Current::Terminated(Terminated {
        exit_code,
        reason: "Error".into(),
        message: String::new(),
        started: None,
        finished: None,
        id: String::new(),
    })
}

fn waiting() -> Current {
    Current::Waiting { reason: "ContainerCreating", message: String::new() }
}

fn pod(policy: &str, containers: &[(Role, Current)]) -> (Value, PodState) {
    let containers = containers.iter().enumerate().map(|(index, (role, current))| {
        let mut state = ContainerState::new(*role, "a:1", "ContainerCreating");
        state.current = current.clone();
        state.ready = matches!(current, Current::Running { .. });
        state.started = state.ready;
        (format!("c{index}"), state)
    });
    let state = PodState { containers: containers.collect(), ..PodState::default() };
    (json!({"metadata": {"name": "p"}, "spec": {"restartPolicy": policy}}), state)
}

#[test]
fn phases_follow_the_containers_and_the_policy() {
    use Role::{Init, Main, Sidecar};
    for (policy, containers, expected) in [
        ("Always", vec![(Main, waiting())], "Pending"),
        ("Always", vec![(Main, running()), (Main, waiting())], "Pending"),
        ("Always", vec![(Main, running()), (Main, ended(1))], "Running"),
        ("Always", vec![(Main, ended(0))], "Running"),
        ("OnFailure", vec![(Main, ended(1))], "Running"),
        ("OnFailure", vec![(Main, ended(0))], "Succeeded"),
        ("Never", vec![(Main, ended(0)), (Main, ended(3))], "Failed"),
        ("Always", vec![(Init, running()), (Main, waiting())], "Pending"),
        ("Always", vec![(Init, ended(0)), (Main, running())], "Running"),
        ("Never", vec![(Init, ended(2)), (Main, waiting())], "Failed"),
        ("Always", vec![(Sidecar, running()), (Main, running())], "Running"),
    ] {
        let (pod, state) = pod(policy, &containers);
        assert_eq!(phase(&pod, &state), expected, "{policy} {containers:?}");
    }
}

#[test]
fn a_crash_loop_is_running_and_not_ready() {
    let (mut pod, mut state) = pod("Always", &[(Role::Main, ended(1))]);
    state.containers[0].1.settle("CrashLoopBackOff", "back-off 10s".into());
    write(&mut pod, &state, Ipv4Addr::LOCALHOST, Timestamp::UNIX_EPOCH);
    assert_eq!(pod["status"]["phase"], "Running");
    assert_eq!(pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"], "CrashLoopBackOff");
    let ready = object::list(&pod, "/status/conditions").iter().find(|c| c["type"] == "Ready").unwrap();
    assert_eq!(
        (ready["status"].as_str(), ready["reason"].as_str()),
        (Some("False"), Some("ContainersNotReady"))
    );
    assert_eq!(ready["message"], "containers with unready status: [c0]");
}

#[test]
fn transition_times_move_only_with_the_status() {
    let (mut pod, mut state) = pod("Always", &[(Role::Main, waiting())]);
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    let time = |pod: &Value, kind: &str| {
        let list = object::list(pod, "/status/conditions");
        list.iter().find(|c| c["type"] == kind).unwrap()["lastTransitionTime"].as_str().unwrap().to_owned()
    };
    write(&mut pod, &state, Ipv4Addr::LOCALHOST, at(1));
    state.containers[0].1.current = running();
    state.containers[0].1.ready = true;
    write(&mut pod, &state, Ipv4Addr::LOCALHOST, at(5));
    assert_eq!(time(&pod, "Ready"), "1970-01-01T00:00:05Z");
    assert_eq!(time(&pod, "PodScheduled"), "1970-01-01T00:00:01Z");
    let before = pod.clone();
    write(&mut pod, &state, Ipv4Addr::LOCALHOST, at(9));
    assert_eq!(pod, before);
}

#[test]
fn a_closed_gate_keeps_the_pod_unready() {
    let (mut pod, state) = pod("Always", &[(Role::Main, running())]);
    pod["spec"]["readinessGates"] = json!([{"conditionType": "x/y"}]);
    write(&mut pod, &state, Ipv4Addr::LOCALHOST, Timestamp::UNIX_EPOCH);
    assert!(has_condition(&pod, "ContainersReady") && !has_condition(&pod, "Ready"));
}

#[test]
fn the_quality_of_service_follows_requests_and_limits() {
    let class = |resources: Value| quality(&json!({"containers": [{"resources": resources}]}));
    assert_eq!(class(json!({})), "BestEffort");
    assert_eq!(class(json!({"requests": {"cpu": "1"}})), "Burstable");
    assert_eq!(class(json!({"limits": {"cpu": "1", "memory": "1Gi"}})), "Guaranteed");
}
