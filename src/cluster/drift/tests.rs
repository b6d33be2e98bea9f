use serde_json::{Value, json};

use super::fields;

fn rendered() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"a.b/c": "x"}},
        "spec": {"replicas": 1, "paused": false, "template": {"spec": {"containers": [
            {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}],
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}},
            {"name": "side", "image": "side:1", "args": ["a", "b"]},
        ]}}},
    })
}

/// The same as the server has it: defaults filled in, quantities rewritten, lists in another order.
fn live() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"a.b/c": "x", "more": "y"}, "uid": "u", "managedFields": [
            {"manager": "styrmin", "operation": "Apply", "time": "2026-01-02T00:00:00Z",
                "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            {"manager": "kubectl", "operation": "Update", "time": "2026-01-01T00:00:00Z",
                "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                    "k:{\"name\":\"web\"}": {".": {}, "f:image": {}},
                    "k:{\"name\":\"side\"}": {"f:args": {}}}}}}}},
            {"manager": "controller", "operation": "Update", "subresource": "status", "time": "2026-01-03T00:00:00Z",
                "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        ]},
        "spec": {"replicas": 1, "template": {"spec": {"dnsPolicy": "ClusterFirst", "containers": [
            {"name": "side", "image": "side:1", "args": ["a", "b"]},
            {"name": "web", "image": "web:1", "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}}},
        ]}}},
    })
}

#[test]
fn defaults_and_other_spellings_are_no_drift() {
    assert_eq!(fields(&rendered(), &live()), []);
}

#[test]
fn what_differs_is_told_with_who_has_it() {
    let mut live = live();
    live["spec"]["replicas"] = 3.into();
    live["metadata"]["labels"].as_object_mut().unwrap().remove("a.b/c");
    let containers = &mut live["spec"]["template"]["spec"]["containers"];
    containers[0]["args"] = json!(["a", "c"]);
    containers[1]["image"] = "web:2".into();
    let found = fields(&rendered(), &live);
    let told: Vec<_> = found
        .iter()
        .map(|field| {
            (field.path.as_str(), field.wanted.as_str(), field.found.as_deref(), field.manager.as_deref())
        })
        .collect();
    let expected = [
        (".metadata.labels.a.b/c", "\"x\"", None, None),
        (".spec.replicas", "1", Some("3"), Some("kubectl")),
        (".spec.template.spec.containers[name=\"side\"].args[1]", "\"b\"", Some("\"c\""), Some("kubectl")),
        (
            ".spec.template.spec.containers[name=\"web\"].image",
            "\"web:1\"",
            Some("\"web:2\""),
            Some("kubectl"),
        ),
    ];
    let mut told = told;
    told.sort_unstable();
    assert_eq!(told, expected);
}

#[test]
fn what_an_action_changed_is_not_somebody_elses() {
    let mut live = live();
    live["spec"]["replicas"] = 0.into();
    let entry = json!({"manager": "styrmin-action", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}});
    live["metadata"]["managedFields"][1] = entry;
    assert_eq!(fields(&rendered(), &live), []);
    live["metadata"]["managedFields"][1]["manager"] = "kubectl".into();
    assert_eq!(fields(&rendered(), &live)[0].manager.as_deref(), Some("kubectl"));
}

#[test]
fn an_item_that_is_gone_is_one_field() {
    let mut live = live();
    live["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap().remove(0);
    let found = fields(&rendered(), &live);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, ".spec.template.spec.containers[name=\"side\"]");
    assert_eq!(found[0].found, None);
}

#[test]
fn secrets_are_compared_as_the_server_has_them_and_masked() {
    let rendered = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "plain", "b": "same"}});
    let live = json!({"kind": "Secret", "data": {"a": "b3RoZXI=", "b": "c2FtZQ=="}});
    let found = fields(&rendered, &live);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, ".data.a");
    assert_eq!(found[0].wanted, r#""(secret)""#);
    assert_eq!(found[0].found.as_deref(), Some(r#""(secret, another one)""#));
    assert_ne!(Some(&found[0].wanted), found[0].found.as_ref());
}

#[test]
fn lists_of_unknown_kinds_are_compared_by_place() {
    let thing = |list: Value| json!({"apiVersion": "example.org/v1", "kind": "Thing", "spec": {"env": list}});
    let wanted = thing(json!([{"name": "a"}, {"name": "b"}]));
    assert_eq!(fields(&wanted, &thing(json!([{"name": "b"}, {"name": "a"}]))).len(), 2);
    assert_eq!(fields(&wanted, &thing(json!([{"name": "a"}])))[0].path, ".spec.env");
}

#[test]
fn no_more_than_fifty_are_told() {
    let data: serde_json::Map<_, _> = (0..80).map(|n| (format!("k{n}"), json!("x"))).collect();
    let wanted = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data});
    assert_eq!(fields(&wanted, &json!({})).len(), 50);
}
