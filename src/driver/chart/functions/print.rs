//! What Go calls a value's kind.

use super::super::value::Value;

/// Go's name of the value's kind.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::Number(_) => "string",
        other => match other.type_name() {
            name if name.starts_with('*') => "ptr",
            name if name.starts_with("[]") => "slice",
            name if name.starts_with("map[") => "map",
            name if matches!(other, Value::Object(_)) && name != "time.Duration" => "struct",
            "time.Duration" => "int64",
            name => name,
        },
    }
}
