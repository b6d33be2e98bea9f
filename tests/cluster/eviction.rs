//! Disruption budgets, and evictions that they allow or refuse.

use http::Request;
use kube::core::Status;
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::objects::{deployment, pod};
use crate::things::{Things, condition, number, resource, status_of, text};
use crate::workloads::roll_out;

cases!(
    a_budget_counts_its_pods,
    an_eviction_takes_one_and_the_next_must_wait,
    pods_without_a_budget_are_evicted,
    an_eviction_must_mean_its_pod,
    two_budgets_are_one_too_many;
    only_sandbox:
        a_budget_says_whether_it_allows: "Kubernetes 1.20 has no condition on budgets",
        broken_pods_may_go_by_policy: "Kubernetes 1.20 knows no unhealthyPodEvictionPolicy",
);

/// `policy/v1`, and what Kubernetes 1.20 has in its place.
fn version(ground: &Ground) -> &'static str {
    if ground.sandbox.is_some() { "policy/v1" } else { "policy/v1beta1" }
}

fn budgets(ground: &Ground) -> Things {
    let kind = resource(version(ground), "PodDisruptionBudget", "poddisruptionbudgets");
    Things::of(ground, &kind, Some(&ground.namespace))
}

fn budget(ground: &Ground, name: &str, spec: Value) -> Value {
    let mut budget = json!({"apiVersion": version(ground), "kind": "PodDisruptionBudget",
        "metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": "web"}}}});
    for (field, value) in spec.as_object().expect("a spec") {
        budget["spec"][field] = value.clone();
    }
    budget
}

async fn evict(ground: &Ground, pod: &str, named: &str, options: Value) -> Result<Value, Status> {
    let body = json!({"apiVersion": version(ground), "kind": "Eviction",
        "metadata": {"name": named, "namespace": ground.namespace}, "deleteOptions": options});
    let path = format!("/api/v1/namespaces/{}/pods/{pod}/eviction", ground.namespace);
    let request = Request::post(path).header("content-type", "application/json");
    let request = request.body(body.to_string().into_bytes()).expect("a request");
    ground.client.request(request).await.map_err(status_of)
}

fn counters(budget: &Value) -> [i64; 4] {
    ["expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed"]
        .map(|counter| number(budget, &format!("/status/{counter}")))
}

async fn a_budget_counts_its_pods(ground: &Ground) {
    roll_out(ground, deployment("web", 3)).await;
    let budgets = budgets(ground);
    for (name, spec, expected) in [
        ("least", json!({"minAvailable": 2}), [3, 2, 3, 1]),
        ("share", json!({"minAvailable": "34%"}), [3, 2, 3, 1]),
        ("most", json!({"maxUnavailable": 2}), [3, 1, 3, 2]),
        ("none", json!({"maxUnavailable": "0%"}), [3, 3, 3, 0]),
    ] {
        budgets.create(budget(ground, name, spec)).await;
        budgets.until_is(name, "it has counted", |budget| counters(budget) == expected).await;
    }
    ground.things("deployments").merge("web", json!({"spec": {"replicas": 4}})).await;
    budgets.until_is("most", "it counts the fourth", |budget| counters(budget) == [4, 2, 4, 2]).await;
}

async fn an_eviction_takes_one_and_the_next_must_wait(ground: &Ground) {
    roll_out(ground, deployment("web", 2)).await;
    let budgets = budgets(ground);
    budgets.create(budget(ground, "web", json!({"minAvailable": 2}))).await;
    budgets.until_is("web", "it has counted", |budget| counters(budget) == [2, 2, 2, 0]).await;
    let pods = ground.things("pods").names("app=web").await;
    let refused = evict(ground, &pods[0], &pods[0], Value::Null).await.expect_err("a refusal");
    assert_eq!((refused.code, refused.reason.as_str()), (429, "TooManyRequests"));
    assert_eq!(refused.message, "Cannot evict pod as it would violate the pod's disruption budget.");
    let cause = &refused.details.expect("details").causes[0];
    assert_eq!(cause.reason, "DisruptionBudget");
    assert_eq!(cause.message, "The disruption budget web needs 2 healthy pods and has 2 currently");
    budgets.merge("web", json!({"spec": {"minAvailable": 1}})).await;
    budgets.until_is("web", "it allows one", |budget| counters(budget) == [2, 1, 2, 1]).await;
    // Kubernetes 1.20 charges the budget for a dry run
    if ground.sandbox.is_some() {
        evict(ground, &pods[0], &pods[0], json!({"dryRun": ["All"]})).await.expect("tried only");
    }
    assert!(ground.things("pods").find(&pods[0]).await.is_some());
    let done = evict(ground, &pods[0], &pods[0], Value::Null).await.expect("evicted");
    assert_eq!((text(&done, "/kind"), text(&done, "/status")), ("Status", "Success"));
    ground.things("pods").until_gone(&pods[0]).await;
    budgets.until_is("web", "it allows one again", |budget| counters(budget) == [2, 1, 2, 1]).await;
}

