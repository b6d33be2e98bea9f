//! How containers and pods end: last words, limits, deadlines, order.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams};
use serde_json::{Value, json};
use styrmin::sandbox::api::DeleteOptions;
use styrmin::sandbox::object;

use super::rig::{Rig, alive, host_container, kill, pid, pod, within};
use super::{ready, restarts, state};

fn phase(wanted: &str) -> impl Fn(&Value) -> bool + use<'_> {
    move |pod| pod["status"]["phase"] == wanted
}

fn once(mut pod: Value) -> Value {
    pod["spec"]["restartPolicy"] = json!("Never");
    pod
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn last_words_come_from_the_file_or_from_the_log() {
    let rig = Rig::start().await;
    let script = "echo noise; echo -n 'no disk' > $STYRMIN_ROOT/dev/termination-log; exit 3";
    rig.create("pods", once(pod("file", host_container(&["sh", "-c", script]))));
    let mut talks = host_container(&["sh", "-c", "echo one; echo two >&2; exit 4"]);
    talks["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
    rig.create("pods", once(pod("log", talks)));
    for (name, code, message) in [("file", 3, "no disk"), ("log", 4, "")] {
        let ended = within(rig.until("pods", name, phase("Failed"))).await;
        let ended = &state(&ended)["terminated"];
        assert_eq!((ended["exitCode"].as_i64(), &ended["reason"]), (Some(code), &json!("Error")));
        let said = object::text(ended, "/message");
        // Two pipes have no common order.
        let expected = said == message || (name == "log" && ["one\ntwo\n", "two\none\n"].contains(&said));
        assert!(expected, "{name} {said:?}");
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_over_its_memory_limit_is_killed_and_restarted() {
    let rig = Rig::start().await;
    let hog = "test -e $STYRMIN_ROOT/again && exec sleep 1000; touch $STYRMIN_ROOT/again; \
        head -c 200000000 /dev/zero | tail | sleep 1000";
    let mut container = host_container(&["sh", "-c", hog]);
    container["resources"] = json!({"limits": {"memory": "100Mi"}});
    rig.create("pods", pod("a", container));
    let again = within(rig.until("pods", "a", |pod| restarts(pod) == 1 && ready(pod))).await;
    let last = &again["status"]["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!((last["exitCode"].as_i64(), &last["reason"]), (Some(137), &json!("OOMKilled")));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_is_an_error_and_starts_again() {
    let rig = Rig::start().await;
    rig.create("pods", pod("a", host_container(&["sleep", "1000"])));
    let first = within(rig.until("pods", "a", ready)).await;
    kill(pid(&first));
    let again = within(rig.until("pods", "a", |pod| restarts(pod) == 1 && ready(pod))).await;
    let last = &again["status"]["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!((last["exitCode"].as_i64(), &last["reason"]), (Some(137), &json!("Error")));
    assert!(!alive(pid(&first)) && alive(pid(&again)));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_fails_at_its_deadline_and_stays() {
    let (rig, clock) = Rig::standing_still().await;
    let mut late = pod("a", host_container(&["sleep", "1000"]));
    late["spec"]["activeDeadlineSeconds"] = json!(60);
    rig.create("pods", late);
    let running = within(rig.until("pods", "a", ready)).await;
    clock.advance(jiff::SignedDuration::from_secs(60));
    let failed = within(rig.until("pods", "a", phase("Failed"))).await;
    assert_eq!(failed["status"]["reason"], "DeadlineExceeded");
    let message = "Pod was active on the node longer than the specified deadline";
    assert_eq!(failed["status"]["message"], message);
    assert_eq!(state(&failed)["terminated"]["exitCode"], 143);
    assert!(!alive(pid(&running)));
    within(rig.until_event_of("a", "DeadlineExceeded", |told| told == message)).await;
    rig.api.delete("pods", "default", "a", &DeleteOptions::default()).unwrap();
    within(rig.until_gone("pods", "a")).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sidecars_end_after_the_containers_and_in_reverse_order() {
    let rig = Rig::start().await;
    let sidecar = |name: &str| {
        let script = format!(
            "touch $STYRMIN_ROOT/work/{name}.up; \
             trap 'cat $STYRMIN_ROOT/work/order; echo {name} >> $STYRMIN_ROOT/work/order; exit 0' TERM; \
             while true; do sleep 0.02; done"
        );
        json!({
            "name": name, "image": "styrmin/host:1", "restartPolicy": "Always",
            "command": ["sh", "-c", script], "volumeMounts": [{"name": "work", "mountPath": "/work"}],
        })
    };
    let main = "cd $STYRMIN_ROOT/work; until [ -e one.up ] && [ -e two.up ]; do sleep 0.02; done; echo main >> order";
    let mut ordered = once(pod("a", host_container(&["sh", "-c", main])));
    ordered["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "work", "mountPath": "/work"}]);
    ordered["spec"]["volumes"] = json!([{"name": "work", "emptyDir": {}}]);
    ordered["spec"]["terminationGracePeriodSeconds"] = json!(30);
    ordered["spec"]["initContainers"] = json!([sidecar("one"), sidecar("two")]);
    rig.create("pods", ordered);
    let ended = within(rig.until("pods", "a", |pod| {
        let sidecars = object::list(pod, "/status/initContainerStatuses");
        phase("Succeeded")(pod) && sidecars.iter().all(|status| status["state"]["terminated"].is_object())
    }))
    .await;
    assert_eq!(state(&ended)["terminated"]["exitCode"], 0);
    let pods: Api<Pod> = Api::default_namespaced(rig.client.clone());
    for (name, before) in [("two", "main\n"), ("one", "main\ntwo\n")] {
        let params = LogParams { container: Some(name.into()), ..LogParams::default() };
        assert_eq!(within(pods.logs("a", &params)).await.unwrap(), before);
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_on_the_hosts_network_has_the_nodes_address() {
    let rig = Rig::start().await;
    let mut of_host = pod("a", host_container(&["sh", "-c", "echo $POD_IP; sleep 1000"]));
    of_host["spec"]["hostNetwork"] = json!(true);
    rig.create("pods", of_host);
    let running = within(rig.until("pods", "a", ready)).await;
    let node = rig.api.get("nodes", "", "sandbox").unwrap();
    let address = object::text(&node["status"]["addresses"][0], "/address");
    assert_eq!(
        (&running["status"]["podIP"], &running["status"]["hostIP"]),
        (&json!(address), &json!(address))
    );
    within(rig.until_log("a", |log| log == address)).await;
    rig.stop().await;
}

/// In a container whose session began outside of it (`docker exec`, `nsenter`) a process has the session 0.
#[cfg(target_os = "linux")]
#[test]
fn host_programs_run_where_the_session_began_outside_of_the_container() {
    use std::process::Command;
    let namespace = ["--map-root-user", "--pid", "--fork", "--kill-child"];
    let possible = Command::new("unshare").args(namespace).arg("true").output();
    if !possible.is_ok_and(|output| output.status.success()) {
        println!("skipped: this machine lets nobody make a namespace of processes");
        return;
    }
    let ended = Command::new("unshare")
        .args(namespace)
        .arg(env!("CARGO_BIN_EXE_styrmin"))
        .args(["image", "shim", "--", "sh", "-c", "echo bad >&2; exit 3"])
        .env_remove("STYRMIN_LIFELINE")
        .output()
        .unwrap();
    assert_eq!((&*String::from_utf8_lossy(&ended.stderr), ended.status.code()), ("bad\n", Some(3)));
}
