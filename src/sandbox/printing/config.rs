//! Configuration: config maps, secrets, service accounts, quotas.

use serde_json::{Map, Value};

use super::column::{Cell, Column, Row, count};
use super::text;

/// The columns of config maps.
pub const CONFIG_MAPS: &[Column] =
    &[Column::name(), Column::new("Data", "How many entries it has.", Cell::Made(entries)), Column::age()];

/// The columns of secrets.
pub const SECRETS: &[Column] = &[
    Column::name(),
    Column::new("Type", "What the secret is for.", Cell::Text("/type", "")),
    Column::new("Data", "How many entries it has.", Cell::Count("/data")),
    Column::age(),
];

/// The columns of service accounts.
pub const SERVICE_ACCOUNTS: &[Column] = &[
    Column::name(),
    Column::new("Secrets", "How many secrets it names.", Cell::Count("/secrets")),
    Column::age(),
];

/// The columns of resource quotas.
pub const RESOURCE_QUOTAS: &[Column] = &[
    Column::name(),
    Column::new("Request", "What is used of what may be requested.", Cell::Made(|row| used(row, false))),
    Column::new("Limit", "What is used of what limits may add up to.", Cell::Made(|row| used(row, true))),
    Column::age(),
];

fn entries(row: &Row<'_>) -> Value {
    Value::from(count(row.object.get("data")) + count(row.object.get("binaryData")))
}

/// `name: used/hard` of each resource, of the limits or of the others.
fn used(row: &Row<'_>, limits: bool) -> Value {
    let hard = row.object.pointer("/status/hard").and_then(Value::as_object);
    let parts: Vec<String> = hard
        .into_iter()
        .flat_map(Map::iter)
        .filter(|(name, _)| name.starts_with("limits.") == limits)
        .map(|(name, hard)| {
            let used = row.object.pointer("/status/used").and_then(|used| used.get(name));
            let quantity = |value| text::scalar(value).unwrap_or_else(|| "0".to_owned());
            format!("{name}: {}/{}", quantity(used), quantity(Some(hard)))
        })
        .collect();
    Value::from(parts.join(", "))
}
