//! What lies in a location, by what it says itself: the catalogue is rebuilt from the manifests.

use jiff::Timestamp;

use super::manifest::Manifest;
use super::repository::{Repository, RepositoryError, SnapshotSummary};
use super::sweep::{Listed, sweep};
use crate::domain::Problem;
use crate::domain::backup::{Backup, BackupId};

/// The longest manifest that is read, in bytes.
const MOST: usize = 64 << 20;

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scan {
    /// Backups that the catalogue did not have.
    pub found: Vec<Backup>,
    /// Those whose manifest cannot be read, and why.
    pub unreadable: Vec<(BackupId, Problem)>,
    /// How many of them the catalogue has already.
    pub known: usize,
}

impl From<SnapshotSummary> for Listed {
    fn from(summary: SnapshotSummary) -> Self {
        let SnapshotSummary { id, time, tags, path, .. } = summary;
        Self { snapshot: id, time, tags, path }
    }
}

/// The snapshots of a repository, as they are compared with the catalogue.
///
/// # Errors
/// The storage does not answer.
pub async fn listed(repository: &Repository) -> Result<Vec<Listed>, RepositoryError> {
    Ok(repository.snapshots().await?.into_iter().map(Listed::from).collect())
}

/// Reads the manifests of the backups that the catalogue does not have; `known` are those that it has in the location of this name.
/// Nothing is recorded.
///
/// # Errors
/// The storage does not answer.
pub async fn scan(
    repository: &Repository,
    location: &str,
    known: &[Backup],
    now: Timestamp,
) -> Result<Scan, RepositoryError> {
    let listed = listed(repository).await?;
    let mut scan = Scan { known: known.len(), ..Scan::default() };
    for (id, snapshot) in sweep(known, &listed, now).uncatalogued {
        let bytes = match whole(repository, &snapshot).await {
            Ok(bytes) => bytes,
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => {
                scan.unreadable.push((id, error.problem("The manifest cannot be read")));
                continue;
            }
        };
        match catalogued(&id, location, &snapshot, &bytes) {
            Ok(backup) => scan.found.push(backup),
            Err(problem) => scan.unreadable.push((id, problem)),
        }
    }
    Ok(scan)
}

/// The manifest of a backup in a repository.
///
/// # Errors
/// The storage does not answer, or what is there is no manifest.
pub async fn manifest(repository: &Repository, snapshot: &str) -> Result<Manifest, Problem> {
    let bytes = whole(repository, snapshot).await;
    Manifest::read(&bytes.map_err(|error| error.problem("The manifest cannot be read"))?)
}

/// A backup as this catalogue has it: where it lies is known better here, and operations are numbered otherwise.
fn catalogued(id: &BackupId, location: &str, snapshot: &str, bytes: &[u8]) -> Result<Backup, Problem> {
    let backup = Manifest::read(bytes)?.backup;
    if backup.id != *id {
        return Err(Problem::new(
            "A manifest is not what its snapshot says",
            format!("it is of {}, and tagged as of {id}", backup.id),
            "look who writes into the location besides Styrmin",
        ));
    }
    Ok(Backup {
        location: location.to_owned(),
        operation: None,
        manifest: Some(snapshot.to_owned()),
        ..backup
    })
}

/// The file of a snapshot, which is small.
async fn whole(repository: &Repository, snapshot: &str) -> Result<Vec<u8>, RepositoryError> {
    let (size, mut pieces) = repository.read(snapshot).await?;
    if size > MOST as u64 {
        return Err(RepositoryError::Damaged {
            place: snapshot.to_owned(),
            why: format!("the manifest has {size} bytes, more than {MOST}"),
        });
    }
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
