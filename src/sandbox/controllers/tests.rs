//! The engine on the real `Api`; the tests play the kubelet.

use std::sync::Arc;

use serde_json::{Value, json};

use super::engine::Engine;
use super::object::{condition_is_true, count, deleting, list, name, namespace, text};
use super::*;
use crate::sandbox::api::DeleteOptions;
use crate::sandbox::clock::ManualClock;

struct World {
    api: Api,
    engine: Engine,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().expect("a timestamp")));
        let api = Api::new(clock.clone(), 7);
        execute::make_classes(&api);
        let node = json!({"metadata": {"name": "sandbox", "labels": {"kubernetes.io/hostname": "sandbox"}}});
        api.create("nodes", node, "test").expect("a node");
        api.create("namespaces", json!({"metadata": {"name": "a"}}), "test").expect("a namespace");
        let engine = Engine::new(api.clone());
        Self { api, engine, clock }
    }

    fn create(&self, resource: &str, object: Value) {
        self.api.create(resource, object, "test").unwrap_or_else(|status| panic!("{resource}: {status:?}"));
    }

    /// Runs the controllers until they rest; how many syncs it took.
    fn settle(&mut self) -> usize {
        self.engine.catch_up();
        let mut steps = 0;
        while self.engine.step() {
            steps += 1;
            assert!(steps < 100_000, "the controllers do not come to rest");
        }
        steps
    }

    /// Plays the kubelet once: pods with a node run and are ready, pods being deleted go.
    fn kubelet(&mut self) {
        for pod in self.api.list("pods", None) {
            let (space, pod_name) = (namespace(&pod), name(&pod));
            if deleting(&pod) {
                let options = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
                self.api.delete("pods", space, pod_name, &options).expect("deleted");
            } else if !text(&pod, "/spec/nodeName").is_empty() && text(&pod, "/status/phase") == "Pending" {
                let changed = self.api.mutate_status("pods", space, pod_name, "kubelet", |pod| {
                    pod["status"]["phase"] = json!("Running");
                    pod["status"]["podIP"] = json!("127.64.1.1");
                    let mut conditions = list(pod, "/status/conditions").to_vec();
                    conditions.push(json!({"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}));
                    pod["status"]["conditions"] = json!(conditions);
                });
                changed.expect("running");
            }
        }
    }

    fn live(&mut self) -> usize {
        let mut steps = 0;
        for _ in 0..12 {
            steps += self.settle();
            self.kubelet();
        }
        steps + self.settle()
    }

    fn get(&self, resource: &str, object: &str) -> Arc<Value> {
        self.api.get(resource, "a", object).unwrap_or_else(|| panic!("no {resource} {object}"))
    }
}

fn deployment(replicas: i64) -> Value {
    json!({
        "metadata": {"name": "web", "namespace": "a"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "one"}]}}}})
}

#[test]
fn a_deployment_comes_up_is_updated_and_rests() {
    let mut world = World::new();
    world.create("deployments.apps", deployment(3));
    world.create(
        "services",
        json!({"metadata": {"name": "web", "namespace": "a"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
    );
    world.live();
    let object = world.get("deployments.apps", "web");
    assert!(condition_is_true(&object, "Available"), "{object:#}");
    assert_eq!(count(&object, "/status/availableReplicas"), 3);
    let slices = world.api.list("endpointslices.discovery.k8s.io", Some("a"));
    assert_eq!(list(&slices[0], "/endpoints").len(), 3);
    world
        .api
        .mutate("deployments.apps", "a", "web", "test", |object| {
            object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("two");
        })
        .expect("updated");
    world.live();
    let pods = world.api.list("pods", Some("a"));
    let images: Vec<&str> = pods.iter().map(|pod| text(pod, "/spec/containers/0/image")).collect();
    assert_eq!(images, ["two", "two", "two"]);
    let pod = &pods[0];
    assert_eq!(text(pod, "/spec/nodeName"), "sandbox");
    assert!(condition_is_true(pod, "PodScheduled"));
    let told = world.api.list("events", Some("a"));
    let by: Vec<&str> = told.iter().map(|event| text(event, "/reason")).collect();
    for reason in ["ScalingReplicaSet", "SuccessfulCreate", "SuccessfulDelete", "Scheduled"] {
        assert!(by.contains(&reason), "{reason} in {by:?}");
    }
    let before = world.api.revision();
    world.engine = Engine::new(world.api.clone());
    world.settle();
    assert_eq!(world.api.revision(), before, "a new start finds nothing to do");
}

#[test]
fn a_stateful_set_gets_bound_volumes() {
    let mut world = World::new();
    world.create(
        "statefulsets.apps",
        json!({"metadata": {"name": "db", "namespace": "a"}, "spec": {"replicas": 2, "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c", "image": "one"}]}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}}}}]}}),
    );
    world.live();
    assert_eq!(count(&world.get("statefulsets.apps", "db"), "/status/readyReplicas"), 2);
    for claim in ["data-db-0", "data-db-1"] {
        assert_eq!(text(&world.get("persistentvolumeclaims", claim), "/status/phase"), "Bound");
    }
    assert_eq!(world.api.list("persistentvolumes", None).len(), 2);
}

