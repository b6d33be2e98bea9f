//! Volumes with real processes: files that follow their sources, tokens, limits, refusals.

use std::sync::Arc;

use serde_json::{Value, json};
use styrmin::sandbox::clock::SystemClock;
use styrmin::sandbox::object;

use super::rig::{Rig, host_container, pod, within};
use super::{condition, ready};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_follow_their_sources_while_the_container_runs() {
    let rig = Rig::start().await;
    rig.create("serviceaccounts", json!({"metadata": {"name": "robot"}}));
    rig.create("configmaps", json!({"metadata": {"name": "settings"}, "data": {"x": "one"}}));
    let script = "cd $STYRMIN_ROOT; echo $(cat all/x) $(cat copy) $(tr -cd . < all/token | wc -c); \
        until [ \"$(cat all/x)\" = two ]; do sleep 0.02; done; echo $(cat all/x) $(cat copy); \
        until grep -q blue all/labels; do sleep 0.02; done; echo blue; sleep 1000";
    let mut following = pod("a", host_container(&["sh", "-c", script]));
    following["spec"]["serviceAccountName"] = json!("robot");
    following["spec"]["volumes"] = json!([{"name": "all", "projected": {"sources": [
        {"configMap": {"name": "settings"}},
        {"serviceAccountToken": {"path": "token", "audience": "test"}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]}}]);
    following["spec"]["containers"][0]["volumeMounts"] = json!([
        {"name": "all", "mountPath": "/all"}, {"name": "all", "mountPath": "/copy", "subPath": "x"},
    ]);
    rig.create("pods", following);
    within(rig.until_log("a", |log| log == "one one 2")).await;
    rig.api
        .mutate("configmaps", "default", "settings", "test", |map| map["data"]["x"] = json!("two"))
        .unwrap();
    within(rig.until_log("a", |log| log.ends_with("two one"))).await;
    rig.api
        .mutate("pods", "default", "a", "test", |pod| {
            pod["metadata"]["labels"] = json!({"color": "blue"});
        })
        .unwrap();
    within(rig.until_log("a", |log| log.ends_with("blue"))).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_served_sandbox_tells_pods_how_to_reach_it() {
    let rig = Rig::start_at(Arc::new(SystemClock), |options| {
        options.api_server = Some(([127, 0, 0, 1], 6443).into());
    })
    .await;
    rig.create("serviceaccounts", json!({"metadata": {"name": "robot"}}));
    rig.create("configmaps", json!({"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": "CA"}}));
    let script = "cd $STYRMIN_ROOT/var/run/secrets/kubernetes.io/serviceaccount; \
        echo $KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT $(cat ca.crt) $(cat namespace) $(tr -cd . < token | wc -c); sleep 1000";
    let mut asking = pod("a", host_container(&["sh", "-c", script]));
    asking["spec"]["serviceAccountName"] = json!("robot");
    rig.create("pods", asking);
    within(rig.until_log("a", |log| log == "127.0.0.1:6443 CA default 2")).await;
    let written = rig.api.get("pods", "default", "a").unwrap();
    assert!(object::list(&written, "/spec/volumes").is_empty(), "the pod stays as it was written");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_mounted_is_told() {
    let rig = Rig::start().await;
    let mut host = pod("a", host_container(&["true"]));
    host["spec"]["volumes"] = json!([{"name": "root", "hostPath": {"path": "/"}}]);
    rig.create("pods", host);
    let message = "MountVolume.SetUp failed for volume \"root\" : the sandbox does not implement volumes of kind hostPath";
    within(rig.until_event_of("a", "FailedMount", |told| told == message)).await;
    let waiting = within(rig.until("pods", "a", super::waiting_for("ContainerCreating"))).await;
    assert_eq!(waiting["status"]["phase"], "Pending");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_fills_its_empty_dir_is_evicted() {
    let (rig, _clock) = Rig::standing_still().await;
    let mut greedy = pod("a", host_container(&["sh", "-c", "sleep 1000"]));
    greedy["spec"]["volumes"] = json!([{"name": "v", "emptyDir": {"sizeLimit": "1Ki"}}]);
    greedy["spec"]["initContainers"] = json!([{
        "name": "fill", "image": "styrmin/host:1", "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        "command": ["head", "-c", "5000", "/dev/zero"], "terminationMessagePath": "/v/zeros",
    }]);
    greedy["spec"]["initContainers"][0]["command"] =
        json!(["sh", "-c", "head -c 5000 /dev/zero > $STYRMIN_ROOT/v/zeros"]);
    rig.create("pods", greedy);
    let evicted = within(rig.until("pods", "a", |pod| pod["status"]["phase"] == "Failed")).await;
    let message = "Usage of EmptyDir volume \"v\" exceeds the limit \"1Ki\". ";
    assert_eq!(
        (&evicted["status"]["reason"], &evicted["status"]["message"]),
        (&json!("Evicted"), &json!(message))
    );
    within(rig.until_event_of("a", "Evicted", |told| told == message)).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_knows_limits_and_simulated_containers_need_theirs_too() {
    let rig = Rig::start().await;
    let mut container = host_container(&["sh", "-c", "echo $MEMORY $NODE $UNITS; sleep 1000"]);
    container["resources"] = json!({"limits": {"memory": "64Mi", "cpu": "1500m"}});
    container["env"] = json!([
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
        {"name": "UNITS", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ]);
    rig.create("pods", pod("a", container));
    within(rig.until_log("a", |log| log == "67108864 sandbox 1500")).await;
    within(rig.until_event_of("a", "FieldsIgnored", |told| told.ends_with("resources.limits.cpu"))).await;

    let from = json!([{"name": "X", "valueFrom": {"secretKeyRef": {"name": "late", "key": "k"}}}]);
    rig.create("pods", pod("b", json!({"name": "main", "image": "nginx:1.27", "env": from})));
    let stuck = within(rig.until("pods", "b", super::waiting_for("CreateContainerConfigError"))).await;
    assert_eq!(super::state(&stuck)["waiting"]["message"], "secret \"late\" not found");
    rig.create("secrets", json!({"metadata": {"name": "late"}, "stringData": {}, "data": {"other": "eA=="}}));
    let missing =
        |pod: &Value| super::state(pod)["waiting"]["message"] == "couldn't find key k in Secret default/late";
    within(rig.until("pods", "b", missing)).await;
    rig.api
        .mutate("secrets", "default", "late", "test", |secret| secret["data"]["k"] = json!("eA=="))
        .unwrap();
    let running = within(rig.until("pods", "b", ready)).await;
    assert!(condition(&running, "PodReadyToStartContainers"));
    within(rig.until_event_of("b", "Simulated", |told| told.ends_with(": main"))).await;
    rig.stop().await;
}
