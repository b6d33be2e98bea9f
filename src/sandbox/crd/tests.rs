//! The messages were read off a real API server, but for list indexes, `Too long` and `Too many`, which newer servers say so.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;

fn widget_crd() -> Value {
    serde_json::from_str(include_str!("widget.json")).unwrap()
}

fn admitted(spec: Value) -> Result<Value, Status> {
    let mut object =
        json!({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "val"}, "spec": spec});
    admit(&widget_crd(), "v1", None, &mut object)?;
    Ok(object)
}

#[test]
fn invalid_objects_are_refused_with_paths() {
    let cases = [
        (
            json!({"size": "x"}),
            "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"",
        ),
        (
            json!({"size": 0}),
            "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
        ),
        (
            json!({"size": 10}),
            "spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9",
        ),
        (
            json!({"size": 1.5}),
            "spec.size: Invalid value: \"number\": spec.size in body must be of type integer: \"number\"",
        ),
        (json!({"mode": "c"}), "spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\""),
        (json!({"tags": ["toolong"]}), "spec.tags[0]: Too long: may not be more than 5 bytes"),
        (json!({"tags": ["a", "a"]}), "spec.tags[1]: Duplicate value: \"a\""),
        (json!({"rows": [{"id": "a"}, {"id": "a"}]}), "spec.rows[1]: Duplicate value: {\"id\":\"a\"}"),
        (json!({"rows": [{"n": 1}]}), "spec.rows[0].id: Required value"),
        (json!({"plain": ["1", "2", "3", "4"]}), "spec.plain: Too many: 4: must have at most 3 items"),
        (
            json!({"ref": {"name": 1}}),
            "spec.ref.name: Invalid value: \"integer\": spec.ref.name in body must be of type string: \"integer\"",
        ),
        (
            json!({"port": true}),
            "spec.port: Invalid value: \"boolean\": spec.port in body must be of type integer,string: \"boolean\"",
        ),
        (
            json!({"host": "a"}),
            "spec.host: Invalid value: \"a\": spec.host in body should be at least 2 chars long",
        ),
        (
            json!({"host": "AB"}),
            "spec.host: Invalid value: \"AB\": spec.host in body should match '^[a-z]+$'",
        ),
        (json!({"deep": {}}), "spec.deep.x: Required value"),
        (
            json!({"when": "soon"}),
            "spec.when: Invalid value: \"soon\": spec.when in body must be of type date-time: \"soon\"",
        ),
        (json!({"multi": 7}), "spec.multi: Invalid value: 7: spec.multi in body should be a multiple of 5"),
        (
            json!({"flag": "yes"}),
            "spec.flag: Invalid value: \"string\": spec.flag in body must be of type boolean: \"string\"",
        ),
        (
            json!({"plain": "x"}),
            "spec.plain: Invalid value: \"string\": spec.plain in body must be of type array: \"string\"",
        ),
        (
            json!({"map": {"a": 1}}),
            "spec.map.a: Invalid value: \"integer\": spec.map.a in body must be of type string: \"integer\"",
        ),
        (
            json!({"deep": "x"}),
            "spec.deep: Invalid value: \"string\": spec.deep in body must be of type object: \"string\"",
        ),
        (json!([]), "spec: Invalid value: \"array\": spec in body must be of type object: \"array\""),
        (
            json!({"rows": [null]}),
            "spec.rows[0]: Invalid value: \"null\": spec.rows[0] in body must be of type object: \"null\"",
        ),
        (
            json!({"size": "x", "mode": "q"}),
            "[spec.mode: Unsupported value: \"q\": supported values: \"a\", \"b\", spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"]",
        ),
    ];
    for (spec, text) in cases {
        let status = admitted(spec.clone()).unwrap_err();
        assert_eq!(status.code, 422);
        assert_eq!(status.message, format!("Widget.example.org \"val\" is invalid: {text}"), "{spec}");
        assert_eq!(
            (&status.details["kind"], &status.details["group"]),
            (&json!("Widget"), &json!("example.org"))
        );
    }
}

