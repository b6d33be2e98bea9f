//! How a record changes, for people. Pure.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::ObjectKey;
use crate::domain::diff::ObjectDiff;

/// The part of a record of which each field counts by itself.
const ROUTING: &str = "routing";

/// How a record changes, line by line; what says nothing is left out.
pub(super) fn difference<T: Serialize>(kind: &str, name: &str, before: Option<&T>, after: &T) -> ObjectDiff {
    let object = ObjectKey {
        api_version: String::new(),
        kind: kind.to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
    };
    let before = before.map(|before| said(value(before)));
    ObjectDiff::between(object, before.as_ref(), Some(&said(value(after))))
}

/// What of a record changes, in a few words: `changes host suffix, tls`.
pub(super) fn changed<T: Serialize>(before: &T, after: &T) -> String {
    let names = names(&value(before), &value(after));
    if names.is_empty() { String::new() } else { format!("changes {}", names.join(", ")) }
}

fn names(before: &Value, after: &Value) -> Vec<String> {
    let empty = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let differing = after.keys().chain(gone).filter(|name| before.get(*name) != after.get(*name));
    let named = differing.flat_map(|name| match (before.get(name), after.get(name)) {
        (Some(before), Some(after)) if name == ROUTING => names(before, after),
        _ => vec![word(name)],
    });
    named.collect()
}

/// What a field is called where people set it.
fn word(field: &str) -> String {
    match field {
        "fqdn_suffix" => "host suffix".to_owned(),
        "ip_whitelist" => "allow-list".to_owned(),
        "unprobed" => "probes".to_owned(),
        "via" => "who answers".to_owned(),
        other => other.replace('_', " "),
    }
}

fn value(record: &impl Serialize) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}

/// Without what is empty.
fn said(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, said(value)));
            Value::Object(fields.filter(|(_, value)| !is_empty(value)).collect())
        }
        other => other,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::route::TlsSource;
    use crate::domain::{DriftMode, Environment};

    #[test]
    fn what_changes_is_shown_and_named() {
        let mut before = Environment::new("demo", "c", "demo");
        before.backup_location = Some("nightly".into());
        let mut after = before.clone();
        after.backup_location = None;
        after.drift = DriftMode::Warn;
        after.quota = [("pods".to_owned(), "4".to_owned())].into();
        after.routing.tls = TlsSource::Secret("wildcard".into());
        assert_eq!(changed(&before, &after), "changes backup location, drift, quota, tls");
        assert_eq!(changed(&after, &before), "changes backup location, drift, quota, tls");
        assert_eq!(changed(&before, &before), "");
        let mut told = before.clone();
        (told.fqdn_suffix, told.routing.unprobed) = (Some("x.org".into()), true);
        assert_eq!(changed(&before, &told), "changes host suffix, probes");

        let shown = difference("Environment", "demo", Some(&before), &after);
        assert_eq!(shown.object.to_string(), "Environment/demo");
        let lines: Vec<String> =
            shown.lines.iter().map(|line| format!("{}{}", line.change.sign(), line.text)).collect();
        for line in ["-backup_location: nightly", "+quota:", "+    secret: wildcard"] {
            assert!(lines.iter().any(|it| it == line), "{line} is not in {lines:#?}");
        }
        assert!(difference("Environment", "demo", Some(&before), &before).is_empty());
        let new = difference("Environment", "demo", None, &Environment::new("demo", "c", "demo"));
        assert!(!new.lines.iter().any(|line| line.text.contains("suffix")), "{new:#?}");
        assert_eq!(new.counts().1, 0);
    }
}
