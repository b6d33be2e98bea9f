//! A repository in restic's format: encrypted, deduplicating, in a directory or a bucket. The public `restic` reads it.
//!
//! ```text
//! Feed ─► Source ─► save ─► rustic_core ─► Door ─► Storage (Directory, S3)
//!              Reading ◄─ read ◄─┘
//! ```
//!
//! `rustic_core` works in threads of its own; whoever drops a future of this room ends them. Nothing is locked: writers only
//! add files, and [`Repository::prune`] takes away in two steps.

mod ahead;
mod check;
mod directory;
mod door;
mod error;
mod io;
mod open;
mod prune;
mod read;
mod s3;
mod save;
mod session;
mod source;
mod storage;
mod tree;

use std::sync::Arc;

use jiff::Timestamp;
use rustic_core::repofile::{MasterKey, SnapshotFile, SnapshotId};
use rustic_core::{FileType, ReadBackend};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::secrets::Secrets;
use crate::domain::backup::{Depth, Location};
use door::{Door, Kept};
pub use error::{RepositoryError, StorageError};
pub use prune::Patience;
pub use read::Reading;
use session::Session;
pub use source::{Closed, Feed, Source};
use source::{Reader, Tally};
use storage::Storage;

/// An open repository. Clones are the same one.
#[derive(Clone)]
pub struct Repository(Arc<Shared>);

struct Shared {
    storage: Arc<dyn Storage>,
    kept: Arc<Kept>,
    key: MasterKey,
    id: String,
}

/// A snapshot that is to be made: one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshot {
    /// The host that it is listed under.
    pub host: String,
    /// The path of the file, absolute.
    pub path: String,
    /// Its tags, without commas.
    pub tags: Vec<String>,
    /// The time that it is listed under.
    pub time: Timestamp,
}

/// A snapshot that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its identifier, in hexadecimal.
    pub snapshot: String,
    /// How many bytes the stream had.
    pub bytes: u64,
    /// How many bytes were new, as stored.
    pub stored: u64,
    /// The SHA-256 of the stream, in hexadecimal.
    pub digest: String,
}

/// A snapshot in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// Its identifier, in hexadecimal.
    pub id: String,
    /// The time that it is listed under.
    pub time: Timestamp,
    /// The host that it is listed under.
    pub host: String,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// The path of its file; the first one of a snapshot that is none of ours.
    pub path: String,
    /// How many bytes it has; 0 where whoever made it did not say.
    pub bytes: u64,
}

/// What a prune has done, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Files that were deleted.
    pub files: u64,
    /// What they took, in bytes.
    pub bytes: u64,
    /// What is marked, and deleted by a prune a day later, in bytes.
    pub marked: u64,
}

/// Something that keeps a snapshot from being restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong, as a sentence that names the file.
    pub what: String,
    /// The file in the repository (`data/3f/3f2a…`); empty when no single one is at fault.
    pub file: String,
    /// The snapshot that cannot be restored, in hexadecimal; none: all of them.
    pub snapshot: Option<String>,
}

impl Repository {
    /// Makes the repository of a location, or opens the one that is there.
    ///
    /// # Errors
    /// As [`Self::open`]; it cannot be written.
    pub async fn init(location: &Location, secrets: &Secrets) -> Result<Self, RepositoryError> {
        open::open(location, secrets, true).await
    }

    /// Opens the repository of a location; the one that is open in this process already, when it is the same.
    ///
    /// # Errors
    /// The place is not there or does not let us, there is no repository or another one, or the password does not open it.
    pub async fn open(location: &Location, secrets: &Secrets) -> Result<Self, RepositoryError> {
        open::open(location, secrets, false).await
    }

