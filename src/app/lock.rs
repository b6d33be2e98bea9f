//! One process per state directory and cluster holds the engine: a file lock says who, and the kernel hands it on.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use crate::domain::{Problem, names};
use crate::store::Holder;

/// The directory of the locks, in the state directory.
const DIRECTORY: &str = "locks";
/// The longest name of a lock's file.
const NAME_MAX: usize = 100;

/// A lock that may be taken.
#[derive(Debug, Clone)]
pub struct EngineLock {
    path: PathBuf,
    state: PathBuf,
}

/// A lock that is held as long as this lives. The kernel releases it when the process dies, however it dies.
#[derive(Debug)]
pub struct HeldLock {
    _file: File,
}

impl EngineLock {
    /// The lock on the engine of a cluster in a state directory; directories are made, for their owner only.
    ///
    /// # Errors
    /// A directory cannot be made.
    pub fn new(state: &Path, cluster: &str) -> Result<Self, Problem> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let readable: String = cluster.chars().map(plain).collect();
        let whole = format!("{readable}-{}", names::short_hash(&[cluster]));
        let directory = state.join(DIRECTORY);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .map_err(|error| unusable(state, &error))?;
        let path = directory.join(names::bounded(&[&whole], NAME_MAX));
        Ok(Self { path, state: state.to_owned() })
    }

    /// Takes the lock if nobody has it.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn try_take(&self, me: &Holder) -> Result<Option<HeldLock>, Problem> {
        let file = self.open().map_err(|error| unusable(&self.state, &error))?;
        match file.try_lock() {
            Ok(()) => sign(file, me).map(Some).map_err(|error| unusable(&self.state, &error)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(&self.state, &error)),
        }
    }

    /// Waits for the lock, on a thread of its own: the kernel wakes it the moment that the holder lets go or dies. When
    /// nobody waits for the answer any more, the lock is let go again as soon as it comes.
    ///
    /// # Errors
    /// The file cannot be used, or there is no thread.
    pub async fn take(&self, me: &Holder) -> Result<HeldLock, Problem> {
        let (lock, me) = (self.clone(), me.clone());
        let (sender, taken) = oneshot::channel();
        let waiting = std::thread::Builder::new().name("engine-lock".to_owned()).spawn(move || {
            // an answer that nobody takes is dropped, and the lock with it
            let _ = sender.send(lock.wait(&me));
        });
        let taken = match waiting {
            Ok(_) => taken.await.unwrap_or_else(|_| Err(ErrorKind::BrokenPipe.into())),
            Err(error) => Err(error),
        };
        taken.map_err(|error| unusable(&self.state, &error))
    }

    fn wait(&self, me: &Holder) -> io::Result<HeldLock> {
        let file = self.open()?;
        loop {
            match file.lock() {
                Ok(()) => return sign(file, me),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn open(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&self.path)
    }
}

/// Writes into the file who holds it, for people: what counts is the lock.
fn sign(mut file: File, me: &Holder) -> io::Result<HeldLock> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "pid {} on {} ({})", me.pid.unwrap_or_default(), me.host, me.identity)?;
    file.flush()?;
    Ok(HeldLock { _file: file })
}

fn unusable(state: &Path, error: &io::Error) -> Problem {
    Problem::new(
        format!("The state directory {} cannot be used", state.display()),
        error.to_string(),
        "make it writable for you, or name another one with --state-dir",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(name: &str) -> Holder {
        Holder { identity: name.to_owned(), host: "jump".to_owned(), pid: Some(7) }
    }

    #[tokio::test]
    async fn it_is_handed_on_the_moment_it_is_let_go() {
        let directory = tempfile::tempdir().unwrap();
        let lock = EngineLock::new(directory.path(), "arn:aws:eks/one two").unwrap();
        let first = lock.try_take(&holder("first")).unwrap().expect("it is free");
        let written = fs::read_to_string(&lock.path).unwrap();
        assert_eq!(written, "pid 7 on jump (first)\n");
        assert!(lock.try_take(&holder("second")).unwrap().is_none());
        let no = holder("no");
        let abandoned = tokio::time::timeout(std::time::Duration::from_millis(1), lock.take(&no));
        assert!(abandoned.await.is_err(), "it is taken");
        let waiting = tokio::spawn({
            let lock = lock.clone();
            async move { lock.take(&holder("second")).await.unwrap() }
        });
        drop(first);
        // the one that nobody waits for any more may get it first, and lets it go again
        let second = waiting.await.unwrap();
        assert!(lock.try_take(&holder("third")).unwrap().is_none());
        drop(second);
    }

    #[test]
    fn every_cluster_has_a_lock_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let names = ["sandbox", "a/b", "a-b", &"x".repeat(300)];
        let locks = names.map(|name| EngineLock::new(directory.path(), name).unwrap());
        let held = locks.each_ref().map(|lock| lock.try_take(&holder("me")).unwrap());
        assert!(held.iter().all(Option::is_some));
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = EngineLock::new(&file.join("state"), "sandbox").unwrap_err();
        assert!(refused.what.contains("file/state"), "{refused}");
        assert!(refused.next.contains("--state-dir"));
    }
}
