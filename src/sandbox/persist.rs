//! The sandbox's own SQLite file: every object, with its resourceVersion, written through as it changes.
//!
//! One thread owns the connection and writes what has come in meanwhile as one transaction. Whoever must know that
//! a write is safe waits for [`Kept`] to reach its revision.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use tokio::sync::watch;

use super::SandboxError;
use super::api::objects::{Commit, Sink};

const FILE: &str = "sandbox.sqlite";
const LOCK: &str = "sandbox.lock";
/// The layout of the file; a newer one is refused.
const VERSION: i64 = 1;
/// How many writes go into one transaction at most.
const BATCH: usize = 1000;
/// How far the revision jumps when the sandbox was not closed in order: what its watches told last may not be on the disk,
/// and must not be told again of other objects.
const GAP: u64 = 1_000_000;
/// How soon a failed transaction is tried again.
const RETRY: Duration = Duration::from_millis(500);

const SCHEMA: &str = "
CREATE TABLE objects (
    resource  TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (resource, namespace, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO facts (name, value) VALUES ('revision', 0);
PRAGMA user_version = 1;
";

/// How far the objects are on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Everything up to this revision is written.
    pub revision: u64,
    /// Why nothing newer is.
    pub problem: Option<String>,
}

impl Kept {
    /// Whether a revision is written, or known not to be.
    pub fn covers(&self, revision: u64) -> bool {
        self.revision >= revision || self.problem.is_some()
    }
}

/// What a directory held.
#[derive(Debug, Default)]
pub struct Loaded {
    /// No revision above this one was ever given out.
    pub revision: u64,
    /// Every object, with its table.
    pub rows: Vec<(String, Arc<Value>)>,
}

/// The thread that writes. Dropping it without [`Keeper::close`] lets the thread finish alone.
#[derive(Debug)]
pub struct Keeper {
    thread: Option<JoinHandle<()>>,
    kept: watch::Receiver<Kept>,
    /// Held as long as this process runs the sandbox of that directory.
    lock: File,
}

impl Keeper {
    /// How far the objects are on the disk.
    pub fn kept(&self) -> watch::Receiver<Kept> {
        self.kept.clone()
    }

    /// Waits until everything is written. The sink must be gone, else this waits for ever.
    pub fn close(mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes the sandbox's file has panicked");
        }
        // a child that is just being forked has a copy of the file, and would hold the lock until it runs its program
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the lock of the sandbox's directory cannot be let go");
        }
    }
}

/// Opens a sandbox's directory, made when it is absent: what it holds, where commits go to, and who writes them.
///
/// # Errors
/// The directory cannot be made or written, another process runs its sandbox, the file is damaged or too new. Nothing
/// is ever deleted.
pub fn open(directory: &Path) -> Result<(Loaded, Sink, Keeper), SandboxError> {
    fs::create_dir_all(directory)
        .map_err(|error| SandboxError::Directory { path: directory.to_owned(), why: error.to_string() })?;
    let lock = lock(directory)?;
    let path = directory.join(FILE);
    let failed = |error: &rusqlite::Error| problem_of(&path, error);
    let connection = open_file(&path)?;
    let loaded = load(&connection).map_err(|error| match error {
        LoadError::Sql(error) => failed(&error),
        LoadError::Body(why) => SandboxError::Damaged { path: path.clone(), why },
    })?;
    begin(&connection, loaded.revision).map_err(|error| failed(&error))?;
    let (sink, commits) = mpsc::channel();
    let state = Kept { revision: loaded.revision, problem: None };
    let (sender, kept) = watch::channel(state);
    let thread = std::thread::Builder::new()
        .name("sandbox-keeper".to_owned())
        .spawn(move || keep(connection, &commits, &sender))
        .map_err(|error| SandboxError::Directory { path: directory.to_owned(), why: error.to_string() })?;
    Ok((loaded, sink, Keeper { thread: Some(thread), kept, lock }))
}

/// Whether a sandbox was ever kept in a directory.
pub fn exists(directory: &Path) -> bool {
    directory.join(FILE).exists()
}

fn lock(directory: &Path) -> Result<File, SandboxError> {
    let path = directory.join(LOCK);
    let unusable =
        |error: std::io::Error| SandboxError::Directory { path: path.clone(), why: error.to_string() };
    let file = File::options().create(true).append(true).open(&path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SandboxError::InUse { path: directory.to_owned() }),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn open_file(path: &Path) -> Result<Connection, SandboxError> {
    let failed = |error: rusqlite::Error| problem_of(path, &error);
    let connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(Duration::from_secs(2)).map_err(failed)?;
    let check: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if check != "ok" {
        return Err(SandboxError::Damaged { path: path.to_owned(), why: check });
    }
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    if version > VERSION {
        return Err(SandboxError::TooNew { path: path.to_owned(), found: version, known: VERSION });
    }
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;").map_err(failed)?;
    if version == 0 {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} COMMIT;")).map_err(failed)?;
    }
    Ok(connection)
}

