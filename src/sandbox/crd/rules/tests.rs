//! Rules as definitions in the wild have them.

use serde_json::{Value, json};

use super::*;
use crate::sandbox::schema::causes::Causes;

mod costs;
mod definitions;
mod functions;
mod transitions;

/// What is wrong with a value by the schema of a whole object.
fn wrong(schema: &Value, old: Option<&Value>, value: &Value) -> Vec<String> {
    let mut causes = Causes::default();
    validate(schema, old, value, &mut causes);
    causes.texts()
}

/// What is wrong with the rules of a schema.
fn refused(schema: &Value) -> Vec<String> {
    let mut causes = Causes::default();
    check(schema, "schema", &mut causes);
    causes.texts()
}

/// A schema of an object whose `spec` has these fields and one rule.
fn schema(properties: Value, rule: &str) -> Value {
    json!({"type": "object", "properties": {"spec": {"type": "object", "properties": properties,
        "x-kubernetes-validations": [{"rule": rule, "message": "broken"}]}}})
}

/// Whether a rule about `spec` holds.
fn holds(properties: &Value, rule: &str, spec: &Value) -> bool {
    let schema = schema(properties.clone(), rule);
    assert_eq!(refused(&schema), Vec::<String>::new(), "{rule}");
    let found = wrong(&schema, None, &json!({"spec": spec}));
    assert!(
        found.is_empty() || found == ["spec: Invalid value: \"object\": broken"],
        "{rule} for {spec}: {found:?}"
    );
    found.is_empty()
}

/// Whether an expression without fields is true.
fn is_true(expression: &str) -> bool {
    holds(&json!({}), expression, &json!({}))
}

/// What goes wrong when a rule about `spec` is evaluated.
fn fault(properties: &Value, rule: &str, spec: &Value) -> String {
    let schema = schema(properties.clone(), rule);
    assert_eq!(refused(&schema), Vec::<String>::new(), "{rule}");
    wrong(&schema, None, &json!({"spec": spec})).concat()
}

#[test]
fn presence_and_choices() {
    let fields = json!({"image": {"type": "string"}, "build": {"type": "object", "properties": {"context": {"type": "string"}}},
        "mode": {"type": "string"}, "replicas": {"type": "integer"}, "most": {"type": "integer"}});
    let cases = [
        ("!(has(self.image) && has(self.build))", json!({"image": "a", "build": {}}), false),
        ("!(has(self.image) && has(self.build))", json!({"image": "a"}), true),
        ("has(self.image) || has(self.build)", json!({}), false),
        ("has(self.image) != has(self.build)", json!({"build": {"context": "."}}), true),
        ("has(self.image)", json!({"image": null}), false),
        ("has(self.build) && has(self.build.context)", json!({"build": {}}), false),
        ("self.mode == 'fixed' ? has(self.replicas) : !has(self.replicas)", json!({"mode": "fixed"}), false),
        ("self.mode == 'fixed' ? has(self.replicas) : !has(self.replicas)", json!({"mode": "auto"}), true),
        ("!has(self.most) || self.replicas <= self.most", json!({"replicas": 3, "most": 2}), false),
        ("!has(self.most) || self.replicas <= self.most", json!({"replicas": 3}), true),
        ("self.?build.?context.orValue('.') == '.'", json!({}), true),
        ("self.?build.context.orValue('.') == '.'", json!({"build": {"context": "x"}}), false),
        ("self.?image.hasValue()", json!({"image": "a"}), true),
        ("self.?image.optMap(i, i.startsWith('a')).orValue(true)", json!({"image": "b"}), false),
        ("self.build == null || true", json!({"build": {}}), true),
        ("self.mode in ['fixed', 'auto']", json!({"mode": "none"}), false),
    ];
    for (rule, spec, expected) in cases {
        assert_eq!(holds(&fields, rule, &spec), expected, "{rule} for {spec}");
    }
}

