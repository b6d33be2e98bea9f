use super::super::bench::Bench;
use super::*;

fn service(ports: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "a", "labels": {"team": "x"}},
        "spec": {"selector": {"app": "web"}, "clusterIP": "127.64.0.1", "ports": ports}})
}

fn pod(name: &str, ready: bool) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "a", "labels": {"app": "web"}},
        "spec": {"nodeName": "sandbox", "containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]}]},
        "status": {"phase": "Running", "podIP": format!("127.64.1.{}", name.len()),
            "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]}})
}

fn only_slice(bench: &Bench) -> Arc<Value> {
    let names = bench.names(SLICES);
    assert_eq!(names.len(), 1, "{names:?}");
    bench.get(SLICES, "a", &names[0])
}

#[test]
fn pods_become_endpoints_with_named_ports_resolved() {
    let mut bench = Bench::new();
    bench.add(PODS, pod("one", true));
    bench.add(PODS, pod("three", false));
    bench.add(
        SERVICES,
        service(json!([{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}])),
    );
    bench.settle();
    let slice = only_slice(&bench);
    assert_eq!(label(&slice, SERVICE_NAME), "web");
    assert_eq!(label(&slice, "team"), "x");
    assert_eq!(slice["ports"], json!([{"name": "http", "port": 8080, "protocol": "TCP"}]));
    let ready: Vec<(&str, bool)> = list(&slice, "/endpoints")
        .iter()
        .map(|endpoint| (text(endpoint, "/targetRef/name"), flag(endpoint, "/conditions/ready")))
        .collect();
    assert_eq!(ready, [("one", true), ("three", false)]);
}

#[test]
fn a_terminating_pod_serves_but_is_not_ready() {
    let mut bench = Bench::new();
    let mut leaving = pod("one", true);
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:30Z");
    bench.add(PODS, leaving);
    bench.add(SERVICES, service(json!([{"port": 80}])));
    bench.settle();
    let slice = only_slice(&bench);
    assert_eq!(
        slice["endpoints"][0]["conditions"],
        json!({"ready": false, "serving": true, "terminating": true})
    );
    assert_eq!(slice["ports"], json!([{"name": "", "port": 80, "protocol": "TCP"}]));
}

#[test]
fn no_pods_leave_one_empty_slice_and_many_pods_several() {
    let mut bench = Bench::new();
    bench.add(SERVICES, service(json!([{"port": 80}])));
    bench.settle();
    assert_eq!(only_slice(&bench)["endpoints"], json!([]));
    for index in 0..150 {
        bench.add(PODS, pod(&format!("pod-{index:03}"), true));
    }
    bench.settle();
    let sizes: Vec<usize> = bench
        .names(SLICES)
        .iter()
        .map(|name| list(&bench.get(SLICES, "a", name), "/endpoints").len())
        .collect();
    assert_eq!(sizes, [100, 50]);
    for index in 0..150 {
        bench.remove(PODS, "a", &format!("pod-{index:03}"));
    }
    bench.settle();
    assert_eq!(only_slice(&bench)["endpoints"], json!([]));
}

#[test]
fn a_load_balancer_answers_on_its_cluster_address() {
    let mut bench = Bench::new();
    let mut balanced = service(json!([{"port": 80}]));
    balanced["spec"]["type"] = json!("LoadBalancer");
    bench.add(SERVICES, balanced);
    bench.settle();
    let status = bench.get(SERVICES, "a", "web")["status"].clone();
    assert_eq!(status, json!({"loadBalancer": {"ingress": [{"ip": "127.64.0.1"}]}}));
    bench.change(SERVICES, "a", "web", |service| service["spec"]["type"] = json!("ClusterIP"));
    bench.settle();
    assert_eq!(bench.get(SERVICES, "a", "web")["status"], json!({"loadBalancer": {}}));
}