fn problem_of(path: &Path, error: &rusqlite::Error) -> SandboxError {
    let path: PathBuf = path.to_owned();
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            SandboxError::Damaged { path, why: error.to_string() }
        }
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            SandboxError::InUse { path }
        }
        _ => SandboxError::Directory { path, why: error.to_string() },
    }
}

enum LoadError {
    Sql(rusqlite::Error),
    Body(String),
}

impl From<rusqlite::Error> for LoadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

fn load(connection: &Connection) -> Result<Loaded, LoadError> {
    let fact = |name: &str| -> rusqlite::Result<Option<i64>> {
        let found = connection.query_row("SELECT value FROM facts WHERE name = ?1", [name], |row| row.get(0));
        found.optional()
    };
    let (revision, closed) = (fact("revision")?, fact("closed")?);
    let mut statement = connection.prepare("SELECT resource, namespace, name, body FROM objects")?;
    let mut found = statement.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let (resource, body): (String, String) = (row.get(0)?, row.get(3)?);
        let value: Value = serde_json::from_str(&body).map_err(|error| {
            let (namespace, name) = (row.get::<_, String>(1), row.get::<_, String>(2));
            let (namespace, name) = (namespace.unwrap_or_default(), name.unwrap_or_default());
            LoadError::Body(format!("{resource} {namespace}/{name} is not JSON: {error}"))
        })?;
        rows.push((resource, Arc::new(value)));
    }
    let known = revision.and_then(|revision| u64::try_from(revision).ok()).unwrap_or(0);
    let gap = if known == 0 || closed.is_some() { 0 } else { GAP };
    Ok(Loaded { revision: known + gap, rows })
}

/// Writes commits until their sender is gone. A transaction that fails is tried again with what has come since.
fn keep(mut connection: Connection, commits: &Receiver<Commit>, kept: &watch::Sender<Kept>) {
    let mut waiting: Vec<Commit> = Vec::new();
    let mut open = true;
    while open || !waiting.is_empty() {
        open &= receive(commits, &mut waiting);
        if waiting.is_empty() {
            continue;
        }
        match write(&mut connection, &waiting) {
            Ok(revision) => {
                waiting.clear();
                kept.send_replace(Kept { revision, problem: None });
            }
            Err(error) => {
                tracing::error!(%error, "the sandbox's file cannot be written");
                kept.send_modify(|kept| kept.problem = Some(error.to_string()));
                if !open {
                    return;
                }
            }
        }
    }
    if let Err(error) = close(&connection) {
        tracing::warn!(%error, "the sandbox's file is not marked as closed");
    }
}

/// Notes that from now on more may be given out than is written.
fn begin(connection: &Connection, revision: u64) -> rusqlite::Result<()> {
    let revision = i64::try_from(revision).unwrap_or(i64::MAX);
    let transaction = connection.unchecked_transaction()?;
    transaction.execute("UPDATE facts SET value = ?1 WHERE name = 'revision'", params![revision])?;
    transaction.execute("DELETE FROM facts WHERE name = 'closed'", [])?;
    transaction.commit()
}

/// Notes that everything that was given out is written.
fn close(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO facts (name, value) VALUES ('closed', 1)", [])?;
    Ok(())
}

/// Takes what is there; false when no more will come.
fn receive(commits: &Receiver<Commit>, waiting: &mut Vec<Commit>) -> bool {
    let first = if waiting.is_empty() {
        commits.recv().map_err(|_| RecvTimeoutError::Disconnected)
    } else {
        commits.recv_timeout(RETRY)
    };
    match first {
        Ok(commit) => waiting.push(commit),
        Err(RecvTimeoutError::Timeout) => return true,
        Err(RecvTimeoutError::Disconnected) => return false,
    }
    while waiting.len() < BATCH
        && let Ok(commit) = commits.try_recv()
    {
        waiting.push(commit);
    }
    true
}

fn write(connection: &mut Connection, commits: &[Commit]) -> rusqlite::Result<u64> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut newest = 0;
    {
        let mut put = transaction.prepare_cached(
            "INSERT OR REPLACE INTO objects (resource, namespace, name, body) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let mut remove = transaction
            .prepare_cached("DELETE FROM objects WHERE resource = ?1 AND namespace = ?2 AND name = ?3")?;
        for commit in commits {
            let (namespace, name) = &commit.key;
            match &commit.object {
                Some(object) => put.execute(params![commit.resource, namespace, name, object.to_string()])?,
                None => remove.execute(params![commit.resource, namespace, name])?,
            };
            newest = commit.revision.max(newest);
        }
        let revision = i64::try_from(newest).unwrap_or(i64::MAX);
        transaction.execute("UPDATE facts SET value = ?1 WHERE name = 'revision'", params![revision])?;
    }
    transaction.commit()?;
    Ok(newest)
}

#[cfg(test)]
mod tests;