#[test]
fn lists_and_maps() {
    let fields = json!({
        "hosts": {"type": "array", "items": {"type": "string"}},
        "listeners": {"type": "array", "items": {"type": "object", "properties": {
            "name": {"type": "string"}, "port": {"type": "integer"}, "tls": {"type": "boolean"}}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}}});
    let two = json!({"listeners": [{"name": "a", "port": 80}, {"name": "b", "port": 443, "tls": true}]});
    let cases = [
        ("size(self.hosts) <= 3", json!({"hosts": ["a", "b", "c", "d"]}), false),
        ("self.hosts.all(h, h.matches('^[a-z.]+$'))", json!({"hosts": ["a.b", "C"]}), false),
        ("self.hosts.exists(h, h == '*')", json!({"hosts": ["a", "*"]}), true),
        ("self.listeners.exists_one(l, l.port == 443)", two.clone(), true),
        ("self.listeners.exists_one(l, l.port > 0)", two.clone(), false),
        (
            "self.listeners.all(l, self.listeners.exists_one(o, o.name == l.name && o.port == l.port))",
            two.clone(),
            true,
        ),
        ("self.listeners.filter(l, has(l.tls) && l.tls).map(l, l.name) == ['b']", two.clone(), true),
        ("self.listeners.map(l, l.port > 100, l.name) == ['b']", two.clone(), true),
        ("self.listeners.map(l, l.port).isSorted()", two.clone(), true),
        ("self.listeners.map(l, l.port).sum() == 523", two.clone(), true),
        ("self.listeners.map(l, l.port).max() == 443 && [3, 1].min() == 1", two, true),
        ("self.labels.all(k, k.size() < 4 && self.labels[k] != '')", json!({"labels": {"app": "x"}}), true),
        ("'app' in self.labels", json!({"labels": {"tier": "x"}}), false),
        ("has(self.labels.app) && self.labels.app == 'x'", json!({"labels": {"app": "x"}}), true),
        ("self.labels[?'app'].orValue('none') == 'none'", json!({"labels": {}}), true),
        (
            "self.hosts.indexOf('b') == 1 && self.hosts.lastIndexOf('b') == 2",
            json!({"hosts": ["a", "b", "b"]}),
            true,
        ),
        ("self.hosts + ['z'] == ['a', 'z']", json!({"hosts": ["a"]}), true),
        ("self.hosts == []", json!({"hosts": []}), true),
        (
            "sets.contains(self.hosts, ['a']) && !sets.intersects(self.hosts, ['c'])",
            json!({"hosts": ["a", "b"]}),
            true,
        ),
        ("sets.equivalent(self.hosts, ['b', 'a', 'a'])", json!({"hosts": ["a", "b"]}), true),
        ("{'a': 1, 'b': 2}.exists(k, k == 'b') && {'a': 1}['a'] == 1", json!({}), true),
    ];
    for (rule, spec, expected) in cases {
        assert_eq!(holds(&fields, rule, &spec), expected, "{rule} for {spec}");
    }
}

#[test]
fn values_are_of_the_types_of_their_schema() {
    let fields = json!({
        "port": {"x-kubernetes-int-or-string": true}, "ratio": {"type": "number"}, "count": {"type": "integer"},
        "since": {"type": "string", "format": "date-time"}, "day": {"type": "string", "format": "date"},
        "ttl": {"type": "string", "format": "duration"}, "blob": {"type": "string", "format": "byte"},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}});
    let cases = [
        ("type(self.port) == string ? self.port == '80%' : self.port == 80", json!({"port": "80%"}), true),
        ("type(self.port) == int && int(self.port) > 100", json!({"port": 80}), false),
        ("self.ratio >= 0.0 && self.ratio <= 1.0", json!({"ratio": 1}), true),
        ("self.count < self.ratio", json!({"ratio": 1.5, "count": 1}), true),
        (
            "double(self.count) / 2.0 == 1.5 && self.count / 2 == 1 && self.count % 2 == 1",
            json!({"count": 3}),
            true,
        ),
        ("self.ttl > duration('1h') && self.ttl.getMinutes() == 90", json!({"ttl": "1h30m"}), true),
        (
            "self.since + self.ttl < timestamp('2024-01-02T00:00:00Z')",
            json!({"since": "2024-01-01T00:00:00Z", "ttl": "1d"}),
            false,
        ),
        ("self.day.getFullYear() == 2024 && self.day.getMonth() == 1", json!({"day": "2024-02-29"}), true),
        ("size(self.blob) == 3 && self.blob == b'abc'", json!({"blob": "YWJj"}), true),
        (
            "self.set == ['b', 'a'] && self.set + ['a', 'c'] == ['a', 'b', 'c']",
            json!({"set": ["a", "b"]}),
            true,
        ),
        ("string(self.count) == '3' && dyn(self.count) == 3", json!({"count": 3}), true),
    ];
    for (rule, spec, expected) in cases {
        assert_eq!(holds(&fields, rule, &spec), expected, "{rule} for {spec}");
    }
}

#[test]
fn names_that_expressions_cannot_have_are_escaped() {
    let fields = json!({"app.io/x-y": {"type": "string"}, "namespace": {"type": "string"}, "a__b": {"type": "string"}});
    let spec = json!({"app.io/x-y": "1", "namespace": "2", "a__b": "3"});
    let rule = "self.app__dot__io__slash__x__dash__y == '1' && self.__namespace__ == '2' && self.a__underscores__b == '3'";
    assert!(holds(&fields, rule, &spec));
}

