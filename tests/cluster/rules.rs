//! Validation rules of custom resources (`x-kubernetes-validations`).

use kube::api::Patch;
use kube::core::Status;
use serde_json::{Value, json};

use crate::custom::{Custom, GROUP};
use crate::ground::Ground;
use crate::things::number;

cases!(
    ;
    only_sandbox:
        rules_are_evaluated_where_they_stand: "validation rules came with 1.25",
        transition_rules_compare_with_what_was: "validation rules came with 1.25",
        what_an_update_leaves_may_break_a_rule: "ratcheting came with 1.30",
        objects_that_are_invalid_anyway_are_not_evaluated: "validation rules came with 1.25",
        the_status_is_held_to_rules: "validation rules came with 1.25",
        a_rule_that_costs_too_much_fails_the_write: "validation rules came with 1.25",
        rules_that_do_not_compile_are_refused: "validation rules came with 1.25",
);

fn definition(plural: &str, kind: &str) -> Value {
    let schema = json!({"type": "object",
        "x-kubernetes-validations": [{"rule": "self.metadata.name.startsWith('w')", "message": "names start with w"}],
        "properties": {
            "spec": {"type": "object",
                "x-kubernetes-validations": [
                    {"rule": "!has(self.most) || self.least <= self.most", "reason": "FieldValueForbidden", "fieldPath": ".least",
                        "messageExpression": "'%d is above %d'.format([self.least, self.most])"},
                    {"rule": "!(has(self.host) && has(self.url))", "message": "only one of host and url"},
                    {"rule": "!has(self.url) || url(self.url).getHostname() != 'localhost'"}],
                "properties": {
                    "least": {"type": "integer", "default": 1}, "most": {"type": "integer"},
                    "host": {"type": "string"}, "url": {"type": "string"},
                    "class": {"type": "string", "maxLength": 20,
                        "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "the class is immutable"}]},
                    "port": {"x-kubernetes-int-or-string": true,
                        "x-kubernetes-validations": [{"rule": "type(self) == string ? self.matches('^[a-z]+$') : int(self) > 0"}]},
                    "numbers": {"type": "array", "items": {"type": "integer"},
                        "x-kubernetes-validations": [{"rule": "self.all(a, self.all(b, self.all(c, a + b + c != 0)))"}]},
                    "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                        "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"},
                            "size": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf", "message": "parts only grow"}]}}}}}},
            "status": {"type": "object", "properties": {"ready": {"type": "integer",
                "x-kubernetes-validations": [{"rule": "self >= 0"}]}}}}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{GROUP}")},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
                "subresources": {"status": {}}}]}})
}

/// The causes of a 422: reason, field and message.
fn causes(status: Status) -> Vec<(String, String, String)> {
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"), "{status:?}");
    let causes = status.details.expect("details").causes;
    causes.into_iter().map(|cause| (cause.reason, cause.field, cause.message)).collect()
}

async fn refused(custom: &Custom, name: &str, spec: Value) -> Vec<(String, String, String)> {
    causes(custom.things.try_create(custom.object(name, spec)).await.expect_err("it breaks a rule"))
}

fn cause(reason: &str, field: &str, message: &str) -> (String, String, String) {
    (reason.to_owned(), field.to_owned(), message.to_owned())
}

async fn rules_are_evaluated_where_they_stand(ground: &Ground) {
    let custom = Custom::defined(ground, definition).await;
    let invalid = "FieldValueInvalid";
    assert_eq!(
        refused(&custom, "w", json!({"least": 3, "most": 2})).await,
        [cause("FieldValueForbidden", "spec.least", "Forbidden: 3 is above 2")]
    );
    assert_eq!(
        refused(&custom, "w", json!({"most": 0})).await,
        [cause("FieldValueForbidden", "spec.least", "Forbidden: 1 is above 0")],
        "defaults come first"
    );
    assert_eq!(
        refused(&custom, "w", json!({"host": "a", "url": "http://b"})).await,
        [cause(invalid, "spec", "Invalid value: \"object\": only one of host and url")]
    );
    let local = refused(&custom, "w", json!({"url": "http://localhost:80/"})).await;
    assert!(local[0].2.starts_with("Invalid value: \"object\": failed rule: !has(self.url) ||"), "{local:?}");
    assert_eq!(refused(&custom, "w", json!({"port": "80%"})).await[0].1, "spec.port");
    assert_eq!(
        refused(&custom, "other", json!({})).await,
        [cause(invalid, "<nil>", "Invalid value: \"object\": names start with w")]
    );
    custom
        .things
        .create(custom.object("w", json!({"least": 1, "most": 2, "port": "http", "url": "https://b/"})))
        .await;
    custom.end(ground).await;
}

