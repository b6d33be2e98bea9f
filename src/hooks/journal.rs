//! What was called and what came of it, kept so that a run can be repeated.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::call::Refusal;
use super::end::Place;
use super::replay::written;
use crate::domain::Problem;
use crate::domain::canonical::canonical_digest;

/// Remembers the calls of one run, by position from 0. Each position is begun before it is performed, and ended after.
pub trait Journal: Send + Sync {
    /// What is known of the call at a position.
    fn recorded(&self, position: u32) -> Option<CallRecord>;

    /// A call is about to be performed. A position that was begun before and ended [`Outcome::Undone`] is begun anew.
    fn begin(&self, position: u32, note: &CallNote) -> impl Future<Output = Result<(), Problem>> + Send;

    /// What came of it.
    fn end(&self, position: u32, outcome: &Outcome) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// A call: what is compared when it is called again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNote {
    /// The primitive.
    pub name: String,
    /// Its arguments by name, for people; a journal may cut them. Secrets are references.
    pub arguments: Map<String, Value>,
    /// The digest of all of the arguments.
    pub digest: String,
    /// Where it was called.
    pub place: Option<Place>,
}

impl CallNote {
    /// Notes a call.
    pub fn new(name: String, arguments: Map<String, Value>, place: Option<Place>) -> Self {
        let whole = Value::Object(arguments);
        let digest = canonical_digest(&whole);
        let Value::Object(arguments) = whole else {
            return Self { name, arguments: Map::new(), digest, place };
        };
        Self { name, arguments, digest, place }
    }
}

impl fmt::Display for CallNote {
    /// The call as it is written in a program, long arguments shortened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(&self.name, &self.arguments))
    }
}

/// What a journal knows of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRecord {
    /// The call.
    pub note: CallNote,
    /// None: it was begun, and nobody knows what came of it.
    pub outcome: Option<Outcome>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It gave this.
    Answered(Value),
    /// The function failed there, and does so at every replay.
    Refused(Refusal),
    /// Nothing was done, for a reason that may be gone: the next run performs it.
    Undone(Problem),
}

/// A journal that is forgotten with its process: for dry runs, tests and measurements.
#[derive(Debug, Default)]
pub struct MemoryJournal(Mutex<BTreeMap<u32, CallRecord>>);

impl MemoryJournal {
    /// Everything that was recorded, in the order of the calls.
    pub fn records(&self) -> Vec<CallRecord> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, CallRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn recorded(&self, position: u32) -> Option<CallRecord> {
        self.lock().get(&position).cloned()
    }

    async fn begin(&self, position: u32, note: &CallNote) -> Result<(), Problem> {
        self.lock().insert(position, CallRecord { note: note.clone(), outcome: None });
        Ok(())
    }

    async fn end(&self, position: u32, outcome: &Outcome) -> Result<(), Problem> {
        if let Some(record) = self.lock().get_mut(&position) {
            record.outcome = Some(outcome.clone());
        }
        Ok(())
    }
}
