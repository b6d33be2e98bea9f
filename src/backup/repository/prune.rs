//! Deleting snapshots, and then what no snapshot needs any more.
//!
//! In two steps, as `rustic_core` has it: packs that nothing needs are marked, and deleted by a later prune, unless something
//! needs them by then. A backup that runs at the same time in another process may have counted on them. So nothing is
//! locked, and a process that dies leaves no lock.

use jiff::{SignedDuration, Span};
use rustic_core::PruneOptions;
use rustic_core::repofile::SnapshotId;

use super::Pruned;
use super::error::RepositoryError;
use super::session::Session;
use super::storage::identifier;

/// How long a prune spares what others may be counting on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Packs that are younger are not looked at: they may be those of a backup that has no snapshot yet.
    pub young: SignedDuration,
    /// Packs stay for so long after they were marked.
    pub marked: SignedDuration,
}

impl Default for Patience {
    /// A day each: longer than a backup may take.
    fn default() -> Self {
        Self { young: SignedDuration::from_hours(24), marked: SignedDuration::from_hours(24) }
    }
}

/// Deletes snapshots; those that are not there are as good as deleted.
pub(super) fn delete(session: &Session, ids: &[String]) -> Result<(), RepositoryError> {
    let parse = |id: &String| identifier(id).ok_or_else(|| RepositoryError::NoSnapshot { id: id.clone() });
    let ids = ids.iter().map(|id| parse(id).map(SnapshotId::from)).collect::<Result<Vec<_>, _>>()?;
    let repository = session.open()?;
    session.caught(repository.delete_snapshots(&ids))
}

/// Marks what no snapshot needs, deletes what was marked long enough ago, and packs anew what is mostly unused.
pub(super) fn prune(session: &Session, patience: Patience, dry_run: bool) -> Result<Pruned, RepositoryError> {
    let seconds = |duration: SignedDuration| Span::new().seconds(duration.as_secs());
    let options =
        PruneOptions::default().keep_pack(seconds(patience.young)).keep_delete(seconds(patience.marked));
    let (repository, plan) = session.prune_plan(&options)?;
    let blobs = plan.stats.size_sum();
    let pruned = Pruned {
        files: plan.stats.packs_to_delete.remove,
        bytes: plan.stats.size_to_delete.remove,
        marked: blobs.remove + blobs.repackrm + plan.stats.size_unref + plan.stats.size_to_delete.keep,
    };
    if !dry_run {
        session.caught(repository.prune(&options, plan))?;
    }
    Ok(pruned)
}
