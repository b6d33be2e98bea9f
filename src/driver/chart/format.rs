//! Writes values as Go's package `fmt` does: what `{{ . }}` prints, what `printf` makes of its verbs, what stands in messages.
//!
//! A dictionary can contain itself, and a small one can unfold to more text than there is memory: everything here is bounded by
//! [`DEPTH`] and [`SIZE`].

mod float;
mod number;
mod printf;
mod quote;
mod verb;

use std::fmt::{self, Write as _};

use super::value::{Value, lossy};

pub use float::{exponent, fixed, general};
pub use printf::sprintf;
pub use quote::{is_print, quote, quote_bytes};

/// How deep values may nest where they are written.
pub const DEPTH: usize = 500;

/// How many bytes a text may have that a value is written to.
pub const SIZE: usize = 16 << 20;

const TOO_LARGE: &str = "the text of this value has more than 16 MiB";
const TOO_DEEP: &str = "this value is nested more than 500 deep (does it contain itself?)";

/// Why a value that nests too deep is neither written nor gone through.
pub fn too_deep() -> String {
    TOO_DEEP.to_owned()
}

/// Whether a value was not written because of a limit, and not because it cannot be written at all.
pub fn is_limit(problem: &str) -> bool {
    problem == TOO_LARGE || problem == TOO_DEEP
}

/// Writes `value` as `%v`. The error is a text for the person who wrote the template.
pub fn print(value: &Value) -> Result<String, String> {
    let mut text = Bounded::default();
    text.value(value)?;
    Ok(text.into_text())
}

/// Writes `values` as `fmt.Sprint`: with blanks between those of which neither is a text.
pub fn sprint(values: &[Value]) -> Result<Vec<u8>, String> {
    let mut text = Bounded::default();
    let mut before_is_text = true;
    for value in values {
        let is_text = matches!(value, Value::Text(_) | Value::Raw(_));
        if !is_text && !before_is_text {
            text.push(" ")?;
        }
        text.value(value)?;
        before_is_text = is_text;
    }
    Ok(text.into_bytes())
}

/// Writes `values` as `fmt.Sprintln`: with blanks between all of them and a line's end.
pub fn sprintln(values: &[Value]) -> Result<Vec<u8>, String> {
    let mut text = Bounded::default();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(" ")?;
        }
        text.value(value)?;
    }
    text.push("\n")?;
    Ok(text.into_bytes())
}

/// A text that does not grow beyond [`SIZE`].
#[derive(Default)]
pub(super) struct Bounded {
    text: Vec<u8>,
    depth: usize,
}

impl Bounded {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.text
    }

    /// The text, in which a byte that is no UTF-8 becomes U+FFFD.
    pub(super) fn into_text(self) -> String {
        String::from_utf8(self.text).unwrap_or_else(|error| lossy(error.as_bytes()).into_owned())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn push(&mut self, text: &str) -> Result<(), String> {
        self.push_bytes(text.as_bytes())
    }

    pub(super) fn push_bytes(&mut self, text: &[u8]) -> Result<(), String> {
        if self.text.len() + text.len() > SIZE {
            return Err(TOO_LARGE.to_owned());
        }
        self.text.extend_from_slice(text);
        Ok(())
    }

    /// Writes something that is short.
    pub(super) fn show(&mut self, shown: impl fmt::Display) -> Result<(), String> {
        // Writing to a text cannot fail.
        let mut text = String::new();
        let _ = write!(text, "{shown}");
        self.push(&text)
    }

    /// Writes `count` of the same text.
    pub(super) fn repeat(&mut self, text: &str, count: usize) -> Result<(), String> {
        if text.len().saturating_mul(count) > SIZE {
            return self.push(&" ".repeat(SIZE + 1));
        }
        self.push(&text.repeat(count))
    }

    /// Goes one level deeper for `work`.
    pub(super) fn deeper(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.enter()?;
        let done = work(self);
        self.leave();
        done
    }

    /// Goes one level deeper, until [`Bounded::leave`].
    pub(super) fn enter(&mut self) -> Result<(), String> {
        if self.depth >= DEPTH {
            return Err(too_deep());
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes one level back.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Writes `value` as `%v`.
    pub(super) fn value(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Nil => self.push("<nil>"),
            Value::Bool(value) => self.show(value),
            Value::Int(value) => self.show(value),
            Value::Float(value) => self.push(&general(*value)),
            Value::Number(text) | Value::Text(text) => self.push(text),
            Value::Raw(bytes) => self.push_bytes(bytes),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::List(items) => {
                self.push("[")?;
                self.deeper(|text| {
                    for (index, item) in items.iter().enumerate() {
                        if index > 0 {
                            text.push(" ")?;
                        }
                        text.value(item)?;
                    }
                    Ok(())
                })?;
                self.push("]")
            }
            Value::Dict(entries) => {
                self.push("map[")?;
                self.deeper(|text| {
                    for (index, (key, item)) in entries.borrow().iter().enumerate() {
                        if index > 0 {
                            text.push(" ")?;
                        }
                        text.push(key)?;
                        text.push(":")?;
                        text.value(item)?;
                    }
                    Ok(())
                })?;
                self.push("]")
            }
            Value::Object(object) => self.push(&object.print()),
        }
    }

    /// A `[]byte` is written as a list of numbers.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.push("[")?;
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 {
                self.push(" ")?;
            }
            self.show(byte)?;
        }
        self.push("]")
    }
}