#[test]
fn a_rule_is_about_the_place_where_it_stands() {
    let schema = json!({"type": "object", "x-kubernetes-validations": [{"rule": "self.metadata.name.size() < 4"}],
        "properties": {"spec": {"type": "object", "properties": {
            "name": {"type": "string", "x-kubernetes-validations": [{"rule": "self.startsWith('a')"}]},
            "sizes": {"type": "array", "x-kubernetes-validations": [{"rule": "self.size() < 3"}],
                "items": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 0", "message": "must be above zero"}]}},
            "by": {"type": "object", "additionalProperties": {"type": "boolean",
                "x-kubernetes-validations": [{"rule": "self"}]}},
            "template": {"type": "object", "x-kubernetes-embedded-resource": true,
                "x-kubernetes-validations": [{"rule": "self.kind == 'Pod' && has(self.metadata.name)"}]}}}}});
    assert_eq!(refused(&schema), Vec::<String>::new());
    let object = json!({"metadata": {"name": "long-name"}, "spec": {"name": "b", "sizes": [1, 0, 2], "by": {"x": false},
        "template": {"kind": "Pod", "metadata": {}}}});
    let mut found = wrong(&schema, None, &object);
    found.sort();
    assert_eq!(
        found,
        [
            "<nil>: Invalid value: \"object\": failed rule: self.metadata.name.size() < 4",
            "spec.by[x]: Invalid value: \"boolean\": failed rule: self",
            "spec.name: Invalid value: \"string\": failed rule: self.startsWith('a')",
            "spec.sizes: Invalid value: \"array\": failed rule: self.size() < 3",
            "spec.sizes[1]: Invalid value: \"integer\": must be above zero",
            "spec.template: Invalid value: \"object\": failed rule: self.kind == 'Pod' && has(self.metadata.name)",
        ]
    );
}

#[test]
fn reasons_places_and_messages() {
    let with = |more: Value| {
        let mut rule = json!({"rule": "self.a < self.b"});
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "a": {"type": "integer"}, "b": {"type": "integer"}}, "x-kubernetes-validations": [rule]}}});
        assert_eq!(refused(&schema), Vec::<String>::new());
        wrong(&schema, None, &json!({"spec": {"a": 2, "b": 1}})).concat()
    };
    let cases = [
        (json!({}), "spec: Invalid value: \"object\": failed rule: self.a < self.b"),
        (json!({"message": " a must be below b "}), "spec: Invalid value: \"object\": a must be below b"),
        (json!({"reason": "FieldValueForbidden", "message": "no"}), "spec: Forbidden: no"),
        (json!({"reason": "FieldValueRequired", "message": "yes"}), "spec: Required value: yes"),
        (json!({"reason": "FieldValueDuplicate"}), "spec: Duplicate value: \"object\""),
        (json!({"fieldPath": ".a", "message": "no"}), "spec.a: Invalid value: \"object\": no"),
        (
            json!({"messageExpression": "'a is %d, not below %d'.format([self.a, self.b])"}),
            "spec: Invalid value: \"object\": a is 2, not below 1",
        ),
        (json!({"messageExpression": "''", "message": "no"}), "spec: Invalid value: \"object\": no"),
        (
            json!({"messageExpression": "string(1 / 0)", "message": "no"}),
            "spec: Invalid value: \"object\": no",
        ),
    ];
    for (more, expected) in cases {
        assert_eq!(with(more.clone()), expected, "{more}");
    }
}

#[test]
fn what_goes_wrong_is_said() {
    let fields = json!({"a": {"type": "integer"}, "l": {"type": "array", "items": {"type": "integer"}},
        "p": {"x-kubernetes-int-or-string": true}, "t": {"type": "string", "format": "date-time"}});
    let cases = [
        ("self.a == 1", json!({}), "no such key: a evaluating rule: broken"),
        ("self.l[5] == 1", json!({"l": []}), "index out of bounds: 5 evaluating rule: broken"),
        ("1 / self.a == 1", json!({"a": 0}), "division by zero evaluating rule: broken"),
        ("self.a + 9223372036854775807 > 0", json!({"a": 1}), "integer overflow evaluating rule: broken"),
        (
            "self.p > 5",
            json!({"p": "x"}),
            "'no such overload': call arguments did not match a supported operator, function or macro signature for rule: broken",
        ),
        (
            "self.t == self.t",
            json!({"t": "soon"}),
            "Invalid date-time formatted string soon evaluating rule: broken",
        ),
    ];
    for (rule, spec, expected) in cases {
        assert_eq!(
            fault(&fields, rule, &spec),
            format!("spec: Invalid value: \"object\": {expected}"),
            "{rule}"
        );
    }
    // one term that decides is enough
    assert!(holds(&fields, "self.a == 1 || true", &json!({})));
    assert!(!holds(&fields, "self.a == 1 && false", &json!({})));
    assert!(holds(&fields, "[1, 0].exists(x, 1 / x == 1 || x == 0)", &json!({})));
}
