//! What a controller wants done: data, so that every controller's core is a pure function and the executor is the same for all.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cache::Cache;
use super::object::{list, name, namespace, stamp, text, uid};

/// What a controller decides from: the cache, the time, and why its last write for this object was refused.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The objects.
    pub cache: &'a Cache,
    /// The sandbox's time.
    pub now: Timestamp,
    /// The API's message for the write that failed last, while it keeps failing.
    pub failure: Option<&'a str>,
}

/// Names one object, by uid too: a namesake is never touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `pods`, `deployments.apps`.
    pub resource: &'static str,
    /// Empty for cluster scope.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
}

impl Target {
    /// The target for an object of a resource.
    pub fn of(resource: &'static str, object: &Value) -> Self {
        Self {
            resource,
            namespace: namespace(object).to_owned(),
            name: name(object).to_owned(),
            uid: uid(object).to_owned(),
        }
    }
}

/// An event about an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// What it is about.
    pub about: Arc<Value>,
    /// `Warning`, as opposed to `Normal`.
    pub warning: bool,
    /// CamelCase.
    pub reason: &'static str,
    /// For people. With a [`Write::Create`] the name of what was created is appended.
    pub message: String,
}

impl Note {
    /// A `Normal` event.
    pub fn normal(about: &Arc<Value>, reason: &'static str, message: impl Into<String>) -> Self {
        Self { about: about.clone(), warning: false, reason, message: message.into() }
    }

    /// A `Warning` event.
    pub fn warning(about: &Arc<Value>, reason: &'static str, message: impl Into<String>) -> Self {
        Self { about: about.clone(), warning: true, reason, message: message.into() }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Create an object; when it is done, tell so.
    Create {
        /// The resource.
        resource: &'static str,
        /// The object, with `metadata.name` or `metadata.generateName`.
        object: Value,
        /// The event for success. Its object gets the `FailedCreate` event otherwise.
        note: Option<Note>,
    },
    /// A JSON merge patch (RFC 7386) of the main resource.
    Merge {
        /// What is changed.
        target: Target,
        /// The patch.
        patch: Value,
    },
    /// Replace `status`.
    Status {
        /// What is changed.
        target: Target,
        /// The whole status.
        status: Value,
    },
    /// Set one status condition and leave the rest of the status to others.
    Condition {
        /// What is changed.
        target: Target,
        /// The condition, with its `type`.
        condition: Value,
    },
    /// Delete an object, in the background.
    Delete {
        /// What is deleted.
        target: Target,
        /// The event for success.
        note: Option<Note>,
    },
    /// Record an event.
    Event(Note),
}

/// What a sync answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// The changes, in order.
    pub writes: Vec<Write>,
    /// When to look again even if nothing changes.
    pub again: Option<Timestamp>,
}

impl Outcome {
    /// Nothing to do.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Adds a change.
    pub fn push(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Asks to look again at `at`, or earlier if that was asked already.
    pub fn look_again(&mut self, at: Timestamp) {
        self.again = Some(self.again.map_or(at, |known| known.min(at)));
    }

    /// Adds a status write when it differs from what the object has.
    pub fn status(&mut self, resource: &'static str, object: &Value, status: Value) {
        if object.get("status") != Some(&status) {
            self.push(Write::Status { target: Target::of(resource, object), status });
        }
    }
}

/// Sets a condition in a list as Kubernetes does: `lastTransitionTime` moves only when the status changes. Returns whether
/// anything changed. `times` lists the further time fields that are set whenever the condition changes at all.
pub fn set_condition(conditions: &mut Vec<Value>, mut wanted: Value, now: Timestamp, times: &[&str]) -> bool {
    let kind = text(&wanted, "/type").to_owned();
    let known = conditions.iter_mut().find(|condition| text(condition, "/type") == kind);
    let same = |condition: &Value, field: &str| condition.get(field) == wanted.get(field);
    if let Some(known) = &known
        && ["status", "reason", "message"].iter().all(|field| same(known, field))
    {
        return false;
    }
    let transition = match &known {
        Some(known) if same(known, "status") => known["lastTransitionTime"].clone(),
        _ => Value::Null,
    };
    wanted["lastTransitionTime"] = if transition.is_null() { json!(stamp(now)) } else { transition };
    for field in times {
        wanted[*field] = json!(stamp(now));
    }
    match known {
        Some(known) => *known = wanted,
        None => conditions.push(wanted),
    }
    true
}

/// The conditions of an object, to be changed.
pub fn conditions_of(object: &Value) -> Vec<Value> {
    list(object, "/status/conditions").to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn transition_time_moves_with_the_status_only() {
        let mut all = Vec::new();
        let ready = |status: &str, reason: &str| json!({"type": "Ready", "status": status, "reason": reason});
        assert!(set_condition(&mut all, ready("True", "A"), at("2026-01-01T00:00:00Z"), &["lastUpdateTime"]));
        assert!(!set_condition(
            &mut all,
            ready("True", "A"),
            at("2026-01-01T00:00:01Z"),
            &["lastUpdateTime"]
        ));
        assert!(set_condition(&mut all, ready("True", "B"), at("2026-01-01T00:00:02Z"), &["lastUpdateTime"]));
        assert_eq!(text(&all[0], "/lastTransitionTime"), "2026-01-01T00:00:00Z");
        assert_eq!(text(&all[0], "/lastUpdateTime"), "2026-01-01T00:00:02Z");
        assert!(set_condition(&mut all, ready("False", "B"), at("2026-01-01T00:00:03Z"), &[]));
        assert_eq!(text(&all[0], "/lastTransitionTime"), "2026-01-01T00:00:03Z");
        assert_eq!(all.len(), 1);
    }

    #[test]
    fn the_earlier_look_wins() {
        let mut outcome = Outcome::nothing();
        outcome.look_again(at("2026-01-01T00:00:09Z"));
        outcome.look_again(at("2026-01-01T00:00:05Z"));
        outcome.look_again(at("2026-01-01T00:00:07Z"));
        assert_eq!(outcome.again, Some(at("2026-01-01T00:00:05Z")));
    }

    #[test]
    fn an_equal_status_is_not_written() {
        let object = json!({"metadata": {"name": "a"}, "status": {"replicas": 1}});
        let mut outcome = Outcome::nothing();
        outcome.status("pods", &object, json!({"replicas": 1}));
        assert!(outcome.writes.is_empty());
        outcome.status("pods", &object, json!({"replicas": 2}));
        assert_eq!(outcome.writes.len(), 1);
    }
}
