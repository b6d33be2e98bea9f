//! Roll-outs as `kubectl rollout` and `kubectl scale` drive them.

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::objects::deployment;
use crate::things::{Things, condition, number, text};
use crate::workloads::{complete, revision, roll_out, set_image, stuck};

cases!(
    a_cause_is_kept_and_a_template_brought_back,
    a_restart_is_a_roll_out,
    the_history_is_kept_short,
    a_stuck_roll_out_is_scaled_in_proportion,
    a_new_deployment_adopts_what_an_old_one_left,
    a_daemon_set_waits_for_deletions,
    a_stateful_set_comes_all_at_once;
    only_sandbox:
        a_daemon_set_surges: "Kubernetes 1.20 knows no maxSurge of DaemonSets",
        claims_go_with_their_stateful_set: "Kubernetes 1.20 knows no persistentVolumeClaimRetentionPolicy",
);

fn named<'a>(sets: &[&'a Value], number: &str) -> Option<&'a Value> {
    sets.iter().copied().find(|set| revision(set) == number)
}

async fn a_cause_is_kept_and_a_template_brought_back(ground: &Ground) {
    let mut first = deployment("web", 1);
    first["metadata"]["annotations"] = json!({"kubernetes.io/change-cause": "the first"});
    roll_out(ground, first).await;
    let (deployments, sets) = (ground.things("deployments"), ground.things("replicasets"));
    let cause = |text: &str| json!({"metadata": {"annotations": {"kubernetes.io/change-cause": text}}});
    deployments.merge("web", cause("the second")).await;
    set_image(ground, "2").await;
    deployments.until_is("web", "it is complete", |web| complete(web, 1) && revision(web) == "2").await;
    let known = sets
        .until_all("app=web", "both", |sets| named(sets, "1").is_some() && named(sets, "2").is_some())
        .await;
    let known: Vec<&Value> = known.iter().collect();
    let cause_of =
        |set: &Value| text(&set["metadata"]["annotations"]["kubernetes.io/change-cause"], "").to_owned();
    assert_eq!(cause_of(named(&known, "2").expect("the second")), "the second");
    // as kubectl rollout undo does it: the template and the annotations of the set
    let old = named(&known, "1").expect("the first");
    let mut template = old["spec"]["template"].clone();
    template["metadata"]["labels"].as_object_mut().expect("labels").remove("pod-template-hash");
    let patch: json_patch::Patch = serde_json::from_value(json!([
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": {"kubernetes.io/change-cause": "back"}}]))
    .expect("a patch");
    deployments.try_patch("web", &PatchParams::default(), Patch::Json(patch)).await.expect("undone");
    let back =
        deployments.until_is("web", "it is back", |web| complete(web, 1) && revision(web) == "3").await;
    assert_eq!(text(&back, "/spec/template/spec/containers/0/image"), "example.org/one:1");
    let third = |sets: &[&Value]| named(sets, "3").is_some_and(|set| cause_of(set) == "back");
    let sets = sets.until_all("app=web", "the first is the third", third).await;
    assert_eq!(sets.len(), 2);
}

async fn a_restart_is_a_roll_out(ground: &Ground) {
    roll_out(ground, deployment("web", 1)).await;
    let before = ground.things("pods").names("app=web").await;
    let at = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"});
    let patch = json!({"spec": {"template": {"metadata": {"annotations": at}}}});
    let deployments = ground.things("deployments");
    deployments.merge("web", patch).await;
    deployments.until_is("web", "it is complete", |web| complete(web, 1) && revision(web) == "2").await;
    ground
        .things("pods")
        .until_all("app=web", "another", |pods| {
            pods.len() == 1 && text(pods[0], "/metadata/name") != before[0]
        })
        .await;
}

async fn the_history_is_kept_short(ground: &Ground) {
    let mut object = deployment("web", 1);
    object["spec"]["revisionHistoryLimit"] = json!(1);
    roll_out(ground, object).await;
    for (tag, number) in [("2", "2"), ("3", "3"), ("4", "4")] {
        set_image(ground, tag).await;
        let done = |web: &Value| complete(web, 1) && revision(web) == number;
        ground.things("deployments").until_is("web", "it is complete", done).await;
    }
    let sets = ground.things("replicasets").until_all("app=web", "two", |sets| sets.len() == 2).await;
    let mut numbers: Vec<&str> = sets.iter().map(revision).collect();
    numbers.sort_unstable();
    assert_eq!(numbers.last(), Some(&"4"));
    // Which of several old sets stays goes by the second of their creation: on a fast cluster that decides nothing.
    if ground.sandbox.is_some() {
        assert_eq!(numbers, ["3", "4"]);
    }
}

async fn sizes(sets: &Things, expected: [i64; 2]) {
    sets.until_all("app=web", "their sizes", |sets| {
        let mut sizes: Vec<i64> = sets.iter().map(|set| number(set, "/spec/replicas")).collect();
        sizes.sort_unstable();
        sizes == expected
    })
    .await;
}

async fn a_stuck_roll_out_is_scaled_in_proportion(ground: &Ground) {
    let mut object = deployment("web", 4);
    object["spec"]["strategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "50%"}});
    roll_out(ground, object).await;
    let (deployments, sets) = (ground.things("deployments"), ground.things("replicasets"));
    let change = json!({"spec": {"template": {"metadata": {"annotations": stuck()}}}});
    deployments.merge("web", change).await;
    // one more than four, and half of the old ones may go
    sizes(&sets, [2, 3]).await;
    deployments.merge("web", json!({"spec": {"replicas": 8}})).await;
    sizes(&sets, [4, 6]).await;
    deployments.merge("web", json!({"spec": {"replicas": 4}})).await;
    sizes(&sets, [2, 3]).await;
}

async fn a_new_deployment_adopts_what_an_old_one_left(ground: &Ground) {
    roll_out(ground, deployment("web", 1)).await;
    let (deployments, sets) = (ground.things("deployments"), ground.things("replicasets"));
    let before = sets.names("app=web").await;
    deployments.api.delete("web", &DeleteParams::orphan()).await.expect("deleted");
    deployments.until_gone("web").await;
    let free = |sets: &[&Value]| sets.len() == 1 && sets[0].pointer("/metadata/ownerReferences/0").is_none();
    sets.until_all("app=web", "it is free", free).await;
    let made = roll_out(ground, deployment("web", 1)).await;
    let owned = |sets: &[&Value]| sets[0]["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"];
    sets.until_all("app=web", "it is adopted", owned).await;
    assert_eq!(sets.names("app=web").await, before);
}

fn daemon_set(strategy: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": {
        "selector": {"matchLabels": {"app": "agent"}}, "updateStrategy": strategy, "template": {
            "metadata": {"labels": {"app": "agent"}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": "example.org/one:1"}]}}}})
}

async fn new_image(sets: &Things) {
    let containers = json!([{"name": "main", "image": "example.org/one:2"}]);
    sets.merge("agent", json!({"spec": {"template": {"spec": {"containers": containers}}}})).await;
}

fn updated(set: &Value) -> bool {
    number(set, "/status/updatedNumberScheduled") == 1 && number(set, "/status/numberAvailable") == 1
}

async fn a_daemon_set_waits_for_deletions(ground: &Ground) {
    let (sets, pods) = (ground.things("daemonsets"), ground.things("pods"));
    sets.create(daemon_set(json!({"type": "OnDelete"}))).await;
    sets.until_is("agent", "its pod is there", updated).await;
    let before = pods.names("app=agent").await;
    new_image(&sets).await;
    let stale = |set: &Value| {
        number(set, "/status/observedGeneration") == 2 && number(set, "/status/updatedNumberScheduled") == 0
    };
    sets.until_is("agent", "its pod is old", stale).await;
    assert_eq!(pods.names("app=agent").await, before);
    pods.delete(&before[0]).await;
    sets.until_is("agent", "its pod is new", updated).await;
}

async fn a_daemon_set_surges(ground: &Ground) {
    let (sets, pods) = (ground.things("daemonsets"), ground.things("pods"));
    let rolling = json!({"maxSurge": 1, "maxUnavailable": 0});
    sets.create(daemon_set(json!({"type": "RollingUpdate", "rollingUpdate": rolling}))).await;
    sets.until_is("agent", "its pod is there", updated).await;
    new_image(&sets).await;
    let done = sets
        .until_is("agent", "its pod is new", |set| {
            assert_eq!(number(set, "/status/numberAvailable"), 1, "never without one");
            number(set, "/metadata/generation") == 2
                && number(set, "/status/observedGeneration") == 2
                && updated(set)
        })
        .await;
    assert_eq!(number(&done, "/status/desiredNumberScheduled"), 1);
    pods.until_all("app=agent", "only the new one", |pods| {
        pods.len() == 1 && text(pods[0], "/spec/containers/0/image") == "example.org/one:2"
    })
    .await;
}

fn stateful_set(spec: Value) -> Value {
    let mut set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
        "replicas": 2, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": {
            "metadata": {"labels": {"app": "db"}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": "example.org/one:1"}]}}}});
    for (field, value) in spec.as_object().expect("a spec") {
        set["spec"][field] = value.clone();
    }
    set
}

async fn a_stateful_set_comes_all_at_once(ground: &Ground) {
    let mut set = stateful_set(json!({"podManagementPolicy": "Parallel"}));
    set["spec"]["template"]["metadata"]["annotations"] = stuck();
    ground.things("statefulsets").create(set).await;
    let pods =
        ground.things("pods").until_all("app=db", "both, though none is ready", |pods| pods.len() == 2).await;
    assert!(pods.iter().all(|pod| condition(pod, "Ready").0 != "True"));
}

async fn claims_go_with_their_stateful_set(ground: &Ground) {
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Mi"}}}});
    let policy = json!({"whenDeleted": "Delete", "whenScaled": "Delete"});
    let spec = json!({"volumeClaimTemplates": [claim], "persistentVolumeClaimRetentionPolicy": policy});
    let (sets, claims) = (ground.things("statefulsets"), ground.things("persistentvolumeclaims"));
    sets.create(stateful_set(spec)).await;
    sets.until_is("db", "both are ready", |set| number(set, "/status/readyReplicas") == 2).await;
    sets.merge("db", json!({"spec": {"replicas": 1}})).await;
    claims.until_gone("data-db-1").await;
    assert!(claims.find("data-db-0").await.is_some());
    sets.delete("db").await;
    claims.until_gone("data-db-0").await;
}
