//! Rules that compare with what was before.

use super::*;

fn immutable() -> Value {
    json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "class": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "class is immutable"}]},
        "set": {"type": "array", "items": {"type": "string"},
            "x-kubernetes-validations": [{"rule": "oldSelf.all(o, o in self)", "message": "only grows"}]},
        "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "properties": {"name": {"type": "string"}, "port": {"type": "integer",
                "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}}},
        "by": {"type": "object", "additionalProperties": {"type": "integer",
            "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]}}}}}})
}

#[test]
fn they_need_a_value_before() {
    let schema = immutable();
    assert_eq!(refused(&schema), Vec::<String>::new());
    let new = json!({"spec": {"class": "b", "set": ["y"], "by": {"k": 1},
        "ports": [{"name": "new", "port": 1}, {"name": "old", "port": 1}]}});
    assert_eq!(wrong(&schema, None, &new), Vec::<String>::new(), "not on create");
    assert_eq!(
        wrong(&schema, Some(&json!({"spec": {}})), &new),
        Vec::<String>::new(),
        "not when it is set first"
    );
    let old = json!({"spec": {"class": "a", "set": ["x"], "by": {"k": 2, "gone": 3},
        "ports": [{"name": "old", "port": 2}]}});
    let mut found = wrong(&schema, Some(&old), &new);
    found.sort();
    assert_eq!(
        found,
        [
            "spec.by[k]: Invalid value: \"integer\": failed rule: self >= oldSelf",
            "spec.class: Invalid value: \"string\": class is immutable",
            "spec.ports[1].port: Invalid value: \"integer\": failed rule: self >= oldSelf",
            "spec.set: Invalid value: \"array\": only grows",
        ]
    );
    assert_eq!(wrong(&schema, Some(&new), &new), Vec::<String>::new());
}

#[test]
fn an_optional_value_before() {
    let schema = json!({"type": "object", "properties": {"mode": {"type": "string", "x-kubernetes-validations": [
        {"rule": "oldSelf.hasValue() || self == 'start'", "optionalOldSelf": true, "message": "starts as start"},
        {"rule": "oldSelf.optMap(o, o != 'end').orValue(true) || self == 'end'", "optionalOldSelf": true, "message": "end stays"}]}}});
    assert_eq!(refused(&schema), Vec::<String>::new());
    let mode = |mode: &str| json!({"mode": mode});
    assert_eq!(wrong(&schema, None, &mode("x")), ["mode: Invalid value: \"string\": starts as start"]);
    assert_eq!(wrong(&schema, None, &mode("start")), Vec::<String>::new());
    assert_eq!(wrong(&schema, Some(&mode("a")), &mode("b")), Vec::<String>::new());
    assert_eq!(
        wrong(&schema, Some(&mode("end")), &mode("b")),
        ["mode: Invalid value: \"string\": end stays"]
    );
}

#[test]
fn what_an_update_leaves_is_not_held_against_it() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string", "x-kubernetes-validations": [{"rule": "self.size() < 3"}]},
        "b": {"type": "string"}, "list": {"type": "array", "items": {"type": "integer",
            "x-kubernetes-validations": [{"rule": "self > 0"}]}}}});
    let old = json!({"a": "too long", "b": "1"});
    assert_eq!(wrong(&schema, Some(&old), &json!({"a": "too long", "b": "2"})), Vec::<String>::new());
    assert_eq!(wrong(&schema, Some(&old), &json!({"a": "still long", "b": "1"})).len(), 1);
    // elements of a list without keys have none before them
    let old = json!({"list": [0]});
    assert_eq!(wrong(&schema, Some(&old), &json!({"list": [0]})).len(), 1);
}
