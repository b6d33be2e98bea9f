//! Validation of a value by a structural schema.

use std::sync::{Mutex, OnceLock};

use regex::Regex;
use serde_json::{Map, Value};

use super::{embedded, formats};
use crate::sandbox::schema::causes::Causes;

/// Validates a whole object: its type and metadata are not the schema's business. What was so before an update (`old`) is
/// not looked at again (ratcheting): a schema that became stricter does not lock its objects.
pub fn object(openapi: &Value, old: Option<&Value>, object: &Value, causes: &mut Causes) {
    if openapi.is_null() {
        return;
    }
    let plain = |object: &Value| {
        let mut plain = object.clone();
        if let Some(fields) = plain.as_object_mut() {
            fields.retain(|name, _| {
                !["apiVersion", "kind", "metadata"].contains(&name.as_str())
                    || openapi["properties"][name].is_object()
            });
        }
        plain
    };
    let before = old.map(plain);
    value_after(openapi, before.as_ref(), &plain(object), "", causes);
}

/// Validates any value at a path.
pub fn value(openapi: &Value, value: &Value, path: &str, causes: &mut Causes) {
    value_after(openapi, None, value, path, causes);
}

fn value_after(openapi: &Value, old: Option<&Value>, value: &Value, path: &str, causes: &mut Causes) {
    if value.is_null() && openapi["nullable"] == true || old == Some(value) {
        return;
    }
    if !check_type(openapi, value, path, causes) {
        return;
    }
    check_enum(openapi, value, path, causes);
    match value {
        Value::String(text) => check_string(openapi, text, path, causes),
        Value::Number(number) => check_number(openapi, number, path, causes),
        Value::Array(items) => check_list(openapi, old, items, path, causes),
        Value::Object(fields) => check_fields(openapi, old, fields, path, causes),
        _ => {}
    }
    check_junctors(openapi, value, path, causes);
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number)
            if number.is_f64() && number.as_f64().is_some_and(|float| float.fract() != 0.0) =>
        {
            "number"
        }
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn check_type(openapi: &Value, value: &Value, path: &str, causes: &mut Causes) -> bool {
    let found = json_type(value);
    let expected = if openapi["x-kubernetes-int-or-string"] == true {
        "integer,string"
    } else {
        match openapi["type"].as_str() {
            Some(expected) => expected,
            None => return true,
        }
    };
    let fits = expected.split(',').any(|one| one == found || (one == "number" && found == "integer"));
    if !fits {
        causes.wrong_type(path, found, expected);
    }
    fits
}

fn check_enum(openapi: &Value, value: &Value, path: &str, causes: &mut Causes) {
    let Some(allowed) = openapi["enum"].as_array() else { return };
    if !allowed.contains(value) {
        let texts: Vec<String> =
            allowed.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect();
        causes.unsupported(path, value, texts.iter().map(String::as_str));
    }
}

fn check_string(openapi: &Value, text: &str, path: &str, causes: &mut Causes) {
    let value = Value::from(text);
    let length = text.chars().count() as u64;
    if let Some(most) = openapi["maxLength"].as_u64().filter(|most| length > *most) {
        causes.too_long(path, most);
    }
    if let Some(least) = openapi["minLength"].as_u64().filter(|least| length < *least) {
        causes.invalid(path, &value, &format!("{path} in body should be at least {least} chars long"));
    }
    if let Some(pattern) = openapi["pattern"].as_str()
        && !matches_pattern(pattern, text)
    {
        causes.invalid(path, &value, &format!("{path} in body should match '{pattern}'"));
    }
    if let Some(format) = openapi["format"].as_str()
        && formats::fits(format, text) == Some(false)
    {
        causes.invalid(path, &value, &format!("{path} in body must be of type {format}: {value}"));
    }
}

/// Patterns are compiled once: the same few schemas validate every object.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    static PATTERNS: OnceLock<Mutex<std::collections::HashMap<String, Option<Regex>>>> = OnceLock::new();
    let patterns = PATTERNS.get_or_init(Mutex::default);
    let Ok(mut patterns) = patterns.lock() else { return true };
    let compiled = patterns.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).ok());
    // The definition was refused if its pattern is none.
    compiled.as_ref().is_none_or(|regex| regex.is_match(text))
}

