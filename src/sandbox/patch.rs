//! The three patch formats other than apply: JSON merge patch, JSON patch, and the strategic merge patch of the built-in kinds.

mod strategic;

pub use strategic::strategic;

use json_patch::{Patch, PatchErrorKind, PatchOperation};
use serde_json::{Map, Value};

use super::status::Status;

/// How a real server begins when it cannot carry out a JSON patch.
const REJECTED: &str = "the server rejected our request due to an error in our request";

/// The API server's limit on the operations of one JSON patch.
pub const MAX_JSON_PATCH_OPERATIONS: usize = 10_000;

/// Applies a JSON merge patch (RFC 7386): objects merge, `null` deletes, everything else replaces.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Applies a JSON patch (RFC 6902), wholly or not at all.
///
/// # Errors
/// 413 above [`MAX_JSON_PATCH_OPERATIONS`], 400 when it is no list of operations, 422 `Invalid` when an operation is none that there is, a `test`
/// fails or a path does not exist.
pub fn json(target: &mut Value, patch: &Value) -> Result<(), Status> {
    let count = patch.as_array().map_or(0, Vec::len);
    if count > MAX_JSON_PATCH_OPERATIONS {
        return Err(Status::new(
            413,
            "RequestEntityTooLarge",
            format!(
                "Request entity too large: The allowed maximum operations in a JSON patch is {MAX_JSON_PATCH_OPERATIONS}, got {count}"
            ),
        ));
    }
    let operations = Patch(operations(patch)?);
    json_patch::patch(target, &operations.0).map_err(|error| {
        let operation = operations.0.get(error.operation);
        Status::new(422, "Invalid", refusal(operation, &error.kind))
    })
}

/// The operations of a JSON patch. `add`, `replace` and `test` without a value mean `null`.
fn operations(patch: &Value) -> Result<Vec<PatchOperation>, Status> {
    let undecodable = || Status::bad_request("error decoding patch: a JSON patch is a list of operations");
    let mut operations = Vec::new();
    for (index, operation) in patch.as_array().ok_or_else(undecodable)?.iter().enumerate() {
        let mut fields = operation.as_object().ok_or_else(undecodable)?.clone();
        fields.entry("value").or_insert(Value::Null);
        let read = serde_json::from_value(Value::Object(fields)).map_err(|error| {
            Status::new(422, "Invalid", format!("{REJECTED}: operation {index} of the patch: {error}"))
        })?;
        operations.push(read);
    }
    Ok(operations)
}

/// Says which operation failed, and why.
fn refusal(operation: Option<&PatchOperation>, kind: &PatchErrorKind) -> String {
    let Some(operation) = operation else { return REJECTED.to_owned() };
    let name = match operation {
        PatchOperation::Add(_) => "add",
        PatchOperation::Remove(_) => "remove",
        PatchOperation::Replace(_) => "replace",
        PatchOperation::Move(_) => "move",
        PatchOperation::Copy(_) => "copy",
        PatchOperation::Test(_) => "test",
    };
    format!("{REJECTED}: {name} operation at {}: {kind}", operation.path())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merge_patch_follows_the_examples_of_its_standard() {
        let cases = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ];
        for (mut target, patch, expected) in cases {
            merge(&mut target, &patch);
            assert_eq!(target, expected, "patch {patch}");
        }
    }

    #[test]
    fn json_patch_applies_all_operations() {
        let mut target = json!({"a": [1, 2], "b": {"c": 1}});
        let patch = json!([
            {"op": "test", "path": "/b/c", "value": 1},
            {"op": "add", "path": "/a/-", "value": 3},
            {"op": "remove", "path": "/a/0"},
            {"op": "replace", "path": "/b/c", "value": 2},
            {"op": "copy", "from": "/b/c", "path": "/d"},
            {"op": "move", "from": "/d", "path": "/e~1f"},
        ]);
        json(&mut target, &patch).unwrap();
        assert_eq!(target, json!({"a": [2, 3], "b": {"c": 2}, "e/f": 2}));
    }

    #[test]
    fn json_patch_refuses_and_leaves_the_target_alone() {
        let before = json!({"a": 1});
        let cases = [
            (
                json!([{"op": "add", "path": "/b", "value": 1}, {"op": "test", "path": "/a", "value": 2}]),
                422,
                "test operation at /a",
            ),
            (json!([{"op": "remove", "path": "/nope"}]), 422, "remove operation at /nope"),
            (json!([{"op": "replace", "path": "/x/y", "value": 1}]), 422, "replace operation"),
            (json!([{"op": "bad", "path": "/a"}]), 422, "operation 0 of the patch: unknown variant `bad`"),
            (json!([{"path": "/a"}]), 422, "operation 0 of the patch"),
            (json!([{"op": "test", "path": "/a"}]), 422, "test operation at /a"),
            (json!([1]), 400, "error decoding patch"),
            (json!({"op": "add"}), 400, "error decoding patch"),
        ];
        for (patch, code, text) in cases {
            let mut target = before.clone();
            let status = json(&mut target, &patch).unwrap_err();
            assert_eq!(status.code, code, "{patch}");
            assert!(status.message.contains(text), "{}", status.message);
            assert_eq!(target, before);
        }
    }

    #[test]
    fn json_patch_has_a_limit() {
        let one = json!({"op": "add", "path": "/b", "value": 1});
        let mut target = json!({});
        json(&mut target, &Value::Array(vec![one.clone(); MAX_JSON_PATCH_OPERATIONS])).unwrap();
        let status = json(&mut target, &Value::Array(vec![one; MAX_JSON_PATCH_OPERATIONS + 1])).unwrap_err();
        assert_eq!((status.code, status.reason), (413, "RequestEntityTooLarge"));
        assert!(status.message.ends_with("is 10000, got 10001"));
    }
}
