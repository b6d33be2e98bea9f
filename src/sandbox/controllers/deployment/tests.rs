use super::super::bench::{Bench, reasons};
use super::super::object::{condition, list};
use super::super::pods::PODS;
use super::*;

fn deployment(replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "a", "annotations": {"team": "x"}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "one"}]}}}})
}

fn start(object: Value) -> Bench {
    let mut bench = Bench::new();
    bench.add(DEPLOYMENTS, object);
    bench.settle();
    bench
}

fn get(bench: &Bench) -> Arc<Value> {
    bench.get(DEPLOYMENTS, "a", "web")
}

fn edit(bench: &mut Bench, change: impl FnOnce(&mut Value)) {
    bench.change(DEPLOYMENTS, "a", "web", change);
    bench.settle();
}

fn set_image(bench: &mut Bench, image: &str) {
    edit(bench, |object| object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image));
}

fn progress(bench: &Bench) -> (String, String) {
    let object = get(bench);
    let found = condition(&object, "Progressing").expect("Progressing");
    (text(found, "/status").to_owned(), text(found, "/reason").to_owned())
}

fn images(bench: &Bench) -> Vec<String> {
    bench.cache.all(PODS).map(|pod| text(pod, "/spec/containers/0/image").to_owned()).collect()
}

/// Makes pods ready round by round until nothing changes; the smallest and the largest number of pods and ready pods seen.
fn roll(bench: &mut Bench) -> (usize, usize) {
    let (mut most, mut least_ready) = (0, usize::MAX);
    for _ in 0..20 {
        let ready = bench.cache.all(PODS).filter(|pod| pods::is_ready(pod)).count();
        most = most.max(bench.names(PODS).len());
        least_ready = least_ready.min(ready);
        bench.ready_all();
        bench.settle();
    }
    (most, least_ready)
}

#[test]
fn a_first_roll_out_reaches_available() {
    let mut bench = start(deployment(3));
    let sets = bench.names(REPLICASETS);
    assert_eq!(sets.len(), 1);
    let set = bench.get(REPLICASETS, "a", &sets[0]);
    let hash = super::super::object::label(&set, HASH);
    assert_eq!(sets[0], format!("web-{hash}"));
    assert_eq!(annotation(&set, "team"), Some("x"));
    assert_eq!(annotation(&get(&bench), REVISION), Some("1"));
    assert!(condition(&get(&bench), "Available").is_some_and(|found| text(found, "/status") == "False"));
    bench.ready_all();
    bench.settle();
    let status = get(&bench)["status"].clone();
    for field in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        assert_eq!(status[field], json!(3), "{field}");
    }
    assert_eq!(status["observedGeneration"], json!(1));
    assert!(status.get("unavailableReplicas").is_none());
    assert_eq!(progress(&bench), ("True".into(), "NewReplicaSetAvailable".into()));
    let message = format!("ReplicaSet \"{}\" has successfully progressed.", sets[0]);
    assert_eq!(text(condition(&get(&bench), "Progressing").expect("it"), "/message"), message);
    let scaled = bench.events.iter().find(|(_, reason, _)| reason == "ScalingReplicaSet").expect("an event");
    assert_eq!(scaled.2, format!("Scaled up replica set {} from 0 to 3", sets[0]));
}

#[test]
fn a_rolling_update_keeps_within_its_limits() {
    let mut bench = start(deployment(4));
    bench.ready_all();
    bench.settle();
    set_image(&mut bench, "two");
    assert_eq!(progress(&bench).1, "ReplicaSetUpdated");
    let (most, least_ready) = roll(&mut bench);
    assert_eq!((most, least_ready), (5, 3), "one more at most, one less at least");
    assert!(images(&bench).iter().all(|image| image == "two"));
    assert_eq!(images(&bench).len(), 4);
    assert_eq!(annotation(&get(&bench), REVISION), Some("2"));
    assert_eq!(progress(&bench), ("True".into(), "NewReplicaSetAvailable".into()));
    assert_eq!(bench.names(REPLICASETS).len(), 2, "the old one stays for rolling back");
}

#[test]
fn rolling_back_takes_the_old_set_with_a_new_number() {
    let mut bench = start(deployment(2));
    roll(&mut bench);
    let first = bench.names(REPLICASETS);
    set_image(&mut bench, "two");
    roll(&mut bench);
    set_image(&mut bench, "one");
    roll(&mut bench);
    assert_eq!(bench.names(REPLICASETS).len(), 2);
    let set = bench.get(REPLICASETS, "a", &first[0]);
    assert_eq!(annotation(&set, REVISION), Some("3"));
    assert_eq!(annotation(&set, REVISION_HISTORY), Some("1"));
    assert_eq!(annotation(&get(&bench), REVISION), Some("3"));
    assert_eq!(images(&bench), ["one", "one"]);
    assert_eq!(progress(&bench).1, "NewReplicaSetAvailable");
}

