//! Opening the file: directory, locks, damage, schema.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

use super::error::sqlite_problem;
use super::{FILE_NAME, migrate};
use crate::domain::Problem;

const WHAT: &str = "The records cannot be opened";

/// A connection to an empty database that lives as long as it does.
pub(super) fn in_memory() -> Result<Connection, Problem> {
    let told = |error: rusqlite::Error| sqlite_problem(WHAT, "", &error);
    let mut connection = Connection::open_in_memory().map_err(told)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(told)?;
    migrate::run(&mut connection, migrate::ALL).map_err(told)?;
    Ok(connection)
}

/// A checked, migrated connection to the file in `directory`, and the file's path.
pub(super) fn in_directory(
    directory: &Path,
    busy: Duration,
    now: Timestamp,
) -> Result<(Connection, PathBuf), Problem> {
    make_directory(directory)?;
    let path = directory.join(FILE_NAME);
    let shown = path.display().to_string();
    let told = |error: rusqlite::Error| sqlite_problem(WHAT, &shown, &error);

    let mut connection = Connection::open(&path).map_err(told)?;
    connection.busy_timeout(busy).map_err(told)?;
    if connection.is_readonly("main").map_err(told)? {
        return Err(read_only(&path));
    }
    check(&connection, &path)?;
    migrate::refuse_newer(&connection, migrate::ALL, &path)?;
    prepare(&connection).map_err(told)?;
    migrate::back_up_before(&connection, migrate::ALL, &path, now)?;
    migrate::run(&mut connection, migrate::ALL).map_err(told)?;
    Ok((connection, path))
}

/// What holds for this connection only. WAL with `synchronous=NORMAL` is safe for a crash of the process; a power cut may
/// take the last records, which the cluster holds too.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// Makes the directory and its parents, for this user only.
fn make_directory(directory: &Path) -> Result<(), Problem> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| {
        Problem::new(
            "The state directory cannot be made",
            format!("{}: {error}", directory.display()),
            "make it by hand, or choose another with --state-dir",
        )
    })
}

/// SQLite's own quick check. Anything it finds stops us before the first write: the file stays as it is.
fn check(connection: &Connection, path: &Path) -> Result<(), Problem> {
    let shown = path.display().to_string();
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| sqlite_problem(WHAT, &shown, &error))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(Problem::new(
        WHAT,
        format!("{shown} is damaged: {verdict}"),
        format!(
            "nothing was changed. Move it aside with `mv {shown} {shown}.damaged` and start again (what the clusters know is read back), or put a backup in its place"
        ),
    ))
}

fn read_only(path: &Path) -> Problem {
    Problem::new(
        WHAT,
        format!("{} can be read but not written", path.display()),
        "make the file and its directory writable for this user, or choose another state directory",
    )
}
