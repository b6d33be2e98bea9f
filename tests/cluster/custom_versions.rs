//! Custom resources in several versions, under schemas that change, and definitions that compete or end.

use kube::api::{ListParams, WatchParams};
use serde_json::{Value, json};

use crate::custom::{Custom, GROUP};
use crate::ground::Ground;
use crate::things::{Seen, Things, condition, names, number, resource, text, version};

cases!(
    a_version_shows_what_it_knows,
    a_write_in_a_version_is_checked_by_it,
    defaults_that_came_later_are_read,
    a_watch_ends_when_the_schema_changes,
    a_watch_ends_when_the_definition_goes,
    values_of_both_types_nulls_and_whole_objects_are_kept,
    names_that_are_taken_are_not_accepted,
    a_stored_version_may_not_go,
    an_ending_definition_takes_nothing_new;
    only_sandbox:
        what_was_wrong_before_is_let_be: "ratcheting came with 1.30",
        custom_fields_can_be_selected_by: "selectable fields came with 1.30",
);

/// Two versions: `v1` is stored and has `old`, `v2` has `new`; both have `both`.
fn two(plural: &str, kind: &str) -> Value {
    let schema = |properties: Value| {
        json!({"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "properties": properties},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}})
    };
    let text = json!({"type": "string"});
    let first = schema(json!({
        "old": text, "both": text, "none": {"type": "string", "nullable": true}, "port": {"x-kubernetes-int-or-string": true},
        "object": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}}));
    let second = schema(
        json!({"new": {"type": "string", "default": "n"}, "both": {"type": "string", "maxLength": 3}}),
    );
    let entry = |name: &str, storage: bool, schema: Value| json!({"name": name, "served": true, "storage": storage, "schema": schema, "subresources": {"status": {}}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{GROUP}")},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
            "versions": [entry("v1", true, first), entry("v2", false, second)]}})
}

fn second(ground: &Ground, custom: &Custom) -> Things {
    let resource = resource(&format!("{GROUP}/v2"), &custom.kind, &custom.plural);
    Things::of(ground, &resource, Some(&ground.namespace))
}

fn name_of(custom: &Custom) -> String {
    format!("{}.{GROUP}", custom.plural)
}

/// Changes the schema of `spec` in the stored version.
async fn change_schema(ground: &Ground, custom: &Custom, change: impl Fn(&mut Value)) {
    let definitions = ground.things("customresourcedefinitions");
    let mut crd = definitions.get(&name_of(custom)).await;
    change(&mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]);
    let changed = definitions.replace(crd).await;
    assert_eq!(number(&changed, "/metadata/generation"), 2);
}

async fn a_version_shows_what_it_knows(ground: &Ground) {
    let custom = Custom::defined(ground, two).await;
    let made = custom.things.create(custom.object("one", json!({"old": "o", "both": "b"}))).await;
    let second = second(ground, &custom);
    let other = second.get("one").await;
    assert_eq!(text(&other, "/apiVersion"), format!("{GROUP}/v2"));
    assert_eq!((&other["spec"], version(&other)), (&json!({"both": "b"}), version(&made)));
    assert_eq!(second.list(&ListParams::default()).await.items[0]["spec"], json!({"both": "b"}));
    let mut watch = second.watch(&WatchParams::default(), "0").await;
    let (seen, object) = watch.next_change().await;
    assert_eq!((seen, &object["spec"]), (Seen::Added("one".into()), &json!({"both": "b"})));
    assert_eq!(
        custom.things.get("one").await["spec"],
        json!({"old": "o", "both": "b"}),
        "it is stored whole"
    );
    custom.end(ground).await;
}

async fn a_write_in_a_version_is_checked_by_it(ground: &Ground) {
    let custom = Custom::defined(ground, two).await;
    let second = second(ground, &custom);
    let object = |both: &str| {
        json!({"apiVersion": format!("{GROUP}/v2"), "kind": custom.kind, "metadata": {"name": "one"},
            "spec": {"both": both, "new": "x", "old": "y"}})
    };
    let status = second.try_create(object("long")).await.expect_err("a refusal");
    assert_eq!(status.details.expect("details").causes[0].field, "spec.both");
    let made = second.create(object("abc")).await;
    assert_eq!(made["spec"], json!({"both": "abc"}), "what the stored version lacks is lost");
    assert_eq!(custom.things.get("one").await["spec"], json!({"both": "abc"}));
    let misplaced = custom.things.try_create(object("abc")).await.expect_err("a refusal");
    assert_eq!(misplaced.code, 400);
    assert!(misplaced.message.contains("does not match the expected API version"), "{}", misplaced.message);
    custom.end(ground).await;
}

