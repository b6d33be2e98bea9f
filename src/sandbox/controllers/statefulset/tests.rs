use serde_json::json;

use super::super::bench::Bench;
use super::super::volumes::CLAIMS;
use super::*;

fn set(replicas: i64, spec: Value) -> Value {
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "a"},
        "spec": {"replicas": replicas, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
            "podManagementPolicy": "OrderedReady", "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c", "image": "one"}]}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"storageClassName": "standard",
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}});
    json_patch::merge(&mut set["spec"], &spec);
    set
}

fn start(replicas: i64, spec: Value) -> Bench {
    let mut bench = Bench::new();
    bench.add(STATEFULSETS, set(replicas, spec));
    bench.settle();
    bench
}

fn step(bench: &mut Bench) {
    bench.ready_all();
    bench.settle();
}

fn status(bench: &Bench) -> Value {
    bench.get(STATEFULSETS, "a", "db")["status"].clone()
}

fn image(bench: &Bench, pod: &str) -> String {
    text(&bench.get(PODS, "a", pod), "/spec/containers/0/image").to_owned()
}

fn set_image(bench: &mut Bench, image: &str) {
    bench.change(STATEFULSETS, "a", "db", |set| {
        set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image)
    });
    bench.settle();
}

#[test]
fn pods_come_one_after_the_other_with_names_and_claims() {
    let mut bench = start(3, json!({}));
    assert_eq!(bench.names(PODS), ["db-0"], "the next waits for this one");
    step(&mut bench);
    assert_eq!(bench.names(PODS), ["db-0", "db-1"]);
    step(&mut bench);
    step(&mut bench);
    assert_eq!(bench.names(PODS), ["db-0", "db-1", "db-2"]);
    assert_eq!(bench.names(CLAIMS), ["data-db-0", "data-db-1", "data-db-2"]);
    let pod = bench.get(PODS, "a", "db-1");
    assert_eq!(text(&pod, "/spec/hostname"), "db-1");
    assert_eq!(text(&pod, "/spec/subdomain"), "db");
    assert_eq!(super::super::object::label(&pod, "apps.kubernetes.io/pod-index"), "1");
    assert_eq!(text(&pod, "/spec/volumes/0/persistentVolumeClaim/claimName"), "data-db-1");
    let status = status(&bench);
    for field in ["replicas", "readyReplicas", "availableReplicas", "currentReplicas", "updatedReplicas"] {
        assert_eq!(status[field], json!(3), "{field}");
    }
    assert_eq!(status["currentRevision"], status["updateRevision"]);
}

#[test]
fn scaling_down_takes_the_last_and_keeps_its_claim() {
    let mut bench = start(2, json!({}));
    step(&mut bench);
    step(&mut bench);
    bench.change(STATEFULSETS, "a", "db", |set| set["spec"]["replicas"] = json!(1));
    bench.settle();
    assert_eq!(bench.names(PODS), ["db-0"]);
    assert_eq!(bench.names(CLAIMS), ["data-db-0", "data-db-1"]);
}

#[test]
fn an_update_goes_from_the_last_to_the_first() {
    let mut bench = start(3, json!({}));
    (0..3).for_each(|_| step(&mut bench));
    set_image(&mut bench, "two");
    assert_eq!((image(&bench, "db-2"), image(&bench, "db-1")), ("two".into(), "one".into()));
    let midway = status(&bench);
    assert_ne!(midway["currentRevision"], midway["updateRevision"]);
    assert_eq!((midway["currentReplicas"].clone(), midway["updatedReplicas"].clone()), (json!(2), json!(1)));
    step(&mut bench);
    assert_eq!((image(&bench, "db-1"), image(&bench, "db-0")), ("two".into(), "one".into()));
    step(&mut bench);
    step(&mut bench);
    assert_eq!(image(&bench, "db-0"), "two");
    let done = status(&bench);
    assert_eq!(done["currentRevision"], done["updateRevision"]);
    assert_eq!(done["currentReplicas"], json!(3));
}

#[test]
fn a_partition_holds_lower_ordinals_back() {
    let mut bench = start(3, json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}}));
    (0..3).for_each(|_| step(&mut bench));
    set_image(&mut bench, "two");
    (0..3).for_each(|_| step(&mut bench));
    assert_eq!((image(&bench, "db-2"), image(&bench, "db-1")), ("two".into(), "one".into()));
    bench.remove(PODS, "a", "db-0");
    bench.settle();
    assert_eq!(image(&bench, "db-0"), "one", "below the partition the old revision comes back");
}

#[test]
fn on_delete_waits_for_people() {
    let mut bench = start(1, json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}));
    step(&mut bench);
    set_image(&mut bench, "two");
    assert_eq!(image(&bench, "db-0"), "one");
    bench.remove(PODS, "a", "db-0");
    bench.settle();
    assert_eq!(image(&bench, "db-0"), "two");
}

#[test]
fn parallel_makes_all_at_once() {
    let bench = start(3, json!({"podManagementPolicy": "Parallel"}));
    assert_eq!(bench.names(PODS).len(), 3);
}

#[test]
fn a_failed_pod_is_made_again_under_its_name() {
    let mut bench = start(1, json!({}));
    let before = bench.uid(PODS, "a", "db-0");
    bench.finish("a", "db-0", "Failed");
    bench.settle();
    assert_ne!(bench.uid(PODS, "a", "db-0"), before);
    assert!(bench.events.iter().any(|(warning, reason, _)| *warning && reason == "RecreatingFailedPod"));
}

#[test]
fn claims_go_as_the_policy_says() {
    let policy = json!({"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Delete"},
        "podManagementPolicy": "Parallel"});
    let mut bench = start(2, policy);
    step(&mut bench);
    let owner = |bench: &Bench, claim: &str| {
        text(&bench.get(CLAIMS, "a", claim), "/metadata/ownerReferences/0/name").to_owned()
    };
    assert_eq!(owner(&bench, "data-db-1"), "db");
    bench.change(PODS, "a", "db-1", |pod| pod["metadata"]["finalizers"] = json!(["test/linger"]));
    bench.change(STATEFULSETS, "a", "db", |set| set["spec"]["replicas"] = json!(1));
    bench.settle();
    assert_eq!((owner(&bench, "data-db-0").as_str(), owner(&bench, "data-db-1").as_str()), ("db", "db-1"));
    bench.change(STATEFULSETS, "a", "db", |set| {
        set["spec"]["persistentVolumeClaimRetentionPolicy"] =
            json!({"whenDeleted": "Retain", "whenScaled": "Retain"});
    });
    bench.settle();
    assert_eq!(owner(&bench, "data-db-0"), "");
}

#[test]
fn several_pods_may_be_replaced_at_a_time() {
    let rolling = json!({"rollingUpdate": {"maxUnavailable": 2}});
    let mut bench = start(4, json!({"podManagementPolicy": "Parallel", "updateStrategy": rolling}));
    step(&mut bench);
    set_image(&mut bench, "two");
    let images: Vec<String> = (0..4).map(|ordinal| image(&bench, &format!("db-{ordinal}"))).collect();
    assert_eq!(images, ["one", "one", "two", "two"]);
}
