//! Who has a field, by what the server records in `managedFields`.

use serde_json::Value;

use super::lists::Step;
use crate::domain::labels;

/// The manager that has the field: somebody else before an action of ours, that before us, and of several the latest.
pub(super) fn of(live: &Value, steps: &[Step]) -> Option<String> {
    let entries = live["metadata"]["managedFields"].as_array()?;
    let owners = entries
        .iter()
        .filter(|entry| entry["subresource"] != "status")
        .filter(|entry| has(&entry["fieldsV1"], steps))
        .filter_map(|entry| Some((entry["manager"].as_str()?, entry["time"].as_str().unwrap_or_default())));
    let distance = |manager: &str| match manager {
        labels::MANAGER => 0,
        labels::ACTION_MANAGER => 1,
        _ => 2,
    };
    let latest = owners.max_by_key(|(manager, time)| (distance(manager), *time))?;
    Some(latest.0.to_owned())
}

/// Whether a set of fields has the one at the end of the steps. One that ends earlier has all of what is inside.
fn has(fields: &Value, steps: &[Step]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return true };
    let Some(children) = fields.as_object() else { return false };
    let child = match step {
        Step::Field(name) => children.get(&format!("f:{name}")),
        Step::Item(position) => children.get(&format!("i:{position}")),
        Step::Itself(value) => children.get(&format!("v:{value}")),
        Step::Keyed(keys) => children.iter().find_map(|(name, child)| {
            let found: Value = serde_json::from_str(name.strip_prefix("k:")?).ok()?;
            (found.as_object() == Some(keys)).then_some(child)
        }),
    };
    match child {
        Some(child) if child.as_object().is_some_and(serde_json::Map::is_empty) => true,
        Some(child) => has(child, rest),
        None => false,
    }
}
