//! Server-side apply.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::managed::{Entry, Managed, Operation, never_owned};
use super::set::FieldSet;
use super::walk::{Comparison, field_set, merge, remove};
use crate::sandbox::schema::{self, Schema};
use crate::sandbox::status::Status;

/// Owns, at the first apply to an object that has no entries, everything it has.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// One apply. The caller has taken from the configuration what its endpoint ignores (`status` on the object itself, all but `status`
/// on `/status`).
#[derive(Debug, Clone)]
pub struct ApplyRequest<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// Take fields from others instead of failing.
    pub force: bool,
    /// `""`, `"status"`, `"scale"`.
    pub subresource: &'a str,
    /// The sandbox's time.
    pub now: Timestamp,
    /// The configuration as sent, with apiVersion and kind.
    pub applied: Value,
}

/// Merges a configuration into the live object (or makes a new one) and writes down who owns what. The result is not yet defaulted
/// or validated.
///
/// # Errors
/// 400 when the configuration has managedFields or is of another version, 409 with causes when it would change what others own, 500
/// (as a real server) when it does not fit the type.
pub fn apply(schema: &Schema, live: Option<&Value>, request: ApplyRequest<'_>) -> Result<Value, Status> {
    let config = &request.applied;
    check(schema, live, config)?;
    let empty = json!({"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": {}});
    let live = live.unwrap_or(&empty);
    let mut managed = Managed::read_or_none(live);
    let live = without_managed(live);
    if managed.entries.is_empty() && live["metadata"]["uid"].is_string() {
        managed.entries.push(before_first_apply(schema, &live, request.now));
    }
    let mut entry = Entry {
        manager: request.manager.to_owned(),
        operation: Operation::Apply,
        api_version: config["apiVersion"].as_str().unwrap_or_default().to_owned(),
        subresource: request.subresource.to_owned(),
        time: Some(request.now),
        fields: field_set(schema, config),
    };
    let previous = take_previous(&mut managed, &entry);
    let last = previous.as_ref().map(|entry| entry.fields.clone()).unwrap_or_default();
    let merged = merge(schema, &live, config);
    let owned = managed.entries.iter().fold(entry.fields.clone(), |all, other| all.union(&other.fields));
    let mut result = prune(schema, &merged, &last, &owned);

    let comparison = Comparison::of(schema, &live, &result);
    let touched = comparison.touched();
    let conflicts: Vec<(&Entry, FieldSet)> = managed
        .entries
        .iter()
        .map(|other| (other, other.fields.intersection(&touched)))
        .filter(|(_, fields)| !fields.is_empty())
        .collect();
    if !conflicts.is_empty() && !request.force {
        return Err(conflict(&conflicts));
    }
    managed.take(&touched, None);
    managed.take(&comparison.removed, None);
    let unchanged = touched.is_empty() && comparison.removed.is_empty();
    if unchanged
        && let Some(previous) =
            previous.filter(|previous| previous.fields == entry.fields.difference(&never_owned()))
    {
        entry.time = previous.time;
    }
    managed.entries.push(entry);
    managed.write(&mut result);
    Ok(result)
}

/// What is refused before anything is looked at.
fn check(schema: &Schema, live: Option<&Value>, config: &Value) -> Result<(), Status> {
    if config["metadata"].get("managedFields").is_some_and(|entries| !entries.is_null()) {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    let version = &config["apiVersion"];
    if let Some(live) = live.filter(|live| live["apiVersion"] != *version) {
        return Err(Status::bad_request(format!(
            "Incorrect version specified in apply patch. Specified patch version: {}, expected: {}",
            version.as_str().unwrap_or_default(),
            live["apiVersion"].as_str().unwrap_or_default(),
        )));
    }
    let errors = schema::typed_errors(schema, config);
    if errors.is_empty() {
        return Ok(());
    }
    let text = match errors.as_slice() {
        [one] => one.clone(),
        many => format!("errors:\n  {}", many.join("\n  ")),
    };
    let name = |field: &str| config["metadata"][field].as_str().unwrap_or_default().to_owned();
    let about = format!(
        "{}/{}; {}, Kind={}",
        name("namespace"),
        name("name"),
        version.as_str().unwrap_or_default(),
        config["kind"].as_str().unwrap_or_default()
    );
    Err(Status::new(500, "InternalError", format!("failed to create typed patch object ({about}): {text}")))
}

fn without_managed(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

fn before_first_apply(schema: &Schema, live: &Value, now: Timestamp) -> Entry {
    let nothing = super::update::nothing_of(schema, live);
    Entry {
        manager: BEFORE_FIRST_APPLY.to_owned(),
        operation: Operation::Update,
        api_version: live["apiVersion"].as_str().unwrap_or_default().to_owned(),
        subresource: String::new(),
        time: Some(now),
        fields: Comparison::of(schema, &nothing, live).touched(),
    }
}

/// Takes out the entry of the applying manager's last apply.
fn take_previous(managed: &mut Managed, entry: &Entry) -> Option<Entry> {
    let at = managed.entries.iter().position(|known| known.is(entry))?;
    Some(managed.entries.swap_remove(at))
}

/// Removes what the manager applied last time and does not apply now, unless somebody else (or the new configuration, in `owned`) has it.
fn prune(schema: &Schema, merged: &Value, last: &FieldSet, owned: &FieldSet) -> Value {
    if last.is_empty() {
        return merged.clone();
    }
    let last = last.with_named_fields(schema);
    let Some(pruned) = remove(schema, merged, &last) else { return merged.clone() };
    let everything = field_set(schema, merged).with_named_fields(schema);

    // What the removal took along although somebody owns it comes back.
    let left = field_set(schema, &pruned).with_named_fields(schema);
    let stays = left.union(&owned.with_named_fields(schema));
    let Some(pruned) = remove(schema, merged, &everything.difference(&stays)) else { return merged.clone() };

    // And what it took along although the manager never had it.
    let left = field_set(schema, &pruned).with_named_fields(schema);
    let goes = everything.difference(&left).intersection(&last);
    remove(schema, merged, &goes).unwrap_or_else(|| merged.clone())
}

/// 409, in a real server's words.
fn conflict(conflicts: &[(&Entry, FieldSet)]) -> Status {
    let mut by_manager: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (entry, fields) in conflicts {
        by_manager.entry(print(entry)).or_default().extend(fields.paths());
    }
    let count: usize = by_manager.values().map(Vec::len).sum();
    let mut causes = Vec::with_capacity(count);
    let mut lines = Vec::new();
    for (manager, paths) in &by_manager {
        lines.push(format!("conflicts with {manager}:"));
        for path in paths {
            lines.push(format!("- {path}"));
            let message = format!("conflict with {manager}");
            causes.push(json!({"reason": "FieldManagerConflict", "message": message, "field": path}));
        }
    }
    let message = match by_manager.iter().next() {
        Some((manager, paths)) if count == 1 => {
            format!("Apply failed with 1 conflict: conflict with {manager}: {}", paths.concat())
        }
        _ => format!("Apply failed with {count} conflicts: {}", lines.join("\n")),
    };
    let mut status = Status::new(409, "Conflict", message);
    status.details = json!({"causes": causes});
    status
}

/// A manager in a conflict: appliers by name, updaters with their version.
fn print(entry: &Entry) -> String {
    let mut text = format!("{:?}", entry.manager);
    if !entry.subresource.is_empty() {
        text = format!("{text} with subresource {:?}", entry.subresource);
    }
    match entry.operation {
        Operation::Apply => text,
        Operation::Update => format!("{text} using {}", entry.api_version),
    }
}
