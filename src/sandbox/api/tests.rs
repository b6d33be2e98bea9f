//! The rules of the API server, without HTTP.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;
use crate::sandbox::clock::ManualClock;

fn api() -> Api {
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    Api::new(Arc::new(ManualClock::new(start)), 1)
}

fn config_map(name: &str) -> Value {
    json!({"metadata": {"namespace": "default", "name": name}, "data": {"a": "1"}})
}

fn pod(name: &str) -> Value {
    json!({
        "metadata": {"namespace": "default", "name": name},
        "spec": {"nodeName": "sandbox", "containers": [{"name": "main", "image": "example/image:1"}]},
    })
}

#[test]
fn create_fills_what_the_server_says() {
    let api = api();
    let before = api.revision();
    let made = api.create("configmaps", config_map("one"), "test").unwrap();
    assert_eq!(object::text(&made, "/metadata/creationTimestamp"), "2026-03-01T12:00:00Z");
    assert_eq!(object::revision(&made), before + 1);
    assert_eq!(object::uid(&made).len(), 36);
    assert_eq!((made["apiVersion"].as_str(), made["kind"].as_str()), (Some("v1"), Some("ConfigMap")));
    let again = api.create("configmaps", config_map("one"), "test").unwrap_err();
    assert_eq!((again.code, again.reason), (409, "AlreadyExists"));
}

#[test]
fn generated_names_are_cut_and_differ() {
    let api = api();
    let long = "x".repeat(80);
    let object = json!({"metadata": {"namespace": "default", "generateName": long}});
    let first = api.create("configmaps", object.clone(), "test").unwrap();
    let second = api.create("configmaps", object, "test").unwrap();
    assert_eq!(object::name(&first).len(), 63);
    assert_ne!(object::name(&first), object::name(&second));
}

#[test]
fn bad_and_missing_places_are_refused() {
    let api = api();
    let elsewhere = json!({"metadata": {"namespace": "nowhere", "name": "a"}});
    assert_eq!(api.create("configmaps", elsewhere, "test").unwrap_err().code, 404);
    let named = json!({"metadata": {"namespace": "default", "name": "Not_Good"}});
    let refused = api.create("configmaps", named, "test").unwrap_err();
    assert_eq!((refused.code, refused.details["causes"][0]["field"].as_str()), (422, Some("metadata.name")));
    assert_eq!(api.create("nonsense", config_map("a"), "test").unwrap_err().code, 404);
}

#[test]
fn writes_that_change_nothing_write_nothing() {
    let api = api();
    let made = api.create("configmaps", config_map("one"), "test").unwrap();
    let same = api.update("configmaps", (*made).clone(), "test").unwrap();
    assert_eq!(object::revision(&made), object::revision(&same));
    assert_eq!(api.revision(), object::revision(&made));
}

#[test]
fn a_stale_update_conflicts() {
    let api = api();
    let made = api.create("configmaps", config_map("one"), "test").unwrap();
    let change = |data: &str| {
        let mut value = (*made).clone();
        value["data"]["a"] = json!(data);
        api.update("configmaps", value, "test")
    };
    change("2").unwrap();
    let refused = change("3").unwrap_err();
    assert_eq!((refused.code, refused.reason), (409, "Conflict"));
}

#[test]
fn status_and_spec_are_apart_and_generation_follows_spec() {
    let api = api();
    api.create("pods", pod("one"), "test").unwrap();
    let edit = |value: &mut Value| {
        value["status"] = json!({"phase": "Running"});
        value["metadata"]["labels"] = json!({"a": "b"});
    };
    let main = api.mutate("pods", "default", "one", "test", edit).unwrap().unwrap();
    assert_eq!(main["status"]["phase"], "Pending");
    assert_eq!(main["metadata"]["generation"], 1);
    let status = api.mutate_status("pods", "default", "one", "test", edit).unwrap().unwrap();
    assert_eq!(status["status"]["phase"], "Running");
    let spec = api
        .mutate("pods", "default", "one", "test", |value| value["spec"]["activeDeadlineSeconds"] = json!(5))
        .unwrap()
        .unwrap();
    assert_eq!(spec["metadata"]["generation"], 2);
}

#[test]
fn finalizers_hold_an_object_until_the_last_is_gone() {
    let api = api();
    let mut value = config_map("held");
    value["metadata"]["finalizers"] = json!(["example.com/hold"]);
    api.create("configmaps", value, "test").unwrap();
    let marked = api.delete("configmaps", "default", "held", &DeleteOptions::default()).unwrap();
    assert!(object::deleting(&marked));
    let more =
        |value: &mut Value| value["metadata"]["finalizers"] = json!(["example.com/hold", "example.com/more"]);
    assert_eq!(api.mutate("configmaps", "default", "held", "test", more).unwrap_err().code, 422);
    let release = |value: &mut Value| value["metadata"]["finalizers"] = json!([]);
    api.mutate("configmaps", "default", "held", "test", release).unwrap();
    assert!(api.get("configmaps", "default", "held").is_none());
}

