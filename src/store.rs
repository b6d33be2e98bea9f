//! The records: SQLite, in one file per state directory. The only room that names rusqlite.
//!
//! One thread owns the connection to a file; a [`Store`] is a cheap handle to it. Several processes may hold the same file open: every
//! write is one `BEGIN IMMEDIATE` transaction. Values of secret parameters are never handed to this room.

mod backups;
mod clusters;
mod deployments;
mod drivers;
mod engines;
mod environments;
mod error;
mod findings;
mod gate;
mod instances;
mod inventory;
mod locations;
mod migrate;
mod neighbours;
mod open;
mod operations;
mod resolutions;
mod row;
mod schedules;
mod settings;
mod worker;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, Transaction};
use tokio::sync::{oneshot, watch};

use crate::domain::{Clock, Problem};

pub use drivers::Recorded;
pub use engines::{EngineRecord, Holder};
pub use error::StoreError;
pub use findings::Finding;
pub use gate::Gate;
pub use instances::NewInstance;
pub use inventory::{InventoryChange, InventoryItem};
pub use operations::{CallEnd, DesiredChange, NewCall, NewOperation, NewRun, RunId, StepNote};
pub use resolutions::FieldResolution;

use worker::{Durability, Worker};

/// The name of the file inside the state directory.
pub const FILE_NAME: &str = "styrmin.db";

/// How long a write waits for another process to finish its own.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A handle to the records. Clones share the connection; the last one to be dropped closes it.
#[derive(Clone)]
pub struct Store {
    worker: Arc<Worker>,
    clock: Arc<dyn Clock>,
    gate: Option<Arc<dyn Gate>>,
}

impl Store {
    /// Opens the records in `directory`, creating both when they do not exist. Blocks for as long as the check of the file
    /// takes (and up to 5 s when another process holds it locked).
    ///
    /// # Errors
    /// The directory cannot be made or written, the file is locked, damaged (it is kept as it is), or was written by a newer
    /// Styrmin.
    pub fn open(directory: &Path, clock: Arc<dyn Clock>) -> Result<Self, Problem> {
        Self::open_waiting(directory, clock, BUSY_TIMEOUT)
    }

    /// Records that live as long as the handle.
    ///
    /// # Errors
    /// SQLite cannot be started.
    pub fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, Problem> {
        let connection = open::in_memory()?;
        Ok(Self { worker: Arc::new(Worker::here(connection)), clock, gate: None })
    }

    fn open_waiting(directory: &Path, clock: Arc<dyn Clock>, busy: Duration) -> Result<Self, Problem> {
        let (connection, path) = open::in_directory(directory, busy, clock.now())?;
        Ok(Self { worker: Arc::new(Worker::start(connection, path)?), clock, gate: None })
    }

    /// Counts up with every committed change, by this process or by another one with the same file open. Holds no data:
    /// read again what you show.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.worker.changes()
    }

    /// The file that holds the records; none for records in memory.
    pub fn path(&self) -> Option<PathBuf> {
        self.worker.path().map(Path::to_owned)
    }

    /// Runs `work` on the connection, outside any transaction.
    async fn read<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let path = self.path();
        self.worker.submit(Box::new(move |connection| {
            // Nobody may be waiting any more: then the answer is dropped.
            let _ = reply.send(work(connection).map_err(|error| error.during(action, path.as_deref())));
        }))?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `work` in one immediate transaction, which is committed when it succeeds and undone when it fails.
    async fn write<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_durably(action, Durability::Normal, work).await
    }

    /// The same, as durable as the caller needs it.
    async fn write_durably<T: Send + 'static>(
        &self,
        action: &'static str,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.pass("before", action).await;
        let (reply, answer) = oneshot::channel();
        let path = self.path();
        let announce = self.worker.announcer();
        self.worker.submit(Box::new(move |connection| {
            let before = connection.total_changes();
            let outcome = worker::in_transaction(connection, durability, work);
            if outcome.is_ok() && connection.total_changes() != before {
                announce();
            }
            let _ = reply.send(outcome.map_err(|error| error.during(action, path.as_deref())));
        }))?;
        let outcome = answer.await.map_err(|_| StoreError::Closed)?;
        self.pass("after", action).await;
        outcome
    }
}
