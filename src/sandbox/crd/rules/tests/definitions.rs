//! What definitions may not have.

use super::*;

fn first_flaw(properties: Value, rule: &str) -> String {
    let found = refused(&schema(properties, rule));
    assert_eq!(found.len(), 1, "{rule}: {found:?}");
    let (path, text) = found[0].split_once(": Invalid value: ").unwrap();
    assert_eq!(path, "schema.properties[spec].x-kubernetes-validations[0].rule");
    let (_, text) = text.split_once("}: ").unwrap();
    text.to_owned()
}

#[test]
fn rules_that_do_not_compile() {
    let fields = || {
        json!({"a": {"type": "integer"}, "s": {"type": "string"}, "any": {"x-kubernetes-preserve-unknown-fields": true},
            "l": {"type": "array", "items": {"type": "string"}}})
    };
    let cases = [
        ("self.x == 1", "ERROR: <input>:1:5: undefined field 'x'\n | self.x == 1\n | ....^"),
        ("self.any == 1", "ERROR: <input>:1:5: undefined field 'any'\n | self.any == 1\n | ....^"),
        (
            "name == 'a'",
            "ERROR: <input>:1:1: undeclared reference to 'name' (in container '')\n | name == 'a'\n | ^",
        ),
        (
            "self.a == 'a'",
            "ERROR: <input>:1:8: found no matching overload for '_==_' applied to '(int, string)'\n | self.a == 'a'\n | .......^",
        ),
        (
            "self.a.startsWith('x')",
            "ERROR: <input>:1:18: found no matching overload for 'startsWith' applied to 'int.(string)'\n | self.a.startsWith('x')\n | .................^",
        ),
        (
            "self.s.shout()",
            "ERROR: <input>:1:13: undeclared reference to 'shout' (in container '')\n | self.s.shout()\n | ............^",
        ),
        (
            "self.a.b",
            "ERROR: <input>:1:7: type 'int' does not support field selection\n | self.a.b\n | ......^",
        ),
        (
            "self.a && true",
            "ERROR: <input>:1:5: expected type 'bool' but found 'int'\n | self.a && true\n | ....^",
        ),
        (
            "self.a ==",
            "ERROR: <input>:1:10: Syntax error: mismatched input '<EOF>'\n | self.a ==\n | .........^",
        ),
        (
            "[1, 'a'].size() == 2",
            "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a'].size() == 2\n | ....^",
        ),
        (
            "self.s.all(c, true)",
            "ERROR: <input>:1:5: expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)\n | self.s.all(c, true)\n | ....^",
        ),
        (
            "self.s.matches('(')",
            "ERROR: <input>:1:16: invalid matches argument\n | self.s.matches('(')\n | ...............^",
        ),
        (
            "duration('1x') > duration('1s')",
            "ERROR: <input>:1:10: invalid duration argument\n | duration('1x') > duration('1s')\n | .........^",
        ),
        (
            "semver('1.0.0') == semver('1.0.0')",
            "ERROR: <input>:1:7: the sandbox does not have the function 'semver'\n | semver('1.0.0') == semver('1.0.0')\n | ......^",
        ),
        (
            "self.l.all(i, v, i < 3)",
            "ERROR: <input>:1:11: the sandbox does not have the macro 'all' with two variables\n | self.l.all(i, v, i < 3)\n | ..........^",
        ),
    ];
    for (rule, expected) in cases {
        assert_eq!(first_flaw(fields(), rule), format!("compilation failed: {expected}"), "{rule}");
    }
    assert_eq!(first_flaw(fields(), "self.a + 1"), "cel expression must evaluate to a bool");
}

#[test]
fn texts_of_rules() {
    let with = |rule: Value| {
        refused(
            &json!({"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-validations": [rule]}),
        )
    };
    let cases = [
        (json!({"rule": " "}), "rule: Required value: rule is not specified"),
        (
            json!({"rule": "true", "message": "a\nb"}),
            "message: Invalid value: \"a\\nb\": message must not contain line breaks",
        ),
        (
            json!({"rule": "true", "message": " "}),
            "message: Invalid value: \" \": message must be non-empty if specified",
        ),
        (
            json!({"rule": "true ||\nfalse"}),
            "message: Required value: message must be specified if rule contains line breaks",
        ),
        (
            json!({"rule": "true", "reason": "Odd"}),
            "reason: Unsupported value: \"Odd\": supported values: \"FieldValueInvalid\", \"FieldValueForbidden\", \"FieldValueRequired\", \"FieldValueDuplicate\"",
        ),
        (
            json!({"rule": "true", "fieldPath": ".b"}),
            "fieldPath: Invalid value: \".b\": fieldPath must be a valid path: does not refer to a valid field",
        ),
        (
            json!({"rule": "true", "optionalOldSelf": true}),
            "optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule",
        ),
        (
            json!({"rule": "true", "messageExpression": "1"}),
            "messageExpression: Invalid value: {\"messageExpression\":\"1\",\"rule\":\"true\"}: messageExpression must evaluate to a string",
        ),
    ];
    for (rule, expected) in cases {
        assert_eq!(with(rule.clone()), [format!("schema.x-kubernetes-validations[0].{expected}")], "{rule}");
    }
    assert_eq!(
        with(json!({"rule": "has(self.a)", "fieldPath": ".a", "reason": "FieldValueRequired"})),
        Vec::<String>::new()
    );
}

#[test]
fn old_values_that_cannot_be_told_apart() {
    let schema = |list_type: &str| {
        json!({"type": "object", "properties": {"l": {"type": "array", "x-kubernetes-list-type": list_type,
            "x-kubernetes-list-map-keys": ["n"], "items": {"type": "object", "properties": {"n": {"type": "string",
                "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}}}}}})
    };
    assert_eq!(refused(&schema("map")), Vec::<String>::new());
    assert_eq!(
        refused(&schema("atomic")),
        [
            "schema.properties[l].items.properties[n].x-kubernetes-validations[0].rule: Invalid value: \"self == oldSelf\": \
          oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[l]"
        ]
    );
}

#[test]
fn defaults_keep_the_rules() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "default": 0,
        "x-kubernetes-validations": [{"rule": "self > 0", "message": "above zero"}]}}});
    assert_eq!(refused(&schema), ["schema.properties[n].default: Invalid value: \"integer\": above zero"]);
}
