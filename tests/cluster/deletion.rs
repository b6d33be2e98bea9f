//! Deleting: finalizers, what is owned, namespaces, grace.

use kube::api::{DeleteParams, ListParams, Patch, PatchParams, Preconditions};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::objects::{config_map, deployment, pod};
use crate::things::{Things, number, text};

cases!(
    a_finalizer_holds_an_object,
    no_finalizer_comes_after_deletion,
    deletion_counts_as_a_generation,
    dependents_follow_in_the_background,
    orphans_stay,
    the_foreground_waits_for_dependents,
    an_owner_that_never_was_takes_its_dependent_along,
    two_owners_must_both_go,
    a_namespace_takes_its_content_along,
    a_pod_stops_gracefully,
    a_collection_is_deleted_by_label,
    a_collection_is_deleted_up_to_a_limit,
    preconditions_say_what_differs,
    a_dry_run_shows_the_marks,
    an_owner_in_another_namespace_is_none,
    default_namespaces_stay,
);

const HOLD: &str = "test.styrmin.io/hold";

fn held(name: &str) -> Value {
    let mut map = config_map(name, "a");
    map["metadata"]["finalizers"] = json!([HOLD]);
    map
}

fn owned(name: &str, owner: &Value) -> Value {
    let mut map = config_map(name, "a");
    map["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "v1", "kind": "ConfigMap", "name": text(owner, "/metadata/name"),
        "uid": text(owner, "/metadata/uid"), "blockOwnerDeletion": true}]);
    map
}

async fn release(things: &Things, name: &str) {
    things.merge(name, json!({"metadata": {"finalizers": null}})).await;
}

async fn a_finalizer_holds_an_object(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(held("one")).await;
    maps.delete("one").await;
    let marked = maps.get("one").await;
    assert!(text(&marked, "/metadata/deletionTimestamp").ends_with('Z'));
    assert_eq!(number(&marked, "/metadata/deletionGracePeriodSeconds"), 0);
    assert_eq!(maps.try_create(config_map("one", "b")).await.expect_err("a refusal").code, 409);
    let changed = maps.merge("one", json!({"data": {"text": "still"}})).await;
    assert_eq!(changed["data"]["text"], "still", "it can be changed meanwhile");
    release(&maps, "one").await;
    assert_eq!(maps.find("one").await, None);
}

async fn no_finalizer_comes_after_deletion(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(held("one")).await;
    maps.delete("one").await;
    let more = Patch::Merge(json!({"metadata": {"finalizers": [HOLD, "test.styrmin.io/more"]}}));
    let status = maps.try_patch("one", &PatchParams::default(), more).await.expect_err("a refusal");
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    assert_eq!(status.details.expect("details").causes[0].field, "metadata.finalizers");
    release(&maps, "one").await;
}

async fn deletion_counts_as_a_generation(ground: &Ground) {
    let deployments = ground.things("deployments");
    let mut object = deployment("web", 0);
    object["metadata"]["finalizers"] = json!([HOLD]);
    deployments.create(object).await;
    deployments.delete("web").await;
    assert_eq!(number(&deployments.get("web").await, "/metadata/generation"), 2);
    release(&deployments, "web").await;
    deployments.until_gone("web").await;
}

async fn started(ground: &Ground) -> (Things, Things, String) {
    let (deployments, sets) = (ground.things("deployments"), ground.things("replicasets"));
    deployments.create(deployment("web", 1)).await;
    let found = sets.until_all("app=web", "there is one", |sets| sets.len() == 1).await;
    let pods = ground.things("pods");
    pods.until_all("app=web", "there is one", |pods| pods.len() == 1).await;
    (deployments, sets, text(&found[0], "/metadata/name").to_owned())
}