fn check_number(openapi: &Value, number: &serde_json::Number, path: &str, causes: &mut Causes) {
    let value = Value::Number(number.clone());
    let Some(float) = number.as_f64() else { return };
    if let Some(least) = openapi["minimum"].as_f64() {
        let exclusive = openapi["exclusiveMinimum"] == true;
        if float < least || (exclusive && float <= least) {
            let or_equal = if exclusive { "" } else { "or equal to " };
            let text = format!("{path} in body should be greater than {or_equal}{}", openapi["minimum"]);
            causes.invalid(path, &value, &text);
        }
    }
    if let Some(most) = openapi["maximum"].as_f64() {
        let exclusive = openapi["exclusiveMaximum"] == true;
        if float > most || (exclusive && float >= most) {
            let or_equal = if exclusive { "" } else { "or equal to " };
            let text = format!("{path} in body should be less than {or_equal}{}", openapi["maximum"]);
            causes.invalid(path, &value, &text);
        }
    }
    if let Some(factor) = openapi["multipleOf"].as_f64().filter(|factor| *factor != 0.0) {
        let quotient = float / factor;
        if (quotient - quotient.round()).abs() > 1e-9 {
            let text = format!("{path} in body should be a multiple of {}", openapi["multipleOf"]);
            causes.invalid(path, &value, &text);
        }
    }
}

fn check_list(openapi: &Value, old: Option<&Value>, items: &[Value], path: &str, causes: &mut Causes) {
    let count = items.len() as u64;
    if let Some(most) = openapi["maxItems"].as_u64().filter(|most| count > *most) {
        causes.too_many(path, items.len(), most);
    }
    if let Some(least) = openapi["minItems"].as_u64().filter(|least| count < *least) {
        causes.invalid(
            path,
            &Value::from(count),
            &format!("{path} in body should have at least {least} items"),
        );
    }
    let keys: Vec<&str> = openapi["x-kubernetes-list-map-keys"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let is_map = openapi["x-kubernetes-list-type"] == "map";
    let before = old.and_then(Value::as_array).filter(|_| is_map).map_or(&[][..], Vec::as_slice);
    for (index, item) in items.iter().enumerate() {
        let old = before.iter().find(|old| identity(&keys, old) == identity(&keys, item));
        value_after(&openapi["items"], old, item, &format!("{path}[{index}]"), causes);
    }
    if !is_map && openapi["x-kubernetes-list-type"] != "set" {
        return;
    }
    let mut seen: Vec<Value> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let identity = if is_map { identity(&keys, item) } else { item.clone() };
        if seen.contains(&identity) {
            causes.duplicate(&format!("{path}[{index}]"), &identity);
        } else {
            seen.push(identity);
        }
    }
}

/// The keys of an item of a list that is a map.
fn identity(keys: &[&str], item: &Value) -> Value {
    let pairs = keys.iter().filter_map(|key| Some(((*key).to_owned(), item.get(key)?.clone())));
    Value::Object(pairs.collect::<Map<String, Value>>())
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn check_fields(
    openapi: &Value,
    old: Option<&Value>,
    fields: &Map<String, Value>,
    path: &str,
    causes: &mut Causes,
) {
    let count = fields.len() as u64;
    if let Some(most) = openapi["maxProperties"].as_u64().filter(|most| count > *most) {
        causes.too_many(path, fields.len(), most);
    }
    if let Some(least) = openapi["minProperties"].as_u64().filter(|least| count < *least) {
        let text = format!("{path} in body should have at least {least} properties");
        causes.invalid(path, &Value::from(count), &text);
    }
    for name in openapi["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            causes.required(&join(path, name), "");
        }
    }
    if openapi["x-kubernetes-embedded-resource"] == true {
        embedded::check(fields, path, causes);
    }
    for (name, field) in fields {
        let properties = &openapi["properties"];
        let schema = properties.get(name).unwrap_or(&openapi["additionalProperties"]);
        if schema.is_object() {
            let old = old.and_then(|old| old.get(name));
            value_after(schema, old, field, &join(path, name), causes);
        }
    }
}

/// `anyOf`, `oneOf`, `allOf`, `not`: value validations besides the structure.
fn check_junctors(openapi: &Value, subject: &Value, path: &str, causes: &mut Causes) {
    // With int-or-string, anyOf repeats the type.
    let passes = |schema: &Value| {
        let mut inner = Causes::default();
        value(schema, subject, path, &mut inner);
        inner.is_empty()
    };
    let schemas = |name: &str| openapi[name].as_array().map_or(&[][..], Vec::as_slice);
    for schema in schemas("allOf") {
        value(schema, subject, path, causes);
    }
    let any = schemas("anyOf");
    if !any.is_empty() && !any.iter().any(passes) {
        let text = format!("\"{path}\" must validate at least one schema (anyOf)");
        causes.invalid(path, &Value::from(""), &text);
    }
    let one = schemas("oneOf");
    let valid = one.iter().filter(|schema| passes(schema)).count();
    if !one.is_empty() && valid != 1 {
        let found = if valid == 0 {
            "Found none valid".to_owned()
        } else {
            format!("Found {valid} valid alternatives")
        };
        let text = format!("\"{path}\" must validate one and only one schema (oneOf). {found}");
        causes.invalid(path, &Value::from(""), &text);
    }
    if openapi["not"].is_object() && passes(&openapi["not"]) {
        let text = format!("\"{path}\" must not validate the schema (not)");
        causes.invalid(path, &Value::from(""), &text);
    }
}
