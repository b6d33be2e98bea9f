//! Reads YAML.

use std::fmt;

use super::convert::convert;
use super::nodes::Documents;
use crate::driver::chart::json::Numbers;
use crate::driver::chart::value::Value;

/// Why a text is no YAML that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

impl std::error::Error for YamlError {}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "yaml: line {}: {}", self.line, self.message)
    }
}

/// Reads the first document of `text`; nil where there is none. Helm does not look at those after it.
///
/// Of two entries with the same key the later one counts, as in Helm.
///
/// # Errors
/// When it is no YAML, or has what JSON has not: infinity, keys that are no scalars.
pub fn read(text: &str, numbers: Numbers) -> Result<Value, YamlError> {
    match Documents::new(text).next()? {
        Some(document) => convert(&document, numbers),
        None => Ok(Value::Nil),
    }
}

/// Reads all documents of `text`.
///
/// # Errors
/// As [`read`].
pub fn read_all(text: &str, numbers: Numbers) -> Result<Vec<Value>, YamlError> {
    let mut documents = Documents::new(text);
    let mut values = Vec::new();
    while let Some(document) = documents.next()? {
        values.push(convert(&document, numbers)?);
    }
    Ok(values)
}
