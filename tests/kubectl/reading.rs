//! get, describe, events.

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::ground::{Ground, cells, shell, web};
use crate::pty::PATIENCE;

cases! { lists_are_tables, other_forms_of_output, descriptions, selection_and_watching, what_does_not_exist }

async fn lists_are_tables(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &web("web", 2, "1.0.0")).await;
    kubectl.ok("rollout status deployment web --timeout=50s").await;
    let pods = cells(&kubectl.ok("get pods").await);
    assert_eq!(pods[0], ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert_eq!(pods.len(), 3);
    assert_eq!(pods[1][1..4], ["1/1", "Running", "0"]);
    let wide = cells(&kubectl.ok("get pods -o wide").await);
    assert_eq!(wide[0][5..7], ["IP", "NODE"]);
    assert!(wide[1][5].starts_with("127."), "{:?}", wide[1]);
    let deployments = cells(&kubectl.ok("get deploy").await);
    assert_eq!(deployments[0], ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]);
    assert_eq!(deployments[1][..4], ["web", "2/2", "2", "2"]);
    let labelled = kubectl.ok("get pods -L app --no-headers").await;
    assert!(labelled.lines().all(|line| line.ends_with("web")), "{labelled}");
    kubectl.ok("expose deployment web --port=80 --target-port=8080").await;
    let services = cells(&kubectl.ok("get svc web").await);
    assert_eq!(services[0], ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]);
    assert_eq!((services[1][1].as_str(), services[1][4].as_str()), ("ClusterIP", "80/TCP"));
    let all = kubectl.ok("get all").await;
    for kind in ["pod/web-", "service/web", "deployment.apps/web", "replicaset.apps/web-"] {
        assert!(all.contains(kind), "{all}");
    }
    let nodes = cells(&kubectl.ok("get nodes").await);
    assert_eq!(nodes[0], ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]);
    assert_eq!(nodes[1][1], "Ready");
}

async fn other_forms_of_output(kubectl: &Ground) {
    kubectl.ok("create configmap settings --from-literal=colour=green").await;
    assert_eq!(kubectl.ok("get cm settings -o name").await.trim(), "configmap/settings");
    assert_eq!(kubectl.ok("get cm settings -o jsonpath={.data.colour}").await, "green");
    let yaml = kubectl.ok("get cm settings -o yaml").await;
    assert!(yaml.contains("colour: green") && yaml.contains("kind: ConfigMap"), "{yaml}");
    let columns = kubectl.ok("get cm settings -o custom-columns=C:.data.colour").await;
    assert_eq!(cells(&columns), [["C"], ["green"]]);
    let sorted = kubectl.ok("get ns --sort-by=.metadata.name -o name").await;
    assert!(sorted.lines().is_sorted(), "{sorted}");
}

async fn descriptions(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &web("web", 1, "1.0.0")).await;
    kubectl.ok("rollout status deployment web --timeout=50s").await;
    let deployment = kubectl.ok("describe deployment web").await;
    for part in ["Replicas:", "1 desired", "RollingUpdateStrategy:", "ScalingReplicaSet"] {
        assert!(deployment.contains(part), "{part}: {deployment}");
    }
    let pod = kubectl.ok("describe pods -l app=web").await;
    for part in ["Controlled By:", "ReplicaSet/web-", "Ready:", "True", "Events:", "Started"] {
        assert!(pod.contains(part), "{part}: {pod}");
    }
    assert!(kubectl.ok("describe node").await.contains("Allocatable:"));
    assert!(kubectl.ok("describe ns default").await.contains("Active"));
    assert!(kubectl.ok("describe rs -l app=web").await.contains("SuccessfulCreate"));
    kubectl.ok("create secret generic hidden --from-literal=password=hunter2").await;
    let secret = kubectl.ok("describe secret hidden").await;
    assert!(
        secret.contains("password:") && secret.contains("7 bytes") && !secret.contains("hunter2"),
        "{secret}"
    );
    let events = kubectl.ok("get events").await;
    assert!(events.starts_with("LAST SEEN") && events.contains("deployment/web"), "{events}");
}

async fn selection_and_watching(kubectl: &Ground) {
    kubectl.ok("create cm red --from-literal=a=b").await;
    kubectl.ok("create cm blue --from-literal=a=b").await;
    kubectl.ok("label cm red hue=warm").await;
    assert_eq!(kubectl.ok("get cm -l hue=warm -o name").await.trim(), "configmap/red");
    let by_name = "get cm --field-selector metadata.name=blue -o name";
    assert_eq!(kubectl.ok(by_name).await.trim(), "configmap/blue");
    assert!(kubectl.ok("get cm -A").await.starts_with("NAMESPACE"));
    kubectl.ok_with("apply -f -", &shell("sleeper", "exec sleep 1000")).await;
    // --watch with a pod that goes
    let mut watching = kubectl.start_command("get pod sleeper --watch --output-watch-events");
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        cells(&line).remove(0)
    };
    assert_eq!(next().await[..2], ["EVENT", "NAME"]);
    assert_eq!(next().await[..2], ["ADDED", "sleeper"]);
    kubectl.ok("wait --for=condition=Ready pod/sleeper --timeout=50s").await;
    kubectl.ok("delete pod sleeper").await;
    let mut seen = Vec::new();
    while seen.last().is_none_or(|row: &Vec<String>| row[0] != "DELETED") {
        seen.push(next().await);
    }
    assert!(seen.iter().all(|row| row[1] == "sleeper"), "one heading: {seen:?}");
    assert!(seen.iter().any(|row| row[3] == "Terminating"), "{seen:?}");
    watching.kill().await.unwrap();
}

async fn what_does_not_exist(kubectl: &Ground) {
    assert!(kubectl.refused("get pod nothing", "").await.contains("pods \"nothing\" not found"));
    let kind = kubectl.refused("get unicorns", "").await;
    assert!(kind.contains("the server doesn't have a resource type \"unicorns\""), "{kind}");
    let empty = kubectl.run_with("get pods", b"", &[]).await;
    assert!(String::from_utf8_lossy(&empty.stderr).contains("No resources found in default namespace."));
}
