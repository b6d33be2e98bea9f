//! Reads YAML.

use std::borrow::Cow;
use std::fmt;

use super::convert::convert;
use super::nodes::Documents;
use crate::driver::chart::json::Numbers;
use crate::driver::chart::value::Value;

/// How many comments without a blank before them a text may have.
const COMMENTS: usize = 100;

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

/// Why the parser gave up, and where it met a comment without a blank before it.
pub(super) struct Unreadable {
    pub(super) error: YamlError,
    pub(super) comment_at: Option<usize>,
}

impl From<YamlError> for Unreadable {
    fn from(error: YamlError) -> Self {
        Self { error, comment_at: None }
    }
}

/// Reads the first document of `text`; nil where there is none. Helm does not look at those after it.
///
/// Of two entries with the same key the later one counts, as in Helm.
///
/// # Errors
/// When it is no YAML, or has what JSON has not: infinity, keys that are no scalars.
pub fn read(text: &str, numbers: Numbers) -> Result<Value, YamlError> {
    separating_comments(text, |text| match Documents::new(text).next()? {
        Some(document) => Ok(convert(&document, numbers)?),
        None => Ok(Value::Nil),
    })
}

/// Reads all documents of `text`.
///
/// # Errors
/// As [`read`].
pub fn read_all(text: &str, numbers: Numbers) -> Result<Vec<Value>, YamlError> {
    separating_comments(text, |text| {
        let mut documents = Documents::new(text);
        let mut values = Vec::new();
        while let Some(document) = documents.next()? {
            values.push(convert(&document, numbers)?);
        }
        Ok(values)
    })
}

/// Reads `text`, and where it has a comment right after a quote, which go-yaml takes and the parser does not, with a blank
/// between them.
fn separating_comments<T>(text: &str, read: impl Fn(&str) -> Result<T, Unreadable>) -> Result<T, YamlError> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..COMMENTS {
        match read(&text) {
            Err(Unreadable { comment_at: Some(at), .. }) if text.is_char_boundary(at) => {
                text.to_mut().insert(at, ' ');
            }
            Err(Unreadable { error, .. }) => return Err(error),
            Ok(value) => return Ok(value),
        }
    }
    read(&text).map_err(|unreadable| unreadable.error)
}
