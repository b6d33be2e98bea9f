//! Whether a schema is structural, and says nothing that the server cannot do.

use regex::Regex;
use serde_json::Value;

use super::validate;
use crate::sandbox::schema::causes::Causes;

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
/// What a schema may have nowhere.
const NOT_SUPPORTED: [&str; 6] =
    ["$ref", "definitions", "dependencies", "patternProperties", "additionalItems", "id"];
/// What belongs to the structure, and so not below `anyOf` and its like.
const STRUCTURE: [&str; 11] = [
    "type",
    "additionalProperties",
    "default",
    "title",
    "description",
    "nullable",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-list-type",
    "x-kubernetes-validations",
];

/// Where in a schema a schema is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Property,
    Item,
}

/// Checks the schema of one version.
pub fn check(openapi: &Value, path: &str, causes: &mut Causes) {
    node(openapi, path, Place::Root, causes);
    let metadata = &openapi["properties"]["metadata"];
    let properties = metadata["properties"].as_object().into_iter().flatten();
    let more = properties.into_iter().any(|(name, _)| !matches!(name.as_str(), "name" | "generateName"));
    let other = metadata.as_object().into_iter().flatten();
    let restricts =
        other.into_iter().any(|(name, _)| !matches!(name.as_str(), "type" | "properties" | "description"));
    if more || restricts {
        causes.forbidden(
            &format!("{path}.properties[metadata]"),
            "must not specify anything other than name and generateName, but metadata is implicitly specified",
        );
    }
}

fn node(openapi: &Value, path: &str, place: Place, causes: &mut Causes) {
    check_type(openapi, path, place, causes);
    check_extensions(openapi, path, causes);
    for name in NOT_SUPPORTED {
        if openapi.get(name).is_some_and(|value| !value.is_null()) {
            causes.forbidden(&format!("{path}.{name}"), &format!("{name} is not supported"));
        }
    }
    if openapi["uniqueItems"] == true {
        let text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        causes.forbidden(&format!("{path}.uniqueItems"), text);
    }
    if let Some(pattern) = openapi["pattern"].as_str()
        && let Err(error) = Regex::new(pattern)
    {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim().to_owned();
        let text = format!("must be a valid regular expression, but isn't: {why}");
        causes.invalid(&format!("{path}.pattern"), &openapi["pattern"], &text);
    }
    check_default(openapi, path, causes);
    check_junctors(openapi, path, causes);
    for (name, property) in openapi["properties"].as_object().into_iter().flatten() {
        if place != Place::Root || name != "metadata" {
            node(property, &format!("{path}.properties[{name}]"), Place::Property, causes);
        }
    }
    if openapi["items"].is_object() {
        node(&openapi["items"], &format!("{path}.items"), Place::Item, causes);
    }
    if openapi["additionalProperties"].is_object() {
        let below = format!("{path}.additionalProperties");
        node(&openapi["additionalProperties"], &below, Place::Property, causes);
    }
}

fn check_type(openapi: &Value, path: &str, place: Place, causes: &mut Causes) {
    let at = format!("{path}.type");
    let untyped = openapi["x-kubernetes-int-or-string"] == true
        || openapi["x-kubernetes-preserve-unknown-fields"] == true;
    match openapi["type"].as_str().filter(|text| !text.is_empty()) {
        None if place == Place::Root => causes.required(&at, "must not be empty at the root"),
        None if untyped => {}
        None if place == Place::Property => {
            causes.required(&at, "must not be empty for specified object fields")
        }
        None => causes.required(&at, "must not be empty for specified array items"),
        Some(found) if !TYPES.contains(&found) => causes.unsupported(&at, &openapi["type"], TYPES),
        Some(found) if place == Place::Root && found != "object" => {
            causes.invalid(&at, &openapi["type"], "must be object at the root");
        }
        Some("array") if !openapi["items"].is_object() => {
            causes.required(&format!("{path}.items"), "must be specified")
        }
        Some(_) => {}
    }
    let additional = &openapi["additionalProperties"];
    if openapi["properties"].is_object() && (additional.is_object() || additional == &Value::Bool(true)) {
        causes.forbidden(
            &format!("{path}.additionalProperties"),
            "additionalProperties and properties are mutual exclusive",
        );
    }
}