#[test]
fn a_job_runs_to_its_end() {
    let mut world = World::new();
    world.create(
        "jobs.batch",
        json!({"metadata": {"name": "seed", "namespace": "a"}, "spec": {"backoffLimit": 0, "ttlSecondsAfterFinished": 60,
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "one"}]}}}}),
    );
    world.live();
    let pods = world.api.list("pods", Some("a"));
    assert_eq!(pods.len(), 1);
    world
        .api
        .mutate_status("pods", "a", name(&pods[0]), "kubelet", |pod| {
            pod["status"]["phase"] = json!("Succeeded")
        })
        .expect("ended");
    world.settle();
    assert!(condition_is_true(&world.get("jobs.batch", "seed"), "Complete"));
    world.clock.advance(jiff::SignedDuration::from_secs(60));
    world.settle();
    assert!(world.api.get("jobs.batch", "a", "seed").is_none());
}

#[test]
fn a_pod_waits_for_its_claim_and_then_gets_its_node() {
    let mut world = World::new();
    let volumes = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]);
    world.create(
        "pods",
        json!({"metadata": {"name": "p", "namespace": "a"}, "spec": {"volumes": volumes, "containers": [{"name": "c", "image": "i"}]}}),
    );
    world.settle();
    assert_eq!(text(&world.get("pods", "p"), "/status/conditions/0/reason"), "Unschedulable");
    world.create(
        "persistentvolumeclaims",
        json!({"metadata": {"name": "data", "namespace": "a"}, "spec": {"accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}}}}),
    );
    world.settle();
    assert_eq!(text(&world.get("pods", "p"), "/spec/nodeName"), "sandbox");
}

#[test]
fn many_pods_cost_what_they_are() {
    const PODS: i64 = 500;
    let mut world = World::new();
    world.create("deployments.apps", deployment(PODS));
    world.create(
        "services",
        json!({"metadata": {"name": "web", "namespace": "a"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
    );
    let steps = world.live();
    assert_eq!(count(&world.get("deployments.apps", "web"), "/status/availableReplicas"), PODS);
    assert!(steps < 2 * PODS as usize, "{steps} syncs for {PODS} pods");
    world
        .api
        .mutate_status("pods", "a", name(&world.api.list("pods", Some("a"))[0]), "kubelet", |pod| {
            pod["status"]["message"] = json!("hello");
        })
        .expect("changed");
    assert!(world.settle() < 10, "one changed pod concerns its set and its service");
}

#[tokio::test]
async fn the_task_wakes_on_changes_and_ends_on_request() {
    let world = World::new();
    let stop = CancellationToken::new();
    let task = tokio::spawn(run(world.api.clone(), stop.clone()));
    let mut sets = world.api.subscribe("replicasets.apps");
    world.create("deployments.apps", deployment(1));
    let limit = Duration::from_secs(20);
    let change = tokio::time::timeout(limit, sets.recv()).await.expect("a ReplicaSet within 20 s");
    assert!(name(&change.expect("a change").object).starts_with("web-"));
    stop.cancel();
    tokio::time::timeout(limit, task).await.expect("ends within 20 s").expect("ends well");
}

#[tokio::test]
async fn what_is_due_by_the_sandbox_s_clock_is_not_waited_for_by_the_machine_s() {
    let world = World::new();
    let hour = jiff::SignedDuration::from_hours(1);
    let due = world.api.now() + hour;
    let moving = async {
        tokio::task::yield_now().await;
        world.clock.advance(hour);
    };
    let both = async { tokio::join!(wait_until(&world.api, Some(due)), moving) };
    tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .expect("an hour by a clock that was moved by one");
}
