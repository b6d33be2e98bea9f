//! The structural schema of a custom resource, as a type.

use std::sync::Arc;

use serde_json::Value;

use super::{Field, ListKey, ListKind, ListOf, MapOf, Object, Scalar, Schema, Strategic, builtin};

/// The type of a custom resource from the `openAPIV3Schema` of its version (which [`crate::sandbox::crd`] has checked). Without one, everything goes.
pub fn from_crd(openapi: &Value) -> Schema {
    let mut fields = match convert(openapi) {
        Schema::Object(object) => Arc::unwrap_or_clone(object),
        _ => Object { name: String::new(), fields: Default::default(), open: true, atomic: false },
    };
    fields.atomic = false;
    add_type_and_metadata(&mut fields);
    Schema::Object(Arc::new(fields))
}

/// What every object has, whatever its schema says.
fn add_type_and_metadata(object: &mut Object) {
    for name in ["apiVersion", "kind"] {
        object.fields.insert(name.to_owned(), Field::new(Schema::Scalar(Scalar::String)));
    }
    let metadata =
        builtin("", "v1", "ConfigMap").and_then(|kind| kind.field("metadata")).unwrap_or(Schema::Any);
    object.fields.insert("metadata".to_owned(), Field::new(metadata));
}

fn flag(openapi: &Value, name: &str) -> bool {
    openapi[name].as_bool().unwrap_or(false)
}

fn convert(openapi: &Value) -> Schema {
    if flag(openapi, "x-kubernetes-int-or-string") {
        return Schema::Scalar(Scalar::IntOrString);
    }
    let open = flag(openapi, "x-kubernetes-preserve-unknown-fields");
    match openapi["type"].as_str() {
        Some("object") => object(openapi, open),
        Some("array") => Schema::List(Arc::new(list(openapi))),
        Some("string") => Schema::Scalar(Scalar::String),
        Some("boolean") => Schema::Scalar(Scalar::Bool),
        Some("integer" | "number") => Schema::Scalar(Scalar::Number),
        _ if openapi["properties"].is_object() => object(openapi, open),
        _ => Schema::Any,
    }
}

fn object(openapi: &Value, open: bool) -> Schema {
    let atomic = openapi["x-kubernetes-map-type"] == "atomic";
    let additional = &openapi["additionalProperties"];
    if openapi["properties"].is_object() || !(additional.is_object() || *additional == Value::Bool(true)) {
        let properties = openapi["properties"].as_object().into_iter().flatten();
        let fields = properties.map(|(name, of)| (name.clone(), Field::new(convert(of)))).collect();
        let mut object = Object { name: String::new(), open: open || no_properties(openapi), fields, atomic };
        if flag(openapi, "x-kubernetes-embedded-resource") {
            add_type_and_metadata(&mut object);
        }
        return Schema::Object(Arc::new(object));
    }
    let values = if additional.is_object() { convert(additional) } else { Schema::Any };
    Schema::Map(Arc::new(MapOf { values, atomic }))
}

/// An object without properties is free-form.
fn no_properties(openapi: &Value) -> bool {
    openapi["properties"].as_object().is_none_or(serde_json::Map::is_empty)
}

fn list(openapi: &Value) -> ListOf {
    let items = &openapi["items"];
    let kind = match openapi["x-kubernetes-list-type"].as_str() {
        Some("set") => ListKind::Set,
        Some("map") => {
            let names = openapi["x-kubernetes-list-map-keys"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            let key = |name: &str| ListKey {
                field: name.to_owned(),
                default: items["properties"][name].get("default").cloned(),
            };
            ListKind::Map(names.map(key).collect())
        }
        _ => ListKind::Atomic,
    };
    ListOf { items: convert(items), kind, strategic: Strategic::Replace }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_structural_schema_becomes_a_type() {
        let schema = from_crd(&json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "replicas": {"type": "integer"},
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"],
                "items": {"type": "object", "properties": {"port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}}}},
            "plain": {"type": "array", "items": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "ref": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"name": {"type": "string"}}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "port": {"x-kubernetes-int-or-string": true},
            "pod": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        }}}}));
        let kind = |name: &str| match schema.at(&["spec", name]) {
            Some(Schema::List(list)) => list.kind.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(kind("tags"), ListKind::Set);
        assert_eq!(kind("plain"), ListKind::Atomic);
        let key = |field: &str, default: Option<Value>| ListKey { field: field.to_owned(), default };
        assert_eq!(
            kind("ports"),
            ListKind::Map(vec![key("port", None), key("protocol", Some(json!("TCP")))])
        );
        assert!(matches!(schema.at(&["spec", "labels"]), Some(Schema::Map(map)) if !map.atomic));
        assert!(matches!(schema.at(&["spec", "ref"]), Some(Schema::Object(object)) if object.atomic));
        assert!(schema.at(&["spec", "free", "anything", "deep"]).is_some());
        assert!(schema.at(&["spec", "nope"]).is_none());
        assert!(matches!(schema.at(&["spec", "port"]), Some(Schema::Scalar(Scalar::IntOrString))));
        assert!(matches!(schema.at(&["spec", "pod", "metadata", "finalizers"]), Some(Schema::List(_))));
        assert!(matches!(schema.at(&["metadata", "ownerReferences"]), Some(Schema::List(_))));
    }

    #[test]
    fn no_schema_keeps_everything_but_knows_metadata() {
        let schema = from_crd(&Value::Null);
        assert!(matches!(schema.at(&["spec", "x"]), Some(Schema::Any)));
        assert!(matches!(schema.at(&["metadata", "finalizers"]), Some(Schema::List(_))));
    }
}
