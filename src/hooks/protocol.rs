//! What parent and child say to each other: one JSON object per line. The first line of the parent is [`First`]; then the child
//! speaks, and waits for an answer after each [`FromChild::Call`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::check::Finding;
use super::end::{Failure, Place};
use super::limits::Limits;
use super::signature::Signature;

/// The longest line, in bytes.
pub const LINE_MAX: usize = 4 << 20;

/// The key of an object that stands for a secret: its value is a [`crate::domain::SecretReference`].
pub const SECRET: &str = "$secret";

/// What is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// The driver's files, by their paths in it.
    pub files: Arc<BTreeMap<String, String>>,
    /// The path of the file that has the function.
    pub file: String,
    /// The function's name.
    pub function: String,
    /// What it gets as its one argument. Secrets are objects `{"$secret": {"secret": NAME, "key": KEY}}`.
    pub context: Value,
}

/// What an action is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `.star`: deterministic, replayed after a crash.
    Starlark,
    /// `.py`: not replayed.
    Python,
}

impl Language {
    /// By the file's ending.
    pub fn of(file: &str) -> Option<Self> {
        match file.rsplit_once('.')?.1 {
            "star" => Some(Self::Starlark),
            "py" => Some(Self::Python),
            _ => None,
        }
    }
}

/// The first line: what is to be done. Without a function the file is only looked through.
#[derive(Debug, Serialize)]
pub struct First<'a> {
    /// The driver's files.
    pub files: &'a BTreeMap<String, String>,
    /// The file to run or to check.
    pub file: &'a str,
    /// The function to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<&'a str>,
    /// Its argument.
    pub context: &'a Value,
    /// How much it may use.
    pub limits: Limits,
    /// What can be called: the shim has no table of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signatures: Option<&'a [Signature]>,
}

/// [`First`] as the worker reads it.
#[derive(Debug, Deserialize)]
pub struct Order {
    /// The driver's files.
    pub files: BTreeMap<String, String>,
    /// The file to run or to check.
    pub file: String,
    /// The function to run; none: check.
    #[serde(default)]
    pub function: Option<String>,
    /// Its argument.
    #[serde(default)]
    pub context: Value,
    /// How much it may use.
    pub limits: Limits,
}

/// What the parent says to a call.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToChild {
    /// What the call gives.
    Answer(Value),
    /// The function fails there.
    Refused {
        /// What happened.
        what: String,
        /// Why.
        why: String,
    },
}

/// A call as it comes from the child.
#[derive(Debug, Serialize, Deserialize)]
pub struct Asked {
    /// The primitive.
    pub name: String,
    /// By name, those left out that were not given.
    pub arguments: Map<String, Value>,
    /// Where it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FromChild {
    /// It waits for an answer.
    Call(Asked),
    /// The function ended with this value.
    Returned(Value),
    /// The function failed.
    Failed(Failure),
    /// The file was looked through.
    Checked(Vec<Finding>),
}