async fn defaults_that_came_later_are_read(ground: &Ground) {
    let custom = Custom::defined(ground, two).await;
    let made = custom.things.create(custom.object("one", json!({"old": "o", "both": "b"}))).await;
    change_schema(ground, &custom, |properties| {
        properties["late"] = json!({"type": "string", "default": "l"});
        properties.as_object_mut().expect("properties").remove("old");
    })
    .await;
    // a real server takes the new schema over a moment later
    let late = async {
        loop {
            if let Ok(object) = custom.things.api.get("one").await
                && crate::things::value(&object)["spec"] == json!({"both": "b", "late": "l"})
            {
                break crate::things::value(&object);
            }
            tokio::task::yield_now().await;
        }
    };
    let read = ground.within("the new default is read", late).await;
    assert_eq!(version(&read), version(&made), "nothing was written");
    custom.end(ground).await;
}

async fn a_watch_ends_when_the_schema_changes(ground: &Ground) {
    let custom = Custom::defined(ground, two).await;
    custom.things.create(custom.object("one", json!({}))).await;
    let mut watch = custom.things.watch(&WatchParams::default(), "0").await;
    assert_eq!(watch.next_change().await.0, Seen::Added("one".into()));
    change_schema(ground, &custom, |properties| properties["late"] = json!({"type": "string"})).await;
    assert_eq!(watch.next_change().await.0, Seen::End);
    custom.end(ground).await;
}

async fn a_watch_ends_when_the_definition_goes(ground: &Ground) {
    let custom = Custom::defined(ground, two).await;
    custom.things.create(custom.object("one", json!({}))).await;
    let mut watch = custom.things.watch(&WatchParams::default(), "0").await;
    assert_eq!(watch.next_change().await.0, Seen::Added("one".into()));
    custom.end(ground).await;
    assert_eq!(watch.next_change().await.0, Seen::Deleted("one".into()));
    assert_eq!(watch.next_change().await.0, Seen::End);
}

async fn values_of_both_types_nulls_and_whole_objects_are_kept(ground: &Ground) {
    let custom = Custom::defined(ground, two).await;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": "b"}, "unknown": 1}, "spec": {"any": 1}});
    let spec = json!({"none": null, "both": null, "port": "http", "object": pod});
    let made = custom.things.create(custom.object("one", spec)).await;
    assert_eq!(
        made["spec"],
        json!({"none": null, "port": "http", "object": {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"labels": {"a": "b"}}, "spec": {"any": 1}}})
    );
    custom.things.create(custom.object("two", json!({"port": 80}))).await;
    for (spec, field) in [
        (json!({"port": 1.5}), "spec.port"),
        (json!({"object": {"x": 1}}), "spec.object.apiVersion"),
        (json!({"object": {"apiVersion": "v1", "kind": "No_pe"}}), "spec.object.kind"),
    ] {
        let status = custom.things.try_create(custom.object("three", spec.clone())).await.expect_err(field);
        assert_eq!(status.details.expect("details").causes[0].field, field, "{spec}");
    }
    custom.end(ground).await;
}

async fn names_that_are_taken_are_not_accepted(ground: &Ground) {
    let custom = Custom::defined(ground, two).await;
    let definitions = ground.things("customresourcedefinitions");
    let rival = format!("rival{}", custom.plural);
    definitions.create(two(&rival, &custom.kind)).await;
    let rival = format!("{rival}.{GROUP}");
    let refused = |crd: &Value| condition(crd, "NamesAccepted").0 == "False";
    let crd = definitions.until_is(&rival, "its names are not accepted", refused).await;
    assert_eq!(condition(&crd, "NamesAccepted").1, "ListKindConflict");
    assert_eq!(condition(&crd, "Established"), ("False", "NotAccepted"));
    custom.end(ground).await;
    let established = |crd: &Value| condition(crd, "Established").0 == "True";
    let crd = definitions.until_is(&rival, "the names are free", established).await;
    assert_eq!(condition(&crd, "NamesAccepted"), ("True", "NoConflicts"));
    definitions.delete(&rival).await;
}

