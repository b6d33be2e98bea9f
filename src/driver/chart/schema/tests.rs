use serde_json::json;

use super::*;

fn found(schema: &Json, values: &Json) -> Vec<String> {
    let schema = serde_json::to_vec(schema).unwrap();
    violations(&schema, values, "web", &mut Warnings::default()).unwrap_or_else(|why| vec![why])
}

#[test]
fn violations_name_the_path_and_never_the_value() {
    let schema = json!({
        "type": "object",
        "required": ["image"],
        "properties": {
            "password": {"type": "integer"},
            "ports": {"type": "array", "items": {"maximum": 65535}},
            "mode": {"enum": ["a", "b"]},
        },
    });
    let values = json!({"password": "hunter2", "ports": [80, 100_000], "mode": "hunter2"});
    let mut found = found(&schema, &values);
    found.sort();
    assert_eq!(
        found,
        [
            "(root): \"image\" is a required property",
            "mode: the value is not one of \"a\" or \"b\"",
            "password: the value is not of type \"integer\"",
            "ports.1: the value is greater than the maximum of 65535",
        ]
    );
}

#[test]
fn the_draft_is_the_one_that_is_named() {
    let four = json!({"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"a": {"minimum": 1, "exclusiveMinimum": true}}});
    assert_eq!(found(&four, &json!({"a": 1})).len(), 1);
    let seven = json!({"$schema": "http://json-schema.org/schema#", "properties": {"a": {"items": [{"type": "string"}]}}});
    assert_eq!(found(&seven, &json!({"a": [1]})).len(), 1);
    let newest = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": {"a": {"prefixItems": [{"type": "string"}]}}});
    assert_eq!(found(&newest, &json!({"a": [1]})).len(), 1);
}

#[test]
fn references_stay_in_the_schema() {
    let schema = json!({
        "$id": "https://example.com/values.json",
        "definitions": {"port": {"$id": "#port", "type": "integer"}, "name": {"$id": "name.json", "type": "string"}},
        "properties": {
            "a": {"$ref": "#/definitions/port"},
            "b": {"$ref": "#port"},
            "c": {"$ref": "name.json"},
            "d": {"$ref": "https://example.com/values.json#/definitions/port"},
            "e": {"$ref": "https://elsewhere.example.com/pod.json"},
            "f": {"$ref": "file:///etc/passwd"},
            "$ref": {"type": "string"},
            "g": {"enum": [{"$ref": "data"}]},
        },
    });
    let values =
        json!({"a": "x", "b": "x", "c": 1, "d": "x", "e": 1, "f": 1, "$ref": 1, "g": {"$ref": "data"}});
    let mut warnings = Warnings::default();
    let bytes = serde_json::to_vec(&schema).unwrap();
    let found = violations(&bytes, &values, "web", &mut warnings).unwrap();
    let mut paths: Vec<&str> = found.iter().filter_map(|told| told.split(':').next()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["$ref", "a", "b", "c", "d"]);
    assert_eq!(warnings.0.len(), 2, "{:?}", warnings.0);
    assert!(warnings.0[0].contains("file:///etc/passwd"));
}

#[test]
fn a_property_may_have_the_name_of_a_keyword() {
    let schema = json!({
        "definitions": {"enum": {"type": "string"}, "id": {"type": "string"}},
        "properties": {
            "id": false,
            "$id": {"type": "string"},
            "$anchor": false,
            "enum": {"$ref": "#/definitions/enum"},
            "const": {"$ref": "https://elsewhere.example.com/pod.json"},
            "default": {"properties": {"examples": {"$ref": "#/definitions/id"}}},
        },
        "patternProperties": {"^id$": {"maximum": 1}},
        "dependencies": {"$schema": ["x"]},
    });
    let values = json!({"id": 2, "$id": 1, "$anchor": 1, "enum": 1, "const": 1, "default": {"examples": 1}, "$schema": 1});
    let mut warnings = Warnings::default();
    let bytes = serde_json::to_vec(&schema).unwrap();
    let found = violations(&bytes, &values, "web", &mut warnings).unwrap();
    let mut paths: Vec<&str> = found.iter().filter_map(|told| told.split(':').next()).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths, ["$anchor", "$id", "(root)", "default.examples", "enum", "id"], "{found:?}");
    assert_eq!(warnings.0.len(), 1, "{:?}", warnings.0);
    // a text is no schema, whatever its name
    let schema = json!({"properties": {"$ref": "file:///etc/passwd", "$id": "x", "a": {"type": "string"}}});
    assert_eq!(found_paths(&schema, &json!({"a": 1})), ["a"]);
}

fn found_paths(schema: &Json, values: &Json) -> Vec<String> {
    found(schema, values).iter().filter_map(|told| Some(told.split(':').next()?.to_owned())).collect()
}

#[test]
fn work_that_doubles_on_each_level_is_refused() {
    let mut definitions = serde_json::Map::new();
    for level in 0..60 {
        let next = json!({"$ref": format!("#/definitions/{}", level + 1)});
        definitions.insert(level.to_string(), json!({"anyOf": [next, next]}));
    }
    definitions.insert("60".to_owned(), json!({"type": "string"}));
    let doubling = json!({"definitions": definitions, "$ref": "#/definitions/0"});
    assert!(found(&doubling, &json!({}))[0].contains("too complex"));
    let mut values = json!({});
    for _ in 0..40 {
        values = json!({"a": values});
    }
    let inner = json!({"properties": {"a": {"$ref": "#"}}});
    let by_depth = json!({"anyOf": [{"not": {}}, inner, inner]});
    assert!(found(&by_depth, &values)[0].contains("too complex"));
    assert!(found(&json!({"$ref": "#"}), &values)[0].contains("too complex"));
    let tree = json!({"type": "object", "additionalProperties": {"$ref": "#"}});
    assert!(found(&tree, &values).is_empty(), "a schema of trees is none of those");
    let many: Vec<Json> = (0..1_001).map(|number| json!({"pattern": format!("a{number}")})).collect();
    assert!(found(&json!({"allOf": many}), &json!({}))[0].contains("patterns"));
}

#[test]
fn what_is_no_schema_is_said_to_be_none() {
    assert!(
        found(&json!({"properties": {"a": {"type": "nonsense"}}}), &json!({}))[0]
            .starts_with("values.schema.json")
    );
    assert!(found(&json!({"pattern": "(?=x)"}), &json!({}))[0].starts_with("values.schema.json"));
    assert!(
        violations(b"{", &json!({}), "web", &mut Warnings::default())
            .unwrap_err()
            .contains("values.schema.json")
    );
}
