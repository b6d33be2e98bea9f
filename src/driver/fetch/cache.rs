//! What was fetched, kept by its digest below the state directory:
//!
//! ```text
//! charts/<sha256>.tgz     archives, checked whenever they are read
//! asked/<sha256>.json     what was asked for and what it led to, by what was asked
//! indexes/<sha256>.json   indexes of repositories, with the tag that tells whether they have changed
//! ```
//!
//! Files are written whole or not at all. What cannot be kept is fetched again the next time: that is told in the log.

mod files;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::repository::Index;
use super::{ChartReference, Sizes};

/// How many archives are kept; the oldest go first.
const ARCHIVES: usize = 200;
/// How many answers and indexes are kept.
const NOTES: usize = 1_000;
/// The largest answer, in bytes.
const NOTE_LIMIT: usize = 64 << 10;

/// The directory.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    directory: PathBuf,
    sizes: Sizes,
}

/// Where an archive came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// What was asked for, without logins.
    pub asked: ChartReference,
    /// Where its archive came from, in full.
    pub origin: String,
    /// The version that was found.
    pub version: String,
    /// SHA-256 of the archive: `sha256:<64 hex digits>`.
    pub digest: String,
    /// When it was fetched.
    pub fetched_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct KeptIndex {
    tag: String,
    index: Index,
}

impl Cache {
    pub(super) fn new(directory: &Path, sizes: Sizes) -> Self {
        Self { directory: directory.to_owned(), sizes }
    }

    /// The archive with that digest. One that is damaged is taken away.
    pub(super) async fn archive(&self, digest: &Digest) -> Option<Vec<u8>> {
        let (path, digest, limit) = (self.archive_path(digest), digest.clone(), self.sizes.archive);
        blocking(move || {
            let bytes = files::read(&path, limit)?;
            if Digest::of(&bytes) == digest {
                return Some(bytes);
            }
            tracing::warn!(path = %path.display(), "a chart that was kept is damaged, it is fetched again");
            // what stays is found to be damaged the next time
            let _ = std::fs::remove_file(&path);
            None
        })
        .await
        .flatten()
    }

    /// Keeps an archive and where it came from.
    ///
    /// # Errors
    /// They cannot be written.
    pub(super) async fn keep(
        &self,
        asked: &ChartReference,
        provenance: &Provenance,
        bytes: &[u8],
    ) -> Result<(), String> {
        let archive = self.archive_path(&Digest::of(bytes));
        let note = self.note_path(asked);
        let text = serde_json::to_vec_pretty(provenance).map_err(|error| error.to_string())?;
        let bytes = bytes.to_vec();
        let written = blocking(move || {
            files::write(&archive, &bytes, ARCHIVES)?;
            files::write(&note, &text, NOTES)
        });
        let written = written.await.unwrap_or_else(|| Err(std::io::ErrorKind::Interrupted.into()));
        written.map_err(|error| format!("{} cannot be written: {error}", self.directory.display()))
    }

    /// What the same question led to the last time.
    pub(super) async fn answer(&self, asked: &ChartReference) -> Option<Provenance> {
        let path = self.note_path(asked);
        let text = blocking(move || files::read(&path, NOTE_LIMIT)).await.flatten()?;
        serde_json::from_slice(&text).ok()
    }

    /// The index that was read at `key`, with its tag.
    pub(super) async fn index(&self, key: &str) -> Option<(String, Index)> {
        let (path, limit) = (self.index_path(key), self.sizes.index);
        blocking(move || {
            let kept: KeptIndex = serde_json::from_slice(&files::read(&path, limit)?).ok()?;
            Some((kept.tag, kept.index))
        })
        .await
        .flatten()
    }

    /// Keeps an index with its tag.
    pub(super) async fn keep_index(&self, key: &str, tag: &str, index: &Index) {
        let path = self.index_path(key);
        let kept = KeptIndex { tag: tag.to_owned(), index: index.clone() };
        let written = blocking(move || files::write(&path, &serde_json::to_vec(&kept)?, NOTES)).await;
        if let Some(Err(error)) = written {
            tracing::warn!(%error, "the index of a repository is not kept");
        }
    }

    fn archive_path(&self, digest: &Digest) -> PathBuf {
        self.directory.join("charts").join(format!("{}.tgz", digest.hex()))
    }

    fn note_path(&self, asked: &ChartReference) -> PathBuf {
        let key =
            [&asked.location, asked.chart.as_deref().unwrap_or(""), asked.version.as_deref().unwrap_or("")];
        self.named("asked", &key.join("\n"))
    }

    fn index_path(&self, key: &str) -> PathBuf {
        self.named("indexes", key)
    }

    fn named(&self, kind: &str, key: &str) -> PathBuf {
        self.directory.join(kind).join(format!("{}.json", Digest::of(key.as_bytes()).hex()))
    }
}

/// Runs what touches files on a thread for it; none when that thread panicked or the runtime ends.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
