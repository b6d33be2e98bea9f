use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::sandbox::api::{DeleteOptions, Propagation};
use crate::sandbox::clock::ManualClock;
use crate::sandbox::object;

fn api() -> Api {
    Api::new(Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap())), 1)
}

fn make(api: &Api, name: &str, owners: &[(&Value, bool)]) -> Arc<Value> {
    let owners: Vec<Value> = owners
        .iter()
        .map(|(owner, block)| {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "name": object::name(owner),
                "uid": object::uid(owner), "blockOwnerDeletion": block})
        })
        .collect();
    let value = json!({"metadata": {"namespace": "default", "name": name, "ownerReferences": owners}});
    api.create("configmaps", value, "test").unwrap()
}

fn names(api: &Api) -> Vec<String> {
    api.list("configmaps", Some("default")).iter().map(|value| object::name(value).to_owned()).collect()
}

fn delete(api: &Api, name: &str, propagation: Propagation) {
    let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
    api.delete("configmaps", "default", name, &options).unwrap();
}

#[test]
fn dependents_follow_their_owner() {
    let api = api();
    let top = make(&api, "top", &[]);
    let middle = make(&api, "middle", &[(&top, true)]);
    make(&api, "bottom", &[(&middle, true)]);
    round(&api);
    assert_eq!(names(&api).len(), 3);
    delete(&api, "top", Propagation::Background);
    round(&api);
    round(&api);
    assert!(names(&api).is_empty());
}

#[test]
fn one_of_two_owners_is_enough_to_stay() {
    let api = api();
    let (first, second) = (make(&api, "first", &[]), make(&api, "second", &[]));
    make(&api, "child", &[(&first, true), (&second, true)]);
    delete(&api, "first", Propagation::Background);
    round(&api);
    let child = api.get("configmaps", "default", "child").unwrap();
    assert_eq!(object::owners(&child).len(), 1);
}

#[test]
fn orphans_stay_without_their_owner() {
    let api = api();
    let top = make(&api, "top", &[]);
    make(&api, "child", &[(&top, true)]);
    delete(&api, "top", Propagation::Orphan);
    round(&api);
    assert_eq!(names(&api), ["child"]);
    assert!(object::owners(&api.get("configmaps", "default", "child").unwrap()).is_empty());
}

#[test]
fn foreground_waits_for_those_that_block() {
    let api = api();
    let top = make(&api, "top", &[]);
    let blocking = make(&api, "blocking", &[(&top, true)]);
    make(&api, "free", &[(&top, false)]);
    api.mutate("configmaps", "default", "blocking", "test", |value| {
        object::set_finalizers(value, vec!["example.com/hold".to_owned()]);
    })
    .unwrap();
    delete(&api, "top", Propagation::Foreground);
    round(&api);
    round(&api);
    assert_eq!(names(&api), ["blocking", "top"]);
    owners::remove_finalizer(&api, "configmaps", &blocking, "example.com/hold");
    round(&api);
    assert!(names(&api).is_empty());
}

#[test]
fn an_owner_in_another_namespace_is_none() {
    let api = api();
    let far = json!({"metadata": {"namespace": "kube-system", "name": "far"}});
    let far = api.create("configmaps", far, "test").unwrap();
    make(&api, "child", &[(&far, true)]);
    round(&api);
    assert!(names(&api).is_empty());
    let events = api.list("events", Some("default"));
    assert_eq!(events[0]["reason"], "OwnerRefInvalidNamespace");
}

#[test]
fn a_namespace_ends_with_its_content() {
    let api = api();
    api.create("namespaces", json!({"metadata": {"name": "demo"}}), "test").unwrap();
    let held = json!({"metadata": {"namespace": "demo", "name": "held", "finalizers": ["example.com/hold"]}});
    let held = api.create("configmaps", held, "test").unwrap();
    api.delete("namespaces", "", "demo", &DeleteOptions::default()).unwrap();
    round(&api);
    let namespace = api.get("namespaces", "", "demo").unwrap();
    assert_eq!(namespace["status"]["phase"], "Terminating");
    let message = namespace["status"]["conditions"][0]["message"].as_str().unwrap();
    assert!(message.contains("configmaps has 1"), "{message}");
    let late = json!({"metadata": {"namespace": "demo", "name": "late"}});
    let refused = api.create("configmaps", late, "test").unwrap_err();
    assert_eq!(
        (refused.code, &refused.details["causes"][0]["reason"]),
        (403, &json!("NamespaceTerminating"))
    );
    owners::remove_finalizer(&api, "configmaps", &held, "example.com/hold");
    round(&api);
    assert!(api.get("namespaces", "", "demo").is_none());
}

#[test]
fn the_cluster_s_own_namespaces_stay() {
    let refused = api().delete("namespaces", "", "kube-system", &DeleteOptions::default()).unwrap_err();
    assert_eq!(refused.code, 403);
}

#[test]
fn old_events_are_forgotten() {
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let api = Api::new(clock.clone(), 1);
    let about = make(&api, "a", &[]);
    api.record_event(&about, false, "Old", "old", "test");
    clock.advance(SignedDuration::from_mins(50));
    api.record_event(&about, false, "Young", "young", "test");
    clock.advance(SignedDuration::from_mins(20));
    ending::old_events(&api);
    let reasons: Vec<Value> = api.list("events", None).iter().map(|event| event["reason"].clone()).collect();
    assert_eq!(reasons, ["Young"]);
}

#[tokio::test(start_paused = true)]
async fn old_events_are_forgotten_however_much_happens() {
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let api = Api::new(clock.clone(), 1);
    let about = make(&api, "a", &[]);
    api.record_event(&about, false, "Old", "old", "test");
    clock.advance(SignedDuration::from_hours(2));
    let stop = CancellationToken::new();
    let task = tokio::spawn(run(api.clone(), stop.clone()));
    for _ in 0..10 {
        make(&api, "b", &[]);
        api.delete("configmaps", "default", "b", &DeleteOptions::default()).unwrap();
        tokio::time::sleep(IDLE / 2).await;
    }
    assert!(api.list("events", None).is_empty());
    stop.cancel();
    task.await.unwrap();
}