async fn pods_without_a_budget_are_evicted(ground: &Ground) {
    let pods = ground.things("pods");
    pods.create(pod("one")).await;
    pods.until_is("one", "it runs", |pod| condition(pod, "Ready").0 == "True").await;
    evict(ground, "one", "one", Value::Null).await.expect("evicted");
    pods.until_gone("one").await;
    let missing = evict(ground, "one", "one", Value::Null).await.expect_err("a refusal");
    assert_eq!((missing.code, missing.message.as_str()), (404, "pods \"one\" not found"));
}

async fn an_eviction_must_mean_its_pod(ground: &Ground) {
    let pods = ground.things("pods");
    pods.create(pod("one")).await;
    let other = evict(ground, "one", "other", Value::Null).await.expect_err("a refusal");
    assert_eq!(
        (other.code, other.message.as_str()),
        (400, "name in URL does not match name in Eviction object")
    );
    let uid = json!({"preconditions": {"uid": "another"}});
    let stale = evict(ground, "one", "one", uid).await.expect_err("a refusal");
    assert_eq!((stale.code, stale.reason.as_str()), (409, "Conflict"));
    assert!(pods.find("one").await.is_some());
}

async fn two_budgets_are_one_too_many(ground: &Ground) {
    roll_out(ground, deployment("web", 1)).await;
    for name in ["one", "two"] {
        budgets(ground).create(budget(ground, name, json!({"minAvailable": 0}))).await;
    }
    let pods = ground.things("pods").names("app=web").await;
    let refused = evict(ground, &pods[0], &pods[0], Value::Null).await.expect_err("a refusal");
    let why =
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    assert_eq!((refused.code, refused.message.as_str()), (500, why));
}

async fn a_budget_says_whether_it_allows(ground: &Ground) {
    roll_out(ground, deployment("web", 1)).await;
    let budgets = budgets(ground);
    budgets.create(budget(ground, "web", json!({"minAvailable": 1}))).await;
    let says =
        |reason: &'static str| move |budget: &Value| condition(budget, "DisruptionAllowed").1 == reason;
    budgets.until_is("web", "it allows none", says("InsufficientPods")).await;
    budgets.merge("web", json!({"spec": {"minAvailable": 0}})).await;
    budgets.until_is("web", "it allows one", says("SufficientPods")).await;
    let pods = ground.things("pods");
    let names = pods.names("app=web").await;
    pods.merge(&names[0], json!({"metadata": {"finalizers": ["test.styrmin.io/linger"]}})).await;
    evict(ground, &names[0], &names[0], Value::Null).await.expect("evicted");
    let marked = |pod: &Value| condition(pod, "DisruptionTarget") == ("True", "EvictionByEvictionAPI");
    pods.until_is(&names[0], "it is marked", marked).await;
    pods.merge(&names[0], json!({"metadata": {"finalizers": []}})).await;
}

async fn broken_pods_may_go_by_policy(ground: &Ground) {
    let mut object = deployment("web", 1);
    // it runs, but a probe of a port where nothing listens keeps it from being ready
    object["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] =
        json!({"exec": {"command": ["false"]}, "periodSeconds": 1});
    object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("styrmin/notes-db:1.0.0");
    ground.things("deployments").create(object).await;
    let pods = ground.things("pods");
    let runs = |pods: &[&Value]| pods.len() == 1 && text(pods[0], "/status/phase") == "Running";
    let found = pods.until_all("app=web", "it runs", runs).await;
    let name = text(&found[0], "/metadata/name").to_owned();
    let budgets = budgets(ground);
    budgets.create(budget(ground, "web", json!({"minAvailable": 1}))).await;
    budgets.until_is("web", "it has counted", |budget| counters(budget) == [1, 1, 0, 0]).await;
    let refused = evict(ground, &name, &name, Value::Null).await.expect_err("a refusal");
    assert_eq!(refused.code, 429);
    budgets.merge("web", json!({"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}})).await;
    let seen = |budget: &Value| number(budget, "/status/observedGeneration") == 2;
    budgets.until_is("web", "it has seen the policy", seen).await;
    evict(ground, &name, &name, Value::Null).await.expect("evicted");
}
