//! Server-side apply: who owns which field, and what that means.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::objects::config_map;
use crate::things::{names, number, text, version};

cases!(
    applying_makes_and_owns,
    two_managers_conflict_over_a_field,
    force_takes_a_field_over,
    a_dropped_field_goes_when_nobody_else_has_it,
    the_same_value_is_shared,
    applying_the_same_writes_nothing,
    an_update_conflicts_with_a_later_apply,
    list_entries_have_owners_of_their_own,
    atomic_lists_are_owned_whole,
    status_is_owned_apart,
    managed_fields_may_not_be_applied,
    replicas_can_be_left_to_another,
);

fn data(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": data})
}

/// The entry of a manager.
fn entry<'a>(object: &'a Value, manager: &str, operation: &str) -> Option<&'a Value> {
    let all = object["metadata"]["managedFields"].as_array()?;
    all.iter().find(|entry| entry["manager"] == manager && entry["operation"] == operation)
}

fn fields<'a>(object: &'a Value, manager: &str) -> &'a Value {
    entry(object, manager, "Apply").map_or(&Value::Null, |entry| &entry["fieldsV1"])
}

async fn applying_makes_and_owns(ground: &Ground) {
    let maps = ground.things("configmaps");
    let made = maps.apply("alice", data(json!({"a": "1"}))).await;
    let owned = entry(&made, "alice", "Apply").expect("alice owns something");
    assert_eq!((text(owned, "/apiVersion"), text(owned, "/fieldsType")), ("v1", "FieldsV1"));
    assert_eq!(owned["fieldsV1"], json!({"f:data": {"f:a": {}}}));
    let changed = maps.apply("alice", data(json!({"a": "2", "b": "3"}))).await;
    assert_eq!(changed["data"], json!({"a": "2", "b": "3"}));
    assert_eq!(fields(&changed, "alice"), &json!({"f:data": {"f:a": {}, "f:b": {}}}));
}

async fn two_managers_conflict_over_a_field(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.apply("alice", data(json!({"a": "1", "b": "1"}))).await;
    let status = maps
        .try_apply("bob", false, data(json!({"a": "2", "b": "2", "c": "2"})))
        .await
        .expect_err("a conflict");
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert!(
        status.message.starts_with("Apply failed with 2 conflicts: conflicts with \"alice\""),
        "{}",
        status.message
    );
    let causes = status.details.expect("details").causes;
    let found: Vec<(&str, &str)> =
        causes.iter().map(|cause| (cause.reason.as_str(), cause.field.as_str())).collect();
    assert_eq!(found, [("FieldManagerConflict", ".data.a"), ("FieldManagerConflict", ".data.b")]);
    assert_eq!(causes[0].message, "conflict with \"alice\"");
    let one = maps.try_apply("bob", false, data(json!({"a": "2"}))).await.expect_err("a conflict");
    assert_eq!(one.message, "Apply failed with 1 conflict: conflict with \"alice\": .data.a");
    assert_eq!(maps.get("one").await["data"], json!({"a": "1", "b": "1"}), "nothing was written");
}

async fn force_takes_a_field_over(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.apply("alice", data(json!({"a": "1", "b": "1"}))).await;
    let taken = maps.try_apply("bob", true, data(json!({"a": "2"}))).await.expect("forced");
    assert_eq!(taken["data"], json!({"a": "2", "b": "1"}));
    assert_eq!(fields(&taken, "alice"), &json!({"f:data": {"f:b": {}}}));
    assert_eq!(fields(&taken, "bob"), &json!({"f:data": {"f:a": {}}}));
}

async fn a_dropped_field_goes_when_nobody_else_has_it(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.apply("alice", data(json!({"a": "1", "b": "1"}))).await;
    maps.apply("bob", data(json!({"b": "1", "c": "1"}))).await;
    let dropped = maps.apply("alice", data(json!({}))).await;
    assert_eq!(dropped["data"], json!({"b": "1", "c": "1"}), "a goes, b is bob's too");
    assert!(entry(&dropped, "alice", "Apply").is_none_or(|entry| entry["fieldsV1"].get("f:a").is_none()));
}

async fn the_same_value_is_shared(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.apply("alice", data(json!({"a": "1"}))).await;
    let shared = maps.apply("bob", data(json!({"a": "1"}))).await;
    for manager in ["alice", "bob"] {
        assert_eq!(fields(&shared, manager), &json!({"f:data": {"f:a": {}}}), "{manager}");
    }
    assert_eq!(
        maps.try_apply("alice", false, data(json!({"a": "2"}))).await.expect_err("a conflict").code,
        409
    );
}

async fn applying_the_same_writes_nothing(ground: &Ground) {
    let maps = ground.things("configmaps");
    let made = maps.apply("alice", data(json!({"a": "1"}))).await;
    let again = maps.apply("alice", data(json!({"a": "1"}))).await;
    assert_eq!(version(&again), version(&made));
    assert_eq!(again["metadata"]["managedFields"], made["metadata"]["managedFields"], "its time too");
}

