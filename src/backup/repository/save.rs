//! Keeping a stream: its blobs and trees are written, read back by the index, and only then there is a snapshot.

use std::collections::BTreeSet;
use std::iter::{Once, once};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;
use rustic_core::repofile::{Metadata, Node, NodeType, PackId, SnapshotFile, SnapshotId};
use rustic_core::{
    BackupOptions, ErrorKind, FileType, LimitOption, ParentOptions, PruneOptions, ReadSource,
    ReadSourceEntry, RusticError, RusticResult, SnapshotOptions, StringList, WriteBackend,
};

use super::error::{RepositoryError, StorageError};
use super::session::{Indexed, Session};
use super::source::{Reader, Tally};
use super::storage::File;
use super::{NewSnapshot, Saved, tree};

/// Keeps what `reader` yields, when `tally` says in the end that it was whole.
pub(super) fn save(
    session: &Session,
    new: &NewSnapshot,
    reader: Reader,
    tally: &Tally,
) -> Result<Saved, RepositoryError> {
    let path = PathBuf::from(&new.path);
    let repository = session.known()?;
    let options = BackupOptions::default().no_scan(true).parent_opts(ParentOptions::default().force(true));
    let source = Stream { entry: Mutex::new(Some(entry(&path, new, reader))) };
    let snapshot = session.caught(described(new))?;
    let archived = repository.archive(&options, &source, snapshot, std::slice::from_ref(&path));
    session.door.discard();
    if let Some(failure) = session.door.failure() {
        return Err(failure.into());
    }
    // rustic_core takes a stream that breaks for one that ends
    let digest = tally.digest().ok_or(RepositoryError::Broken { bytes: tally.bytes() })?;
    let snapshot = session.caught(archived)?;
    let bytes = tally.bytes();
    let stored = snapshot.summary.as_ref().map_or(0, |summary| summary.data_added_packed);
    let id = settle(session, snapshot, &path, bytes)?;
    Ok(Saved { snapshot: id.to_hex().to_string(), bytes, stored, digest })
}

/// A snapshot without content.
fn described(new: &NewSnapshot) -> RusticResult<SnapshotFile> {
    let mut tags = StringList::default();
    new.tags.iter().for_each(|tag| tags.add(tag.clone()));
    let program = concat!("styrmin ", env!("CARGO_PKG_VERSION"));
    let options = SnapshotOptions::default()
        .host(new.host.clone())
        .time(new.time.to_zoned(TimeZone::UTC))
        .command(program.to_owned())
        .tags(vec![tags]);
    let mut snapshot = options.to_snapshot()?;
    snapshot.program_version = program.to_owned();
    Ok(snapshot)
}

fn entry(path: &Path, new: &NewSnapshot, reader: Reader) -> ReadSourceEntry<Reader> {
    let about = Metadata { mode: Some(0o600), mtime: Some(new.time), links: 1, ..Metadata::default() };
    let node = Node::new_node(path.file_name().unwrap_or_default(), NodeType::File, about);
    ReadSourceEntry { path: path.to_owned(), node, open: Some(reader) }
}

/// The one file of a snapshot.
struct Stream {
    entry: Mutex<Option<ReadSourceEntry<Reader>>>,
}

impl ReadSource for Stream {
    type Open = Reader;
    type Iter = Once<RusticResult<ReadSourceEntry<Reader>>>;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(None)
    }

    fn entries(&self) -> Self::Iter {
        let entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner).take();
        once(entry.ok_or_else(|| RusticError::new(ErrorKind::Internal, "the stream was read before")))
    }
}

/// Makes the snapshot, when everything that it needs can be found by whoever reads the index now.
fn settle(
    session: &Session,
    mut snapshot: SnapshotFile,
    path: &Path,
    bytes: u64,
) -> Result<SnapshotId, RepositoryError> {
    let mut provisional = None;
    let mut repository = session.indexed()?;
    if packs(&repository, &snapshot, path, bytes).is_none() {
        // a prune has marked packs that hold a part of this stream already: a snapshot that needs them makes it take that back
        tracing::info!("a prune marked packs that a backup uses: they are recovered");
        let id = publish(session, &repository, &snapshot)?;
        provisional = Some(id);
        recover(session)?;
        repository = session.indexed()?;
    }
    snapshot.tree = tree::sized(session, &repository, &snapshot, path, bytes)?;
    let made = proven(session, &snapshot, path, bytes)
        .and_then(|repository| publish(session, &repository, &snapshot));
    if let Some(id) = provisional {
        session.caught(session.door.remove(FileType::Snapshot, &id, true))?;
    }
    made
}

/// Looks as whoever restores it will: the tree, the size, and every pack. An index may still name packs that were lost, or that
/// somebody else's prune took away; a stream that shares data with them would be kept in words only.
fn proven(
    session: &Session,
    snapshot: &SnapshotFile,
    path: &Path,
    bytes: u64,
) -> Result<Indexed, RepositoryError> {
    let damaged = |why: String| RepositoryError::Damaged { place: session.place.clone(), why };
    let repository = session.indexed()?;
    let node = repository.node_from_snapshot_and_path(snapshot, &path.to_string_lossy());
    let sound = session.caught(node)?.meta.size == bytes;
    let needed = packs(&repository, snapshot, path, bytes).filter(|_| sound).ok_or_else(|| {
        damaged(format!("what was written of {} cannot be found in its index", path.display()))
    })?;
    let needed: Vec<File> = needed.iter().map(|id| File::new(FileType::Pack, id)).collect();
    match session.door.missing(&needed)?.first() {
        None => Ok(repository),
        Some(lost) => Err(damaged(format!(
            "{} is in its index and not there, and this stream needs it; 'restic rebuild-index' makes the index forget it",
            lost.path()
        ))),
    }
}

/// The packs with the bytes of the file; none when the index does not lead to all of them.
fn packs(repository: &Indexed, snapshot: &SnapshotFile, path: &Path, bytes: u64) -> Option<BTreeSet<PackId>> {
    let node = repository.node_from_snapshot_and_path(snapshot, &path.to_string_lossy()).ok()?;
    let mut packs = BTreeSet::new();
    let mut length = 0;
    for id in node.content.iter().flatten() {
        let entry = repository.get_index_entry(id).ok()?;
        packs.insert(entry.pack);
        length += u64::from(entry.data_length());
    }
    (length == bytes).then_some(packs)
}

/// Writes the snapshot for all to see.
fn publish(
    session: &Session,
    repository: &Indexed,
    snapshot: &SnapshotFile,
) -> Result<SnapshotId, RepositoryError> {
    session.caught(repository.save_snapshots(vec![snapshot.clone()]))?;
    let lost = || StorageError::Missing { file: "the snapshot that was made".to_owned() };
    let id = session.door.held().ok_or_else(lost)?;
    session.door.release(&id)?;
    Ok(SnapshotId::from(id))
}

/// Takes back marks of packs that are needed, and does nothing else.
fn recover(session: &Session) -> Result<(), RepositoryError> {
    let options = PruneOptions::default()
        .max_repack(LimitOption::Percentage(0))
        .keep_pack(jiff::Span::new().hours(24 * 365))
        .keep_delete(jiff::Span::new().hours(24 * 365));
    let (repository, plan) = session.prune_plan(&options)?;
    session.caught(repository.prune(&options, plan))
}
