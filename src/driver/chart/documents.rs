//! YAML documents of a chart's files and of what its templates render.

use std::sync::LazyLock;

use regex::Regex;

use super::value::Value;

/// Helm's own rule, which knows nothing of YAML: a `---` inside of a block text separates, too.
#[allow(clippy::unwrap_used, reason = "a constant pattern, compiled in every test")]
static SEPARATOR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|[\t\n\x0C\r ]*\n)---[\t\n\x0C\r ]*").unwrap());

/// The documents of a rendered template, without the empty ones.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    SEPARATOR.split(text.trim()).filter(|document| !document.is_empty()).map(str::trim)
}

/// The first document of a file; every number in it is a `float64`, as Helm reads it.
pub(super) fn first(text: &str) -> Result<Value, String> {
    first_exact(text).map(|value| floats(&value))
}

/// The first document of a manifest; whole numbers in it stay exact.
pub(super) fn first_exact(text: &str) -> Result<Value, String> {
    let mut documents = text.split("\n---\n").map(str::trim);
    let text = documents.find(|text| !text.is_empty() && *text != "---").unwrap_or_default();
    let json: serde_json::Value = serde_saphyr::from_str(text)
        .map_err(|error| format!("error converting YAML to JSON: yaml: {error}"))?;
    Ok(super::plain::to_value(&json))
}

/// A value as YAML.
pub(super) fn write(value: &Value) -> Result<String, String> {
    serde_json::to_string(&super::plain::to_json(value)).map_err(|error| error.to_string())
}

fn floats(value: &Value) -> Value {
    match value {
        #[allow(clippy::cast_precision_loss, reason = "so does Go")]
        Value::Int(number) => Value::Float(*number as f64),
        Value::List(items) => Value::list(items.iter().map(floats)),
        Value::Dict(entries) => {
            Value::dict(entries.borrow().iter().map(|(key, value)| (key.to_string(), floats(value))))
        }
        other => other.clone(),
    }
}
