//! `spec.parameters[]`: typed inputs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A typed input.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ParameterSpec {
    /// How templates call it.
    pub name: String,
    /// How people read it.
    pub label: String,
    /// What it takes.
    pub kind: ParameterKind,
    /// The value when none is given; none means required.
    pub default: Option<Value>,
    /// A sentence for the form.
    pub description: String,
    /// A regular expression that the whole value must match, and each item of a list.
    pub pattern: Option<String>,
    /// The lowest number allowed (kinds `integer` and `number`), or the fewest characters (`string`, `secret`) or items (`list`).
    pub min: Option<f64>,
    /// The highest number, or the most characters or items.
    pub max: Option<f64>,
    /// Whether its text has several lines (kinds `string` and `secret`).
    pub multiline: bool,
}

/// What a parameter takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterKind {
    /// Any text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// One of the named values.
    Enum(Vec<String>),
    /// Several texts.
    List,
    /// Text that lives in a Kubernetes Secret only: everywhere else there is a reference to it.
    Secret,
}

impl ParameterKind {
    /// The word of the driver file.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Enum(_) => "enum",
            Self::List => "list",
            Self::Secret => "secret",
        }
    }
}
