//! Who owns the connection: a thread for a file, whoever asks for records in memory.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::watch;

use super::StoreError;
use super::neighbours::{self, Neighbours};
use crate::domain::Problem;

/// A piece of work on the connection. It answers through a channel of its own.
pub(super) type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Does work on the connection, one piece after the other. Dropping it finishes what was asked, and waits until the file is
/// closed.
pub(super) struct Worker {
    owner: Owner,
    changes: watch::Sender<u64>,
    path: Option<PathBuf>,
}

/// Where the work is done.
enum Owner {
    /// A file may make its caller wait for the disk and for other processes: a thread does that.
    Thread(Far),
    /// Memory never does, and under a virtual clock a task that waits for another thread would seem to have nothing to do.
    Here(Box<Mutex<Connection>>),
}

/// The near end of the thread.
struct Far {
    /// Hears of what other processes commit. It has a sender of its own: it ends first.
    neighbours: Option<Neighbours>,
    /// None once it is being dropped: without a sender the thread ends.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread and hands it the connection to the file at `path`.
    pub(super) fn start(mut connection: Connection, path: PathBuf) -> Result<Self, Problem> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let seen = data_version(&connection).unwrap_or_default();
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                for job in inbox {
                    job(&mut connection);
                }
            })
            .map_err(|error| no_thread(&error))?;
        let changes = watch::Sender::new(0);
        let neighbours = Some(listen(&path, &jobs, &changes, seen)?);
        let far = Far { neighbours, jobs: Some(jobs), thread: Some(thread) };
        Ok(Self { owner: Owner::Thread(far), changes, path: Some(path) })
    }

    /// Keeps a connection to records in memory.
    pub(super) fn here(connection: Connection) -> Self {
        let owner = Owner::Here(Box::new(Mutex::new(connection)));
        Self { owner, changes: watch::Sender::new(0), path: None }
    }

    /// Puts a job at the end of the queue.
    pub(super) fn submit(&self, job: Job) -> Result<(), StoreError> {
        match &self.owner {
            Owner::Thread(far) => {
                far.jobs.as_ref().ok_or(StoreError::Closed)?.send(job).map_err(|_| StoreError::Closed)
            }
            Owner::Here(connection) => {
                // A job that panicked left no transaction open: dropping one rolls it back.
                job(&mut connection.lock().unwrap_or_else(PoisonError::into_inner));
                Ok(())
            }
        }
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What is to be called after a commit that changed something: tells everybody here and in other processes.
    pub(super) fn announcer(&self) -> impl FnOnce() + Send + 'static {
        let (changes, path) = (self.changes.clone(), self.path.clone());
        move || {
            changes.send_modify(|generation| *generation += 1);
            if let Some(path) = path {
                neighbours::tell(&path);
            }
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        drop(self.neighbours.take());
        drop(self.jobs.take());
        if let Some(thread) =
            self.thread.take().filter(|thread| thread.thread().id() != thread::current().id())
        {
            // A thread that panicked has closed its connection too.
            let _ = thread.join();
        }
    }
}

/// Counts up with what other processes commit.
fn listen(
    path: &Path,
    jobs: &Sender<Job>,
    changes: &watch::Sender<u64>,
    seen: i64,
) -> Result<Neighbours, Problem> {
    let (jobs, changes) = (jobs.clone(), changes.clone());
    let seen = Arc::new(AtomicI64::new(seen));
    let waiting = Arc::new(AtomicBool::new(false));
    let look = move || {
        if waiting.swap(true, Ordering::AcqRel) {
            return;
        }
        let (changes, seen, waiting) = (changes.clone(), Arc::clone(&seen), Arc::clone(&waiting));
        let look: Job = Box::new(move |connection| {
            waiting.store(false, Ordering::Release);
            let found = data_version(connection).unwrap_or_default();
            if seen.swap(found, Ordering::AcqRel) != found {
                changes.send_modify(|generation| *generation += 1);
            }
        });
        // the thread is gone: so is everybody who would want to know
        let _ = jobs.send(look);
    };
    Neighbours::listen(path, look).map_err(|error| no_thread(&error))
}

/// Moves when another connection commits.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "data_version", |row| row.get(0))
}

fn no_thread(error: &std::io::Error) -> Problem {
    Problem::new(
        "The records cannot be opened",
        format!("their thread cannot be started: {error}"),
        "raise the limit of processes (ulimit -u) and start again",
    )
}

/// What a power cut may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// The last transactions; never part of one. A crash of the process takes nothing.
    Normal,
    /// Nothing: the transaction, and all before it, are on the disk when it returns.
    Full,
}

/// Runs `work` between BEGIN IMMEDIATE and COMMIT. A deferred transaction that turns into a write is refused at once when
/// another process writes, whatever the busy timeout says; an immediate one waits.
pub(super) fn in_transaction<T>(
    connection: &mut Connection,
    durability: Durability,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if durability == Durability::Normal {
        return transact(connection, work);
    }
    // SQLite takes this between transactions only.
    connection.pragma_update(None, "synchronous", "full")?;
    let outcome = transact(connection, work);
    connection.pragma_update(None, "synchronous", "normal")?;
    outcome
}

fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}
