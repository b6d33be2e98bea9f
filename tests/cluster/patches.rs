//! Patches: JSON merge, JSON, strategic merge.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::objects::{config_map, deployment, refusal};
use crate::things::text;

cases!(
    a_merge_patch_sets_removes_and_replaces,
    a_json_patch_is_done_in_order_or_not_at_all,
    a_strategic_patch_merges_lists_by_key,
    a_strategic_patch_deletes_and_replaces_on_demand,
    a_strategic_patch_merges_plain_lists,
    a_patch_of_a_stale_version_conflicts,
    a_patch_cannot_rename,
    an_unknown_kind_of_patch_is_refused,
    a_patch_that_makes_no_object_is_refused,
    a_patch_cannot_change_the_uid,
);

fn json_patch(patch: Value) -> Patch<Value> {
    Patch::Json(serde_json::from_value(patch).expect("a JSON patch"))
}

async fn a_merge_patch_sets_removes_and_replaces(ground: &Ground) {
    let maps = ground.things("configmaps");
    let mut map = config_map("one", "a");
    map["metadata"]["labels"] = json!({"keep": "1", "drop": "1"});
    map["metadata"]["finalizers"] = json!(["test.styrmin.io/a", "test.styrmin.io/b"]);
    maps.create(map).await;
    let patched = maps
        .merge(
            "one",
            json!({"metadata": {"labels": {"drop": null, "new": "2"}, "finalizers": ["test.styrmin.io/b"]},
            "data": {"more": "c"}}),
        )
        .await;
    assert_eq!(patched["metadata"]["labels"], json!({"keep": "1", "new": "2"}));
    assert_eq!(patched["metadata"]["finalizers"], json!(["test.styrmin.io/b"]));
    assert_eq!(patched["data"], json!({"text": "a", "more": "c"}));
    maps.merge("one", json!({"metadata": {"finalizers": null}})).await;
}

async fn a_json_patch_is_done_in_order_or_not_at_all(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("one", "a")).await;
    let params = PatchParams::default();
    let patch = json_patch(json!([
        {"op": "test", "path": "/data/text", "value": "a"},
        {"op": "add", "path": "/data/b", "value": "2"},
        {"op": "copy", "from": "/data/b", "path": "/data/c"},
        {"op": "move", "from": "/data/text", "path": "/data/d"},
        {"op": "replace", "path": "/data/b", "value": "3"}]));
    let patched = maps.try_patch("one", &params, patch).await.expect("patched");
    assert_eq!(patched["data"], json!({"b": "3", "c": "2", "d": "a"}));
    let failing = json_patch(json!([
        {"op": "replace", "path": "/data/b", "value": "4"}, {"op": "test", "path": "/data/c", "value": "no"}]));
    let status = maps.try_patch("one", &params, failing).await.expect_err("a refusal");
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    assert_eq!(maps.get("one").await["data"]["b"], "3");
    let lost = json_patch(json!([{"op": "remove", "path": "/data/nothing"}]));
    assert_eq!(maps.try_patch("one", &params, lost).await.expect_err("a refusal").code, 422);
}

fn containers(object: &Value) -> Vec<(&str, &str)> {
    let list = object.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .map(|container| (text(container, "/name"), text(container, "/image")))
        .collect()
}

async fn strategic(ground: &Ground, patch: Value) -> Value {
    let deployments = ground.things("deployments");
    deployments.try_patch("web", &PatchParams::default(), Patch::Strategic(patch)).await.expect("patched")
}

async fn start(ground: &Ground) {
    let mut object = deployment("web", 0);
    object["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]);
    object["spec"]["template"]["spec"]["containers"][0]["ports"] =
        json!([{"containerPort": 80, "name": "http"}]);
    ground.things("deployments").create(object).await;
}

fn template(spec: Value) -> Value {
    json!({"spec": {"template": {"spec": spec}}})
}

async fn a_strategic_patch_merges_lists_by_key(ground: &Ground) {
    start(ground).await;
    let patched =
        strategic(ground, template(json!({"containers": [{"name": "main", "image": "example.org/two:2"}]})))
            .await;
    assert_eq!(containers(&patched), [("main", "example.org/two:2")]);
    let patched = strategic(
        ground,
        template(json!({"containers": [
            {"name": "side", "image": "example.org/side:1"},
            {"name": "main", "env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}],
                "ports": [{"containerPort": 81, "name": "admin"}]}]})),
    )
    .await;
    let mut found = containers(&patched);
    found.sort_unstable();
    assert_eq!(found, [("main", "example.org/two:2"), ("side", "example.org/side:1")]);
    let all = patched["spec"]["template"]["spec"]["containers"].as_array().expect("containers");
    let main = all.iter().find(|container| container["name"] == "main").expect("main");
    let mut env: Vec<(&str, &str)> = main["env"]
        .as_array()
        .expect("env")
        .iter()
        .map(|variable| (text(variable, "/name"), text(variable, "/value")))
        .collect();
    env.sort_unstable();
    assert_eq!(env, [("A", "1"), ("B", "3"), ("C", "4")]);
    assert_eq!(main["ports"].as_array().map(Vec::len), Some(2));
}

async fn a_strategic_patch_deletes_and_replaces_on_demand(ground: &Ground) {
    start(ground).await;
    let patched = strategic(
        ground,
        template(json!({"containers": [{"name": "main", "env": [{"$patch": "delete", "name": "A"}]}]})),
    )
    .await;
    assert_eq!(
        patched["spec"]["template"]["spec"]["containers"][0]["env"],
        json!([{"name": "B", "value": "2"}])
    );
    let patched = strategic(
        ground,
        template(json!({"containers": [
            {"$patch": "replace"}, {"name": "main", "image": "example.org/three:3"}]})),
    )
    .await;
    assert_eq!(containers(&patched), [("main", "example.org/three:3")]);
    assert_eq!(patched["spec"]["template"]["spec"]["containers"][0].get("env"), None);
    let patched =
        strategic(ground, json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}})).await;
    assert_eq!(patched["spec"]["strategy"], json!({"type": "Recreate"}));
}

