//! How Go prints values: `%v`, `%q`, `%T`, and the kind of a value.

use std::fmt::Write;
use std::sync::LazyLock;

use regex::Regex;

use super::super::value::Value;
use super::{DEPTH_MAX, TEXT_MAX, too_large};

/// The value as `%v` prints it. An error when it contains itself, or is too long.
pub fn print(value: &Value) -> Result<String, String> {
    let mut text = String::new();
    write(&mut text, value, 0)?;
    Ok(text)
}

fn write(text: &mut String, value: &Value, depth: usize) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err("the value is nested too deeply to print".to_owned());
    }
    match value {
        Value::Nil => text.push_str("<nil>"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Int(number) => _ = write!(text, "{number}"),
        Value::Float(number) => text.push_str(&float(*number)),
        Value::Number(written) | Value::Text(written) => text.push_str(written),
        Value::Bytes(bytes) => text.push_str(&String::from_utf8_lossy(bytes)),
        Value::Object(object) => text.push_str(&object.print()),
        Value::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(' ');
                }
                write(text, item, depth + 1)?;
            }
            text.push(']');
        }
        Value::Dict(entries) => {
            text.push_str("map[");
            for (index, (key, entry)) in entries.borrow().iter().enumerate() {
                if index > 0 {
                    text.push(' ');
                }
                text.push_str(key);
                text.push(':');
                write(text, entry, depth + 1)?;
            }
            text.push(']');
        }
    }
    if text.len() > TEXT_MAX { Err(too_large("the printed value")) } else { Ok(()) }
}

/// A `float64` as `%v` prints it: the shortest digits that read back the same, with an exponent below -4 and from 6 on.
pub fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// The text as `%q` prints it: a string literal of Go.
pub fn quoted(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            quote_letter(&mut out, letter);
        }
        for byte in chunk.invalid() {
            _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
    out
}

fn quote_letter(out: &mut String, letter: char) {
    match letter {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        ' '..='~' => out.push(letter),
        ..'\u{80}' => _ = write!(out, "\\x{:02x}", u32::from(letter)),
        _ if printable(letter) => out.push(letter),
        ..='\u{ffff}' => _ = write!(out, "\\u{:04x}", u32::from(letter)),
        _ => _ = write!(out, "\\U{:08x}", u32::from(letter)),
    }
}

/// Go's `unicode.IsPrint` beyond ASCII: letters, marks, numbers, punctuation and symbols.
fn printable(letter: char) -> bool {
    static GRAPHIC: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[\p{L}\p{M}\p{N}\p{P}\p{S}]").ok());
    GRAPHIC.as_ref().is_some_and(|graphic| graphic.is_match(letter.encode_utf8(&mut [0; 4])))
}

/// Go's name of the value's type (`%T`).
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float64",
        Value::Number(_) => "json.Number",
        Value::Text(_) | Value::Bytes(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Dict(_) => "map[string]interface {}",
        Value::Object(object) => object.type_name(),
    }
}

/// Go's name of the value's kind.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::Number(_) => "string",
        Value::List(_) => "slice",
        Value::Dict(_) => "map",
        Value::Object(object) => match object.type_name() {
            name if name.starts_with('*') => "ptr",
            name if name.starts_with("[]") => "slice",
            name if name.starts_with("map[") => "map",
            _ => "struct",
        },
        other => type_name(other),
    }
}
