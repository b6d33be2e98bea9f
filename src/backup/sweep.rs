//! Whether a location and the catalogue agree: data that no backup knows, and backups whose data is gone. Pure.
//!
//! Several Styrmins, and other users of restic, may share a location. What does not bear our tags is never touched; and neither is
//! what somebody may be writing at this moment, nor a backup that another catalogue knows: its manifest is there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::domain::Problem;
use crate::domain::backup::{Backup, BackupId, BackupState, Depth, PartState, Verification};

/// The tag of everything that we write.
pub const TAG: &str = "styrmin";
/// What the tag begins with that names the backup.
pub const BACKUP: &str = "backup:";
/// The tag of a manifest.
pub const MANIFEST: &str = "manifest";
/// How old data without a manifest has to be: it may belong to a backup that is being made.
const QUIET: SignedDuration = SignedDuration::from_hours(24);

/// A snapshot, as the location lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name, in hexadecimal.
    pub snapshot: String,
    /// When it was made.
    pub time: Timestamp,
    /// Its tags.
    pub tags: Vec<String>,
    /// What it holds.
    pub path: String,
}

/// Data that no backup knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The snapshot.
    pub snapshot: String,
    /// What it holds.
    pub path: String,
    /// When it was made.
    pub time: Timestamp,
    /// Why nothing needs it.
    pub why: &'static str,
}

/// A backup of which something is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The backup.
    pub backup: BackupId,
    /// What is gone: `db`, `web/data`, `manifest`.
    pub gone: Vec<String>,
    /// Whether nothing of it is left.
    pub everything: bool,
}

/// How a location and the catalogue differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Data that no backup knows, and that may be deleted.
    pub orphans: Vec<Orphan>,
    /// Backups that a scan would bring back, with the snapshots of their manifests.
    pub uncatalogued: BTreeMap<BackupId, String>,
    /// Backups of which something is gone.
    pub losses: Vec<Loss>,
    /// Snapshots that may belong to a backup that somebody makes now.
    pub fresh: usize,
    /// Snapshots that are none of ours.
    pub foreign: usize,
}

impl Listed {
    /// Whether we wrote it.
    pub fn is_ours(&self) -> bool {
        self.tags.iter().any(|tag| tag == TAG)
    }

    /// The backup that it is part of.
    pub fn backup(&self) -> Option<BackupId> {
        self.tags.iter().find_map(|tag| tag.strip_prefix(BACKUP)).map(|id| BackupId(id.to_owned()))
    }

    /// Whether it is the manifest of its backup.
    pub fn is_manifest(&self) -> bool {
        self.tags.iter().any(|tag| tag == MANIFEST)
    }
}

/// Compares the catalogue's backups in a location with the snapshots there, which were listed after `now`. The catalogue was read
/// after that.
pub fn sweep(catalogue: &[Backup], listed: &[Listed], now: Timestamp) -> Sweep {
    let mut sweep = Sweep { losses: losses(catalogue, listed, now), ..Sweep::default() };
    let known: BTreeMap<&BackupId, &Backup> = catalogue.iter().map(|backup| (&backup.id, backup)).collect();
    let needed: BTreeSet<&str> = catalogue.iter().flat_map(snapshots).map(|(_, snapshot)| snapshot).collect();
    let ours = || listed.iter().filter(|snapshot| snapshot.is_ours());
    sweep.foreign = listed.len() - ours().count();
    let manifests: BTreeSet<BackupId> =
        ours().filter(|snapshot| snapshot.is_manifest()).filter_map(Listed::backup).collect();
    for snapshot in ours().filter(|snapshot| !needed.contains(snapshot.snapshot.as_str())) {
        let id = snapshot.backup();
        let backup = id.as_ref().and_then(|id| known.get(id));
        let why = match (&id, backup) {
            (Some(id), None) if manifests.contains(id) => {
                if snapshot.is_manifest() {
                    sweep.uncatalogued.insert(id.clone(), snapshot.snapshot.clone());
                }
                continue;
            }
            (_, Some(backup)) if !backup.state.is_final() => {
                sweep.fresh += 1;
                continue;
            }
            (_, Some(_)) => "another try of its backup took its place",
            (_, None) => "its backup was never completed",
        };
        if now.duration_since(snapshot.time) < QUIET {
            sweep.fresh += 1;
            continue;
        }
        sweep.orphans.push(Orphan {
            snapshot: snapshot.snapshot.clone(),
            path: snapshot.path.clone(),
            time: snapshot.time,
            why,
        });
    }
    sweep
}

/// The backups that had ended by then and of which something is gone.
fn losses(catalogue: &[Backup], listed: &[Listed], now: Timestamp) -> Vec<Loss> {
    let there: BTreeSet<&str> = listed.iter().map(|snapshot| snapshot.snapshot.as_str()).collect();
    let mut losses = Vec::new();
    // what came to nothing has nothing to lose
    let had_ended = |backup: &&Backup| {
        backup.state.is_final()
            && !matches!(backup.state, BackupState::Cancelled | BackupState::Failed)
            && backup.ended.is_none_or(|ended| ended <= now)
    };
    for backup in catalogue.iter().filter(had_ended) {
        let all = snapshots(backup);
        let gone: Vec<String> = all
            .iter()
            .filter(|(_, snapshot)| !there.contains(snapshot))
            .map(|(name, _)| name.clone())
            .collect();
        if !gone.is_empty() {
            let everything = gone.len() == all.len();
            losses.push(Loss { backup: backup.id.clone(), gone, everything });
        }
    }
    losses
}

/// What a backup has in its location: what it holds, and the snapshot.
fn snapshots(backup: &Backup) -> Vec<(String, &str)> {
    let whole = backup
        .parts
        .iter()
        .filter(|part| part.state == PartState::Completed && !part.snapshot.is_empty())
        .map(|part| {
            let volume = part.volume.as_ref().map(|volume| format!("/{volume}")).unwrap_or_default();
            (format!("{}{volume}", part.component), part.snapshot.as_str())
        });
    let manifest = backup.manifest.iter().map(|manifest| (MANIFEST.to_owned(), manifest.as_str()));
    whole.chain(manifest).collect()
}

impl Loss {
    /// What the catalogue says of the backup from then on.
    pub fn verification(&self, at: Timestamp) -> Verification {
        let problem = Problem::new(
            format!("Of the backup {} data is gone", self.backup),
            format!("the location has no snapshot of: {}", self.gone.join(", ")),
            "make a new backup; look who deletes in the location besides Styrmin",
        );
        Verification { depth: Depth::Quick, at, problem: Some(problem) }
    }
}

#[cfg(test)]
mod tests;
