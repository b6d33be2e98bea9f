//! Recording events: one object per (object, reason, message, component), counted up when it happens again.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Api, object};
use crate::sandbox::clock::rfc3339;

/// What an event says.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    /// `Warning`, as opposed to `Normal`.
    pub warning: bool,
    /// CamelCase.
    pub reason: &'a str,
    /// For people.
    pub message: &'a str,
    /// Who says so.
    pub component: &'a str,
}

/// Records an event. An event that cannot be recorded is lost, as in any cluster.
pub fn record(api: &Api, about: &Value, note: &Note<'_>) {
    let namespace = match object::namespace(about) {
        "" => "default",
        namespace => namespace,
    };
    let name = event_name(about, note);
    let now = rfc3339(api.now());
    let counted = api.mutate("events", namespace, &name, note.component, |event| {
        let count = event["count"].as_u64().unwrap_or(0);
        event["count"] = json!(count + 1);
        event["lastTimestamp"] = json!(now);
    });
    let result = match counted {
        Ok(Some(_)) => Ok(()),
        Ok(None) => {
            api.create("events", new_event(about, note, namespace, &name, &now), note.component).map(|_| ())
        }
        Err(status) => Err(status),
    };
    if let Err(status) = result {
        tracing::debug!(reason = note.reason, %status.message, "an event was not recorded");
    }
}

fn new_event(about: &Value, note: &Note<'_>, namespace: &str, name: &str, now: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "namespace": object::namespace(about),
            "name": object::name(about),
            "uid": object::uid(about),
            "resourceVersion": object::text(about, "/metadata/resourceVersion"),
        },
        "type": if note.warning { "Warning" } else { "Normal" },
        "reason": note.reason,
        "message": note.message,
        "source": {"component": note.component},
        "reportingComponent": note.component,
        "reportingInstance": "",
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    })
}

/// The same for the same news about the same object.
fn event_name(about: &Value, note: &Note<'_>) -> String {
    let mut hasher = Sha256::new();
    for part in [object::uid(about), note.reason, note.message, note.component] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let hash: String = hasher.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let base: String = object::name(about).chars().take(236).collect();
    format!("{base}.{hash}")
}
