//! Health: a verdict with a chain of causes, and the worst-of rule that folds verdicts.
//!
//! The rules per kind are in [`rules`]; their source is the union table of the reference sheet (§3.3: kstatus, Argo CD, Helm).

use serde::{Deserialize, Serialize};

use super::ObjectKey;

pub mod rules;

/// How something is. Ordered from best to worst, so that `max` is the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Health {
    /// As desired, and working.
    Healthy,
    /// Scaled to zero on purpose.
    Stopped,
    /// Paused on purpose.
    Suspended,
    /// On its way.
    Progressing,
    /// It should exist and does not.
    Missing,
    /// It failed, or will not finish by itself.
    Degraded,
    /// It cannot be told.
    Unknown,
}

impl Health {
    /// All of them, best first.
    pub const ALL: [Self; 7] = [
        Self::Healthy,
        Self::Stopped,
        Self::Suspended,
        Self::Progressing,
        Self::Missing,
        Self::Degraded,
        Self::Unknown,
    ];

    /// The word that is shown and written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Stopped => "Stopped",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Missing => "Missing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }

    /// The health of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|health| health.as_str() == word)
    }
}

/// One link of the chain that explains a verdict: object → condition or waiting reason → last event or log line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Where.
    pub object: ObjectKey,
    /// CamelCase, as Kubernetes says it (`CrashLoopBackOff`, `LessReady`).
    pub reason: String,
    /// In words.
    pub message: String,
}

impl Cause {
    /// The reason of a cause that is a line of a container's log.
    pub const LOG: &str = "LastLog";
}

/// How something is, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How it is.
    pub health: Health,
    /// Why, from the outermost object inwards. Empty when healthy.
    pub causes: Vec<Cause>,
}

impl Verdict {
    /// Healthy, with nothing to explain.
    pub fn healthy() -> Self {
        Self { health: Health::Healthy, causes: Vec::new() }
    }

    /// A verdict with one cause.
    pub fn because(health: Health, object: ObjectKey, reason: &str, message: impl Into<String>) -> Self {
        Self { health, causes: vec![Cause { object, reason: reason.to_owned(), message: message.into() }] }
    }

    /// The worst of `verdicts`, with its causes; `Missing` healths count like any other. `None` for no verdicts.
    pub fn worst<'a>(verdicts: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        verdicts
            .into_iter()
            .fold(None, |worst: Option<&Self>, next| match worst {
                Some(worst) if worst.health >= next.health => Some(worst),
                _ => Some(next),
            })
            .cloned()
    }

    /// The innermost cause that is a statement, and not what a container happened to print.
    pub fn innermost(&self) -> Option<&Cause> {
        self.causes.iter().rev().find(|cause| cause.reason != Cause::LOG)
    }

    /// The innermost cause in one line: what a table shows beside the word.
    pub fn headline(&self) -> Option<String> {
        let cause = self.innermost()?;
        Some(if cause.message.is_empty() {
            cause.reason.clone()
        } else {
            format!("{}: {}", cause.reason, cause.message)
        })
    }
}
