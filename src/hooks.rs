//! Actions: functions of a driver that run in a process of their own and ask this one for everything that they do.
//!
//! ```text
//! run ──► child (this binary as `action-worker`: Starlark; or python3 with a shim)
//!  ▲  ◄── {"call": …}         journal.begin → performer.perform → journal.end
//!  └────► {"answer": …}       or the answer that the journal has
//! ```
//!
//! A function that began and did not end is run again from the top: what it called before is answered from the journal, after a
//! comparison of name and arguments, and only the first call without an answer is performed. That is sound because nothing that
//! could be otherwise the second time is reachable but by a call.

mod call;
mod check;
mod child;
mod end;
mod functions;
mod journal;
mod limits;
mod protocol;
mod replay;
mod run;
mod signature;
pub mod worker;

pub use call::{Call, ExecuteCommands, HttpCheck, Refusal, RunJob, Text};
pub use check::{Finding, check};
pub use child::Worker;
pub use end::{End, Failure, Frame, Place};
pub use functions::{Function, functions};
pub use journal::{CallNote, CallRecord, Journal, MemoryJournal, Outcome};
pub use limits::Limits;
pub use protocol::{Language, Program};
pub use replay::written;
pub use run::{CallError, Performer, run};
pub use signature::{SIGNATURES, Signature};