async fn a_strategic_patch_merges_plain_lists(ground: &Ground) {
    let maps = ground.things("configmaps");
    let mut map = config_map("one", "a");
    map["metadata"]["finalizers"] = json!(["test.styrmin.io/a"]);
    maps.create(map).await;
    let params = PatchParams::default();
    let add = Patch::Strategic(json!({"metadata": {"finalizers": ["test.styrmin.io/b"]}}));
    let patched = maps.try_patch("one", &params, add).await.expect("patched");
    assert_eq!(patched["metadata"]["finalizers"], json!(["test.styrmin.io/b", "test.styrmin.io/a"]));
    let drop =
        Patch::Strategic(json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["test.styrmin.io/a"]}}));
    let patched = maps.try_patch("one", &params, drop).await.expect("patched");
    assert_eq!(patched["metadata"]["finalizers"], json!(["test.styrmin.io/b"]));
    maps.merge("one", json!({"metadata": {"finalizers": null}})).await;
}

async fn a_patch_of_a_stale_version_conflicts(ground: &Ground) {
    let maps = ground.things("configmaps");
    let made = maps.create(config_map("one", "a")).await;
    maps.merge("one", json!({"data": {"text": "b"}})).await;
    let stale =
        json!({"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "data": {"text": "c"}});
    let status =
        maps.try_patch("one", &PatchParams::default(), Patch::Merge(stale)).await.expect_err("a conflict");
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
}

async fn a_patch_cannot_rename(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("one", "a")).await;
    let rename = Patch::Merge(json!({"metadata": {"name": "two"}}));
    let status = maps.try_patch("one", &PatchParams::default(), rename).await.expect_err("a refusal");
    assert_eq!(status.code, 400);
    let nobody = Patch::Merge(json!({"data": {"text": "b"}}));
    assert_eq!(
        maps.try_patch("nobody", &PatchParams::default(), nobody).await.expect_err("a refusal").code,
        404
    );
}

async fn an_unknown_kind_of_patch_is_refused(ground: &Ground) {
    ground.things("configmaps").create(config_map("one", "a")).await;
    let request = http::Request::patch(format!("/api/v1/namespaces/{}/configmaps/one", ground.namespace))
        .header("Content-Type", "application/x-nonsense")
        .body(b"{}".to_vec())
        .expect("a request");
    let error = ground.client.request::<Value>(request).await.expect_err("a refusal");
    assert_eq!(crate::things::status_of(error).code, 415);
}

async fn a_patch_that_makes_no_object_is_refused(ground: &Ground) {
    let made = ground.things("configmaps").create(config_map("one", "a")).await;
    let path = format!("/api/v1/namespaces/{}/configmaps/one", ground.namespace);
    for (media, body, code) in [
        ("application/merge-patch+json", "{\"data\":1}", 422),
        ("application/merge-patch+json", "[]", 422),
        ("application/json-patch+json", "{}", 400),
        ("application/json-patch+json", "[1]", 400),
        ("application/json-patch+json", "[{\"op\":\"bad\",\"path\":\"/data\"}]", 422),
        ("application/json-patch+json", "[{\"path\":\"/data\"}]", 422),
        ("application/json-patch+json", "[{\"op\":\"add\",\"path\":\"/data\",\"value\":1}]", 422),
        ("application/json", "{}", 415),
        ("", "{}", 415),
    ] {
        let status = refusal(ground, "PATCH", &path, media, body).await;
        assert_eq!(status.code, code, "{media} {body}: {}", status.message);
    }
    assert_eq!(ground.things("configmaps").get("one").await, made);
}

async fn a_patch_cannot_change_the_uid(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("one", "a")).await;
    let patch = Patch::Merge(json!({"metadata": {"uid": "u-1"}}));
    let status = maps.try_patch("one", &PatchParams::default(), patch).await.expect_err("a refusal");
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    assert_eq!(status.details.expect("details").causes[0].field, "metadata.uid");
}
