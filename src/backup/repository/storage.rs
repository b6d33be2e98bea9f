//! Where the files of a repository are: what a directory and a bucket have in common.

use bytes::Bytes;
use rustic_core::{FileType, Id};
use tokio_util::sync::CancellationToken;

use super::error::StorageError;

/// Keeps files. Every call waits in its thread until it is done, or `stop` says that nobody waits for it.
pub(super) trait Storage: Send + Sync + 'static {
    /// As the location names it: a path, or `s3:https://host/bucket/prefix`.
    fn place(&self) -> String;

    /// Prepares it for a new repository.
    fn create(&self, stop: &CancellationToken) -> Result<(), StorageError>;

    /// The files of a kind that were written whole, with their sizes. The one of [`FileType::Config`] has no name.
    fn list(&self, kind: FileType, stop: &CancellationToken) -> Result<Vec<(Id, u64)>, StorageError>;

    /// A file, or `length` bytes of it from `offset`; fewer where it ends before.
    fn read(
        &self,
        file: &File,
        range: Option<(u32, u32)>,
        stop: &CancellationToken,
    ) -> Result<Bytes, StorageError>;

    /// Which of these files are not there.
    fn missing(&self, files: &[File], stop: &CancellationToken) -> Result<Vec<File>, StorageError>;

    /// Writes a file whole or not at all.
    fn write(&self, file: &File, content: &[Bytes], stop: &CancellationToken) -> Result<(), StorageError>;

    /// Takes a file away. One that is not there is as good as taken away.
    fn remove(&self, file: &File, stop: &CancellationToken) -> Result<(), StorageError>;

    /// Takes away what writers that died have left behind, and is older than a day.
    fn sweep(&self, stop: &CancellationToken) -> Result<(), StorageError>;

    /// How many bytes of a pack are worth fetching at once when something after them will be read too; 0: no more than asked for.
    fn window(&self) -> u32;
}

/// A file of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct File {
    pub(super) kind: Kind,
    pub(super) id: Id,
}

/// [`FileType`], which cannot be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Config,
    Key,
    Snapshot,
    Index,
    Pack,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::Config => Self::Config,
            FileType::Key => Self::Key,
            FileType::Snapshot => Self::Snapshot,
            FileType::Index => Self::Index,
            FileType::Pack => Self::Pack,
        }
    }
}

impl File {
    pub(super) fn new(kind: FileType, id: &Id) -> Self {
        Self { kind: kind.into(), id: *id }
    }

    /// Where it is in the repository: `config`, `snapshots/3f2a…`, `data/3f/3f2a…`.
    pub(super) fn path(&self) -> String {
        let name = self.id.to_hex();
        let name = name.as_str();
        match self.kind {
            Kind::Config => "config".to_owned(),
            Kind::Key => format!("keys/{name}"),
            Kind::Snapshot => format!("snapshots/{name}"),
            Kind::Index => format!("index/{name}"),
            Kind::Pack => format!("data/{}/{name}", &name[..2]),
        }
    }
}

/// The identifier that a file name is; none for what is no file of a repository.
pub(super) fn identifier(name: &str) -> Option<Id> {
    let sound =
        name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if sound { name.parse().ok() } else { None }
}
