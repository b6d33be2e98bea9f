//! Which fields of a custom resource are dropped when it is written.

use serde_json::{Map, Value, json};

use super::openapi;
use crate::sandbox::schema::{Unknown, builtin, decode};

/// The fields that a version of a definition does not have, by their paths; those of the metadata first.
pub fn unknown_fields(crd: &Value, version: &str, object: &Value) -> Vec<Unknown> {
    let mut found = of_metadata(object, "");
    let schema = openapi(crd, version);
    if crd["spec"]["preserveUnknownFields"] != true && !schema.is_null() {
        below(schema, object, "", &mut found);
    }
    found
}

/// The unknown fields of the metadata of an object at a path.
fn of_metadata(object: &Value, path: &str) -> Vec<Unknown> {
    let Some(kind) = builtin("", "v1", "ConfigMap") else { return Vec::new() };
    let mut typed = json!({"metadata": object["metadata"]});
    // Wrong types are another step's concern.
    let found = decode(&kind, &mut typed).unwrap_or_default();
    found.into_iter().map(|Unknown(field)| Unknown(join(path, &field))).collect()
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

fn below(schema: &Value, value: &Value, path: &str, found: &mut Vec<Unknown>) {
    match value {
        Value::Object(fields) => of_object(schema, fields, path, found),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                below(&schema["items"], item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

fn of_object(schema: &Value, fields: &Map<String, Value>, path: &str, found: &mut Vec<Unknown>) {
    let embedded = path.is_empty() || schema["x-kubernetes-embedded-resource"] == true;
    let kept =
        schema["x-kubernetes-preserve-unknown-fields"] == true || schema["additionalProperties"] == true;
    for (name, value) in fields {
        if embedded && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
            continue;
        }
        let known = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
        match known.filter(|known| known.is_object()) {
            Some(known) => below(known, value, &join(path, name), found),
            None if kept => {}
            None => found.push(Unknown(join(path, name))),
        }
    }
    if embedded && !path.is_empty() && fields.contains_key("metadata") {
        found.extend(of_metadata(&json!({"metadata": fields["metadata"]}), path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_schema_does_not_have_is_found() {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "rows": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "pod": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}},
        }}}});
        let crd = json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}});
        let object = json!({"apiVersion": "a.b/v1", "kind": "Thing", "metadata": {"name": "a", "nam": "b"}, "extra": 1,
            "spec": {"rows": [{"id": "x"}, {"idd": 1}], "labels": {"a": "b"}, "free": {"x": {"y": 1}}, "siz": 1,
                "pod": {"kind": "Pod", "metadata": {"lable": 1}, "more": 1}}});
        let found: Vec<String> =
            unknown_fields(&crd, "v1", &object).into_iter().map(|Unknown(path)| path).collect();
        let expected = [
            "metadata.nam",
            "extra",
            "spec.pod.more",
            "spec.pod.metadata.lable",
            "spec.rows[1].idd",
            "spec.siz",
        ];
        assert_eq!(found, expected);
        let open = json!({"spec": {"versions": [{"name": "v1"}]}});
        assert_eq!(unknown_fields(&open, "v1", &object), [Unknown("metadata.nam".to_owned())]);
    }
}
