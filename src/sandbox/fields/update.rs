//! What other writes than apply mean for `managedFields`, and when a write is none.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::managed::{Entry, Managed, Operation, is_reset, never_owned};
use super::walk::Comparison;
use crate::sandbox::schema::{Object, Schema};

/// Who writes, through what, and when.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// `""`, `"status"`, `"scale"`.
    pub subresource: &'a str,
    /// The sandbox's time.
    pub now: Timestamp,
}

/// Writes down what a create (`old` is `None`), an update or a non-apply patch changed: the manager owns what it added or modified,
/// others lose it. Call it on the defaulted object, after what the endpoint ignores was put back.
///
/// `managedFields: [{}]` in `new` clears all entries; an object without entries stays without until the next apply.
pub fn track_update(schema: &Schema, old: Option<&Value>, new: &mut Value, writer: Writer<'_>) {
    let Writer { manager, subresource, now } = writer;
    let is_create = old.is_none();
    let nothing = nothing_of(schema, new);
    let old = old.unwrap_or(&nothing);
    let mut managed = if is_reset(new) && subresource.is_empty() {
        Managed::default()
    } else {
        entries_of(old, new, subresource)
    };
    if let Some(metadata) = new.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    if managed.entries.is_empty() && !is_create {
        return;
    }
    let mut before = old.clone();
    if let Some(metadata) = before.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    let comparison = Comparison::of(schema, &before, new);
    let touched = comparison.touched();
    managed.take(&touched, None);
    managed.take(&comparison.removed, None);
    let fields = touched.difference(&never_owned());
    if !fields.is_empty() {
        managed.unite(Entry {
            manager: if manager.is_empty() { "unknown".to_owned() } else { manager.to_owned() },
            operation: Operation::Update,
            api_version: new["apiVersion"].as_str().unwrap_or_default().to_owned(),
            subresource: subresource.to_owned(),
            time: Some(now),
            fields,
        });
    }
    managed.write(new);
}

/// The entries to go on from: those the client sent (a client may edit them), or the live ones if it sent none or nonsense.
fn entries_of(old: &Value, new: &Value, subresource: &str) -> Managed {
    let sent = if subresource.is_empty() { Managed::read(new) } else { None };
    sent.filter(|managed| !managed.entries.is_empty()).unwrap_or_else(|| Managed::read_or_none(old))
}

/// An object of a type before anything is set: for built-in kinds what typed code always shows.
pub fn nothing_of(schema: &Schema, object: &Value) -> Value {
    let mut nothing = match schema {
        Schema::Object(kind) if is_builtin(kind) => schema.skeleton(),
        _ => json!({"metadata": {}}),
    };
    nothing["apiVersion"] = object["apiVersion"].clone();
    nothing["kind"] = object["kind"].clone();
    nothing
}

fn is_builtin(object: &Object) -> bool {
    !object.name.is_empty()
}

/// The no-op rule: equal, but for the times in `managedFields`. Such a write writes nothing.
pub fn same_except_time(old: &Value, new: &Value) -> bool {
    fn timeless(object: &Value) -> Value {
        let mut object = object.clone();
        let entries = object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
        for entry in entries.into_iter().flatten() {
            if let Some(entry) = entry.as_object_mut() {
                entry.remove("time");
            }
        }
        // Entries of the same operation are sorted by time.
        if let Some(entries) = object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut) {
            entries.sort_by_cached_key(Value::to_string);
        }
        object
    }
    old == new || timeless(old) == timeless(new)
}
