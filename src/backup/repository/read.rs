//! Reading the one file of a snapshot back, as a stream.

use std::io::{Error, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use rustic_core::repofile::{Node, NodeType, SnapshotFile};
use rustic_core::{LsOptions, RusticResult};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::DropGuard;

use super::error::RepositoryError;
use super::session::{Indexed, Session};

/// The largest piece, in bytes.
const PIECE: usize = 256 << 10;
/// How many pieces are in flight: four MiB.
pub(super) const PIECES: usize = 16;

/// The bytes of a file. It ends with an error where it is not whole; dropping it ends the reading.
pub struct Reading {
    left: u64,
    over: bool,
    pieces: mpsc::Receiver<Result<Bytes, RepositoryError>>,
    _stop: DropGuard,
}

impl Reading {
    pub(super) fn new(
        size: u64,
        pieces: mpsc::Receiver<Result<Bytes, RepositoryError>>,
        stop: DropGuard,
    ) -> Self {
        Self { left: size, over: false, pieces, _stop: stop }
    }

    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// They cannot be read, or are not what was written.
    pub async fn next(&mut self) -> Option<Result<Bytes, RepositoryError>> {
        futures::StreamExt::next(self).await
    }
}

impl Stream for Reading {
    type Item = Result<Bytes, RepositoryError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let Poll::Ready(piece) = self.pieces.poll_recv(context) else { return Poll::Pending };
        let piece = match piece {
            Some(Ok(bytes)) if bytes.len() as u64 <= self.left => {
                self.left -= bytes.len() as u64;
                return Poll::Ready(Some(Ok(bytes)));
            }
            None if self.left == 0 => None,
            Some(Err(error)) => Some(Err(error)),
            Some(Ok(_)) => Some(Err(RepositoryError::Defect("a file is longer than its size".to_owned()))),
            None => Some(Err(RepositoryError::Defect(format!("{} bytes of a file did not come", self.left)))),
        };
        self.over = true;
        Poll::Ready(piece)
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("left", &self.left).finish_non_exhaustive()
    }
}

/// Reads the file of a snapshot: its size first, then its bytes.
pub(super) fn read(
    session: &Session,
    id: &str,
    head: oneshot::Sender<Result<u64, RepositoryError>>,
    pieces: mpsc::Sender<Result<Bytes, RepositoryError>>,
) {
    let found = session.open().and_then(|repository| {
        let snapshot = snapshot(session, &repository, id)?;
        let repository = session.indexed()?;
        let (_, node) = file(session, &repository, &snapshot)?;
        let size = size(session, &repository, &node)?;
        Ok((repository, node, size))
    });
    let (repository, node) = match found {
        Ok((repository, node, size)) => {
            // whoever dropped it does not need the bytes either
            if head.send(Ok(size)).is_err() {
                return;
            }
            (repository, node)
        }
        Err(error) => {
            let _ = head.send(Err(error));
            return;
        }
    };
    let dumped = repository.dump(&node, &mut Pieces(pieces.clone()));
    if let Err(error) = session.caught(dumped) {
        // nobody is there any more when that was the reason
        let _ = pieces.blocking_send(Err(error));
    }
}

/// A snapshot by its whole identifier.
pub(super) fn snapshot<S: rustic_core::Open>(
    session: &Session,
    repository: &rustic_core::Repository<S>,
    id: &str,
) -> Result<SnapshotFile, RepositoryError> {
    let unknown = || RepositoryError::NoSnapshot { id: id.to_owned() };
    let parsed = super::storage::identifier(id).ok_or_else(unknown)?;
    let listed = session.caught(repository.list::<rustic_core::repofile::SnapshotId>())?;
    if !listed.into_iter().any(|known| *known == parsed) {
        return Err(unknown());
    }
    let found: RusticResult<SnapshotFile> = repository.get_file(&parsed.into());
    session.caught(found)
}

/// The one file of a snapshot, and its path.
pub(super) fn file(
    session: &Session,
    repository: &Indexed,
    snapshot: &SnapshotFile,
) -> Result<(PathBuf, Node), RepositoryError> {
    let root = session.caught(repository.node_from_snapshot_and_path(snapshot, ""))?;
    let listed = session.caught(repository.ls(&root, &LsOptions::default().recursive(true)))?;
    let mut files = Vec::new();
    for item in listed {
        let (path, node) = session.caught(item)?;
        if node.node_type == NodeType::File {
            files.push((path, node));
        }
        if files.len() > 1 {
            break;
        }
    }
    match files.pop() {
        Some(file) if files.is_empty() => Ok(file),
        found => {
            let what = if found.is_some() { "more than one file" } else { "no file" };
            let why = format!("the snapshot {} has {what}: it is none of ours", snapshot.id);
            Err(RepositoryError::Damaged { place: session.place.clone(), why })
        }
    }
}

fn size(session: &Session, repository: &Indexed, node: &Node) -> Result<u64, RepositoryError> {
    let mut size = 0;
    for id in node.content.iter().flatten() {
        size += u64::from(session.caught(repository.get_index_entry(id))?.data_length());
    }
    Ok(size)
}

struct Pieces(mpsc::Sender<Result<Bytes, RepositoryError>>);

impl Write for Pieces {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let piece = Bytes::copy_from_slice(&buffer[..buffer.len().min(PIECE)]);
        let length = piece.len();
        self.0.blocking_send(Ok(piece)).map_err(|_| Error::other("nobody reads it any more"))?;
        Ok(length)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