#[test]
fn pods_end_gracefully() {
    let api = api();
    api.create("pods", pod("one"), "test").unwrap();
    let ten = DeleteOptions { grace_seconds: Some(10), ..DeleteOptions::default() };
    let marked = api.delete("pods", "default", "one", &ten).unwrap();
    assert_eq!(object::text(&marked, "/metadata/deletionTimestamp"), "2026-03-01T12:00:10Z");
    let longer = DeleteOptions { grace_seconds: Some(60), ..DeleteOptions::default() };
    let unchanged = api.delete("pods", "default", "one", &longer).unwrap();
    assert_eq!(object::revision(&unchanged), object::revision(&marked));
    let shorter = DeleteOptions { grace_seconds: Some(3), ..DeleteOptions::default() };
    let sooner = api.delete("pods", "default", "one", &shorter).unwrap();
    assert_eq!(object::text(&sooner, "/metadata/deletionTimestamp"), "2026-03-01T12:00:03Z");
    assert_eq!(sooner["metadata"]["generation"], marked["metadata"]["generation"]);
    let now = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
    api.delete("pods", "default", "one", &now).unwrap();
    assert!(api.get("pods", "default", "one").is_none());
}

#[test]
fn preconditions_guard_a_deletion() {
    let api = api();
    api.create("configmaps", config_map("one"), "test").unwrap();
    let other = DeleteOptions { uid: Some("other".into()), ..DeleteOptions::default() };
    assert_eq!(api.delete("configmaps", "default", "one", &other).unwrap_err().code, 409);
    let stale = DeleteOptions { resource_version: Some("1".into()), ..DeleteOptions::default() };
    assert_eq!(api.delete("configmaps", "default", "one", &stale).unwrap_err().code, 409);
}

#[test]
fn services_get_addresses_of_their_own() {
    let api = api();
    let service =
        |name: &str, spec: Value| json!({"metadata": {"namespace": "default", "name": name}, "spec": spec});
    let first = api.create("services", service("a", json!({"ports": [{"port": 80}]})), "test").unwrap();
    let second = api.create("services", service("b", json!({"ports": [{"port": 80}]})), "test").unwrap();
    let address = object::text(&first, "/spec/clusterIP");
    assert!(address.starts_with("127."));
    assert_ne!(address, object::text(&second, "/spec/clusterIP"));
    let headless = api.create("services", service("c", json!({"clusterIP": "None"})), "test").unwrap();
    assert_eq!(object::text(&headless, "/spec/clusterIP"), "None");
    let update = service("a", json!({"ports": [{"port": 81}]}));
    let updated = api.update("services", update, "test").unwrap();
    assert_eq!(object::text(&updated, "/spec/clusterIP"), address);
}

#[test]
fn services_move_with_the_block() {
    let api = api();
    let service =
        json!({"metadata": {"namespace": "default", "name": "a"}, "spec": {"ports": [{"port": 80}]}});
    let made = api.create("services", service, "test").unwrap();
    api.set_address_block(99);
    let moved = api.get("services", "default", "a").unwrap();
    let (was, is) = (object::text(&made, "/spec/clusterIP"), object::text(&moved, "/spec/clusterIP"));
    assert_eq!(is, was.replace("127.64.", "127.99."));
    assert_eq!(moved["spec"]["clusterIPs"], json!([is]));
}

#[test]
fn events_are_counted() {
    let api = api();
    let about = api.create("configmaps", config_map("one"), "test").unwrap();
    for _ in 0..3 {
        api.record_event(&about, true, "Failed", "it broke", "tester");
    }
    let events = api.list("events", Some("default"));
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["count"], &events[0]["type"]), (&json!(3), &json!("Warning")));
}

#[tokio::test]
async fn a_subscription_sees_each_change_in_order() {
    let api = api();
    let mut changes = api.subscribe("configmaps");
    api.create("configmaps", config_map("one"), "test").unwrap();
    api.create("secrets", json!({"metadata": {"namespace": "default", "name": "s"}}), "test").unwrap();
    api.mutate("configmaps", "default", "one", "test", |value| value["data"]["a"] = json!("2")).unwrap();
    api.delete("configmaps", "default", "one", &DeleteOptions::default()).unwrap();
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let change = changes.recv().await.unwrap();
        assert_eq!(change.revision, object::revision(&change.object));
        kinds.push(change.kind);
    }
    assert_eq!(kinds, [ChangeKind::Added, ChangeKind::Modified, ChangeKind::Deleted]);
    assert!(changes.ready().is_none());
}

#[tokio::test]
async fn a_subscription_that_lags_is_told() {
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let api = Api::from_objects(Arc::new(ManualClock::new(start)), Objects::new(1, 2));
    api.make_default_namespaces();
    let mut changes = api.subscribe("configmaps");
    for name in ["a", "b", "c"] {
        api.create("configmaps", config_map(name), "test").unwrap();
    }
    assert!(changes.recv().await.is_none());
}

#[test]
fn time_is_the_clock_s() {
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let api = Api::new(clock.clone(), 1);
    clock.advance(SignedDuration::from_secs(5));
    let made = api.create("configmaps", config_map("one"), "test").unwrap();
    assert_eq!(object::text(&made, "/metadata/creationTimestamp"), "2026-03-01T12:00:05Z");
}

#[test]
fn a_generated_name_that_is_taken_is_drawn_anew() {
    let api = api();
    let nameless = json!({"metadata": {"namespace": "default", "generateName": "made-"}});
    let make = || {
        // the same dice each time
        api.objects().random = random::Random::new(5);
        api.create("configmaps", nameless.clone(), "test")
    };
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..8 {
        names.insert(object::name(&make().unwrap()).to_owned());
    }
    assert_eq!(names.len(), 8);
    let refused = make().unwrap_err();
    assert_eq!((refused.code, refused.reason), (409, "AlreadyExists"));
    assert!(
        refused.message.ends_with("was not able to generate a unique name for the object"),
        "{}",
        refused.message
    );
    assert_eq!(refused.details["retryAfterSeconds"], 1);
}
