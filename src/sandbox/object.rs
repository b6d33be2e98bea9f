//! Objects that are held as JSON: small readers and writers.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// The string at a JSON pointer; empty when it is absent or no string.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The integer at a JSON pointer.
pub fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// The integer at a JSON pointer, 0 when absent: how Kubernetes' counters read.
pub fn count(object: &Value, pointer: &str) -> i64 {
    number(object, pointer).unwrap_or(0)
}

/// Whether the boolean at a JSON pointer is there and true.
pub fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// The list at a JSON pointer; empty when absent.
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The map at a JSON pointer.
pub fn map<'a>(object: &'a Value, pointer: &str) -> Option<&'a Map<String, Value>> {
    object.pointer(pointer).and_then(Value::as_object)
}

/// The moment at a JSON pointer.
pub fn time(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`, empty for cluster scope.
pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// `metadata.generation`, 0 for kinds without one.
pub fn generation(object: &Value) -> i64 {
    count(object, "/metadata/generation")
}

/// `metadata.labels`.
pub fn labels(object: &Value) -> Option<&Map<String, Value>> {
    map(object, "/metadata/labels")
}

/// The value of one label.
pub fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    labels(object).and_then(|labels| labels.get(key)).and_then(Value::as_str).unwrap_or_default()
}

/// The value of one annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    map(object, "/metadata/annotations").and_then(|all| all.get(key)).and_then(Value::as_str)
}

/// Whether `metadata.deletionTimestamp` is set.
pub fn deleting(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null())
}

/// `metadata.creationTimestamp`.
pub fn created(object: &Value) -> Option<Timestamp> {
    time(object, "/metadata/creationTimestamp")
}

/// The owner reference that has `controller: true`.
pub fn controller_of(object: &Value) -> Option<&Value> {
    list(object, "/metadata/ownerReferences").iter().find(|owner| flag(owner, "/controller"))
}

/// The uid of the controlling owner, empty when there is none.
pub fn controller_uid(object: &Value) -> &str {
    controller_of(object).map_or("", |owner| text(owner, "/uid"))
}

/// The reference with which `owner` controls another object.
pub fn owner_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name(owner), "uid": uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// The status condition of a type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, "/status/conditions").iter().find(|condition| text(condition, "/type") == kind)
}

/// Whether a status condition is `True`.
pub fn condition_is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| text(condition, "/status") == "True")
}

/// A moment as Kubernetes writes it: whole seconds, UTC.
pub fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A moment plus whole seconds, saturating at the end of time.
pub fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// `metadata.resourceVersion` as a number, 0 when it is absent.
pub fn revision(object: &Value) -> u64 {
    text(object, "/metadata/resourceVersion").parse().unwrap_or(0)
}

/// The texts of the array at a JSON pointer.
pub fn texts<'a>(object: &'a Value, pointer: &str) -> Vec<&'a str> {
    list(object, pointer).iter().filter_map(Value::as_str).collect()
}

/// `metadata.finalizers`.
pub fn finalizers(object: &Value) -> Vec<&str> {
    texts(object, "/metadata/finalizers")
}

/// `metadata.ownerReferences`.
pub fn owners(object: &Value) -> &[Value] {
    list(object, "/metadata/ownerReferences")
}

/// Puts `value` under `key` unless it is zero, null or empty: Go's `omitempty`, which clients see as absence.
pub fn put(target: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    let value = value.into();
    let empty = match &value {
        Value::Null => true,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    if !empty {
        target.insert(key.to_owned(), value);
    }
}

/// `metadata` for writing; made when it is absent or no object.
pub fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    child_mut(object, "metadata")
}

/// The object under `key` for writing; made when it is absent or no object.
pub fn child_mut<'a>(object: &'a mut Value, key: &str) -> &'a mut Map<String, Value> {
    let parent = map_mut(object);
    map_mut(parent.entry(key).or_insert(Value::Null))
}

/// The value as an object for writing; anything else is replaced by an empty one.
pub fn map_mut(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object above"),
    }
}

/// Writes the list of finalizers; an empty one is taken away.
pub fn set_finalizers(object: &mut Value, finalizers: Vec<String>) {
    let metadata = metadata_mut(object);
    if finalizers.is_empty() {
        metadata.remove("finalizers");
    } else {
        metadata.insert("finalizers".to_owned(), Value::from(finalizers));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_fields_read_as_go_zero_values() {
        let object = json!({"metadata": {"name": "a"}});
        assert_eq!(name(&object), "a");
        assert_eq!(namespace(&object), "");
        assert_eq!(count(&object, "/status/replicas"), 0);
        assert!(list(&object, "/spec/ports").is_empty());
        assert!(!deleting(&json!({"metadata": {"deletionTimestamp": null}})));
    }

    #[test]
    fn only_the_controlling_owner_counts() {
        let object = json!({"metadata": {"ownerReferences": [
            {"uid": "plain"}, {"uid": "boss", "controller": true}]}});
        assert_eq!(controller_uid(&object), "boss");
    }

    #[test]
    fn stamps_have_whole_seconds() {
        let at: Timestamp = "2026-01-02T03:04:05.678Z".parse().expect("a timestamp");
        assert_eq!(stamp(at), "2026-01-02T03:04:05Z");
        assert_eq!(stamp(after(at, 60)), "2026-01-02T03:05:05Z");
    }

    #[test]
    fn put_omits_what_go_omits() {
        let mut target = Map::new();
        put(&mut target, "zero", 0);
        put(&mut target, "one", 1);
        put(&mut target, "none", Value::Null);
        assert_eq!(Value::Object(target), json!({"one": 1}));
    }
}
