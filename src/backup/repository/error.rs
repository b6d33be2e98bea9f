//! What can go wrong with a repository, in terms that code can decide on and people can read.

use std::error::Error;

use rustic_core::RusticError;
use thiserror::Error;

use crate::domain::Problem;

/// The place that a repository is in did not do what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StorageError {
    /// A file is not there.
    #[error("{file} is not there")]
    Missing {
        /// Relative to the repository: `data/3f/3f2a…`.
        file: String,
    },
    /// The directory or the bucket itself is not there.
    #[error("{place} does not exist")]
    NoPlace {
        /// As the location names it.
        place: String,
    },
    /// We may not do this.
    #[error("{place} does not let us: {why}")]
    Denied {
        /// As the location names it.
        place: String,
        /// Its words.
        why: String,
    },
    /// There is no room left.
    #[error("{place} is full: {why}")]
    Full {
        /// As the location names it.
        place: String,
        /// Its words.
        why: String,
    },
    /// It does not answer, or not in time, whatever was tried again.
    #[error("{place} cannot be reached: {why}")]
    Unreachable {
        /// As the location names it.
        place: String,
        /// The last failure.
        why: String,
    },
    /// Its certificate is not to be trusted.
    #[error("{place} cannot be trusted: {why}")]
    Untrusted {
        /// As the location names it.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// It answers something that nobody asked for.
    #[error("{place} refuses: {why}")]
    Refused {
        /// As the location names it.
        place: String,
        /// Its words.
        why: String,
    },
    /// Nobody waits for the result any more.
    #[error("it was cancelled")]
    Cancelled,
}

/// Why something with a repository did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RepositoryError {
    /// The place is at fault.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The description of the location makes no sense.
    #[error("the location {name} cannot be used: {why}")]
    Location {
        /// Its name.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// There is no repository.
    #[error("there is no repository in {place}")]
    NoRepository {
        /// As the location names it.
        place: String,
    },
    /// None of the repository's keys opens with the password.
    #[error("the password does not open the repository in {place}")]
    WrongKey {
        /// As the location names it.
        place: String,
    },
    /// Another repository than the one that was there.
    #[error("the repository in {place} is {found}, not {recorded}")]
    Another {
        /// As the location names it.
        place: String,
        /// Its identifier.
        found: String,
        /// The one that the location has recorded.
        recorded: String,
    },
    /// There is no such snapshot.
    #[error("there is no snapshot {id}")]
    NoSnapshot {
        /// What was asked for.
        id: String,
    },
    /// The source ended without saying that it was whole: nothing was kept.
    #[error("the stream ended before it was whole, after {bytes} bytes")]
    Broken {
        /// What had come until then.
        bytes: u64,
    },
    /// What is in the repository is not what was written.
    #[error("the repository in {place} is damaged: {why}")]
    Damaged {
        /// As the location names it.
        place: String,
        /// What is wrong, with the file.
        why: String,
    },
    /// Our own fault.
    #[error("a defect: {0}")]
    Defect(String),
}

impl RepositoryError {
    /// Whether trying again later may help without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Storage(StorageError::Unreachable { .. }))
    }

    /// Whether it ended because nobody waited for it any more.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Storage(StorageError::Cancelled))
    }

    /// For people; `what` says what was to be done, as one short sentence.
    pub fn problem(&self, what: impl Into<String>) -> Problem {
        let next = match self {
            Self::Storage(error) => error.next(),
            Self::Location { .. } => "correct the location, or add another one",
            Self::NoRepository { .. } => {
                "check its path; a new repository is made by styrmin location add, an old one comes back from a copy"
            }
            Self::WrongKey { .. } => "name the password that the repository was made with",
            Self::Another { .. } => {
                "put the recorded one back, or add this one as a location of another name"
            }
            Self::NoSnapshot { .. } => "have the location scanned: somebody has deleted it there",
            Self::Broken { .. } => "see why the source ended, then back up again",
            Self::Damaged { .. } => {
                "have the location checked; back up again, and keep what is there until that has succeeded"
            }
            Self::Defect(_) => "report it, with the log",
        };
        Problem::new(what, self.to_string(), next)
    }

    /// What `rustic_core` says, with the storage's own words where those were the cause.
    pub(super) fn of_rustic(place: &str, error: &RusticError) -> Self {
        if let Some(error) = storage_error(error) {
            return match error {
                StorageError::Missing { .. } => {
                    Self::Damaged { place: place.to_owned(), why: error.to_string() }
                }
                error => Self::Storage(error),
            };
        }
        if error.is_incorrect_password() {
            return Self::WrongKey { place: place.to_owned() };
        }
        let why = words(error);
        // it has no code of its own
        if why.starts_with("No repository config file found") {
            return Self::NoRepository { place: place.to_owned() };
        }
        Self::Damaged { place: place.to_owned(), why }
    }
}

impl StorageError {
    fn next(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "have the location checked",
            Self::NoPlace { .. } => "make it, or mount it, then try again",
            Self::Denied { .. } => "check the credentials of the location and what they allow",
            Self::Full { .. } => "make room: delete backups, or raise its quota",
            Self::Unreachable { .. } => "check the network and the endpoint, then try again",
            Self::Untrusted { .. } => "name the authority that signed its certificate in the location",
            Self::Refused { .. } => "check the endpoint, the region and the bucket of the location",
            Self::Cancelled => "begin it again",
        }
    }
}

/// The error of the storage that is the cause of an error of `rustic_core`, if one is.
pub(super) fn storage_error(error: &RusticError) -> Option<StorageError> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<StorageError>() {
            return Some(found.clone());
        }
        cause = error.source();
    }
    None
}

/// The message of an error of `rustic_core` on one line.
fn words(error: &RusticError) -> String {
    let text = error.display_log();
    plain(text.strip_prefix("Error: ").unwrap_or(&text))
}

/// What `rustic_core` says on one line, without its advice, its details, and the stack that it was in.
pub(super) fn plain(text: &str) -> String {
    let noise = ["For more information", "Some additional details", "Backtrace:"];
    let end = noise.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len());
    text[..end].split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn people_get_no_stack() {
        let text = "error: Message: MAC check failed. For more information, see: x\nBacktrace: 0: <unknown>";
        assert_eq!(plain(text), "error: Message: MAC check failed.");
        assert_eq!(plain("it broke\n Backtrace: 0: a"), "it broke");
        assert_eq!(plain("it  broke"), "it broke");
    }
}
