//! What `rustic_core` sees of a storage during one operation.
//!
//! `rustic_core` goes on when a source cannot be read, and saves the snapshot all the same. Here snapshots are held back
//! until somebody who knows that everything is right lets them through.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustic_core::{BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend};
use tokio_util::sync::CancellationToken;

use super::ahead::Ahead;
use super::error::StorageError;
use super::storage::{File, Kind, Storage};

/// How many bytes of small files are kept in memory, of each repository.
const KEPT: usize = 32 << 20;

/// Indexes and snapshots that were read or written: they are named by their content, and are read again and again.
#[derive(Default)]
pub(super) struct Kept(Mutex<(usize, HashMap<File, Bytes>)>);

/// One operation's way to a storage.
pub(super) struct Door {
    storage: Arc<dyn Storage>,
    kept: Arc<Kept>,
    stop: CancellationToken,
    ahead: Ahead,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The first failure that is not just an absent file: what it was, and whether something was to be written.
    failure: Option<(StorageError, bool)>,
    /// Snapshots that wait to be let through.
    held: HashMap<Id, Bytes>,
    /// Bytes that were written.
    written: u64,
}

impl Kept {
    fn get(&self, file: &File) -> Option<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.get(file).cloned()
    }

    fn keep(&self, file: &File, content: &Bytes) {
        if !matches!(file.kind, Kind::Index | Kind::Snapshot) {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 + content.len() <= KEPT && kept.1.insert(*file, content.clone()).is_none() {
            kept.0 += content.len();
        }
    }

    fn forget(&self, file: &File) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(content) = kept.1.remove(file) {
            kept.0 -= content.len();
        }
    }
}

impl Door {
    pub(super) fn new(storage: Arc<dyn Storage>, kept: Arc<Kept>, stop: CancellationToken) -> Self {
        let ahead = Ahead::new(storage.window());
        Self { storage, kept, stop, ahead, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first failure of the storage that is not just an absent file; that nobody waits any more is one.
    pub(super) fn failure(&self) -> Option<StorageError> {
        if self.stop.is_cancelled() {
            return Some(StorageError::Cancelled);
        }
        self.state().failure.as_ref().map(|(error, _)| error.clone())
    }

    /// The snapshot that is held back, which is the only one.
    pub(super) fn held(&self) -> Option<Id> {
        let state = self.state();
        if state.held.len() == 1 { state.held.keys().next().copied() } else { None }
    }

    /// Forgets what is held back.
    pub(super) fn discard(&self) {
        self.state().held.clear();
    }

    /// Lets a snapshot through that was held back.
    ///
    /// # Errors
    /// It cannot be written, or something before it could not.
    pub(super) fn release(&self, id: &Id) -> Result<(), StorageError> {
        let (content, failure) = {
            let mut state = self.state();
            (state.held.remove(id), state.failure.clone())
        };
        if let Some((failure, true)) = failure {
            return Err(failure);
        }
        let file = File::new(FileType::Snapshot, id);
        let content = content.ok_or_else(|| StorageError::Missing { file: file.path() })?;
        self.put(&file, &[content])
    }

    /// Writes a file that is no snapshot, unless something could not be written before.
    pub(super) fn put(&self, file: &File, content: &[Bytes]) -> Result<(), StorageError> {
        if let Some((failure, true)) = self.state().failure.clone() {
            return Err(failure);
        }
        let written = self.storage.write(file, content, &self.stop);
        self.note(written, true)?;
        self.state().written += content.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
        if let [whole] = content {
            self.kept.keep(file, whole);
        }
        Ok(())
    }

    /// Which of these packs are not there.
    pub(super) fn missing(&self, packs: &[File]) -> Result<Vec<File>, StorageError> {
        self.note(self.storage.missing(packs, &self.stop), false)
    }

    /// Remembers a failure that `rustic_core` may not pass on.
    fn note<T>(&self, result: Result<T, StorageError>, writing: bool) -> Result<T, StorageError> {
        if let Err(error) = &result
            && (writing || !matches!(error, StorageError::Missing { .. }))
        {
            let mut state = self.state();
            let worse = writing && matches!(state.failure, Some((_, false)));
            if state.failure.is_none() || worse {
                state.failure = Some((error.clone(), writing));
            }
        }
        result
    }
}

fn rustic<T>(result: Result<T, StorageError>) -> RusticResult<T> {
    result.map_err(|error| RusticError::with_source(ErrorKind::Backend, error.to_string(), error))
}

impl ReadBackend for Door {
    fn location(&self) -> String {
        self.storage.place()
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        let listed = rustic(self.note(self.storage.list(kind, &self.stop), false))?;
        Ok(listed.into_iter().map(|(id, size)| (id, u32::try_from(size).unwrap_or(u32::MAX))).collect())
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        let file = File::new(kind, id);
        let held = self.state().held.get(id).filter(|_| file.kind == Kind::Snapshot).cloned();
        if let Some(content) = held.or_else(|| self.kept.get(&file)) {
            return Ok(content);
        }
        let content = rustic(self.note(self.storage.read(&file, None, &self.stop), false))?;
        self.kept.keep(&file, &content);
        Ok(content)
    }

    fn read_partial(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        let file = File::new(kind, id);
        let read = self
            .ahead
            .read(&file, (offset, length), |range| self.storage.read(&file, Some(range), &self.stop));
        let content = rustic(self.note(read, false))?;
        if content.len() < length as usize {
            let found = content.len();
            return Err(RusticError::new(
                ErrorKind::Backend,
                format!("{} ends too early: {found} of {length} bytes at {offset}", file.path()),
            ));
        }
        Ok(content)
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        File::new(kind, id).path()
    }
}

impl WriteBackend for Door {
    fn create(&self) -> RusticResult<()> {
        rustic(self.note(self.storage.create(&self.stop), true))
    }

    fn write_bytes(&self, kind: FileType, id: &Id, _cacheable: bool, content: BytesList) -> RusticResult<()> {
        if kind == FileType::Snapshot {
            let content: Vec<u8> = content.slice().concat();
            self.state().held.insert(*id, content.into());
            return Ok(());
        }
        rustic(self.put(&File::new(kind, id), content.slice()))
    }

    fn remove(&self, kind: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        let file = File::new(kind, id);
        self.kept.forget(&file);
        rustic(self.note(self.storage.remove(&file, &self.stop), true))
    }
}
