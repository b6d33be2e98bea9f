//! The types of the built-in kinds as this server treats them: only the fields that it keeps, and how lists and maps merge.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::types::{self, REFERENCE, Types};
use crate::sandbox::schema::{self, ListKind, ListOf, Schema, Strategic};

/// Types whose values have several forms; the documents say of them what their version can say.
pub const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
/// An integer or a string.
pub const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
/// The package of the types of a custom resource definition.
const DEFINITIONS: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";

/// The package of the core group.
const CORE: &str = "io.k8s.api.core.v1.";
/// References whose name defaults to the empty one.
const NAMED_BY_DEFAULT: [&str; 8] = [
    "ConfigMapEnvSource",
    "ConfigMapKeySelector",
    "ConfigMapProjection",
    "ConfigMapVolumeSource",
    "LocalObjectReference",
    "SecretEnvSource",
    "SecretKeySelector",
    "SecretProjection",
];

/// Every built-in type. References have their siblings beside them (`description`), as in OpenAPI v2.
pub fn built_in() -> Types {
    let mut types = types::library();
    for name in ["JSON", "JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray"] {
        // Any value at all: a type or a choice would make clients refuse some.
        if let Some(Value::Object(schema)) = types.schemas.get_mut(&format!("{DEFINITIONS}{name}")) {
            schema.retain(|key, _| key == "description");
        }
    }
    types.schemas.iter_mut().for_each(|(name, schema)| correct_required(name, schema));
    let mut walk = Walk { seen: BTreeSet::new() };
    for ((group, version, kind), name) in types.kinds.clone() {
        if let Some(schema) = schema::builtin(&group, &version, &kind) {
            walk.named(&mut types, &name, &schema);
        }
        if let Some(Value::Object(object)) = types.schemas.get_mut(&name) {
            object.insert(
                "x-kubernetes-group-version-kind".to_owned(),
                json!([{"group": group, "version": version, "kind": kind}]),
            );
        }
    }
    types
}

/// The library requires what is no option in Rust; a real server does not: metadata may be absent, and names may be empty.
fn correct_required(name: &str, schema: &mut Value) {
    let named = NAMED_BY_DEFAULT.iter().any(|plain| name.strip_prefix(CORE) == Some(plain));
    let Some(Value::Array(required)) = schema.get_mut("required") else { return };
    required.retain(|field| *field != "metadata" && !(named && *field == "name"));
    if required.is_empty()
        && let Some(schema) = schema.as_object_mut()
    {
        schema.remove("required");
    }
}

/// Walks a library's type and our type side by side.
struct Walk {
    seen: BTreeSet<String>,
}

impl Walk {
    fn named(&mut self, types: &mut Types, name: &str, schema: &Schema) {
        let Schema::Object(object) = schema else { return };
        if !self.seen.insert(name.to_owned()) {
            return;
        }
        let Some(Value::Object(mut definition)) = types.schemas.remove(name) else { return };
        if object.atomic {
            definition.insert("x-kubernetes-map-type".to_owned(), json!("atomic"));
        }
        if let Some(Value::Object(properties)) = definition.get_mut("properties") {
            properties.retain(|name, _| object.fields.contains_key(name));
            for (name, property) in properties {
                let (Some(field), Value::Object(property)) = (object.fields.get(name), property) else {
                    continue;
                };
                if field.retain_keys {
                    property.insert("x-kubernetes-patch-strategy".to_owned(), json!("retainKeys"));
                }
                self.property(types, property, &field.schema);
            }
        }
        types.schemas.insert(name.to_owned(), Value::Object(definition));
    }

    fn property(&mut self, types: &mut Types, property: &mut Map<String, Value>, schema: &Schema) {
        let referred = property.get("$ref").and_then(Value::as_str).and_then(|at| at.strip_prefix(REFERENCE));
        if let Some(name) = referred.map(str::to_owned) {
            return self.named(types, &name, schema);
        }
        match schema {
            Schema::List(list) => {
                describe_list(list, property);
                let items = property.get_mut("items").and_then(Value::as_object_mut);
                if let Some(items) = items {
                    self.property(types, items, &list.items);
                    fill_key_defaults(types, list, items);
                }
            }
            Schema::Map(map) => {
                if map.atomic {
                    property.insert("x-kubernetes-map-type".to_owned(), json!("atomic"));
                }
                let values = property.get_mut("additionalProperties").and_then(Value::as_object_mut);
                if let Some(values) = values {
                    self.property(types, values, &map.values);
                }
            }
            Schema::Any | Schema::Scalar(_) | Schema::Object(_) => {}
        }
    }
}

