//! What Go calls a value's type and kind, and its string literals.

use std::fmt::Write;

use super::super::format::quote;
use super::super::value::Value;

/// The text as `%q` prints it: a string literal of Go, with the bytes that are not UTF-8 by their numbers.
pub fn quoted(bytes: &[u8]) -> String {
    let mut out = "\"".to_owned();
    for chunk in bytes.utf8_chunks() {
        let valid = quote(chunk.valid());
        out.push_str(&valid[1..valid.len() - 1]);
        for byte in chunk.invalid() {
            // Writing to a text cannot fail.
            _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
    out
}

/// Go's name of the value's type (`%T`). Bytes that are no UTF-8 are a string.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Bytes(bytes) if std::str::from_utf8(bytes).is_err() => "string",
        other => other.type_name(),
    }
}

/// Go's name of the value's kind.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::Number(_) => "string",
        other => match type_name(other) {
            name if name.starts_with('*') => "ptr",
            name if name.starts_with("[]") => "slice",
            name if name.starts_with("map[") => "map",
            name if matches!(other, Value::Object(_)) && name != "time.Duration" => "struct",
            "time.Duration" => "int64",
            name => name,
        },
    }
}
