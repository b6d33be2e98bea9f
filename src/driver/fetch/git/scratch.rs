//! A directory that is gone when it is not needed any more.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How old one is that nobody uses any more: its process was killed.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A directory of its own.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A new one below `parent`. What processes that were killed have left there is taken away.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn new(parent: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let scratch = Self(parent.join(name));
        if scratch.0.exists() {
            // a process of the same number left it
            fs::remove_dir_all(&scratch.0)?;
        }
        DirBuilder::new().mode(0o700).create(&scratch.0)?;
        let now = fs::metadata(&scratch.0)?.modified()?;
        for entry in fs::read_dir(parent)?.flatten() {
            let modified = entry.metadata().and_then(|found| found.modified());
            if modified.is_ok_and(|then| now.duration_since(then).is_ok_and(|age| age > STALE)) {
                // it is tried again the next time
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, path = %self.0.display(), "a directory stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_and_so_does_what_was_left() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join("1-0");
        fs::create_dir(&left).unwrap();
        let long_ago = std::time::UNIX_EPOCH;
        fs::File::open(&left).unwrap().set_modified(long_ago).unwrap();
        let (first, second) = (Scratch::new(parent.path()).unwrap(), Scratch::new(parent.path()).unwrap());
        assert!(!left.exists() && first.path() != second.path() && second.path().is_dir());
        let path = first.path().to_owned();
        drop(first);
        assert!(!path.exists() && second.path().exists());
    }
}
