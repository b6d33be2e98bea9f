//! Why a chart is not fetched, whatever it comes from.

use super::http::HttpError;
use crate::domain::Problem;

/// Why there is no chart.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The location makes no sense.
    #[error("{0}")]
    Location(String),
    /// There is no such chart, or no such version.
    #[error("{0}")]
    Version(String),
    /// The server does not give it.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// What the server gives makes no sense.
    #[error("{0}")]
    Broken(String),
    /// It is not what it should be.
    #[error("{0}")]
    Digest(String),
}

impl Refusal {
    /// Whether the other side could not be asked at all.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::Http(error) if error.is_absence())
    }

    /// For people. `what` names the chart; `login` says how one logs in there.
    pub(super) fn problem(&self, what: &str, login: &str) -> Problem {
        let what = format!("The chart {what} cannot be fetched");
        let next = match self {
            Self::Http(error) => return error.problem(what, login),
            Self::Location(_) => "correct spec.helm.main.location",
            Self::Version(_) => "choose a version that there is",
            Self::Broken(_) => {
                "look whether the location is that of a Helm chart; tell whoever runs that server"
            }
            Self::Digest(_) => {
                "do not use it: it was changed on its way or where it is kept; ask whoever publishes it"
            }
        };
        Problem::new(what, self.to_string(), next)
    }
}
