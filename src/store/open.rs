//! Opening the file: directory, locks, damage, schema.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode};

use super::error::sqlite_problem;
use super::{FILE_NAME, migrate};
use crate::domain::Problem;

const WHAT: &str = "The records cannot be opened";

/// How long to wait before the change to WAL is tried again.
const AGAIN: Duration = Duration::from_millis(10);

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
    prepare_waiting(&connection, busy).map_err(told)?;
    migrate::back_up_before(&connection, migrate::ALL, &path, now)?;
    migrate::run(&mut connection, migrate::ALL).map_err(told)?;
    Ok((connection, path))
}

/// [`prepare`], for as long as others are at it: the change to WAL is refused at once while another process makes it, whatever
/// the busy timeout says.
fn prepare_waiting(connection: &Connection, busy: Duration) -> rusqlite::Result<()> {
    let begun = Instant::now();
    loop {
        match prepare(connection) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && begun.elapsed() < busy =>
            {
                thread::sleep(AGAIN);
            }
            other => return other,
        }
    }
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
