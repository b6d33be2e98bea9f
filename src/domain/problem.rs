//! The one shape in which a person is told that something went wrong.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ObjectKey;

/// What happened, why, and what to do next. Every error that reaches a screen or a terminal becomes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What happened, as one short sentence without a full stop.
    pub what: String,
    /// Why: the cause, with the place (file, line, object, field).
    pub why: String,
    /// What the person can do about it.
    pub next: String,
    /// The object whose fields somebody else owns, when that is what happened: a person can say who is to have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested: Option<Box<ObjectKey>>,
}

impl Problem {
    /// A problem from its three parts.
    pub fn new(what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), next: next.into(), contested: None }
    }

    /// The same problem, about fields of `object` that somebody else owns.
    pub fn about_fields_of(mut self, object: ObjectKey) -> Self {
        self.contested = Some(Box::new(object));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if !self.why.is_empty() {
            write!(f, "\n  why:  {}", self.why.replace('\n', "\n        "))?;
        }
        if !self.next.is_empty() {
            write!(f, "\n  next: {}", self.next.replace('\n', "\n        "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
