//! Custom resources: the columns that their definition names.

use serde_json::{Value, json};

use super::column::{Column, Row};
use super::duration;
use crate::sandbox::crd::{PrinterColumn, values_at};

/// The heading of the name, and those of the definition.
pub fn definitions(columns: &[PrinterColumn]) -> Value {
    let own = columns.iter().map(|column| {
        let description = match column.description.as_str() {
            "" => format!("Custom resource definition column (in JSONPath format): {}", column.json_path),
            text => text.to_owned(),
        };
        json!({
            "name": column.name,
            "type": column.kind,
            "format": column.format,
            "description": description,
            "priority": column.priority,
        })
    });
    std::iter::once(Column::name().definition()).chain(own).collect()
}

/// The cells of a custom resource. What is not there, or not of the column's type, is null.
pub fn cells(columns: &[PrinterColumn], row: &Row<'_>) -> Value {
    let own = columns.iter().map(|column| {
        // of several values a server shows the first one only
        let values = values_at(row.object, &column.json_path);
        values.first().map_or(Value::Null, |value| cell(&column.kind, value, row))
    });
    std::iter::once(Column::name().value(row)).chain(own).collect()
}

fn cell(kind: &str, value: &Value, row: &Row<'_>) -> Value {
    match kind {
        "string" => text(value),
        "integer" => match value.as_i64() {
            Some(whole) => Value::from(whole),
            None => value.as_f64().and_then(whole).map_or(Value::Null, Value::from),
        },
        "number" if value.is_number() => value.clone(),
        "boolean" if value.is_boolean() => value.clone(),
        "date" => value.as_str().map_or(Value::Null, |moment| date(moment, row)),
        _ => Value::Null,
    }
}

/// The whole part of a number, as far as it fits.
fn whole(number: f64) -> Option<i64> {
    format!("{:.0}", number.trunc()).parse().ok()
}

/// Anything as text: lists and objects as JSON.
fn text(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(text.as_str()),
        Value::Null => Value::from("<no value>"),
        Value::Number(number) => match number.as_f64().filter(|number| number.fract() == 0.0).and_then(whole)
        {
            Some(whole) if !number.is_u64() => Value::from(whole.to_string()),
            _ => Value::from(number.to_string()),
        },
        other => Value::from(other.to_string()),
    }
}

/// A moment as its age.
fn date(moment: &str, row: &Row<'_>) -> Value {
    if moment.is_empty() || moment == "null" {
        return Value::from("<unknown>");
    }
    Value::from(match duration::since(moment, row.now) {
        unreadable if unreadable == "<unknown>" => "<invalid>".to_owned(),
        age => age,
    })
}
