//! A repository of `rustic_core` over a door, for one operation.

use std::sync::Arc;

use rustic_core::repofile::MasterKey;
use rustic_core::{
    Credentials, IndexedFullStatus, IndexedIdsStatus, OpenStatus, PruneOptions, PrunePlan,
    RepositoryBackends, RepositoryOptions, RusticResult, WriteBackend,
};

use super::door::Door;
use super::error::{RepositoryError, StorageError, storage_error};

/// How often an index is read when it and what else is there do not belong together, because somebody writes meanwhile.
const TRIES: usize = 4;

pub(super) type Opened = rustic_core::Repository<OpenStatus>;
pub(super) type Indexed = rustic_core::Repository<IndexedFullStatus>;
pub(super) type Known = rustic_core::Repository<IndexedIdsStatus>;

pub(super) struct Session {
    pub(super) door: Arc<Door>,
    pub(super) place: String,
    pub(super) key: MasterKey,
}

/// The repository of `rustic_core` behind a door, locked.
///
/// # Errors
/// None, with these options; it says so itself.
pub(super) fn locked(door: &Arc<Door>) -> RusticResult<rustic_core::Repository<()>> {
    let backend: Arc<dyn WriteBackend> = Arc::<Door>::clone(door);
    let options = RepositoryOptions::default().no_cache(true);
    rustic_core::Repository::new(&options, &RepositoryBackends::new(backend, None))
}

/// What went wrong: the storage's own words first, also those that `rustic_core` keeps to itself.
pub(super) fn caught<T>(door: &Door, place: &str, result: RusticResult<T>) -> Result<T, RepositoryError> {
    result.map_err(|error| match (storage_error(&error), door.failure()) {
        (None, Some(failure)) => failure.into(),
        _ => RepositoryError::of_rustic(place, &error),
    })
}

impl Session {
    pub(super) fn caught<T>(&self, result: RusticResult<T>) -> Result<T, RepositoryError> {
        caught(&self.door, &self.place, result)
    }

    pub(super) fn open(&self) -> Result<Opened, RepositoryError> {
        let locked = self.caught(locked(&self.door))?;
        self.caught(locked.open(&Credentials::Masterkey(self.key.clone())))
    }

    /// With an index of everything: what is read needs it.
    pub(super) fn indexed(&self) -> Result<Indexed, RepositoryError> {
        self.settled(Opened::to_indexed)
    }

    /// With an index that knows of data only whether it is there.
    pub(super) fn known(&self) -> Result<Known, RepositoryError> {
        self.settled(Opened::to_indexed_ids)
    }

    /// Reads an index. A prune at the same time takes files away that were listed: then it is read again.
    fn settled<T>(&self, read: impl Fn(Opened) -> RusticResult<T>) -> Result<T, RepositoryError> {
        for _ in 1..TRIES {
            match read(self.open()?) {
                Err(error) if matches!(storage_error(&error), Some(StorageError::Missing { .. })) => {}
                read => return self.caught(read),
            }
        }
        self.caught(read(self.open()?))
    }

    /// What a prune would do, and the repository that it is of. The index is read first and the snapshots are listed afterwards: one
    /// that was saved in between needs what that index does not know. Then both are read again; what is lost is lost each time.
    pub(super) fn prune_plan(&self, options: &PruneOptions) -> Result<(Opened, PrunePlan), RepositoryError> {
        for _ in 1..TRIES {
            let repository = self.open()?;
            match repository.prune_plan(options) {
                Err(error)
                    if self.door.failure().is_none()
                        && matches!(storage_error(&error), None | Some(StorageError::Missing { .. })) => {}
                plan => return Ok((repository, self.caught(plan)?)),
            }
        }
        let repository = self.open()?;
        let plan = self.caught(repository.prune_plan(options))?;
        Ok((repository, plan))
    }
}
