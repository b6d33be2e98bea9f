//! What an action's function asked for, as it is journaled, and what it printed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::OperationId;

/// A step of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepId {
    /// The operation.
    pub operation: OperationId,
    /// The step's position in its plan.
    pub position: usize,
}

/// One run of an action's function. A try that was cut off goes on in the same run; one that failed is followed by another run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionRun {
    /// Which, from 1.
    pub number: u32,
    /// What the function is told, as it was when the run began. Secrets are references.
    pub context: Value,
    /// What it called so far, in order.
    pub calls: Vec<CallRecord>,
}

/// A call of a primitive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// What is called: `execute_commands`.
    pub name: String,
    /// With what, by name. Secrets are references.
    pub arguments: Value,
    /// The digest of all of them.
    pub digest: String,
    /// Where in the driver: `actions.star:12`.
    pub place: String,
    /// What came of it.
    pub outcome: CallOutcome,
    /// When it was begun.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

impl CallRecord {
    /// Its arguments in few characters, at most `most` for each: `component="db", timeout=300`. A reference to a secret says that
    /// it is one.
    pub fn short_arguments(&self, most: usize) -> String {
        let Value::Object(named) = &self.arguments else { return String::new() };
        let one = |(name, value): (&String, &Value)| format!("{name}={}", cut(&shown(value), most));
        let place = |name: &str| TELLING.iter().position(|known| *known == name).unwrap_or(TELLING.len());
        let mut arguments: Vec<_> = named.iter().collect();
        arguments.sort_by_key(|(name, _)| place(name));
        arguments.into_iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// The arguments that tell most stand first.
const TELLING: [&str; 9] =
    ["component", "components", "commands", "name", "command", "service", "path", "done", "total"];

fn shown(value: &Value) -> String {
    match value {
        Value::Object(map) if map.contains_key("$secret") => "(secret)".to_owned(),
        Value::Object(map) => {
            let one = |(name, value): (&String, &Value)| format!("{name}: {}", shown(value));
            format!("{{{}}}", map.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

fn cut(text: &str, most: usize) -> String {
    let mut characters = text.chars();
    let kept: String = characters.by_ref().take(most.saturating_sub(1)).collect();
    match characters.as_str().chars().count() {
        0 | 1 => text.to_owned(),
        _ => format!("{kept}…"),
    }
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CallOutcome {
    /// It is under way; after a crash nobody knows.
    Open,
    /// It was done, with this answer.
    Answered(Value),
    /// It was not done, and the function failed there.
    Refused(super::Problem),
    /// Nothing was done, for a reason that may be gone: it is made again.
    Undone(super::Problem),
    /// A crash left it open, and a person said that it was done.
    Told,
}

/// Where a line of a step's output comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OutputSource {
    /// The function itself: `log`, `print`, `progress`.
    Log,
    /// The standard output of a command or a job.
    Out,
    /// The standard error of a command.
    Error,
    /// Styrmin: what was cut off, what a call came to.
    Note,
}

impl OutputSource {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Log, Self::Out, Self::Error, Self::Note];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Out => "out",
            Self::Error => "error",
            Self::Note => "note",
        }
    }

    /// The one of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A line that a step printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputLine {
    /// When.
    pub at: Timestamp,
    /// Where it comes from.
    pub source: OutputSource,
    /// Without its end, masked, cut to a few thousand characters.
    pub text: String,
}

/// What a step printed and called, as far as it was not told before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepOutput {
    /// The lines that are new, oldest first.
    pub lines: Vec<OutputLine>,
    /// The lines take the place of all that were told before: some between them are missing.
    pub anew: bool,
    /// Everything that its newest run called, in order. What was answered is left out: it may be large.
    pub calls: Vec<CallRecord>,
}
