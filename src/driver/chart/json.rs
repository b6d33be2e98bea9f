//! JSON, read and written as Go's `encoding/json` does.

mod read;
mod write;

use super::value::Value;

pub use read::read;
pub use write::{number, write, write_indented, write_unescaped};

/// What numbers become when a document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// `float64`, as Go reads numbers when it is told nothing else.
    Float,
    /// `json.Number`, which keeps the digits of the JSON.
    AsWritten,
}

impl Numbers {
    /// The value of a number of a JSON document.
    pub(super) fn value(self, written: &str) -> Result<Value, String> {
        if self == Self::AsWritten {
            return Ok(Value::Number(written.into()));
        }
        match written.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => Err(format!("json: cannot unmarshal number {written} into Go value of type float64")),
        }
    }
}
