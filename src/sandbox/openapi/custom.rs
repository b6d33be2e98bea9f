//! The types of custom resources, from the schemas of their definitions.

use serde_json::{Map, Value, json};

use super::types::{META, REFERENCE, Types};
use crate::sandbox::crd;
use crate::sandbox::kinds::ResourceType;

/// A small built-in kind.
const COMMON: &str = "io.k8s.api.core.v1.ConfigMap";

/// The properties that every object has, with their descriptions: `apiVersion`, `kind` and `metadata` of a built-in kind.
pub fn common(types: &Types) -> Map<String, Value> {
    let properties = types.schemas.get(COMMON).and_then(|schema| schema["properties"].as_object());
    let mut properties = properties.cloned().unwrap_or_default();
    properties.retain(|name, _| matches!(name.as_str(), "apiVersion" | "kind" | "metadata"));
    properties
}

/// The name of a kind's type where no library names it: `io.styrmin.v1.Deployment`.
pub fn name(kind: &ResourceType) -> String {
    let reversed: Vec<&str> = kind.group.rsplit('.').collect();
    format!("{}.{}.{}", reversed.join("."), kind.version, kind.kind)
}

/// The type of a custom resource in one version of its definition.
pub fn schema(definition: &Value, kind: &ResourceType, common: &Map<String, Value>) -> Value {
    let mut schema = crd::openapi(definition, &kind.version).clone();
    if !schema.is_object() {
        schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    }
    add_embedded(&mut schema, common);
    of_kind(&mut schema, kind, common);
    schema
}

/// The type of a kind of which nothing is known but that it is an object.
pub fn open(kind: &ResourceType, common: &Map<String, Value>) -> Value {
    let mut schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    of_kind(&mut schema, kind, common);
    schema
}

fn of_kind(schema: &mut Value, kind: &ResourceType, common: &Map<String, Value>) {
    add_common(schema, common);
    schema["x-kubernetes-group-version-kind"] =
        json!([{"group": kind.group, "version": kind.version, "kind": kind.kind}]);
}

/// The type of a list of a kind's objects, of which `item` is the type's name.
pub fn list(kind: &ResourceType, item: &str, common: &Map<String, Value>) -> Value {
    let metadata = json!({
        "$ref": format!("{REFERENCE}{META}ListMeta"),
        "description": "The state of the objects that the list shows, and where its next page starts.",
    });
    json!({
        "description": format!("{0}List is a list of {0}", kind.kind),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": common.get("apiVersion"),
            "kind": common.get("kind"),
            "metadata": metadata,
            "items": {"description": format!("List of {}.", kind.plural), "type": "array",
                "items": {"$ref": format!("{REFERENCE}{item}")}},
        },
        "x-kubernetes-group-version-kind": [
            {"group": kind.group, "version": kind.version, "kind": format!("{}List", kind.kind)},
        ],
    })
}

fn add_common(schema: &mut Value, common: &Map<String, Value>) {
    let Some(schema) = schema.as_object_mut() else { return };
    let properties = schema.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(properties) = properties {
        properties.extend(common.clone());
    }
}

/// Objects inside objects have a type and metadata as well.
fn add_embedded(schema: &mut Value, common: &Map<String, Value>) {
    for field in ["items", "additionalProperties"] {
        if let Some(inner @ Value::Object(_)) = schema.get_mut(field) {
            add_embedded(inner, common);
        }
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(|property| add_embedded(property, common));
    }
    if schema["x-kubernetes-embedded-resource"] == true {
        add_common(schema, common);
    }
}
