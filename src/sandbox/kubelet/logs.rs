//! Logs of containers, as files: one per life of a container, a line each `<time> <stdout|stderr> <F|P> <text>`, where P is
//! a piece of a line that goes on. A file is rotated once at [`FILE_MAX`]; the present and the previous life are kept.

mod read;
mod tail;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;

use crate::sandbox::clock::Clock;
pub(super) use read::read;
pub(super) use tail::tail;

/// The size at which a file is rotated, in bytes.
const FILE_MAX: u64 = 10 * 1024 * 1024;
/// The longest piece of a line, in bytes.
const PIECE_MAX: usize = 16 * 1024;

/// How far a log has come: what followers wait on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Counts rotations.
    pub(super) generation: u32,
    /// Bytes in the present file.
    pub(super) length: u64,
    /// Nothing will follow.
    pub(super) closed: bool,
}

/// The file of a container's n-th life.
pub(super) fn path(directory: &Path, life: u32) -> PathBuf {
    directory.join(format!("{life}.log"))
}

/// The part that was rotated away.
fn rotated(path: &Path) -> PathBuf {
    path.with_extension("log.old")
}

/// Writes a container's log.
pub(super) struct LogWriter {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    file: Mutex<File>,
    progress: watch::Sender<Progress>,
    /// A line was lost already: a full disk is told once, not with every line.
    complained: AtomicBool,
}

impl LogWriter {
    /// Begins the log of a life; lives before the previous one are removed.
    pub(super) fn create(directory: &Path, life: u32, clock: Arc<dyn Clock>) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        if let Some(old) = life.checked_sub(2) {
            let old = path(directory, old);
            std::fs::remove_file(rotated(&old)).ok();
            std::fs::remove_file(old).ok();
        }
        let path = path(directory, life);
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let length = file.metadata()?.len();
        let progress = watch::Sender::new(Progress { length, ..Progress::default() });
        Ok(Self { path, clock, file: Mutex::new(file), progress, complained: AtomicBool::new(false) })
    }

    /// For followers.
    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Nothing more will be written.
    pub(super) fn close(&self) {
        self.progress.send_modify(|progress| progress.closed = true);
    }

    fn write(&self, stream: &str, whole: bool, text: &[u8]) {
        let mut line =
            format!("{:.9} {stream} {} ", self.clock.now(), if whole { "F" } else { "P" }).into_bytes();
        line.extend_from_slice(text);
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.append(&mut file, &line)
            && !self.complained.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, path = %self.path.display(), "lines of a log are lost");
        }
    }

    fn append(&self, file: &mut File, line: &[u8]) -> io::Result<()> {
        let Progress { mut generation, mut length, .. } = *self.progress.borrow();
        if length + line.len() as u64 > FILE_MAX {
            std::fs::rename(&self.path, rotated(&self.path))?;
            *file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            (generation, length) = (generation + 1, 0);
        }
        file.write_all(line)?;
        length += line.len() as u64;
        // Whether it is closed is another's to say, who may have said so meanwhile.
        self.progress.send_modify(|progress| *progress = Progress { generation, length, ..*progress });
        Ok(())
    }
}

/// Writes what a pipe gives into the log, line by line, until its end.
pub(super) async fn capture(pipe: impl AsyncRead + Unpin, stream: &'static str, log: Arc<LogWriter>) {
    let mut reader = BufReader::with_capacity(PIECE_MAX, pipe);
    while let Ok(Some((piece, whole))) = next_piece(&mut reader).await {
        log.write(stream, whole, &piece);
    }
}

/// The next line, or as much of it as is taken at once. `None` at the end.
async fn next_piece(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<(Vec<u8>, bool)>> {
    let mut piece = Vec::new();
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            // A last line without a newline is a line.
            return Ok((!piece.is_empty()).then_some((piece, true)));
        }
        let room = &available[..available.len().min(PIECE_MAX - piece.len())];
        let newline = room.iter().position(|byte| *byte == b'\n');
        let taken = newline.map_or(room.len(), |at| at + 1);
        piece.extend_from_slice(&room[..newline.unwrap_or(taken)]);
        reader.consume(taken);
        if newline.is_some() {
            return Ok(Some((piece, true)));
        }
        if piece.len() == PIECE_MAX {
            return Ok(Some((piece, false)));
        }
    }
}

#[cfg(test)]
mod tests;