#[test]
fn recreate_never_mixes_versions() {
    let mut object = deployment(2);
    object["spec"]["strategy"] = json!({"type": "Recreate"});
    let mut bench = start(object);
    bench.ready_all();
    bench.settle();
    bench.change(DEPLOYMENTS, "a", "web", |object| {
        object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("two");
    });
    for pod in bench.names(PODS) {
        // pods that linger: they hold the new ones back
        bench.change(PODS, "a", &pod, |pod| pod["metadata"]["finalizers"] = json!(["test/linger"]));
    }
    bench.settle();
    assert_eq!(images(&bench), ["one", "one"]);
    for pod in bench.names(PODS) {
        bench.remove(PODS, "a", &pod);
    }
    bench.settle();
    assert_eq!(images(&bench), ["two", "two"]);
}

#[test]
fn a_paused_deployment_scales_but_does_not_roll() {
    let mut bench = start(deployment(2));
    roll(&mut bench);
    edit(&mut bench, |object| {
        object["spec"]["paused"] = json!(true);
        object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("two");
        object["spec"]["replicas"] = json!(3);
    });
    assert_eq!(images(&bench), ["one", "one", "one"]);
    assert_eq!(progress(&bench), ("Unknown".into(), "DeploymentPaused".into()));
    edit(&mut bench, |object| object["spec"]["paused"] = json!(false));
    roll(&mut bench);
    assert_eq!(images(&bench), ["two", "two", "two"]);
    assert_eq!(progress(&bench).1, "NewReplicaSetAvailable");
}

#[test]
fn a_roll_out_that_stands_still_is_said_to_have_failed() {
    let mut bench = start(deployment(1));
    let again = {
        bench.settle();
        bench.settle().expect("the deadline is watched")
    };
    assert_eq!(again, bench.now + jiff::SignedDuration::from_secs(601));
    bench.advance(601);
    bench.settle();
    assert_eq!(progress(&bench), ("False".into(), "ProgressDeadlineExceeded".into()));
    bench.ready_all();
    bench.settle();
    assert_eq!(progress(&bench), ("True".into(), "NewReplicaSetAvailable".into()), "it recovers");
}

#[test]
fn scaling_in_the_middle_of_a_roll_out_is_spread() {
    let mut bench = start(deployment(10));
    roll(&mut bench);
    set_image(&mut bench, "broken");
    let sizes = |bench: &Bench| -> Vec<i64> {
        let mut sizes: Vec<i64> =
            bench.cache.all(REPLICASETS).filter_map(|set| number(set, "/spec/replicas")).collect();
        sizes.sort_unstable();
        sizes
    };
    assert_eq!(sizes(&bench), [5, 8]);
    edit(&mut bench, |object| object["spec"]["replicas"] = json!(20));
    assert_eq!(sizes(&bench), [10, 15], "20 and a quarter more, in the old proportion");
}

#[test]
fn history_beyond_the_limit_goes() {
    let mut object = deployment(1);
    object["spec"]["revisionHistoryLimit"] = json!(1);
    let mut bench = start(object);
    for image in ["two", "three", "four"] {
        roll(&mut bench);
        set_image(&mut bench, image);
    }
    roll(&mut bench);
    assert_eq!(bench.names(REPLICASETS).len(), 2);
    let kept: Vec<Option<String>> =
        bench.cache.all(REPLICASETS).map(|set| annotation(set, REVISION).map(str::to_owned)).collect();
    assert!(kept.contains(&Some("4".into())) && kept.contains(&Some("3".into())), "{kept:?}");
}

#[test]
fn zero_replicas_are_available_at_once() {
    let mut bench = start(deployment(2));
    roll(&mut bench);
    edit(&mut bench, |object| object["spec"]["replicas"] = json!(0));
    assert_eq!(bench.names(PODS).len(), 0);
    let object = get(&bench);
    assert_eq!(text(condition(&object, "Available").expect("it"), "/status"), "True");
    assert!(object["status"].get("replicas").is_none());
    assert!(list(&object, "/status/conditions").len() >= 2);
    assert!(reasons(&bench).contains(&"ScalingReplicaSet"));
}

#[test]
fn a_taken_name_counts_as_a_collision() {
    let object = deployment(1);
    let hash = super::super::hash::template_hash(&object["spec"]["template"], 0);
    let mut bench = Bench::new();
    let squatter = json!({"metadata": {"name": format!("web-{hash}"), "namespace": "a"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "other"}}, "template": {}}});
    bench.add(REPLICASETS, squatter);
    bench.add(DEPLOYMENTS, object);
    bench.settle();
    assert_eq!(get(&bench)["status"]["collisionCount"], json!(1));
    assert_eq!(bench.names(REPLICASETS).len(), 2);
}
