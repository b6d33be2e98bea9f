//! Drift: what runs is not what was written, because somebody else changed it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ObjectKey;

/// What is done about drift.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriftMode {
    /// It is set right, until somebody keeps changing it back.
    #[default]
    Correct,
    /// It is shown, and left as it is.
    Warn,
    /// It is nobody's business.
    Ignore,
}

impl DriftMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Correct, Self::Warn, Self::Ignore];

    /// The word that is stored, written into the custom resource, and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Warn => "warn",
            Self::Ignore => "ignore",
        }
    }

    /// The one of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// One object that drifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Which.
    pub object: ObjectKey,
    /// Whether it is gone altogether.
    pub missing: bool,
    /// The fields that are not as they were written; empty before they were looked at.
    pub fields: Vec<DriftedField>,
    /// Since when it is known.
    pub since: Timestamp,
    /// What is being done.
    pub answer: DriftAnswer,
}

/// A field that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftedField {
    /// Its path (`.spec.replicas`).
    pub path: String,
    /// As it should be, as JSON; masked where it is secret.
    pub wanted: String,
    /// As it is; none when it is gone.
    pub found: Option<String>,
    /// Who has it now.
    pub manager: Option<String>,
}

/// What is being done about drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DriftAnswer {
    /// It is being set right.
    Correcting,
    /// It is shown only.
    Tolerated,
    /// It was set right so many times within ten minutes and changed again each time: it is left alone.
    Fought(u32),
}
