use super::super::bench::{Bench, reasons};
use super::*;

fn start(spec: Value, replicas: i64) -> Bench {
    let mut bench = Bench::new();
    bench.add(
        replicaset::REPLICASETS,
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web", "namespace": "a"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}}),
    );
    bench.settle();
    let mut budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "a"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}});
    json_patch::merge(&mut budget["spec"], &spec);
    bench.add(BUDGETS, budget);
    bench.ready_all();
    bench.settle();
    bench
}

fn counters(bench: &Bench) -> [i64; 4] {
    let budget = bench.get(BUDGETS, "a", "web");
    ["expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed"]
        .map(|field| number(&budget, &format!("/status/{field}")).unwrap_or(-1))
}

#[test]
fn numbers_and_percentages_are_counted_against_the_workload() {
    for (spec, expected) in [
        (json!({"minAvailable": 2}), [3, 2, 3, 1]),
        (json!({"minAvailable": "50%"}), [3, 2, 3, 1]),
        (json!({"maxUnavailable": 1}), [3, 2, 3, 1]),
        (json!({"maxUnavailable": "34%"}), [3, 1, 3, 2]),
        (json!({"maxUnavailable": 0}), [3, 3, 3, 0]),
    ] {
        assert_eq!(counters(&start(spec.clone(), 3)), expected, "{spec}");
    }
}

#[test]
fn an_evicted_pod_counts_as_gone_for_two_minutes() {
    let mut bench = start(json!({"minAvailable": 1}), 2);
    assert_eq!(counters(&bench), [2, 1, 2, 1]);
    let (pod, now) = (bench.names(PODS)[0].clone(), bench.now);
    bench.change(BUDGETS, "a", "web", |budget| take_one(budget, &pod, now));
    let again = bench.settle();
    assert_eq!(counters(&bench), [2, 1, 1, 0]);
    assert_eq!(again, Some(after(now, 120)));
    let budget = bench.get(BUDGETS, "a", "web");
    assert_eq!(text(&budget, "/status/conditions/0/reason"), "InsufficientPods");
    bench.advance(120);
    bench.settle();
    assert_eq!(counters(&bench), [2, 1, 2, 1], "it did not go after all");
    assert!(bench.get(BUDGETS, "a", "web").pointer("/status/disruptedPods").is_none());
}

#[test]
fn pods_of_a_kind_without_a_size_are_said_not_to_be_countable() {
    let mut bench = start(json!({"maxUnavailable": 1}), 1);
    bench.add(
        PODS,
        json!({"metadata": {"name": "d", "namespace": "a", "labels": {"app": "web"}, "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "d", "controller": true}]}, "spec": {}}),
    );
    bench.settle();
    let budget = bench.get(BUDGETS, "a", "web");
    let condition = &budget["status"]["conditions"][0];
    assert_eq!(text(condition, "/reason"), "SyncFailed");
    assert_eq!(text(condition, "/message"), "daemonsets.apps does not implement the scale subresource");
    assert_eq!(
        reasons(&bench).iter().filter(|reason| **reason == "CalculateExpectedPodCountFailed").count(),
        1
    );
}

#[test]
fn a_selector_may_be_empty_but_not_absent() {
    let pod = json!({"metadata": {"namespace": "a", "labels": {"x": "y"}}});
    let budget = |selector: Value| json!({"metadata": {"namespace": "a"}, "spec": {"selector": selector}});
    assert!(selects(&budget(json!({})), &pod));
    assert!(!selects(&budget(Value::Null), &pod));
    assert!(!selects(&budget(json!({"matchLabels": {"x": "z"}})), &pod));
}