#[test]
fn valid_objects_are_pruned_and_defaulted() {
    let cases = [
        (
            json!({"unknown": 1, "deep": {"x": "1", "zz": 2}, "rows": [{"id": "a", "q": 1}], "free": {"a": {"b": 1}}}),
            json!({"deep": {"x": "1"}, "rows": [{"id": "a"}], "free": {"a": {"b": 1}}, "mode": "a"}),
        ),
        (json!({"nul": null, "host": null}), json!({"nul": null, "mode": "a"})),
        (json!({"mode": null}), json!({"mode": "a"})),
        (json!({"port": "x"}), json!({"port": "x", "mode": "a"})),
        (json!({"size": 5.0}), json!({"size": 5, "mode": "a"})),
        (json!({"map": {"a": null, "b": "c"}}), json!({"map": {"b": "c"}, "mode": "a"})),
    ];
    for (spec, expected) in cases {
        assert_eq!(admitted(spec.clone()).unwrap()["spec"], expected, "{spec}");
    }
}

#[test]
fn metadata_is_typed_whatever_the_schema_says() {
    let mut object = json!({"apiVersion": "example.org/v1", "kind": "Widget", "other": 1,
        "metadata": {"name": "val", "bogus": 1, "annotations": {"x": "y"}, "labels": {}}});
    admit(&widget_crd(), "v1", None, &mut object).unwrap();
    let expected = json!({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "val", "annotations": {"x": "y"}}});
    assert_eq!(object, expected);
    let mut object =
        json!({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"labels": {"a": 1}}});
    let status = admit(&widget_crd(), "v1", None, &mut object).unwrap_err();
    assert_eq!(status.code, 400);
    assert!(
        status.message.starts_with("Widget in version \"v1\" cannot be handled as a Widget: "),
        "{}",
        status.message
    );
    assert_eq!(admit(&widget_crd(), "v9", None, &mut json!({})).unwrap_err().code, 404);
}

fn definition() -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "foos.ex.org"},
        "spec": {"group": "ex.org", "scope": "Namespaced", "names": {"plural": "foos", "kind": "Foo", "shortNames": ["fo"]},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}}]}})
}

fn admit_new(crd: &mut Value) -> Result<(), Status> {
    admit_definition(None, crd, &[], Timestamp::UNIX_EPOCH)
}

