//! Replays what a real API server answered (`recorded.json`), and checks single rules.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::sandbox::schema::{Schema, builtin, decode, from_crd};

/// The type of a recorded object.
fn schema_of(object: &Value, crd: &Value) -> Schema {
    let api_version = object["apiVersion"].as_str().unwrap();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let openapi = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    builtin(group, version, object["kind"].as_str().unwrap()).unwrap_or_else(|| from_crd(openapi))
}

/// The newest time among the entries: the real server's clock at that step.
fn time_of(object: &Value) -> Timestamp {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["time"].as_str()?.parse().ok()).max().unwrap_or(Timestamp::UNIX_EPOCH)
}

fn entries(object: &Value) -> &Value {
    &object["metadata"]["managedFields"]
}

/// The object without what the server adds: compared only where there are no defaults to add.
fn content(object: &Value) -> Value {
    let mut object = object.clone();
    let metadata = object["metadata"].as_object_mut().unwrap();
    for name in ["managedFields", "uid", "resourceVersion", "creationTimestamp", "generation", "namespace"] {
        metadata.remove(name);
    }
    object
}

fn writer<'a>(manager: &'a str, subresource: &'a str, now: Timestamp) -> Writer<'a> {
    Writer { manager, subresource, now }
}

fn replay(
    step: &Value,
    live: Option<&Value>,
    schema: &Schema,
) -> Result<Value, crate::sandbox::status::Status> {
    let manager = step["manager"].as_str().unwrap();
    let now = time_of(&step["result"]);
    if step["how"] != "apply" {
        let mut new = step["result"].clone();
        if entries(&new).is_null() {
            new["metadata"]["managedFields"] = json!([{}]);
        } else {
            new["metadata"].as_object_mut().unwrap().remove("managedFields");
        }
        track_update(schema, live, &mut new, writer(manager, "", now));
        return Ok(new);
    }
    let request = ApplyRequest {
        manager,
        force: step["force"] == true,
        subresource: "",
        now,
        applied: step["body"].clone(),
    };
    apply(schema, live, request)
}

#[test]
fn the_real_servers_answers_are_ours() {
    let recorded: Value = serde_json::from_str(include_str!("recorded.json")).unwrap();
    for scenario in recorded["scenarios"].as_array().unwrap() {
        let mut live: Option<Value> = None;
        for (number, step) in scenario["steps"].as_array().unwrap().iter().enumerate() {
            let at = format!("{}, step {number}: {} by {}", scenario["name"], step["how"], step["manager"]);
            let object = if step["body"].is_null() { &step["result"] } else { &step["body"] };
            let schema = schema_of(object, &recorded["crd"]);
            match replay(step, live.as_ref(), &schema) {
                Ok(mut result) => {
                    assert!(step["code"].as_i64() < Some(300), "{at}: accepted, but {}", step["message"]);
                    assert_eq!(entries(&result), entries(&step["result"]), "{at}");
                    if ["ConfigMap", "Gadget"].contains(&object["kind"].as_str().unwrap()) {
                        decode(&schema, &mut result).unwrap();
                        let mut expected = content(&step["result"]);
                        if expected["spec"]["mode"] == "a" && result["spec"].get("mode").is_none() {
                            expected["spec"].as_object_mut().unwrap().remove("mode");
                        }
                        assert_eq!(content(&result), expected, "{at}");
                    }
                    live = Some(step["result"].clone());
                }
                Err(status) => {
                    assert_eq!(
                        Some(i64::from(status.code)),
                        step["code"].as_i64(),
                        "{at}: {}",
                        status.message
                    );
                    let message = step["message"].as_str().unwrap();
                    assert!(status.message.ends_with(message), "{at}: {} but {message}", status.message);
                    if status.code == 409 {
                        assert_eq!(status.details["causes"], step["causes"], "{at}");
                    }
                }
            }
        }
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn deployment() -> Schema {
    builtin("apps", "v1", "Deployment").unwrap()
}

fn object(spec: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "uid": "u"}, "spec": spec})
}

fn request(manager: &str, applied: Value) -> ApplyRequest<'_> {
    ApplyRequest { manager, force: false, subresource: "", now: at(10), applied }
}

#[test]
fn status_is_owned_by_entries_of_its_own() {
    let schema = deployment();
    let mut live = object(json!({"replicas": 1}));
    live["status"] = json!({});
    track_update(&schema, None, &mut live, writer("me", "", at(1)));
    let mut new = live.clone();
    new["status"] = json!({"replicas": 1});
    track_update(&schema, Some(&live), &mut new, writer("me", "status", at(2)));
    let summary: Vec<Value> = entries(&new)
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| json!([entry["manager"], entry["subresource"], entry["time"], entry["fieldsV1"]]))
        .collect();
    assert_eq!(
        summary,
        [
            json!(["me", null, "1970-01-01T00:00:01Z", {"f:spec": {"f:replicas": {}}}]),
            json!(["me", "status", "1970-01-01T00:00:02Z", {"f:status": {"f:replicas": {}}}]),
        ]
    );
    // Through /status, what the client says of managedFields does not count.
    let mut reset = new.clone();
    reset["metadata"]["managedFields"] = json!([{}]);
    track_update(&schema, Some(&new), &mut reset, writer("me", "status", at(3)));
    assert_eq!(entries(&reset), entries(&new));
    // A conflict names the subresource.
    let mut applied = object(json!({}));
    applied["status"] = json!({"replicas": 2});
    let status = apply(&schema, Some(&new), request("other", applied)).unwrap_err();
    assert_eq!(
        status.message,
        "Apply failed with 1 conflict: conflict with \"me\" with subresource \"status\" using apps/v1: .status.replicas"
    );
}

