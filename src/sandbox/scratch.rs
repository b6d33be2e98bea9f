//! A directory for a sandbox that keeps nothing: it goes with the sandbox.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Held as long as the owner lives, however it ends. A process id alone says less: it comes again, and means nothing in
/// another container that shares the directory.
const LOCK: &str = "lock";

/// A directory of its own below the system's temporary one, removed when it is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes one, and removes those whose owners were killed.
    ///
    /// # Errors
    /// The system's temporary directory cannot be written.
    pub fn new() -> io::Result<Self> {
        Self::below(&std::env::temp_dir())
    }

    fn below(base: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        remove_abandoned(base);
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            // Short: sockets below it have a limit of 108 bytes.
            let path = base.join(format!("styrmin-{}-{number}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let name = path.join(LOCK);
                    let lock = File::create_new(&name)?;
                    // Who looks for abandoned ones at this moment may have been faster: then it is theirs to remove.
                    if lock.try_lock().is_ok() && name.exists() {
                        return Ok(Self { path, _lock: lock });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "a temporary directory is left behind");
        }
    }
}

/// Removes the directories of processes that are no more.
fn remove_abandoned(base: &Path) {
    let Ok(found) = fs::read_dir(base) else { return };
    for entry in found.flatten() {
        let is_own = entry.file_name().to_str().is_some_and(is_own_name);
        // Not through a link: another user may have put one there.
        if !is_own || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = entry.path();
        // Without a lock it is another's, or just being made.
        let Ok(lock) = File::open(path.join(LOCK)) else { continue };
        if lock.try_lock().is_err() {
            continue;
        }
        match fs::remove_dir_all(&path) {
            Ok(()) => tracing::info!(path = %path.display(), "removed what a killed sandbox left behind"),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "what a killed sandbox left behind stays");
            }
        }
    }
}

/// `styrmin-<process>-<number>`.
fn is_own_name(name: &str) -> bool {
    let numbers = name.strip_prefix("styrmin-").and_then(|rest| rest.split_once('-'));
    numbers.is_some_and(|(process, number)| process.parse::<u32>().is_ok() && number.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_with_its_owner() {
        let (first, second) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        assert_ne!(first.path(), second.path());
        fs::write(first.path().join("file"), "x").unwrap();
        let path = first.path().to_owned();
        drop(first);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_owner_left_is_removed_by_the_next() {
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().join(name);
        for name in ["styrmin-1-7", "styrmin-1-8", "styrmin-serve-1", "styrmin-1", "other-1-7"] {
            fs::create_dir(at(name)).unwrap();
            if name != "styrmin-1-8" {
                fs::write(at(name).join(LOCK), "").unwrap();
            }
        }
        std::os::unix::fs::symlink(at("other-1-7"), at("styrmin-1-9")).unwrap();
        let living = Scratch::below(base.path()).unwrap();
        let next = Scratch::below(base.path()).unwrap();
        assert!(living.path().exists() && next.path().exists());
        assert!(!at("styrmin-1-7").exists());
        for name in ["styrmin-1-8", "styrmin-1-9", "styrmin-serve-1", "styrmin-1", "other-1-7"] {
            assert!(at(name).exists(), "{name}");
        }
    }

    #[test]
    fn many_are_made_at_once_though_each_looks_for_abandoned_ones() {
        let base = tempfile::tempdir().unwrap();
        let make = || {
            for _ in 0..100 {
                let made = Scratch::below(base.path()).unwrap();
                assert!(made.path().join(LOCK).exists());
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(make);
            }
        });
    }
}
