//! Whether two values say the same thing.

use serde_json::Value;

use super::lists::Step;

/// Mappings whose values are quantities.
const QUANTITIES: [&str; 9] =
    ["limits", "requests", "capacity", "hard", "default", "defaultRequest", "max", "min", "overhead"];
/// Fields that are quantities.
const QUANTITY: [&str; 4] = ["sizeLimit", "divisor", "averageValue", "storage"];

/// Whether the field is as it is wanted. What is wanted empty may be absent: the server leaves that out.
pub(super) fn value(steps: &[Step], wanted: &Value, live: Option<&Value>) -> bool {
    let Some(live) = live.filter(|live| !live.is_null()) else { return is_empty(wanted) };
    if wanted == live {
        return true;
    }
    if let (Value::Number(wanted), Value::Number(live)) = (wanted, live) {
        return wanted.as_f64() == live.as_f64();
    }
    match is_quantity(steps) {
        true => match (quantity(wanted), quantity(live)) {
            (Some(wanted), Some(live)) => (wanted - live).abs() <= 1e-9 * wanted.abs().max(live.abs()),
            _ => false,
        },
        false => false,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn is_quantity(steps: &[Step]) -> bool {
    let mut fields = steps.iter().rev().map_while(|step| match step {
        Step::Field(name) => Some(name.as_str()),
        _ => None,
    });
    let own = fields.next().is_some_and(|name| QUANTITY.contains(&name));
    own || fields.next().is_some_and(|name| QUANTITIES.contains(&name))
}

/// The number that a quantity stands for (`100m`, `1Gi`, `2e3`).
fn quantity(value: &Value) -> Option<f64> {
    let Value::String(text) = value else { return value.as_f64() };
    let suffixes = [
        ("Ki", 1024f64),
        ("Mi", 1024f64.powi(2)),
        ("Gi", 1024f64.powi(3)),
        ("Ti", 1024f64.powi(4)),
        ("Pi", 1024f64.powi(5)),
        ("Ei", 1024f64.powi(6)),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let (number, factor) = suffixes
        .into_iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)))
        .unwrap_or((text, 1.0));
    Some(number.parse::<f64>().ok()? * factor)
}
