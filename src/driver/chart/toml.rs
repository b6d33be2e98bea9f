//! TOML, read, and written as Helm's `toToml` does: by BurntSushi's encoder.

#[cfg(test)]
mod tests;
mod write;

use super::value::Value;

pub use write::write;

/// Reads a TOML document. Dates become texts.
///
/// # Errors
/// When it is no TOML; the error is a text.
pub fn read(text: &str) -> Result<Value, String> {
    match text.parse::<::toml::Table>() {
        Ok(table) => Ok(from_table(table)),
        Err(error) => {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
            let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
            Err(format!("toml: line {line}: {}", error.message()))
        }
    }
}

/// The parser limits how deep values nest, and so this recursion.
fn from_table(table: ::toml::Table) -> Value {
    Value::dict(table.into_iter().map(|(key, value)| (key, from_toml(value))))
}

fn from_toml(value: ::toml::Value) -> Value {
    match value {
        ::toml::Value::String(text) => Value::text(text),
        ::toml::Value::Integer(value) => Value::Int(value),
        ::toml::Value::Float(value) => Value::Float(value),
        ::toml::Value::Boolean(value) => Value::Bool(value),
        ::toml::Value::Datetime(moment) => Value::text(moment.to_string()),
        ::toml::Value::Array(items) => Value::list(items.into_iter().map(from_toml)),
        ::toml::Value::Table(table) => from_table(table),
    }
}
