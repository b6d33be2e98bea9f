//! Conditions, as far as they speak about the object as it is now.

use serde_json::Value;

use super::items;

/// The condition of that type; none where it was made for an older generation of the object.
pub(super) fn current<'a>(of: &'a Value, kind: &str, generation: Option<i64>) -> Option<&'a Value> {
    let is_current = |condition: &Value| match (generation, condition["observedGeneration"].as_i64()) {
        (Some(generation), Some(observed)) => observed >= generation,
        _ => true,
    };
    items(&of["conditions"]).find(|condition| condition["type"] == kind && is_current(condition))
}

/// `metadata.generation`.
pub(super) fn generation(object: &Value) -> Option<i64> {
    object["metadata"]["generation"].as_i64()
}

/// A condition in words: its reason and what it says.
pub(super) fn said(condition: &Value) -> String {
    let reason = condition["reason"].as_str().unwrap_or("");
    match condition["message"].as_str().map(str::trim).filter(|message| !message.is_empty()) {
        Some(message) if reason.is_empty() => message.to_owned(),
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    }
}