async fn dependents_follow_in_the_background(ground: &Ground) {
    let (deployments, sets, set) = started(ground).await;
    deployments.try_delete("web", &DeleteParams::background()).await.expect("deleted");
    assert_eq!(deployments.find("web").await, None, "at once");
    sets.until_gone(&set).await;
    ground.things("pods").until_all("app=web", "they are gone", |pods| pods.is_empty()).await;
}

async fn orphans_stay(ground: &Ground) {
    let (deployments, sets, set) = started(ground).await;
    deployments.try_delete("web", &DeleteParams::orphan()).await.expect("deleted");
    deployments.until_gone("web").await;
    let left =
        sets.until_is(&set, "nobody owns it", |set| set["metadata"].get("ownerReferences").is_none()).await;
    assert_eq!(text(&left, "/metadata/deletionTimestamp"), "");
    assert_eq!(ground.things("pods").names("app=web").await.len(), 1);
}

async fn the_foreground_waits_for_dependents(ground: &Ground) {
    let maps = ground.things("configmaps");
    let owner = maps.create(config_map("owner", "a")).await;
    let mut dependent = owned("dependent", &owner);
    dependent["metadata"]["finalizers"] = json!([HOLD]);
    maps.create(dependent).await;
    maps.try_delete("owner", &DeleteParams::foreground()).await.expect("accepted");
    let waiting = maps.get("owner").await;
    assert_eq!(waiting["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    maps.until_is("dependent", "it is being deleted", |map| {
        !text(map, "/metadata/deletionTimestamp").is_empty()
    })
    .await;
    assert!(maps.find("owner").await.is_some(), "it waits");
    release(&maps, "dependent").await;
    maps.until_gone("owner").await;
    maps.until_gone("dependent").await;
}

async fn an_owner_that_never_was_takes_its_dependent_along(ground: &Ground) {
    let maps = ground.things("configmaps");
    let ghost = json!({"metadata": {"name": "ghost", "uid": "6a2e8ee8-77a3-4a9c-8a0f-0f4d5f1f3c2e"}});
    maps.create(owned("dependent", &ghost)).await;
    maps.until_gone("dependent").await;
}

async fn two_owners_must_both_go(ground: &Ground) {
    let maps = ground.things("configmaps");
    let (one, two) = (maps.create(config_map("one", "a")).await, maps.create(config_map("two", "a")).await);
    let mut shared = owned("shared", &one);
    let second = owned("shared", &two)["metadata"]["ownerReferences"][0].clone();
    shared["metadata"]["ownerReferences"].as_array_mut().expect("owners").push(second);
    maps.create(shared).await;
    maps.delete("one").await;
    maps.until_is("shared", "the other owner is left", |map| {
        map["metadata"]["ownerReferences"].as_array().is_some_and(|owners| owners.len() == 1)
    })
    .await;
    maps.delete("two").await;
    maps.until_gone("shared").await;
}

async fn a_namespace_takes_its_content_along(ground: &Ground) {
    let namespaces = ground.things("namespaces");
    let name = ground.unique("doomed");
    namespaces.create(json!({"metadata": {"name": name}})).await;
    namespaces.until_is(&name, "it is active", |space| text(space, "/status/phase") == "Active").await;
    let maps = ground.things_in("configmaps", &name);
    maps.create(config_map("free", "a")).await;
    maps.create(held("held")).await;
    namespaces.delete(&name).await;
    let going = namespaces.get(&name).await;
    assert_eq!(text(&going, "/status/phase"), "Terminating");
    maps.until_gone("free").await;
    let status = maps.try_create(config_map("late", "a")).await.expect_err("a refusal");
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
    assert!(status.message.contains("because it is being terminated"), "{}", status.message);
    let causes = status.details.expect("details").causes;
    assert!(causes.iter().any(|cause| cause.reason == "NamespaceTerminating"), "{causes:?}");
    assert!(namespaces.find(&name).await.is_some(), "it waits for what is held");
    release(&maps, "held").await;
    namespaces.until_gone(&name).await;
}

