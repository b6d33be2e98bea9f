use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::project;
use super::*;

fn row(kind: &str, name: &str, version: u64, more: Value) -> Row {
    let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "demo",
        "uid": format!("{kind}-{name}"), "resourceVersion": version.to_string()}});
    extend(&mut object["metadata"], more);
    Row { summary: project::summary(&object), owned: None }
}

fn extend(target: &mut Value, more: Value) {
    if let (Some(target), Some(more)) = (target.as_object_mut(), more.as_object()) {
        target.extend(more.clone());
    }
}

fn names(objects: &[ObjectSummary]) -> Vec<String> {
    objects.iter().map(|object| object.key.to_string()).collect()
}

fn event(at: i64, message: &str) -> EventSummary {
    EventSummary {
        at: jiff::Timestamp::from_second(at).unwrap(),
        warning: false,
        reason: "R".into(),
        message: message.into(),
        object: "Pod/a".into(),
        count: 1,
    }
}

#[test]
fn a_relist_becomes_a_diff() {
    let index = Index::default();
    index.reset("demo", "Pod", vec![row("Pod", "a", 1, json!({})), row("Pod", "b", 2, json!({}))]);
    index.reset("demo", "Service", vec![row("Service", "s", 3, json!({}))]);
    let before = index.changes_since(0).generation;
    index.reset("demo", "Pod", vec![row("Pod", "b", 2, json!({})), row("Pod", "c", 4, json!({}))]);
    assert_eq!(names(&index.objects("demo")), ["Pod/b", "Pod/c", "Service/s"]);
    let changes = index.changes_since(before);
    assert_eq!(changes.generation, before + 1);
    index.reset("demo", "Pod", vec![row("Pod", "b", 2, json!({})), row("Pod", "c", 4, json!({}))]);
    assert_eq!(index.changes_since(before), changes, "the same list again is no news");
}

#[test]
fn a_namespace_is_complete_when_every_watch_has_listed() {
    let index = Index::default();
    index.expect("demo", "Pod");
    index.expect("demo", "Event");
    index.reset("demo", "Pod", Vec::new());
    assert!(!index.is_complete("demo"));
    let before = index.changes_since(0).generation;
    index.reset_events("demo", Vec::new());
    assert!(index.is_complete("demo"));
    assert!(
        index.changes_since(before).completed.contains("demo"),
        "being complete wakes those who wait for it"
    );
    assert!(!index.is_complete("other"));
}

#[test]
fn an_answer_that_the_watch_has_overtaken_is_dropped() {
    let index = Index::default();
    index.reset("demo", "Pod", vec![row("Pod", "a", 5, json!({}))]);
    index.offer(row("Pod", "b", 7, json!({})));
    assert_eq!(names(&index.objects("demo")), ["Pod/a", "Pod/b"], "ahead of the watch: taken");
    index.delete(&row("Pod", "b", 9, json!({})).summary.key, "9");
    index.offer(row("Pod", "b", 8, json!({})));
    assert_eq!(names(&index.objects("demo")), ["Pod/a"], "behind the watch: dropped");
}

#[test]
fn what_the_watch_tells_late_does_not_undo_an_answer() {
    let index = Index::default();
    index.reset("demo", "Pod", vec![row("Pod", "a", 5, json!({}))]);
    let green = || row("Pod", "a", 8, json!({"labels": {"colour": "green"}}));
    index.offer(green());
    let before = index.changes_since(0).generation;
    index.apply(row("Pod", "a", 7, json!({})));
    index.delete(&green().summary.key, "7");
    assert_eq!(index.objects("demo")[0].labels["colour"], "green");
    assert_eq!(index.changes_since(before).generation, before, "old news is none");
    index.apply(row("Pod", "a", 9, json!({})));
    assert!(index.objects("demo")[0].labels.is_empty());
    index.delete(&green().summary.key, "10");
    assert!(index.objects("demo").is_empty());
    // versions that are no numbers cannot be compared: the watch is believed
    let odd = |version: &str| {
        let mut row = row("Pod", "b", 1, json!({}));
        row.summary.resource_version = version.to_owned();
        row
    };
    index.apply(odd("y"));
    index.apply(odd("x"));
    assert_eq!(index.objects("demo")[0].resource_version, "x");
    // a list is believed, whatever it says: the server may have been set back
    index.reset("demo", "Pod", vec![row("Pod", "c", 30, json!({}))]);
    index.reset("demo", "Pod", vec![row("Pod", "c", 3, json!({}))]);
    assert_eq!(index.objects("demo")[0].resource_version, "3");
}

#[test]
fn a_custom_resource_is_not_put_back_behind_an_answer() {
    let index = Index::default();
    let told = |version: &str| {
        let mut resource = super::super::resource::sample("demo", "notes");
        resource.resource_version = version.to_owned();
        resource
    };
    let version = || index.custom_resource("demo", "notes").map(|it| it.resource_version.clone());
    index.reset_deployments(vec![told("5")]);
    index.offer_deployment(told("8"));
    index.apply_deployment(told("7"));
    index.delete_deployment("demo", "notes", "7");
    assert_eq!(version().as_deref(), Some("8"));
    index.apply_deployment(told("9"));
    assert_eq!(version().as_deref(), Some("9"));
    index.delete_deployment("demo", "notes", "10");
    assert_eq!(version(), None);
}