async fn an_update_conflicts_with_a_later_apply(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("one", "a")).await;
    let params = PatchParams { field_manager: Some("editor".into()), ..PatchParams::default() };
    let edited = maps
        .try_patch("one", &params, Patch::Merge(json!({"data": {"a": "edited"}})))
        .await
        .expect("patched");
    assert!(entry(&edited, "editor", "Update").is_some(), "{edited:#}");
    let status = maps.try_apply("alice", false, data(json!({"a": "1"}))).await.expect_err("a conflict");
    let cause = &status.details.expect("details").causes[0];
    assert!(cause.message.starts_with("conflict with \"editor\" using v1"), "{}", cause.message);
    maps.try_apply("alice", true, data(json!({"a": "1"}))).await.expect("forced");
    // an update never conflicts, whoever owns the field
    let params = PatchParams { field_manager: Some("editor".into()), ..PatchParams::default() };
    let edited =
        maps.try_patch("one", &params, Patch::Merge(json!({"data": {"a": "again"}}))).await.expect("patched");
    assert_eq!(edited["data"]["a"], "again");
    assert!(fields(&edited, "alice").pointer("/f:data/f:a").is_none(), "alice has lost it");
}

fn workload(containers: Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}}})
}

async fn list_entries_have_owners_of_their_own(ground: &Ground) {
    let deployments = ground.things("deployments");
    let main = |image: &str| json!({"name": "main", "image": image, "env": [{"name": "A", "value": "1"}]});
    deployments.apply("alice", workload(json!([main("example.org/one:1")]))).await;
    let side = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{"name": "side", "image": "example.org/side:1"}]}}}});
    let both = deployments.apply("bob", side).await;
    let found: Vec<&str> = both["spec"]["template"]["spec"]["containers"]
        .as_array()
        .expect("containers")
        .iter()
        .map(|container| text(container, "/name"))
        .collect();
    assert_eq!(found, ["main", "side"]);
    let key = "k:{\"name\":\"side\"}";
    let owned = &fields(&both, "bob")["f:spec"]["f:template"]["f:spec"]["f:containers"][key];
    assert_eq!(owned["."], json!({}), "{owned}");
    let alone = deployments.apply("alice", workload(json!([main("example.org/two:2")]))).await;
    assert_eq!(alone["spec"]["template"]["spec"]["containers"].as_array().map(Vec::len), Some(2));
    let gone =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {}});
    let gone = deployments.apply("bob", gone).await;
    assert_eq!(gone["spec"]["template"]["spec"]["containers"].as_array().map(Vec::len), Some(1));
}

async fn atomic_lists_are_owned_whole(ground: &Ground) {
    let deployments = ground.things("deployments");
    let container = |words: Value| json!([{"name": "main", "image": "example.org/one:1", "args": words}]);
    deployments.apply("alice", workload(container(json!(["a", "b"])))).await;
    let status = deployments
        .try_apply("bob", false, workload(container(json!(["a", "c"]))))
        .await
        .expect_err("a conflict");
    let causes = status.details.expect("details").causes;
    let found: Vec<&str> = causes.iter().map(|cause| cause.field.as_str()).collect();
    assert_eq!(found, [".spec.template.spec.containers[name=\"main\"].args"]);
    let replaced = deployments.apply("alice", workload(container(json!(["c"])))).await;
    assert_eq!(replaced["spec"]["template"]["spec"]["containers"][0]["args"], json!(["c"]));
}

async fn status_is_owned_apart(ground: &Ground) {
    let pods = ground.things("pods");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lonely"},
        "spec": {"schedulerName": "nobody", "containers": [{"name": "main", "image": "example.org/one:1"}]}});
    pods.apply("alice", pod).await;
    let status = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lonely"}, "status": {"message": "hello"}});
    let params = PatchParams::apply("kubelet-like");
    let patched = pods.api.patch_status("lonely", &params, &Patch::Apply(status)).await.expect("applied");
    let patched = crate::things::value(&patched);
    assert_eq!(text(&patched, "/status/message"), "hello");
    assert_eq!(fields(&patched, "kubelet-like"), &json!({"f:status": {"f:message": {}}}));
    assert!(fields(&patched, "alice").get("f:status").is_none());
}

async fn managed_fields_may_not_be_applied(ground: &Ground) {
    let maps = ground.things("configmaps");
    let made = maps.apply("alice", data(json!({"a": "1"}))).await;
    let mut copy = data(json!({"a": "1"}));
    copy["metadata"]["managedFields"] = made["metadata"]["managedFields"].clone();
    let status = maps.try_apply("bob", false, copy).await.expect_err("a refusal");
    assert_eq!(status.code, 400);
    assert!(status.message.contains("managedFields"), "{}", status.message);
    assert_eq!(names(&[maps.get("one").await]), ["one"]);
}

async fn replicas_can_be_left_to_another(ground: &Ground) {
    let deployments = ground.things("deployments");
    let containers = json!([{"name": "main", "image": "example.org/one:1"}]);
    deployments.apply("alice", workload(containers.clone())).await;
    deployments.merge("web", json!({"metadata": {"annotations": {"a": "b"}}})).await;
    let params = PatchParams { field_manager: Some("scaler".into()), ..PatchParams::default() };
    let scaled = Patch::Merge(json!({"spec": {"replicas": 1}}));
    deployments.try_patch("web", &params, scaled).await.expect("scaled");
    assert_eq!(
        deployments
            .try_apply("alice", false, workload(containers.clone()))
            .await
            .expect_err("a conflict")
            .code,
        409
    );
    let mut without = workload(containers);
    without["spec"].as_object_mut().expect("a spec").remove("replicas");
    let left = deployments.apply("alice", without).await;
    assert_eq!(number(&left, "/spec/replicas"), 1, "the scaler's value stays");
}