async fn a_stored_version_may_not_go(ground: &Ground) {
    let custom = Custom::defined(ground, two).await;
    let definitions = ground.things("customresourcedefinitions");
    let mut crd = definitions.get(&name_of(&custom)).await;
    crd["spec"]["versions"][0]["storage"] = json!(false);
    crd["spec"]["versions"][1]["storage"] = json!(true);
    let moved = definitions.replace(crd).await;
    assert_eq!(moved["status"]["storedVersions"], json!(["v1", "v2"]));
    let mut crd = moved;
    crd["spec"]["versions"].as_array_mut().expect("versions").remove(0);
    let status = definitions.try_replace(crd).await.expect_err("a refusal");
    assert_eq!(status.details.expect("details").causes[0].field, "status.storedVersions[0]");
    custom.end(ground).await;
}

async fn an_ending_definition_takes_nothing_new(ground: &Ground) {
    let custom = Custom::defined(ground, two).await;
    let mut held = custom.object("one", json!({}));
    held["metadata"]["finalizers"] = json!(["test.styrmin.io/hold"]);
    custom.things.create(held).await;
    let definitions = ground.things("customresourcedefinitions");
    let name = name_of(&custom);
    definitions.delete(&name).await;
    definitions.until_is(&name, "it terminates", |crd| condition(crd, "Terminating").0 == "True").await;
    // a real server takes notice a moment later
    let refused = async {
        loop {
            if let Err(status) = custom.things.try_create(custom.object("two", json!({}))).await {
                break status;
            }
            custom.things.delete("two").await;
        }
    };
    let status = ground.within("nothing new is taken", refused).await;
    assert_eq!((status.code, status.reason.as_str()), (405, "MethodNotAllowed"));
    custom.things.merge("one", json!({"metadata": {"finalizers": null}})).await;
    definitions.until_gone(&name).await;
}

async fn what_was_wrong_before_is_let_be(ground: &Ground) {
    let custom = Custom::defined(ground, two).await;
    custom.things.create(custom.object("one", json!({"old": "long text", "both": "b"}))).await;
    change_schema(ground, &custom, |properties| properties["old"]["maxLength"] = json!(3)).await;
    let changed = custom.things.merge("one", json!({"spec": {"both": "c"}})).await;
    assert_eq!(
        changed["spec"],
        json!({"old": "long text", "both": "c"}),
        "what stays as it was is not held against it"
    );
    let patch = kube::api::Patch::Merge(json!({"spec": {"old": "longer text"}}));
    let status = custom.things.try_patch("one", &Default::default(), patch).await.expect_err("a refusal");
    assert_eq!(status.details.expect("details").causes[0].field, "spec.old");
    custom.end(ground).await;
}

async fn custom_fields_can_be_selected_by(ground: &Ground) {
    let custom = Custom::defined(ground, |plural, kind| {
        let mut crd = two(plural, kind);
        crd["spec"]["versions"][0]["selectableFields"] = json!([{"jsonPath": ".spec.old"}]);
        crd
    })
    .await;
    custom.things.create(custom.object("one", json!({"old": "a"}))).await;
    custom.things.create(custom.object("two", json!({"old": "b"}))).await;
    let list = custom.things.list(&ListParams::default().fields("spec.old=b")).await;
    assert_eq!(names(&list.items), ["two"]);
    let status = custom.things.try_list(&ListParams::default().fields("spec.both=b")).await;
    assert_eq!(status.expect_err("a refusal").message, "field label not supported: spec.both");
    let definitions = ground.things("customresourcedefinitions");
    for (path, field) in
        [("spec.old", "jsonPath"), (".spec.nothing", "jsonPath"), (".metadata.name", "jsonPath")]
    {
        let mut wrong = two("wrongs", "Wrong");
        wrong["spec"]["versions"][0]["selectableFields"] = json!([{"jsonPath": path}]);
        let status = definitions.try_create(wrong).await.expect_err(path);
        let found = &status.details.expect("details").causes[0].field;
        assert_eq!(*found, format!("spec.versions[0].selectableFields[0].{field}"), "{path}");
    }
    custom.end(ground).await;
}
