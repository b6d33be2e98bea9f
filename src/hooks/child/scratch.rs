//! An empty directory for one run.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::domain::{Clock, SystemClock};

static NEXT: AtomicU32 = AtomicU32::new(0);
/// What could not be taken away yet: a process of the run may still have been writing when it was killed.
static LEFT: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Whether what earlier processes left behind was looked for.
static SWEPT: Once = Once::new();

/// What the names begin with; the process id and a number follow.
const PREFIX: &str = "styrmin-action-";
/// What is younger may belong to a process that cannot be seen from here, in another container.
const OLD: Duration = Duration::from_secs(24 * 3600);

/// A directory of its own, taken away with all that is in it.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one.
    pub fn new() -> io::Result<Self> {
        // the ages of files are by the machine's clock
        SWEPT.call_once(|| sweep(&std::env::temp_dir(), SystemClock.now().into()));
        left().retain(|path| !remove(path));
        loop {
            let name = format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                // left behind by an earlier process of that number
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !remove(&self.0) {
            left().push(self.0.clone());
        }
    }
}

fn left() -> MutexGuard<'static, Vec<PathBuf>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a directory is gone.
fn remove(path: &Path) -> bool {
    match std::fs::remove_dir_all(path) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Takes away what processes that are gone left behind.
fn sweep(place: &Path, now: SystemTime) {
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-')?.0.parse().ok());
        let Some(process) = process.and_then(Pid::from_raw) else { continue };
        let age = entry.metadata().and_then(|found| found.modified()).map(|at| now.duration_since(at));
        let is_old = age.is_ok_and(|age| age.is_ok_and(|age| age > OLD));
        if is_old && test_kill_process(process) == Err(Errno::SRCH) {
            remove(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gone_processes_left_behind_is_taken_away() {
        let place = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = child.id();
        child.wait().unwrap();
        let make = |process: u32| {
            let path = place.path().join(format!("{PREFIX}{process}-0"));
            std::fs::create_dir_all(path.join("inside")).unwrap();
            path
        };
        let (gone, own) = (make(gone), make(std::process::id()));
        let now = SystemTime::from(SystemClock.now());
        sweep(place.path(), now);
        assert!(gone.exists(), "it may belong to a process in another container");
        sweep(place.path(), now + 2 * OLD);
        assert!(!gone.exists() && own.exists());
    }
}
