//! Writes JSON.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::driver::chart::format::{Bounded, exponent, fixed, quote};
use crate::driver::chart::value::Value;

/// Go's `json.Marshal`: without blanks, the keys in order, and `<`, `>` and `&` escaped.
///
/// # Errors
/// For a number that JSON has not, and for a value that nests too deep or is too large; the error is a text.
pub fn write(value: &Value) -> Result<String, String> {
    Layout { html: true, indent: false }.write(value)
}

/// As [`write()`], but with `<`, `>` and `&` as they are: sprig's `toRawJson`.
///
/// # Errors
/// As [`write()`].
pub fn write_unescaped(value: &Value) -> Result<String, String> {
    Layout { html: false, indent: false }.write(value)
}

/// As [`write()`], but on many lines, each level with two blanks more: sprig's `toPrettyJson`.
///
/// # Errors
/// As [`write()`].
pub fn write_indented(value: &Value) -> Result<String, String> {
    Layout { html: true, indent: true }.write(value)
}

/// How Go writes a float64 in JSON: without an exponent from a millionth up to less than 10 to the power of 21.
///
/// # Errors
/// For infinity and what is no number.
pub fn number(value: f64) -> Result<String, String> {
    if !value.is_finite() {
        let shown = crate::driver::chart::format::general(value);
        return Err(format!("json: unsupported value: {shown}"));
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        // Go drops the zero of e-09.
        return Ok(exponent(value, None).replace("e-0", "e-"));
    }
    Ok(fixed(value, None))
}

struct Layout {
    html: bool,
    indent: bool,
}

impl Layout {
    fn write(&self, value: &Value) -> Result<String, String> {
        let mut text = Bounded::default();
        self.value(&mut text, value, 0)?;
        Ok(text.into_text())
    }

    fn value(&self, text: &mut Bounded, value: &Value, depth: usize) -> Result<(), String> {
        match value {
            Value::Nil => text.push("null"),
            Value::Bool(value) => text.push(if *value { "true" } else { "false" }),
            Value::Int(value) => text.push(&value.to_string()),
            Value::Float(value) => text.push(&number(*value)?),
            Value::Number(written) if is_number(written) => text.push(written),
            Value::Number(written) if written.is_empty() => text.push("0"),
            Value::Number(written) => Err(format!("json: invalid number literal {}", quote(written))),
            Value::Text(value) => self.string(text, value),
            Value::Raw(bytes) => self.raw(text, bytes),
            Value::Bytes(bytes) => self.string(text, &STANDARD.encode(bytes)),
            Value::List(items) => {
                let items = items.iter().map(|item| (None, item));
                self.container(text, ('[', ']'), items, depth)
            }
            Value::Dict(entries) => {
                let entries = entries.borrow();
                let items = entries.iter().map(|(key, item)| (Some(&**key), item));
                self.container(text, ('{', '}'), items, depth)
            }
            Value::Object(object) => match object.plain() {
                Some(plain) => text.deeper(|text| self.value(text, &plain, depth)),
                None => text.push("{}"),
            },
        }
    }

    fn container<'v>(
        &self,
        text: &mut Bounded,
        (begin, end): (char, char),
        items: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
        depth: usize,
    ) -> Result<(), String> {
        text.show(begin)?;
        let mut empty = true;
        text.deeper(|text| {
            for (key, item) in items {
                if !std::mem::take(&mut empty) {
                    text.push(",")?;
                }
                self.line(text, depth + 1)?;
                if let Some(key) = key {
                    self.string(text, key)?;
                    text.push(if self.indent { ": " } else { ":" })?;
                }
                self.value(text, item, depth + 1)?;
            }
            Ok(())
        })?;
        if !empty {
            self.line(text, depth)?;
        }
        text.show(end)
    }

    fn line(&self, text: &mut Bounded, depth: usize) -> Result<(), String> {
        if !self.indent {
            return Ok(());
        }
        text.push("\n")?;
        text.repeat("  ", depth)
    }

    fn string(&self, text: &mut Bounded, value: &str) -> Result<(), String> {
        let mut escaped = String::with_capacity(value.len() + 2);
        escaped.push('"');
        self.escape(&mut escaped, value);
        escaped.push('"');
        text.push(&escaped)
    }

    /// A string with bytes that JSON has not: for each of them it has an escape.
    fn raw(&self, text: &mut Bounded, bytes: &[u8]) -> Result<(), String> {
        let mut escaped = String::with_capacity(bytes.len() + 2);
        escaped.push('"');
        for chunk in bytes.utf8_chunks() {
            self.escape(&mut escaped, chunk.valid());
            chunk.invalid().iter().for_each(|_| escaped.push_str("\\ufffd"));
        }
        escaped.push('"');
        text.push(&escaped)
    }

    fn escape(&self, escaped: &mut String, value: &str) {
        for character in value.chars() {
            match character {
                '"' => escaped.push_str("\\\""),
                '\\' => escaped.push_str("\\\\"),
                '\x08' => escaped.push_str("\\b"),
                '\x0c' => escaped.push_str("\\f"),
                '\n' => escaped.push_str("\\n"),
                '\r' => escaped.push_str("\\r"),
                '\t' => escaped.push_str("\\t"),
                '\0'..='\x1f' | '\u{2028}' | '\u{2029}' => {
                    // Writing to a text cannot fail.
                    let _ = write!(escaped, "\\u{:04x}", u32::from(character));
                }
                '<' | '>' | '&' if self.html => {
                    let _ = write!(escaped, "\\u{:04x}", u32::from(character));
                }
                _ => escaped.push(character),
            }
        }
    }
}

/// Whether JSON takes it for a number.
fn is_number(written: &str) -> bool {
    written.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && !written.ends_with(|last: char| last.is_ascii_whitespace())
        && super::read(written, super::Numbers::AsWritten).is_ok()
}
