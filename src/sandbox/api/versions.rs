//! Several served forms of one stored object: the two kinds of events, and the versions of a custom resource.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::object;
use crate::sandbox::kinds::{Kinds, ResourceType};

/// `(in core/v1, in events.k8s.io/v1)`.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

/// The `apiVersion` under which objects of this type are stored.
pub fn stored_version(kinds: &Kinds, kind: &ResourceType) -> String {
    kinds.named(&kind.storage()).map_or_else(|| kind.api_version(), |stored| stored.api_version())
}

/// Turns an object of a served type into the form in which it is stored.
pub fn to_stored(kinds: &Kinds, kind: &ResourceType, value: &mut Value) {
    let stored = stored_version(kinds, kind);
    if object::text(value, "/apiVersion") == stored {
        return;
    }
    let map = object::map_mut(value);
    if kind.is_new_event() {
        rename(map, |(core, new)| (new, core));
    }
    map.insert("apiVersion".to_owned(), Value::from(stored));
}

/// The served form of a stored object.
pub fn to_served(kind: &ResourceType, value: &Arc<Value>) -> Arc<Value> {
    let version = kind.api_version();
    if object::text(value, "/apiVersion") == version {
        return value.clone();
    }
    let mut served = (**value).clone();
    let map = object::map_mut(&mut served);
    if kind.is_new_event() {
        rename(map, |(core, new)| (core, new));
    }
    map.insert("apiVersion".to_owned(), Value::from(version));
    Arc::new(served)
}

fn rename(
    map: &mut Map<String, Value>,
    direction: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str),
) {
    for pair in EVENT_FIELDS {
        let (from, to) = direction(pair);
        if let Some(value) = map.remove(from) {
            map.insert(to.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_kinds_of_events_are_one_object() {
        let kinds = Kinds::new();
        let new = kinds.named("events.events.k8s.io").unwrap();
        let sent = json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "note": "hello",
            "regarding": {"name": "a"}, "reportingController": "c"});
        let mut stored = sent.clone();
        to_stored(&kinds, new, &mut stored);
        assert_eq!((&stored["apiVersion"], &stored["message"]), (&json!("v1"), &json!("hello")));
        assert_eq!(stored["involvedObject"]["name"], "a");
        assert_eq!(*to_served(new, &Arc::new(stored)), sent);
    }
}
