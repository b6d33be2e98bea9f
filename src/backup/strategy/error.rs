//! Why a component could not be read or written.

use std::fmt;

use crate::cluster::ClusterError;
use crate::domain::Problem;
use crate::operate::StepError;

/// A dump, a restore, or what prepares them went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyError {
    /// Why.
    pub problem: Problem,
    /// Whether the same may go well the next time without anybody changing anything.
    pub transient: bool,
}

impl StrategyError {
    /// It stays as it is until somebody changes something.
    pub(super) fn lasting(what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { problem: Problem::new(what, why, next), transient: false }
    }

    /// It may be gone the next time.
    pub(super) fn transient(
        what: impl Into<String>,
        why: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { problem: Problem::new(what, why, next), transient: true }
    }
}

impl fmt::Display for StrategyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for StrategyError {}

impl From<ClusterError> for StrategyError {
    fn from(error: ClusterError) -> Self {
        Self { problem: error.problem(), transient: error.is_transient() }
    }
}

impl From<StrategyError> for StepError {
    fn from(error: StrategyError) -> Self {
        if error.transient { Self::transient(error.problem) } else { Self::lasting(error.problem) }
    }
}
