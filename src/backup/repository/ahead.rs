//! Reading ahead in packs: what is read one blob after the other is fetched in larger pieces.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::error::StorageError;
use super::storage::{File, Kind};

/// How many pieces are kept: blobs of one stream come from one pack or two.
const PIECES: usize = 3;

/// Pieces that were fetched, the newest last.
pub(super) struct Ahead {
    window: u32,
    pieces: Mutex<Vec<Piece>>,
}

struct Piece {
    file: File,
    offset: u32,
    content: Bytes,
}

impl Ahead {
    /// Fetches at least `window` bytes at a time; exactly what is asked for when it is 0.
    pub(super) fn new(window: u32) -> Self {
        Self { window, pieces: Mutex::default() }
    }

    /// A part of a file, by `fetch` where it was not fetched before. One piece is fetched at a time.
    pub(super) fn read(
        &self,
        file: &File,
        (offset, length): (u32, u32),
        fetch: impl FnOnce((u32, u32)) -> Result<Bytes, StorageError>,
    ) -> Result<Bytes, StorageError> {
        if length >= self.window || file.kind != Kind::Pack {
            return fetch((offset, length));
        }
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = pieces.iter().find_map(|piece| piece.part(file, offset, length)) {
            return Ok(found);
        }
        let content = fetch((offset, self.window))?;
        let part = content.slice(..content.len().min(length as usize));
        if pieces.len() >= PIECES {
            pieces.remove(0);
        }
        pieces.push(Piece { file: *file, offset, content });
        Ok(part)
    }
}

impl Piece {
    fn part(&self, file: &File, offset: u32, length: u32) -> Option<Bytes> {
        let from = offset.checked_sub(self.offset)? as usize;
        let to = from.checked_add(length as usize)?;
        (self.file == *file && to <= self.content.len()).then(|| self.content.slice(from..to))
    }
}

#[cfg(test)]
mod tests {
    use rustic_core::{FileType, Id};

    use super::*;

    #[test]
    fn neighbours_are_fetched_together() {
        let ahead = Ahead::new(100);
        let file = File::new(FileType::Pack, &Id::default());
        let whole: Vec<u8> = (0..=250).collect();
        let mut fetched = Vec::new();
        let mut read = |offset: u32, length: u32| {
            let part = ahead.read(&file, (offset, length), |(offset, length)| {
                fetched.push((offset, length));
                let end = whole.len().min((offset + length) as usize);
                Ok(Bytes::copy_from_slice(&whole[offset as usize..end]))
            });
            assert_eq!(part.unwrap(), whole[offset as usize..(offset + length) as usize]);
        };
        read(0, 30);
        read(30, 70);
        read(100, 10);
        read(20, 10);
        read(200, 51);
        read(10, 200);
        assert_eq!(fetched, [(0, 100), (100, 100), (200, 100), (10, 200)]);
    }
}
