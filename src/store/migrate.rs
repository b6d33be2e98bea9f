//! The schema, step by step. A migration is a file that is never edited; `user_version` counts those that ran.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::error::sqlite_problem;
use crate::domain::Problem;

/// Every migration in order: the n-th brings the schema to version n.
pub(super) const ALL: &[&str] = &[
    include_str!("migrations/0001_records.sql"),
    include_str!("migrations/0002_operations.sql"),
    include_str!("migrations/0003_engine.sql"),
    include_str!("migrations/0004_findings.sql"),
    include_str!("migrations/0005_drivers.sql"),
    include_str!("migrations/0006_roles.sql"),
    include_str!("migrations/0007_actions.sql"),
    include_str!("migrations/0008_backups.sql"),
    include_str!("migrations/0009_routes.sql"),
];

/// The schema's version, 0 for a new file.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

/// Refuses a file that a newer Styrmin wrote, before anything in it is touched.
pub(super) fn refuse_newer(connection: &Connection, all: &[&str], path: &Path) -> Result<(), Problem> {
    let shown = path.display().to_string();
    let found =
        version(connection).map_err(|error| sqlite_problem("The records cannot be read", &shown, &error))?;
    if found <= all.len() {
        return Ok(());
    }
    Err(Problem::new(
        "The records were written by a newer Styrmin",
        format!("{shown} has schema {found}; this version knows up to {}", all.len()),
        "start the newer version, or choose another state directory; nothing was changed",
    ))
}

/// Copies the file to `<name>.v<schema>-<time>.backup` when a migration is about to change records that exist.
pub(super) fn back_up_before(
    connection: &Connection,
    all: &[&str],
    path: &Path,
    now: Timestamp,
) -> Result<(), Problem> {
    let shown = path.display().to_string();
    let told = |error: rusqlite::Error| {
        sqlite_problem("The records cannot be backed up before a migration", &shown, &error)
    };
    let found = version(connection).map_err(told)?;
    if found == 0 || found >= all.len() {
        return Ok(());
    }
    let backup = format!("{shown}.v{found}-{}.backup", now.strftime("%Y%m%dT%H%M%SZ"));
    connection.execute("VACUUM INTO ?1", [backup]).map_err(told)?;
    Ok(())
}

/// Runs the migrations that are missing, all in one transaction together with the new version: nobody ever sees half of them.
pub(super) fn run(connection: &mut Connection, all: &[&str]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked inside the transaction: another process may have migrated while we waited for it.
    let done = version(&transaction)?;
    if done >= all.len() {
        return Ok(());
    }
    for statements in all.iter().skip(done) {
        transaction.execute_batch(statements)?;
    }
    transaction.pragma_update(None, "user_version", u32::try_from(all.len()).unwrap_or(u32::MAX))?;
    transaction.commit()
}