    /// Its identifier, in hexadecimal.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Keeps a stream as a snapshot with one file. There is a snapshot only if the source has said that it is whole, all of
    /// it was written, and can be found again. `progress` hears of the bytes that have come so far. Dropping the future
    /// ends the reading.
    ///
    /// # Errors
    /// The stream broke ([`RepositoryError::Broken`]), or it cannot be written.
    pub async fn save(
        &self,
        what: NewSnapshot,
        source: Source,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<Saved, RepositoryError> {
        let io = io::io()?;
        self.run(move |session, stop| {
            let tally = Arc::new(Tally::default());
            let reader = Reader::new(source, Arc::clone(&tally), Box::new(progress), stop.clone(), io);
            save::save(session, &what, reader, &tally)
        })
        .await
    }

    /// Reads the file of a snapshot: its size, and its bytes as a stream. Dropping the stream ends the reading.
    ///
    /// # Errors
    /// There is no such snapshot, or its trees cannot be read. What is wrong with its data, the stream says.
    pub async fn read(&self, snapshot: &str) -> Result<(u64, Reading), RepositoryError> {
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let session = self.session(stop);
        let (head, size) = oneshot::channel();
        let (sender, pieces) = mpsc::channel(read::PIECES);
        let id = snapshot.to_owned();
        tokio::task::spawn_blocking(move || read::read(&session, &id, head, sender));
        let gone = |_| RepositoryError::Defect("the thread that reads a backup has ended".to_owned());
        let size = size.await.map_err(gone)??;
        Ok((size, Reading::new(size, pieces, guard)))
    }

    /// All snapshots, the oldest first. One that cannot be read is left out; [`Self::check`] names it.
    ///
    /// # Errors
    /// The storage does not answer.
    pub async fn snapshots(&self) -> Result<Vec<SnapshotSummary>, RepositoryError> {
        self.run(|session, _| {
            let repository = session.open()?;
            let mut found = Vec::new();
            for item in session.caught(repository.stream_files::<SnapshotFile>())? {
                match session.caught(item) {
                    Ok((id, snapshot)) => found.push(summary(&id, &snapshot)),
                    // deleted since it was listed, or damaged
                    Err(RepositoryError::Damaged { why, .. }) => {
                        tracing::warn!(place = %session.place, %why, "a snapshot cannot be read");
                    }
                    Err(error) => return Err(error),
                }
            }
            found.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
            Ok(found)
        })
        .await
    }

    /// Deletes snapshots; those that are not there are as good as deleted. Their data stays until a prune.
    ///
    /// # Errors
    /// An identifier makes no sense, or the storage does not let us.
    pub async fn delete(&self, ids: &[String]) -> Result<(), RepositoryError> {
        let ids = ids.to_vec();
        self.run(move |session, _| prune::delete(session, &ids)).await
    }

    /// Marks the data that no snapshot needs, and deletes what was marked a day ago. Backups may be made meanwhile.
    ///
    /// # Errors
    /// A snapshot needs something that is not there: nothing is deleted then. The storage does not let us.
    pub async fn prune(&self, dry_run: bool) -> Result<Pruned, RepositoryError> {
        self.prune_with(Patience::default(), dry_run).await
    }

    /// The same with another patience: none at all is for repositories that nobody else writes into.
    ///
    /// # Errors
    /// As [`Self::prune`].
    pub async fn prune_with(&self, patience: Patience, dry_run: bool) -> Result<Pruned, RepositoryError> {
        let storage = Arc::clone(&self.0.storage);
        self.run(move |session, stop| {
            if !dry_run {
                storage.sweep(stop)?;
            }
            prune::prune(session, patience, dry_run)
        })
        .await
    }

    /// Looks whether snapshots (all of them when none is named) can be restored. [`Depth::Quick`]: their trees are readable,
    /// and the packs with their data are there and have their size. Otherwise all of their data is read, decrypted and
    /// compared with its names.
    ///
    /// # Errors
    /// It cannot be found out: the storage does not answer.
    pub async fn check(&self, depth: Depth, snapshots: &[String]) -> Result<Vec<Fault>, RepositoryError> {
        let ids = snapshots.to_vec();
        self.run(move |session, _| check::check(session, &ids, depth != Depth::Quick)).await
    }

    /// What all of its files take, in bytes.
    ///
    /// # Errors
    /// The storage does not answer.
    pub async fn size(&self) -> Result<u64, RepositoryError> {
        self.run(|session, _| {
            let kinds =
                [FileType::Config, FileType::Key, FileType::Snapshot, FileType::Index, FileType::Pack];
            let mut size = 0;
            for kind in kinds {
                let files = session.caught(session.door.list_with_size(kind))?;
                size += files.iter().map(|(_, size)| u64::from(*size)).sum::<u64>();
            }
            Ok(size)
        })
        .await
    }

    fn session(&self, stop: CancellationToken) -> Session {
        let door = Door::new(Arc::clone(&self.0.storage), Arc::clone(&self.0.kept), stop);
        Session { door: Arc::new(door), place: self.0.storage.place(), key: self.0.key.clone() }
    }

    /// Works in a thread that may wait, until it is done or nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Session, &CancellationToken) -> Result<T, RepositoryError> + Send + 'static,
    ) -> Result<T, RepositoryError> {
        let stop = CancellationToken::new();
        let _guard = stop.clone().drop_guard();
        let session = self.session(stop.clone());
        blocking(move || work(&session, &stop)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RepositoryError> + Send + 'static,
) -> Result<T, RepositoryError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(RepositoryError::Defect(error.to_string())))
}

fn summary(id: &SnapshotId, snapshot: &SnapshotFile) -> SnapshotSummary {
    SnapshotSummary {
        id: id.to_hex().to_string(),
        time: snapshot.time.timestamp(),
        host: snapshot.hostname.clone(),
        tags: snapshot.tags.iter().cloned().collect(),
        path: snapshot.paths.iter().next().cloned().unwrap_or_default(),
        bytes: snapshot.summary.as_ref().map_or(0, |summary| summary.total_bytes_processed),
    }
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Repository({} in {})", self.0.id, self.0.storage.place())
    }
}
