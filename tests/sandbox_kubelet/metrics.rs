//! `metrics.k8s.io`, as `kubectl top` reads it.

use serde_json::{Value, json};

use super::rig::{Rig, host_container, pod, within};
use super::{ready, state};

const PODS: &str = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods";

fn container(row: &Value) -> (&Value, &Value) {
    (&row["containers"][0]["usage"]["cpu"], &row["containers"][0]["usage"]["memory"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_processes_use_is_served() {
    let rig = Rig::start().await;
    let mut busy = pod("busy", host_container(&["sh", "-c", "while true; do :; done"]));
    busy["metadata"]["labels"] = json!({"app": "busy"});
    rig.create("pods", busy);
    rig.create("pods", pod("idle", host_container(&["sleep", "1000"])));
    rig.create("pods", pod("simulated", json!({"name": "main", "image": "nginx:1.27"})));
    for name in ["busy", "idle", "simulated"] {
        within(rig.until("pods", name, ready)).await;
    }
    let row = within(async {
        loop {
            let (code, row) = rig.ask(&format!("{PODS}/busy")).await;
            // The kernel counts in hundredths of a second: the first few may be none.
            if code == 200 && row["containers"][0]["usage"]["cpu"] != "0" {
                return row;
            }
        }
    })
    .await;
    assert_eq!((&row["kind"], &row["apiVersion"]), (&json!("PodMetrics"), &json!("metrics.k8s.io/v1beta1")));
    assert_eq!(row["metadata"]["labels"]["app"], "busy");
    let (cpu, memory) = container(&row);
    assert!(cpu.as_str().unwrap().ends_with('n') && memory.as_str().unwrap().ends_with("Ki"), "{row}");
    assert!(row["window"].as_str().unwrap().ends_with('s') && row["timestamp"].is_string(), "{row}");

    let names = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let (_, list) = rig.ask(PODS).await;
    assert_eq!(
        (list["kind"].as_str(), names(&list)),
        (Some("PodMetricsList"), vec!["busy".into(), "idle".into()])
    );
    let (_, all) = rig.ask("/apis/metrics.k8s.io/v1beta1/pods?labelSelector=app%3Dbusy").await;
    assert_eq!(names(&all), ["busy"]);
    let (code, missing) = rig.ask(&format!("{PODS}/simulated")).await;
    let message = "podmetrics.metrics.k8s.io \"default/simulated\" not found";
    assert_eq!((code, missing["message"].as_str()), (404, Some(message)));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_is_measured_and_the_group_is_discovered() {
    let rig = Rig::start().await;
    let (code, nodes) = rig.ask("/apis/metrics.k8s.io/v1beta1/nodes").await;
    assert_eq!(
        (code, &nodes["kind"], &nodes["items"][0]["metadata"]["name"]),
        (200, &json!("NodeMetricsList"), &json!("sandbox"))
    );
    let memory = nodes["items"][0]["usage"]["memory"].as_str().unwrap();
    assert!(memory.trim_end_matches("Ki").parse::<u64>().unwrap() > 0);
    let (_, one) = rig.ask("/apis/metrics.k8s.io/v1beta1/nodes/sandbox").await;
    assert_eq!(one["kind"], "NodeMetrics");
    let (_, group) = rig.ask("/apis/metrics.k8s.io/v1beta1").await;
    let resource = |name: &str, kind: &str, namespaced: bool| json!({"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]});
    assert_eq!(
        group["resources"],
        json!([resource("nodes", "NodeMetrics", false), resource("pods", "PodMetrics", true)])
    );
    let (code, refused) = rig.ask("/apis/metrics.k8s.io/v1beta1/nodes?watch=1").await;
    assert_eq!((code, &refused["reason"]), (405, &json!("MethodNotAllowed")));
    rig.create("pods", pod("a", json!({"name": "main", "image": "nginx:1.27"})));
    let simulated = within(rig.until("pods", "a", ready)).await;
    assert!(state(&simulated)["running"].is_object());
    rig.stop().await;
}