fn check_extensions(openapi: &Value, path: &str, causes: &mut Causes) {
    if openapi["x-kubernetes-preserve-unknown-fields"] == false {
        let at = format!("{path}.x-kubernetes-preserve-unknown-fields");
        causes.invalid(&at, &Value::Bool(false), "must be true or undefined");
    }
    if openapi["x-kubernetes-embedded-resource"] == true && openapi["type"] != "object" {
        causes.invalid(
            &format!("{path}.type"),
            &openapi["type"],
            "must be object if x-kubernetes-embedded-resource is true",
        );
    }
    let map_type = &openapi["x-kubernetes-map-type"];
    if map_type.as_str().is_some_and(|kind| !["granular", "atomic"].contains(&kind)) {
        causes.unsupported(&format!("{path}.x-kubernetes-map-type"), map_type, ["granular", "atomic"]);
    }
    let list_type = &openapi["x-kubernetes-list-type"];
    let at = format!("{path}.x-kubernetes-list-type");
    let keys = openapi["x-kubernetes-list-map-keys"].as_array().map_or(&[][..], Vec::as_slice);
    match list_type.as_str() {
        None | Some("atomic" | "set") => {}
        Some("map") => check_keys(openapi, keys, path, causes),
        Some(_) => causes.unsupported(&at, list_type, ["atomic", "set", "map"]),
    }
    if list_type.is_string() && openapi["type"] != "array" {
        causes.invalid(
            &format!("{path}.type"),
            &openapi["type"],
            "must be array if x-kubernetes-list-type is specified",
        );
    }
}

fn check_keys(openapi: &Value, keys: &[Value], path: &str, causes: &mut Causes) {
    let at = format!("{path}.x-kubernetes-list-map-keys");
    if keys.is_empty() {
        causes.required(&at, "must not be empty if x-kubernetes-list-type is map");
    }
    let items = &openapi["items"];
    if items["type"] != "object" {
        causes.invalid(
            &format!("{path}.items.type"),
            &items["type"],
            "must be object if parent array's x-kubernetes-list-type is map",
        );
    }
    for (index, key) in keys.iter().enumerate() {
        let property = &items["properties"][key.as_str().unwrap_or_default()];
        if !property.is_object() {
            causes.invalid(&format!("{at}[{index}]"), key, "must be one of the properties of the items");
            continue;
        }
        let required = items["required"].as_array().is_some_and(|required| required.contains(key));
        if !required && property.get("default").is_none() {
            let at = format!("{path}.items.properties[{}].default", key.as_str().unwrap_or_default());
            causes.required(&at, "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
        }
    }
}

fn check_default(openapi: &Value, path: &str, causes: &mut Causes) {
    let Some(default) = openapi.get("default") else { return };
    let mut found = Causes::default();
    validate::value(openapi, default, "", &mut found);
    causes.extend_below(&format!("{path}.default"), found);
}

fn check_junctors(openapi: &Value, path: &str, causes: &mut Causes) {
    for name in ["allOf", "anyOf", "oneOf"] {
        for (index, schema) in openapi[name].as_array().into_iter().flatten().enumerate() {
            // The one form in which int-or-string may repeat its types.
            let repeats = openapi["x-kubernetes-int-or-string"] == true
                && matches!(schema["type"].as_str(), Some("integer" | "string"));
            if !repeats {
                value_only(schema, &format!("{path}.{name}[{index}]"), causes);
            }
        }
    }
    if openapi["not"].is_object() {
        value_only(&openapi["not"], &format!("{path}.not"), causes);
    }
}

fn value_only(schema: &Value, path: &str, causes: &mut Causes) {
    for name in STRUCTURE {
        if schema.get(name).is_some_and(|value| !value.is_null() && *value != Value::Bool(false)) {
            causes.forbidden(&format!("{path}.{name}"), "must be empty to be structural");
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        value_only(property, &format!("{path}.properties[{name}]"), causes);
    }
    if schema["items"].is_object() {
        value_only(&schema["items"], &format!("{path}.items"), causes);
    }
    check_junctors(schema, path, causes);
}
