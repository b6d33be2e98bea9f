//! YAML documents of a chart's files and of what its templates render.

use std::sync::LazyLock;

use regex::Regex;

use super::json::Numbers;
use super::value::Value;
use super::yaml;

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
    yaml::read(text, Numbers::Float).map_err(|error| format!("error converting YAML to JSON: {error}"))
}

/// The first document of a manifest; numbers stay as they are written.
pub(super) fn first_exact(text: &str) -> Result<Value, String> {
    yaml::read(text, Numbers::AsWritten).map_err(|error| format!("error converting YAML to JSON: {error}"))
}