#[test]
fn a_definition_is_completed_and_established() {
    let mut crd = definition();
    admit_new(&mut crd).unwrap();
    let names = json!({"plural": "foos", "singular": "foo", "kind": "Foo", "listKind": "FooList", "shortNames": ["fo"]});
    assert_eq!(crd["spec"]["names"], names);
    assert_eq!(crd["status"]["acceptedNames"], names);
    assert_eq!(crd["status"]["storedVersions"], json!(["v1"]));
    assert_eq!(
        crd["status"]["conditions"],
        json!([
            {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found", "lastTransitionTime": "1970-01-01T00:00:00Z"},
            {"type": "Established", "status": "True", "reason": "InitialNamesAccepted", "message": "the initial names have been accepted", "lastTransitionTime": "1970-01-01T00:00:00Z"},
        ])
    );
    assert!(is_established(&crd));
    let types = resource_types(&crd);
    assert_eq!(types.len(), 1);
    let kind = &types[0];
    assert_eq!(
        (kind.qualified().as_str(), kind.api_version().as_str(), kind.singular.as_str()),
        ("foos.ex.org", "ex.org/v1", "foo")
    );
    assert!(kind.namespaced && kind.custom && kind.generation && !kind.status && !kind.scale);

    // A new storage version is added to the stored ones; a stored one cannot go.
    let mut newer = crd.clone();
    let mut second = newer["spec"]["versions"][0].clone();
    second["name"] = json!("v2");
    second["subresources"] = json!({"status": {}});
    newer["spec"]["versions"][0]["storage"] = json!(false);
    newer["spec"]["versions"].as_array_mut().unwrap().push(second);
    admit_definition(Some(&crd), &mut newer, &[], Timestamp::from_second(9).unwrap()).unwrap();
    assert_eq!(newer["status"]["storedVersions"], json!(["v1", "v2"]));
    assert_eq!(newer["status"]["conditions"], crd["status"]["conditions"]);
    let versions: Vec<(String, bool)> =
        resource_types(&newer).into_iter().map(|kind| (kind.version, kind.status)).collect();
    assert_eq!(versions, [("v2".to_owned(), true), ("v1".to_owned(), false)]);
    let mut gone = newer.clone();
    gone["spec"]["versions"].as_array_mut().unwrap().remove(0);
    let status = admit_definition(Some(&newer), &mut gone, &[], Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(
        status
            .message
            .ends_with("status.storedVersions[0]: Invalid value: \"v1\": must appear in spec.versions")
    );
}

#[test]
fn taken_names_are_not_accepted() {
    let mut first = definition();
    admit_new(&mut first).unwrap();
    let mut second = definition();
    second["metadata"]["name"] = json!("bars.ex.org");
    second["spec"]["names"] = json!({"plural": "bars", "kind": "Bar", "shortNames": ["fo"]});
    admit_definition(None, &mut second, &[&first], Timestamp::UNIX_EPOCH).unwrap();
    assert!(!is_established(&second));
    let accepted = &second["status"]["conditions"][0];
    assert_eq!((&accepted["status"], &accepted["reason"]), (&json!("False"), &json!("ShortNamesConflict")));
    assert_eq!(accepted["message"], "\"fo\" is already in use");
}

#[test]
fn wrong_definitions_are_refused_with_paths() {
    let set = |pointer: &'static str, value: Value| {
        move |crd: &mut Value| {
            *crd.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value.clone()
        }
    };
    type Change = Box<dyn Fn(&mut Value)>;
    let cases: Vec<(Change, &str)> = vec![
        (
            Box::new(set("/metadata/name", json!("x.ex.org"))),
            "metadata.name: Invalid value: \"x.ex.org\": must be spec.names.plural+\".\"+spec.group",
        ),
        (
            Box::new(set("/spec/scope", json!("Bogus"))),
            "spec.scope: Unsupported value: \"Bogus\": supported values: \"Cluster\", \"Namespaced\"",
        ),
        (
            Box::new(set("/spec/versions/0/storage", json!(false))),
            "spec.versions: Invalid value: [\"v1\"]: must have exactly one version marked as storage version",
        ),
        (
            Box::new(set("/spec/versions/0/schema", json!(null))),
            "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required",
        ),
        (
            Box::new(set("/spec/names/kind", json!(""))),
            "[spec.names.singular: Required value, spec.names.kind: Required value, spec.names.listKind: Required value]",
        ),
        (
            Box::new(|crd: &mut Value| {
                crd["spec"]["group"] = json!("ex");
                crd["metadata"]["name"] = json!("foos.ex");
            }),
            "spec.group: Invalid value: \"ex\": should be a domain with at least one dot",
        ),
        (
            Box::new(|crd: &mut Value| {
                crd["spec"]["versions"][0]["additionalPrinterColumns"] =
                    json!([{"name": "A", "type": "strin", "jsonPath": "spec.a"}])
            }),
            "[spec.versions[0].additionalPrinterColumns[0].type: Invalid value: \"strin\": must be one of boolean,date,integer,number,string, \
             spec.versions[0].additionalPrinterColumns[0].jsonPath: Invalid value: \"spec.a\": must be a simple json path starting with .]",
        ),
        (
            Box::new(|crd: &mut Value| {
                crd["spec"]["versions"][0]["subresources"] =
                    json!({"scale": {"specReplicasPath": "spec.n", "statusReplicasPath": ".status.n"}})
            }),
            "spec.versions[0].subresources.scale.specReplicasPath: Invalid value: \"spec.n\": must be a simple json path starting with .",
        ),
    ];
    for (change, text) in cases {
        let mut crd = definition();
        change(&mut crd);
        let status = admit_new(&mut crd).unwrap_err();
        assert_eq!(status.code, 422);
        let (_, found) = status.message.split_once(" is invalid: ").unwrap();
        assert_eq!(found, text);
    }
}

#[test]
fn schemas_that_are_not_structural_are_refused() {
    let spec = |spec: Value| json!({"type": "object", "properties": {"spec": spec}});
    let a = |a: Value| json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": a}}}});
    let cases = [
        (
            spec(json!({"properties": {"a": {"type": "string"}}})),
            ".properties[spec].type: Required value: must not be empty for specified object fields",
        ),
        (
            json!({"properties": {"spec": {"type": "object"}}}),
            ".type: Required value: must not be empty at the root",
        ),
        (
            a(json!({"type": "array"})),
            ".properties[spec].properties[a].items: Required value: must be specified",
        ),
        (
            spec(
                json!({"type": "object", "additionalProperties": {"type": "string"}, "properties": {"a": {"type": "string"}}}),
            ),
            ".properties[spec].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        (
            a(json!({"type": "strin"})),
            ".properties[spec].properties[a].type: Unsupported value: \"strin\": supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"",
        ),
        (
            a(json!({"type": "string", "default": 1})),
            ".properties[spec].properties[a].default: Invalid value: \"integer\":  in body must be of type string: \"integer\"",
        ),
        (
            json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}),
            ".properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
        ),
        (
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false}),
            ".x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined",
        ),
        (
            a(json!({"type": "array", "uniqueItems": true, "items": {"type": "string"}})),
            ".properties[spec].properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ),
        (
            spec(json!({"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}})),
            ".properties[spec].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        (
            spec(json!({"type": "object", "anyOf": [{"properties": {"x": {"type": "string"}}}]})),
            ".properties[spec].anyOf[0].properties[x].type: Forbidden: must be empty to be structural",
        ),
        (
            spec(json!({"type": "string", "pattern": "("})),
            ".properties[spec].pattern: Invalid value: \"(\": must be a valid regular expression, but isn't: error: unclosed group",
        ),
        (json!({"type": "object", "$ref": "#/x"}), ".$ref: Forbidden: $ref is not supported"),
    ];
    for (schema, text) in cases {
        let mut crd = definition();
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = schema;
        let status = admit_new(&mut crd).unwrap_err();
        let (_, found) = status.message.split_once(" is invalid: ").unwrap();
        assert_eq!(found, format!("spec.validation.openAPIV3Schema{text}"));
    }
}

#[test]
fn what_the_sandbox_cannot_do_is_refused() {
    let mut webhook = definition();
    webhook["spec"]["conversion"] = json!({"strategy": "Webhook"});
    let status = admit_new(&mut webhook).unwrap_err();
    assert_eq!((status.code, status.reason), (501, "NotImplemented"));
}

#[test]
fn group_scope_and_kind_stay() {
    let mut old = definition();
    admit_new(&mut old).unwrap();
    let mut new = old.clone();
    new["spec"]["scope"] = json!("Cluster");
    new["spec"]["names"]["kind"] = json!("Bar");
    let status = admit_definition(Some(&old), &mut new, &[], Timestamp::UNIX_EPOCH).unwrap_err();
    let (_, found) = status.message.split_once(" is invalid: ").unwrap();
    assert_eq!(
        found,
        "[spec.scope: Invalid value: \"Cluster\": field is immutable, spec.names.kind: Invalid value: \"Bar\": field is immutable]"
    );
}

#[test]
fn junctors_are_value_validations() {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}], "not": {"required": ["c"]}}}});
    let mut crd = definition();
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = schema;
    admit_new(&mut crd).unwrap();
    let check = |spec: Value| {
        let mut object =
            json!({"apiVersion": "ex.org/v1", "kind": "Foo", "metadata": {"name": "f"}, "spec": spec});
        admit(&crd, "v1", None, &mut object).map_err(|status| status.message)
    };
    assert!(check(json!({"a": "x"})).is_ok());
    let both = check(json!({"a": "x", "b": "y"})).unwrap_err();
    assert!(
        both.ends_with("\"spec\" must validate one and only one schema (oneOf). Found 2 valid alternatives"),
        "{both}"
    );
    assert!(check(json!({})).unwrap_err().ends_with("Found none valid"));
}
