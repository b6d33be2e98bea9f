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

impl ParameterSpec {
    /// How low and how high it may be, or how long: `1 to 5`, `at least 8 characters`. None: it is not limited.
    pub fn limits(&self) -> Option<String> {
        let of = match self.kind {
            ParameterKind::String | ParameterKind::Secret => " characters",
            ParameterKind::List => " items",
            _ => "",
        };
        match (self.min, self.max) {
            (Some(min), Some(max)) => Some(format!("{min} to {max}{of}")),
            (Some(min), None) => Some(format!("at least {min}{of}")),
            (None, Some(max)) => Some(format!("at most {max}{of}")),
            (None, None) => None,
        }
    }
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