#[test]
fn what_a_deployment_owns_is_found_through_its_controllers() {
    let index = Index::default();
    let label = json!({"labels": {"styrmin.io/deployment": "notes"}});
    index.apply(row("Deployment", "web", 1, label));
    let owner =
        |uid: &str| json!({"ownerReferences": [{"uid": uid, "controller": true}], "labels": {"app": "web"}});
    index.apply(row("ReplicaSet", "web-1", 2, owner("Deployment-web")));
    index.apply(row("Pod", "web-1-x", 3, owner("ReplicaSet-web-1")));
    let before = index.changes_since(0).generation;
    index.apply(row("Pod", "web-1-x", 4, owner("ReplicaSet-web-1")));
    let of_notes = BTreeSet::from([("demo".to_owned(), "notes".to_owned())]);
    assert_eq!(index.changes_since(before).deployments, of_notes, "its pods are its own");
    index.apply(row("Pod", "other", 5, json!({"labels": {"styrmin.io/deployment": "blog"}})));
    assert_eq!(
        names(&index.objects_of("demo", "notes")),
        ["Deployment/web", "Pod/web-1-x", "ReplicaSet/web-1"]
    );
    assert_eq!(index.inventory("demo", "notes").len(), 1);
    assert_eq!(names(&index.owned_by("demo", "ReplicaSet-web-1")), ["Pod/web-1-x"]);
    let selector = BTreeMap::from([("app".to_owned(), "web".to_owned())]);
    assert_eq!(names(&index.pods_of("demo", &selector)), ["Pod/web-1-x"]);
    assert!(index.pods_of("demo", &BTreeMap::new()).is_empty(), "no selector selects nothing");
}

#[test]
fn a_denied_kind_is_empty_but_proves_nothing() {
    let index = Index::default();
    index.expect("demo", "Secret");
    index.hide("demo", "Secret");
    assert!(index.is_complete("demo"));
    assert!(!index.sees("demo", "Secret"));
    index.reset("demo", "Secret", Vec::new());
    assert!(index.sees("demo", "Secret"));
}

#[test]
fn events_are_capped_and_newest_first() {
    let index = Index::default();
    for at in 0..600 {
        index.apply_event("demo", &at.to_string(), event(at, "m"));
    }
    let events = index.events("demo");
    assert_eq!(events.len(), space::EVENTS_MAX);
    assert_eq!((events[0].at.as_second(), events[499].at.as_second()), (599, 100));
    assert!(index.events_of("demo", &BTreeSet::from(["Pod/b".to_owned()])).is_empty());
}

#[test]
fn a_vanished_custom_resource_is_a_change() {
    let index = Index::default();
    let resource = super::super::resource::sample("demo", "notes");
    index.reset_deployments(vec![resource.clone()]);
    let before = index.changes_since(0).generation;
    index.apply_deployment(resource);
    assert_eq!(index.changes_since(before).generation, before, "the same again is no news");
    index.delete_deployment("demo", "notes", "9");
    assert_eq!(
        index.changes_since(before).deployments,
        BTreeSet::from([("demo".to_owned(), "notes".to_owned())])
    );
    assert!(index.custom_resource("demo", "notes").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever came, changed its label or its owner, and went: what belongs to a deployment is what a look at every object finds.
    #[test]
    fn what_belongs_to_a_deployment_is_found_without_a_look_at_everything(
        turns in prop::collection::vec((0_usize..8, 0_usize..4, 0_usize..9, prop::bool::weighted(0.2)), 1..60),
    ) {
        let index = Index::default();
        for (version, (name, label, owner, goes)) in (1..).zip(turns) {
            let name = format!("o{name}");
            if goes {
                index.delete(&row("Thing", &name, version, json!({})).summary.key, &version.to_string());
                continue;
            }
            let labels = if label == 0 { json!({}) } else { json!({"styrmin.io/deployment": format!("d{label}")}) };
            let owners = if owner == 8 { json!([]) } else { json!([{"uid": format!("Thing-o{owner}"), "controller": true}]) };
            index.apply(row("Thing", &name, version, json!({"labels": labels, "ownerReferences": owners})));
        }
        let all = index.objects("demo");
        for deployment in ["d1", "d2", "d3"] {
            let labelled = |object: &ObjectSummary| object.labels.get(labels::DEPLOYMENT).is_some_and(|it| it == deployment);
            let mut uids: BTreeSet<&str> = BTreeSet::new();
            loop {
                let before = uids.len();
                let owned = |object: &ObjectSummary, uids: &BTreeSet<&str>| {
                    object.owner.as_deref().is_some_and(|owner| uids.contains(owner))
                };
                for object in &all {
                    if labelled(object) || owned(object, &uids) {
                        uids.insert(&object.uid);
                    }
                }
                if uids.len() == before {
                    break;
                }
            }
            let expected: Vec<_> = all.iter().filter(|object| uids.contains(object.uid.as_str())).cloned().collect();
            prop_assert_eq!(names(&index.objects_of("demo", deployment)), names(&expected));
            let inventory = all.iter().filter(|object| labelled(object) && object.owner.is_none()).count();
            prop_assert_eq!(index.inventory("demo", deployment).len(), inventory);
        }
    }
}
