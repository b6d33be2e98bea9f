//! Files that are there whole or not at all.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Reads a file of at most `limit` bytes; none when there is none, or a larger one.
pub(super) fn read(path: &Path, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limit as u64 + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= limit).then_some(bytes)
}

/// Writes a file beside its place and moves it there; of its directory's files the oldest go, until `most` are left.
///
/// # Errors
/// It cannot be written.
pub(super) fn write(path: &Path, bytes: &[u8], most: usize) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Some(directory) = path.parent() else { return Err(io::ErrorKind::InvalidInput.into()) };
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let beside = directory.join(format!(".{}-{number}", std::process::id()));
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let moved = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&beside, path));
    if moved.is_err() {
        // nothing else can be done about it
        let _ = fs::remove_file(&beside);
    }
    moved?;
    clear(directory, most);
    Ok(())
}

/// Takes away the oldest files beyond `most`. Files that come and go meanwhile do not matter.
fn clear(directory: &Path, most: usize) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut files: Vec<(std::time::SystemTime, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let beyond = files.len().saturating_sub(most);
    for (_, path) in files.into_iter().take(beyond) {
        // another process may have taken it away already
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_whole_and_the_oldest_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join("deep/er").join(name);
        for (second, name) in ["a", "b", "c"].into_iter().enumerate() {
            write(&path(name), name.as_bytes(), 2).unwrap();
            let moment = std::time::UNIX_EPOCH + std::time::Duration::from_secs(second as u64);
            File::options().write(true).open(path(name)).unwrap().set_modified(moment).unwrap();
        }
        write(&path("c"), b"other", 2).unwrap();
        let mut names: Vec<_> = fs::read_dir(path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["b", "c"], "nothing half written is left, and the oldest is gone");
        assert_eq!(read(&path("c"), 5).as_deref(), Some(b"other".as_slice()));
        assert_eq!((read(&path("c"), 4), read(&path("a"), 4)), (None, None));
        assert!(write(&path("c/x"), b"", 2).is_err());
    }
}