async fn transition_rules_compare_with_what_was(ground: &Ground) {
    let custom = Custom::defined(ground, definition).await;
    let spec = json!({"class": "a", "parts": [{"name": "x", "size": 1}, {"name": "y", "size": 5}]});
    custom.things.create(custom.object("w", spec)).await;
    custom
        .things
        .merge("w", json!({"spec": {"parts": [{"name": "y", "size": 6}, {"name": "new", "size": 1}]}}))
        .await;
    let patch =
        json!({"spec": {"class": "b", "parts": [{"name": "new", "size": 3}, {"name": "y", "size": 2}]}});
    let status = custom.things.try_patch("w", &Default::default(), Patch::Merge(patch)).await;
    let mut found = causes(status.expect_err("it breaks rules"));
    found.sort();
    assert_eq!(
        found,
        [
            cause("FieldValueInvalid", "spec.class", "Invalid value: \"string\": the class is immutable"),
            cause("FieldValueInvalid", "spec.parts[1].size", "Invalid value: \"integer\": parts only grow"),
        ]
    );
    // to remove the field is no transition of its value
    custom.things.merge("w", json!({"spec": {"class": null}})).await;
    custom.things.merge("w", json!({"spec": {"class": "c"}})).await;
    custom.end(ground).await;
}

async fn what_an_update_leaves_may_break_a_rule(ground: &Ground) {
    let custom = Custom::defined(ground, definition).await;
    custom.things.create(custom.object("w", json!({"host": "a", "port": 1}))).await;
    let definitions = ground.things("customresourcedefinitions");
    let name = format!("{}.{GROUP}", custom.plural);
    let mut stricter = definitions.get(&name).await;
    let fields =
        &mut stricter["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    fields["host"]["x-kubernetes-validations"] = json!([{"rule": "self.size() > 3"}]);
    definitions.replace(stricter).await;
    let changed = custom.things.merge("w", json!({"spec": {"port": 2}})).await;
    assert_eq!(number(&changed, "/spec/port"), 2, "the host is as it was");
    let patch = Patch::Merge(json!({"spec": {"host": "b"}}));
    let status = custom.things.try_patch("w", &Default::default(), patch).await.expect_err("too short");
    assert_eq!(causes(status)[0].1, "spec.host");
    custom.end(ground).await;
}

async fn objects_that_are_invalid_anyway_are_not_evaluated(ground: &Ground) {
    let custom = Custom::defined(ground, definition).await;
    let found = refused(&custom, "w", json!({"class": 5, "host": "a", "url": "b"})).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].1, "spec.class");
    assert_eq!(
        found[1],
        cause(
            "FieldValueInvalid",
            "<nil>",
            "Invalid value: \"null\": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"
        )
    );
    custom.end(ground).await;
}

async fn the_status_is_held_to_rules(ground: &Ground) {
    let custom = Custom::defined(ground, definition).await;
    custom.things.create(custom.object("w", json!({}))).await;
    custom.things.merge_status("w", json!({"status": {"ready": 1}})).await;
    let patch = Patch::Merge(json!({"status": {"ready": -1}}));
    let error =
        custom.things.api.patch_status("w", &Default::default(), &patch).await.expect_err("below zero");
    let found = causes(crate::things::status_of(error));
    assert_eq!(
        found,
        [cause("FieldValueInvalid", "status.ready", "Invalid value: \"integer\": failed rule: self >= 0")]
    );
    custom.end(ground).await;
}

async fn a_rule_that_costs_too_much_fails_the_write(ground: &Ground) {
    let custom = Custom::defined(ground, definition).await;
    let found = refused(&custom, "w", json!({"numbers": vec![1; 300]})).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].1, "spec.numbers");
    assert!(
        found[0].2.contains("no further validation rules will be run due to call cost exceeds limit"),
        "{found:?}"
    );
    custom.things.create(custom.object("w", json!({"numbers": vec![1; 10]}))).await;
    custom.end(ground).await;
}

async fn rules_that_do_not_compile_are_refused(ground: &Ground) {
    let definitions = ground.things("customresourcedefinitions");
    let at = "spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0]";
    for (rule, field, text) in [
        (json!({"rule": "self.absent == 1"}), "rule", "undefined field 'absent'"),
        (
            json!({"rule": "self.least == 'a'"}),
            "rule",
            "found no matching overload for '_==_' applied to '(int, string)'",
        ),
        (
            json!({"rule": "semver(self.host).major() > 1"}),
            "rule",
            "the sandbox does not have the function 'semver'",
        ),
        (json!({"rule": "self.least"}), "rule", "cel expression must evaluate to a bool"),
        (json!({"rule": "true", "fieldPath": ".absent"}), "fieldPath", "does not refer to a valid field"),
    ] {
        let mut wrong = definition("gauges", "Gauge");
        wrong["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["x-kubernetes-validations"] =
            json!([rule]);
        let found = causes(definitions.try_create(wrong).await.expect_err(text));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].1, format!("{at}.{field}"));
        assert!(found[0].2.contains(text), "{found:?}");
    }
}
