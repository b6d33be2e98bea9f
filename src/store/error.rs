//! What can go wrong with the records, and how it is told to people.

use std::path::Path;

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::domain::{InstanceState, OperationId, Problem};

/// A failure of the records. `Problem::from` tells it to people.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite refused.
    #[error("{action}: {source}")]
    Sqlite {
        /// What was being done ("record the deployment").
        action: &'static str,
        /// The file; empty for records in memory.
        path: String,
        /// SQLite's own words.
        source: rusqlite::Error,
    },
    /// Something of that name is there already.
    #[error("{what} '{name}' exists already")]
    Exists {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Nothing of that name is there.
    #[error("there is no {what} '{name}'")]
    Missing {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The driver version is recorded with another content: versions are immutable.
    #[error("{driver} is recorded with another content")]
    Immutable {
        /// Name and version.
        driver: String,
    },
    /// The deployment was changed by someone else in between.
    #[error("deployment '{name}' is at revision {found}, not {expected}")]
    Changed {
        /// The deployment.
        name: String,
        /// The revision that the change was based on.
        expected: u64,
        /// The revision that stands.
        found: u64,
    },
    /// An instance cannot go from one state to the other.
    #[error("instance {number} cannot go from {} to {}", from.as_str(), to.as_str())]
    Transition {
        /// The instance's number.
        number: u32,
        /// Where it stands.
        from: InstanceState,
        /// Where it was to go.
        to: InstanceState,
    },
    /// An operation cannot do that from where it stands.
    #[error("operation {operation}: {why}")]
    Refused {
        /// The operation.
        operation: OperationId,
        /// What stands against it.
        why: String,
    },
    /// An application is being restored: nothing else may be done to it meanwhile.
    #[error("{name} is being restored by operation {operation}")]
    Restoring {
        /// The application.
        name: String,
        /// The restore.
        operation: OperationId,
    },
    /// A plan can never be carried out to its end.
    #[error("the plan is unsound: {why}")]
    Unsound {
        /// The step, and what is wrong with it.
        why: String,
    },
    /// The writer holds the engine no more: somebody else took it over.
    #[error("epoch {epoch} is over, {newest} has begun")]
    Deposed {
        /// The writer's epoch.
        epoch: u64,
        /// The newest one that was seen.
        newest: u64,
    },
    /// A row holds something that this version cannot read.
    #[error("{column} holds something unreadable: {why}")]
    Unreadable {
        /// `table.column`.
        column: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The thread of the records has ended.
    #[error("the records are closed")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite { action: "", path: String::new(), source }
    }
}

impl StoreError {
    /// Adds what was being done and to which file.
    pub(super) fn during(self, action: &'static str, path: Option<&Path>) -> Self {
        match self {
            Self::Sqlite { source, .. } => Self::Sqlite {
                action,
                path: path.map(|path| path.display().to_string()).unwrap_or_default(),
                source,
            },
            other => other,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Sqlite { action, path, source } => {
                sqlite_problem(&format!("Cannot {action}"), &path, &source)
            }
            StoreError::Exists { what, name } => Self::new(
                format!("The {what} '{name}' exists already"),
                format!("names are unique, and another {what} has this one"),
                "choose another name",
            ),
            StoreError::Missing { what, name } => Self::new(
                format!("There is no {what} '{name}'"),
                "it was never recorded, or was deleted in the meantime",
                "look at the list again",
            ),
            StoreError::Immutable { driver } => Self::new(
                format!("The driver {driver} has changed without a new version"),
                "a driver version is immutable once it is recorded: deployments point at it",
                "raise spec.version in driver.styrmin.yml and load it again",
            ),
            StoreError::Changed { name, expected, found } => Self::new(
                format!("The deployment '{name}' was changed in the meantime"),
                format!("the change is based on revision {expected}, it stands at {found}"),
                "look at it again, and repeat the change",
            ),
            StoreError::Transition { .. } => {
                Self::new("The instance has moved on", error.to_string(), "look at the application again")
            }
            StoreError::Refused { operation, why } => {
                Self::new(format!("Operation {operation} has moved on"), why, "look at the operation again")
            }
            StoreError::Restoring { name, operation } => Self::new(
                format!("{name} is being restored"),
                format!("operation {operation} has not ended, and half of a restore is worse than none"),
                "wait for its end, or cancel it",
            ),
            StoreError::Unsound { why } => {
                Self::new("The plan can never end", why, "report this with the plan: it is a defect")
            }
            StoreError::Deposed { .. } => Self::new(
                "Another Styrmin has taken over",
                error.to_string(),
                "nothing is lost: it carries on; take over again to go on here",
            ),
            StoreError::Unreadable { column, why } => Self::new(
                "A record cannot be read",
                format!("{column}: {why}"),
                "start the Styrmin that wrote it, or move the record's file aside",
            ),
            StoreError::Closed => Self::new(
                "The records are closed",
                "the thread that owns them has ended",
                "start Styrmin again",
            ),
        }
    }
}

/// A failure of SQLite in words: `what` happened to the file at `path`.
pub(super) fn sqlite_problem(what: &str, path: &str, source: &rusqlite::Error) -> Problem {
    let place = if path.is_empty() { "the records in memory" } else { path };
    let aside = format!("{place}.damaged");
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Problem::new(
            what,
            format!("another process holds {place} locked ({source})"),
            format!("wait for it or end it; `fuser {place}` names it"),
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Problem::new(
            what,
            format!("{place} is damaged or is no SQLite file ({source})"),
            format!(
                "nothing was changed. Move it aside with `mv {place} {aside}` and start again (what the clusters know is read back), or put a backup in its place"
            ),
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => Problem::new(
            what,
            format!("{place} cannot be written ({source})"),
            "make the directory and the file writable for this user, or choose another state directory",
        ),
        Some(ErrorCode::DiskFull) => Problem::new(
            what,
            format!("the disk that holds {place} is full"),
            "free some space and repeat; nothing was lost",
        ),
        _ => Problem::new(
            what,
            format!("SQLite says about {place}: {source}"),
            "repeat it; if it stays, report it with these lines",
        ),
    }
}

/// Whether the error is a violated UNIQUE or PRIMARY KEY constraint.
pub(super) fn is_duplicate(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
    error
        .sqlite_extended_error_code()
        .is_some_and(|code| code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
}

/// Whether the error is a violated foreign key.
pub(super) fn is_dangling(error: &rusqlite::Error) -> bool {
    error.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
}
