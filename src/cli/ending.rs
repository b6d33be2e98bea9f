//! How commands end: the exit code that answers, and why something was not carried out.

use std::process::ExitCode;

use crate::domain::Problem;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// All is well.
    Well,
    /// It was cancelled, or not confirmed.
    Cancelled,
    /// Something failed.
    Failed,
}

impl Ending {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Failed => super::FAILED,
            Self::Cancelled => super::CANCELLED,
        }
    }
}

/// Why a command was not carried out.
#[derive(Debug)]
pub enum Refusal {
    /// The arguments make no sense.
    Usage(Problem),
    /// It cannot be done.
    Problem(Problem),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// The arguments make no sense, and why.
pub fn usage(what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Refusal {
    Refusal::Usage(Problem::new(what, why, next))
}

/// The exit code of a command, after its problem was told.
pub fn exit(done: Result<Ending, Refusal>) -> ExitCode {
    let (problem, code) = match done {
        Ok(ending) => return ExitCode::from(ending.code()),
        Err(Refusal::Usage(problem)) => (problem, super::USAGE),
        Err(Refusal::Problem(problem)) => (problem, super::FAILED),
    };
    super::tell(&problem);
    ExitCode::from(code)
}
