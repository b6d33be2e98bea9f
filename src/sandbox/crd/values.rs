//! Pruning and defaulting along a structural schema.

use serde_json::{Map, Value};

use crate::sandbox::schema::{builtin, decode};
use crate::sandbox::status::Status;

/// Decodes the metadata as a real server does: unknown fields and nulls go, wrong types are refused.
pub fn decode_metadata(object: &mut Value) -> Result<(), Status> {
    decode_metadata_as(object, "metadata")
}

fn decode_metadata_as(object: &mut Value, field: &str) -> Result<(), Status> {
    let Some(kind) = builtin("", "v1", "ConfigMap") else { return Ok(()) };
    let Some(metadata) = object.get_mut(field).map(Value::take) else { return Ok(()) };
    let mut typed = Map::new();
    for name in ["apiVersion", "kind"] {
        typed.insert(name.to_owned(), object[name].clone());
    }
    typed.insert("metadata".to_owned(), metadata);
    let mut typed = Value::Object(typed);
    decode(&kind, &mut typed)?;
    object[field] = typed["metadata"].take();
    Ok(())
}

/// What a schema says of the values of an object's other fields.
enum Others<'a> {
    Dropped,
    Kept,
    Of(&'a Value),
}

fn others(openapi: &Value) -> Others<'_> {
    if openapi["x-kubernetes-preserve-unknown-fields"] == true {
        return Others::Kept;
    }
    match &openapi["additionalProperties"] {
        schema @ Value::Object(_) => Others::Of(schema),
        Value::Bool(true) => Others::Kept,
        _ => Others::Dropped,
    }
}

/// Removes what the schema does not have, from the whole object; nulls where none may be; whole numbers become integers.
pub fn prune(openapi: &Value, object: &mut Value) {
    prune_below(openapi, object, true);
}

fn prune_below(openapi: &Value, value: &mut Value, is_object: bool) {
    match value {
        Value::Object(fields) => prune_fields(openapi, fields, is_object),
        Value::Array(items) => {
            for item in items {
                prune_below(&openapi["items"], item, false);
            }
        }
        Value::Number(number) => {
            if let Some(whole) =
                number.as_f64().filter(|float| !number.is_i64() && !number.is_u64() && float.fract() == 0.0)
                && whole.abs() < 9e15
            {
                #[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number in range")]
                let whole = whole as i64;
                *value = Value::from(whole);
            }
        }
        _ => {}
    }
}

fn prune_fields(openapi: &Value, fields: &mut Map<String, Value>, is_object: bool) {
    let embedded = is_object || openapi["x-kubernetes-embedded-resource"] == true;
    let properties = openapi["properties"].as_object();
    fields.retain(|name, value| {
        if embedded && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
            return true;
        }
        let schema = match (properties.and_then(|properties| properties.get(name)), others(openapi)) {
            (Some(schema), _) => schema,
            (None, Others::Of(schema)) => schema,
            (None, Others::Kept) => return true,
            (None, Others::Dropped) => return false,
        };
        if value.is_null() {
            return schema["nullable"] == true;
        }
        prune_below(schema, value, false);
        true
    });
    if embedded && !is_object && fields.contains_key("metadata") {
        let mut object = Value::Object(std::mem::take(fields));
        // Wrong types in an embedded resource's metadata are left to its owner.
        let before = object.clone();
        let decoded = decode_metadata_as(&mut object, "metadata").is_ok();
        if let Value::Object(kept) = if decoded { object } else { before } {
            *fields = kept;
        }
    }
}

/// Sets what is absent and has a default, in every object that is present.
pub fn fill_defaults(openapi: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let properties = openapi["properties"].as_object().into_iter().flatten();
            for (name, schema) in properties {
                let absent =
                    fields.get(name).is_none_or(|value| value.is_null() && schema["nullable"] != true);
                if let Some(default) = schema.get("default").filter(|_| absent) {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, field) in fields.iter_mut() {
                let schema = match openapi["properties"].get(name) {
                    Some(schema) => schema,
                    None => &openapi["additionalProperties"],
                };
                fill_defaults(schema, field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill_defaults(&openapi["items"], item)),
        _ => {}
    }
}