#[test]
fn conflicts_of_several_managers_are_grouped() {
    let schema = deployment();
    let mut live = object(json!({"replicas": 1}));
    track_update(&schema, None, &mut live, writer("maker", "", at(1)));
    let live = apply(&schema, Some(&live), request("one", object(json!({"paused": true})))).unwrap();
    let status = apply(&schema, Some(&live), request("two", object(json!({"paused": false, "replicas": 2}))))
        .unwrap_err();
    assert_eq!(
        status.message,
        "Apply failed with 2 conflicts: conflicts with \"maker\" using apps/v1:\n- .spec.replicas\nconflicts with \"one\":\n- .spec.paused"
    );
    assert_eq!((status.code, status.reason), (409, "Conflict"));
    let same_manager = apply(&schema, Some(&live), request("maker", object(json!({"replicas": 2}))));
    assert!(same_manager.is_err(), "an update and an apply of one manager are two owners");
}

#[test]
fn apply_refuses_what_a_real_server_refuses() {
    let schema = deployment();
    let mut with_entries = object(json!({}));
    with_entries["metadata"]["managedFields"] = json!([]);
    let mut other_version = object(json!({}));
    other_version["apiVersion"] = json!("apps/v1beta1");
    let cases = [
        (with_entries, 400, "metadata.managedFields must be nil"),
        (
            other_version,
            400,
            "Incorrect version specified in apply patch. Specified patch version: apps/v1beta1, expected: apps/v1",
        ),
        (
            object(json!({"replica": 1})),
            500,
            "failed to create typed patch object (/a; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema",
        ),
    ];
    for (applied, code, message) in cases {
        let status = apply(&schema, Some(&object(json!({}))), request("me", applied)).unwrap_err();
        assert_eq!((status.code, status.message.as_str()), (code, message));
    }
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let schema = deployment();
    let applied =
        object(json!({"replicas": 1, "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}));
    let first = apply(&schema, None, request("me", applied.clone())).unwrap();
    let later = ApplyRequest { now: at(99), ..request("me", applied) };
    let second = apply(&schema, Some(&first), later).unwrap();
    assert_eq!(first, second);
    assert!(same_except_time(&first, &second));
}

#[test]
fn the_no_op_rule_looks_away_from_times_only() {
    let entry = |time: &str, manager: &str| json!({"manager": manager, "time": time, "fieldsV1": {}});
    let one = json!({"metadata": {"managedFields": [entry("1", "a"), entry("2", "b")]}});
    let other_times = json!({"metadata": {"managedFields": [entry("3", "b"), entry("4", "a")]}});
    let other_manager = json!({"metadata": {"managedFields": [entry("1", "a"), entry("2", "c")]}});
    let other_content = json!({"metadata": {"managedFields": [entry("1", "a"), entry("2", "b")]}, "spec": 1});
    assert!(same_except_time(&one, &other_times));
    assert!(!same_except_time(&one, &other_manager));
    assert!(!same_except_time(&one, &other_content));
}

#[test]
fn old_updates_are_united_above_ten() {
    let schema = builtin("", "v1", "ConfigMap").unwrap();
    let mut live = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "u"}, "data": {"k0": "v"}});
    track_update(&schema, None, &mut live, writer("m00", "", at(1)));
    for number in 1..13 {
        let mut new = live.clone();
        new["data"][format!("k{number}")] = json!("v");
        track_update(&schema, Some(&live), &mut new, writer(&format!("m{number:02}"), "", at(1 + number)));
        live = new;
    }
    let managers: Vec<&str> =
        entries(&live).as_array().unwrap().iter().filter_map(|entry| entry["manager"].as_str()).collect();
    let expected = ["ancient-changes", "m04", "m05", "m06", "m07", "m08", "m09", "m10", "m11", "m12"];
    assert_eq!(managers, expected);
    let ancient = json!({"f:data": {".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}, "f:k3": {}}});
    assert_eq!(entries(&live)[0]["fieldsV1"], ancient);
}

#[test]
fn a_second_owner_of_an_equal_value_gets_an_entry_and_a_time() {
    let schema = deployment();
    let live = apply(&schema, None, request("one", object(json!({"replicas": 1})))).unwrap();
    let later = ApplyRequest { now: at(20), ..request("two", object(json!({"replicas": 1}))) };
    let live = apply(&schema, Some(&live), later).unwrap();
    assert_eq!(entries(&live)[1]["time"], "1970-01-01T00:00:20Z");
    // The first drops it: it stays, and the second owns it alone.
    let live = apply(&schema, Some(&live), request("one", object(json!({"paused": true})))).unwrap();
    assert_eq!(live["spec"], json!({"replicas": 1, "paused": true}));
    // The second drops it: it goes.
    let mut nothing = object(Value::Null);
    nothing.as_object_mut().unwrap().remove("spec");
    let live = apply(&schema, Some(&live), request("two", nothing)).unwrap();
    assert_eq!(live["spec"], json!({"paused": true}));
    assert_eq!(entries(&live).as_array().unwrap().len(), 1);
}
