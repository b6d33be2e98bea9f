//! The fields of a custom resource that field selectors may name (`selectableFields`).

use serde_json::Value;

use crate::sandbox::schema::causes::Causes;

/// The most that a version may have.
const MOST: usize = 8;

/// Checks the selectable fields of a version: simple paths to texts, numbers and booleans that its schema has.
pub fn check(version: &Value, path: &str, causes: &mut Causes) {
    let fields = version["selectableFields"].as_array().map_or(&[][..], Vec::as_slice);
    let path = format!("{path}.selectableFields");
    if fields.len() > MOST {
        causes.too_many(&path, fields.len(), MOST as u64);
    }
    for (index, field) in fields.iter().enumerate() {
        let at = format!("{path}[{index}].jsonPath");
        let text = field["jsonPath"].as_str().unwrap_or_default();
        if text.is_empty() {
            causes.required(&at, "");
        } else if let Err(why) = check_path(&version["schema"]["openAPIV3Schema"], text) {
            causes.invalid(&at, &field["jsonPath"], &why);
        } else if fields[..index].contains(field) {
            causes.duplicate(&at, &field["jsonPath"]);
        }
    }
}

fn check_path(openapi: &Value, text: &str) -> Result<(), String> {
    let Some(names) = text.strip_prefix('.') else {
        return Err("is an invalid path: does not start with .".to_owned());
    };
    if names == "metadata" || names.starts_with("metadata.") {
        return Err("must not point to fields in metadata".to_owned());
    }
    let mut node = openapi;
    for name in names.split('.') {
        node = &node["properties"][name];
        if !node.is_object() {
            return Err("is an invalid path: does not refer to a valid field".to_owned());
        }
    }
    if matches!(node["type"].as_str(), Some("string" | "integer" | "boolean")) {
        return Ok(());
    }
    Err("must point to a field of type string, boolean or integer".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_simple_values_outside_of_metadata_are_selectable() {
        let openapi = json!({"properties": {"spec": {"type": "object", "properties": {
            "color": {"type": "string"}, "list": {"type": "array"}}}}});
        assert_eq!(check_path(&openapi, ".spec.color"), Ok(()));
        for wrong in ["spec.color", ".spec", ".spec.list", ".spec.size", ".metadata.name", "."] {
            assert!(check_path(&openapi, wrong).is_err(), "{wrong}");
        }
    }
}
