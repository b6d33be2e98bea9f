//! How a run ended, and where.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::Problem;

/// A place in a file of the driver.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The path in the driver.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        self.column.map_or(Ok(()), |column| write!(f, ":{column}"))
    }
}

/// A function that was running, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Its name.
    pub function: String,
    /// The path in the driver.
    pub file: String,
    /// From 1.
    pub line: u32,
}

/// A function failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What happened.
    pub what: String,
    /// Why, where there is more to say.
    #[serde(default)]
    pub why: String,
    /// Where.
    #[serde(default)]
    pub place: Option<Box<Place>>,
    /// The line there.
    #[serde(default)]
    pub source: Option<String>,
    /// The functions that were running, the outermost first.
    #[serde(default)]
    pub stack: Vec<Frame>,
}

/// How many functions of a stack are shown at either end of it.
const SHOWN: usize = 8;

impl Failure {
    /// A failure without a place.
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), ..Self::default() }
    }

    /// The same failure at a place, where it has none.
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = self.place.or(place.map(Box::new));
        self
    }

    /// Where it happened, as text: place, the line there, the stack.
    fn whereabouts(&self) -> String {
        let mut text = String::new();
        if let Some(place) = &self.place {
            text += &format!("{place}\n");
        }
        if let Some(source) = &self.source {
            text += &format!("    {}\n", source.trim());
        }
        let hidden = self.stack.len().saturating_sub(2 * SHOWN);
        for (position, frame) in self.stack.iter().enumerate() {
            if hidden > 0 && position == SHOWN {
                text += &format!("  … {hidden} more …\n");
            }
            if hidden == 0 || position < SHOWN || position >= SHOWN + hidden {
                text += &format!("  in {} ({}:{})\n", frame.function, frame.file, frame.line);
            }
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// The failure in the shape in which people are told of problems.
    pub fn to_problem(&self) -> Problem {
        let parts = [self.why.clone(), self.whereabouts()];
        let why: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Problem::new(&self.what, why.join("\n"), "")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_problem().fmt(f)
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// The function returned.
    Returned(Value),
    /// The function failed, and would fail again.
    Failed(Failure),
    /// Nobody knows what came of a call: a person is asked.
    InDoubt(Problem),
    /// The function called something else than the time before.
    Diverged(Problem),
    /// It did not come to its end, and may be run again.
    Transient(Problem),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_where_and_shows_the_ends_of_a_deep_stack() {
        let mut failure = Failure::new("it broke", "because").at(Some(Place {
            file: "actions.star".into(),
            line: 3,
            column: Some(5),
        }));
        failure.source = Some("    fail(\"it broke\")".into());
        failure.stack = (1..=20)
            .map(|line| Frame { function: "again".into(), file: "actions.star".into(), line })
            .collect();
        let text = failure.to_string();
        assert!(text.starts_with(
            "it broke\n  why:  because\n        actions.star:3:5\n            fail(\"it broke\")\n          in again"
        ));
        assert!(
            text.contains("(actions.star:8)\n          … 4 more …\n          in again (actions.star:13)")
        );
        assert!(text.ends_with("(actions.star:20)"));
    }
}