/// The extensions that say how a list merges.
fn describe_list(list: &ListOf, property: &mut Map<String, Value>) {
    let kind = match &list.kind {
        ListKind::Atomic => "atomic",
        ListKind::Set => "set",
        ListKind::Map(keys) => {
            let names: Vec<&str> = keys.iter().map(|key| key.field.as_str()).collect();
            property.insert("x-kubernetes-list-map-keys".to_owned(), json!(names));
            "map"
        }
    };
    property.insert("x-kubernetes-list-type".to_owned(), json!(kind));
    if list.strategic == Strategic::Replace {
        return;
    }
    if let Strategic::MergeBy(key) = &list.strategic {
        property.insert("x-kubernetes-patch-merge-key".to_owned(), json!(key));
    }
    let retains = property.contains_key("x-kubernetes-patch-strategy");
    let strategy = if retains { "merge,retainKeys" } else { "merge" };
    property.insert("x-kubernetes-patch-strategy".to_owned(), json!(strategy));
}

/// What a list's item without a key has: clients need it to find the item.
fn fill_key_defaults(types: &mut Types, list: &ListOf, items: &Map<String, Value>) {
    let ListKind::Map(keys) = &list.kind else { return };
    let name = items.get("$ref").and_then(Value::as_str).and_then(|at| at.strip_prefix(REFERENCE));
    let Some(definition) = name.and_then(|name| types.schemas.get_mut(name)) else { return };
    for key in keys {
        let default = key.default.as_ref().filter(|value| **value != json!("") && **value != json!(0));
        if let (Some(default), Some(property)) = (default, definition["properties"].get_mut(&key.field)) {
            property["default"] = default.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(types: &Types, name: &str, field: &str) -> Value {
        let mut property = types.schemas[name]["properties"][field].clone();
        property.as_object_mut().unwrap().remove("description");
        property
    }

    #[test]
    fn lists_and_maps_say_how_they_merge() {
        let types = built_in();
        let pod_spec = "io.k8s.api.core.v1.PodSpec";
        assert_eq!(
            property(&types, pod_spec, "containers"),
            json!({"type": "array", "items": {"$ref": "#/components/schemas/io.k8s.api.core.v1.Container"},
                "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name"})
        );
        assert_eq!(property(&types, pod_spec, "volumes")["x-kubernetes-patch-strategy"], "merge,retainKeys");
        assert_eq!(property(&types, pod_spec, "nodeSelector")["x-kubernetes-map-type"], "atomic");
        assert_eq!(property(&types, "io.k8s.api.core.v1.ServicePort", "protocol")["default"], "TCP");
        assert_eq!(
            property(&types, "io.k8s.api.apps.v1.DeploymentSpec", "strategy")["x-kubernetes-patch-strategy"],
            "retainKeys"
        );
        assert!(types.schemas["io.k8s.api.core.v1.Pod"].get("required").is_none());
        assert_eq!(types.schemas["io.k8s.api.core.v1.ConfigMapKeySelector"]["required"], json!(["key"]));
        let selector = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector";
        assert_eq!(types.schemas[selector]["x-kubernetes-map-type"], "atomic");
    }

    /// Every field that a kind of ours keeps can be explained; and no field is explained that would be dropped.
    #[test]
    fn the_documents_have_the_fields_that_are_kept() {
        let types = built_in();
        let mut missing = Vec::new();
        for ((group, version, kind), name) in &types.kinds {
            let schema = schema::builtin(group, version, kind).unwrap_or_else(|| panic!("no {kind}"));
            compare(&types, name, &schema, &mut BTreeSet::new(), &mut missing);
        }
        missing.sort();
        missing.dedup();
        assert_eq!(missing, Vec::<String>::new());
    }

    fn compare(
        types: &Types,
        name: &str,
        schema: &Schema,
        seen: &mut BTreeSet<String>,
        missing: &mut Vec<String>,
    ) {
        let Schema::Object(object) = schema else { return };
        if !seen.insert(name.to_owned()) {
            return;
        }
        for (field, of) in &object.fields {
            let property = &types.schemas[name]["properties"][field];
            if property.is_null() {
                missing.push(format!("{name}.{field}"));
            }
            let target = match &of.schema {
                Schema::List(_) => &property["items"]["$ref"],
                Schema::Map(_) => &property["additionalProperties"]["$ref"],
                _ => &property["$ref"],
            };
            let inner = match &of.schema {
                Schema::List(list) => list.items.clone(),
                Schema::Map(map) => map.values.clone(),
                other => other.clone(),
            };
            if let Some(target) = target.as_str().and_then(|at| at.strip_prefix(REFERENCE)) {
                compare(types, target, &inner, seen, missing);
            }
        }
    }
}