async fn a_pod_stops_gracefully(ground: &Ground) {
    let pods = ground.things("pods");
    let mut held = pod("one");
    held["metadata"]["finalizers"] = json!([HOLD]);
    pods.create(held).await;
    pods.until_is("one", "it runs", |pod| text(pod, "/status/phase") == "Running").await;
    let params = DeleteParams { grace_period_seconds: Some(5), ..DeleteParams::default() };
    pods.try_delete("one", &params).await.expect("accepted");
    let stopping = pods.get("one").await;
    assert!(!text(&stopping, "/metadata/deletionTimestamp").is_empty());
    pods.until_is("one", "it has stopped", |pod| number(pod, "/metadata/deletionGracePeriodSeconds") == 0)
        .await;
    release(&pods, "one").await;
    pods.until_gone("one").await;
}

async fn a_collection_is_deleted_by_label(ground: &Ground) {
    let maps = ground.things("configmaps");
    for (name, app) in [("one", "x"), ("two", "x"), ("three", "y")] {
        let mut map = config_map(name, "a");
        map["metadata"]["labels"] = json!({"app": app, "set": "all"});
        maps.create(map).await;
    }
    let selected = ListParams::default().labels("app=x");
    maps.api.delete_collection(&DeleteParams::default(), &selected).await.expect("deleted");
    maps.until_all("set=all", "one is left", |maps| maps.len() == 1).await;
    assert_eq!(maps.names("set=all").await, ["three"]);
}

async fn a_collection_is_deleted_up_to_a_limit(ground: &Ground) {
    let maps = ground.things("configmaps");
    for name in ["one", "three", "two"] {
        let mut map = config_map(name, "a");
        map["metadata"]["labels"] = json!({"set": "all"});
        maps.create(map).await;
    }
    let path = format!("/api/v1/namespaces/{}/configmaps?labelSelector=set%3Dall&limit=2", ground.namespace);
    let request = http::Request::delete(path).body(Vec::new()).expect("a request");
    let deleted = ground.client.request::<Value>(request).await.expect("deleted");
    assert_eq!(deleted["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(maps.names("set=all").await, ["two"]);
}

async fn preconditions_say_what_differs(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("one", "a")).await;
    let stale = Preconditions { uid: None, resource_version: Some("5".into()) };
    let status =
        maps.try_delete("one", &DeleteParams::default().preconditions(stale)).await.expect_err("a conflict");
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert!(
        status.message.starts_with(
            "Operation cannot be fulfilled on ConfigMap \"one\": the ResourceVersion in the precondition (5) does not match the ResourceVersion in record"
        ),
        "{}",
        status.message
    );
}

async fn a_dry_run_shows_the_marks(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("one", "a")).await;
    let params = DeleteParams::foreground().dry_run();
    let answer = maps.api.delete("one", &params).await.expect("an answer").left().expect("the object");
    let answer = crate::things::value(&answer);
    assert!(!text(&answer, "/metadata/deletionTimestamp").is_empty());
    assert_eq!(answer["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    assert_eq!(text(&maps.get("one").await, "/metadata/deletionTimestamp"), "", "nothing was stored");
}

async fn an_owner_in_another_namespace_is_none(ground: &Ground) {
    let other = ground.unique("other");
    ground.things("namespaces").create(json!({"metadata": {"name": other}})).await;
    let owner = ground.things_in("configmaps", &other).create(config_map("owner", "a")).await;
    let maps = ground.things("configmaps");
    maps.create(owned("dependent", &owner)).await;
    maps.until_gone("dependent").await;
    assert!(ground.things_in("configmaps", &other).find("owner").await.is_some());
    ground.things("namespaces").delete(&other).await;
}

async fn default_namespaces_stay(ground: &Ground) {
    for name in ["default", "kube-system"] {
        let status = ground.things("namespaces").try_delete(name, &DeleteParams::default()).await;
        let status = status.expect_err("a refusal");
        assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"), "{name}");
    }
}
