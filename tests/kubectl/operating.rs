//! What an operator does with a whole cluster: drains and taints the node, dumps everything, and is told what is not enforced.

use crate::ground::{Ground, shell, texts, web};

cases! { the_node_is_drained_and_comes_back, taints_drive_pods_away, the_cluster_is_dumped, what_is_not_enforced_is_said }

async fn the_node_is_drained_and_comes_back(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &web("web", 1, "1.0.0")).await;
    kubectl.ok_with("apply -f -", &shell("alone", "sleep 1000")).await;
    kubectl.ok("rollout status deployment web --timeout=50s").await;
    let refused = kubectl.refused("drain sandbox --timeout=20s", "").await;
    assert!(refused.contains("alone"), "nobody would make this pod again: {refused}");
    kubectl.ok("drain sandbox --force --ignore-daemonsets --timeout=50s").await;
    kubectl.refused("get pod alone", "").await;
    assert!(kubectl.ok("get nodes").await.contains("SchedulingDisabled"));
    let waiting = "wait pod -l app=web --for=condition=PodScheduled=false --timeout=30s";
    kubectl.ok(waiting).await;
    kubectl.ok("uncordon sandbox").await;
    kubectl.ok("wait deployment web --for=condition=Available --timeout=50s").await;
}

async fn taints_drive_pods_away(kubectl: &Ground) {
    let tolerant = shell("tolerant", "sleep 1000")
        .replace("spec:\n", "spec:\n  tolerations: [{key: broken, operator: Exists, effect: NoExecute}]\n");
    let patient = shell("patient", "sleep 1000").replace(
        "spec:\n",
        "spec:\n  tolerations: [{key: broken, operator: Exists, effect: NoExecute, tolerationSeconds: 3600}]\n",
    );
    for pod in [&tolerant, &patient, &shell("other", "sleep 1000")] {
        kubectl.ok_with("apply -f -", pod).await;
    }
    kubectl.ok("wait pod tolerant patient other --for=condition=Ready --timeout=30s").await;
    kubectl.ok("taint node sandbox broken=yes:NoExecute").await;
    // an older kubectl complains when there is nothing left to wait for
    kubectl.run_with("wait pod other --for=delete --timeout=30s", b"", &[]).await;
    kubectl.refused("get pod other", "").await;
    // told after it was done
    kubectl.until_told("get events --field-selector reason=TaintManagerEviction", "pod/other").await;
    let left = kubectl.ok("get pods -o name").await;
    assert_eq!(left.split_whitespace().collect::<Vec<_>>(), ["pod/patient", "pod/tolerant"]);
    kubectl.ok("taint node sandbox broken-").await;
    kubectl.ok_with("apply -f -", &shell("other", "sleep 1000")).await;
    kubectl.ok("wait pod other --for=condition=Ready --timeout=30s").await;
}

async fn the_cluster_is_dumped(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &shell("speaker", "echo dumped words; sleep 1000")).await;
    kubectl.ok("wait pod speaker --for=condition=Ready --timeout=30s").await;
    kubectl.until_told("logs speaker", "dumped words").await;
    let dump = kubectl.ok("cluster-info dump").await;
    assert!(dump.contains("dumped words") && dump.contains("\"speaker\""), "{dump}");
    // the collection is there, because tools look through it, and nothing can be put into it
    kubectl.ok("get replicationcontrollers").await;
    let controller = "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: old}\nspec: {replicas: 1, selector: {app: old}, \
        template: {metadata: {labels: {app: old}}, spec: {containers: [{name: c, image: 'styrmin/host:1'}]}}}\n";
    let refused = kubectl.refused("create --validate=false -f -", controller).await;
    assert!(refused.contains("does not implement replicationcontrollers"), "{refused}");
}

async fn what_is_not_enforced_is_said(kubectl: &Ground) {
    let output = kubectl.run_with("create quota few --hard=pods=1", b"", &[]).await;
    let (told, complained) = texts(&output);
    assert!(output.status.success() && told.contains("created"), "{told}{complained}");
    assert!(complained.contains("does not enforce them"), "{complained}");
    let autoscaler = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {maxReplicas: 3, \
        scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, metrics: [{type: Resource, resource: {name: cpu, \
        target: {type: Utilization, averageUtilization: 70}}}]}\n";
    let output = kubectl.run_with("create -f -", autoscaler.as_bytes(), &[]).await;
    assert!(texts(&output).1.contains("scales nothing by metrics"), "{:?}", texts(&output));
    let row = kubectl.ok("get hpa web").await;
    assert!(row.contains("Deployment/web") && row.contains("cpu: <unknown>/70%"), "{row}");
}
