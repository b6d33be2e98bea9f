//! The durable runner of operations. It knows no step's content.
//!
//! ```text
//! journal ─► decide ─► journal: "started" (on the disk) ─► executor does it ─► journal: the outcome ─┐
//!    ▲       (pure)                                                                                  │
//!    └───────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! What is done next follows from the plan, the records of its steps and the moment alone, so it does not matter how often the
//! process died in between. A step that was started and has no outcome is `Unknown`: it is done again, looked for, or put to a
//! person, as its [`Policy`](crate::domain::plan::Policy) says.

mod course;
mod decide;
mod executor;
mod extension;
mod outcome;
mod pause;
mod run;
mod settle;

pub use decide::{Decision, Moment, Move, decide};
pub use executor::{Done, Executor, Probed, StepError, StepErrorKind, StepRun};
pub use extension::Extension;
pub use pause::pause;
pub use run::Runner;
