//! Other processes with the same file open: hearing of their commits, and telling them of ours.
//!
//! A commit writes to the `-wal` file but becomes visible only a moment after that write. So whoever has committed touches
//! the time stamp of the database as well, and inotify wakes the others. Each then asks for SQLite's `data_version`, which
//! moves with the commits of other connections only: our own wake nobody for long.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, CWD, Timestamps, UTIME_NOW, utimensat};

/// One more look after the last sign of a write: its process may have died before it touched the time stamp.
const LAST_LOOK: Duration = Duration::from_millis(100);
/// How often to look where the system gives no signs.
const SLOW: Duration = Duration::from_secs(1);

/// Tells the other processes that something was committed to the database at `path`.
pub(super) fn tell(path: &Path) {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    if let Err(error) = utimensat(CWD, path, &times, AtFlags::empty()) {
        // they have seen the write to the -wal file and look once more by themselves
        tracing::warn!(%error, "other processes are not told of a change");
    }
}

/// Listens until it is dropped.
pub(super) struct Neighbours {
    /// None once it is being dropped: the thread ends when this end is closed.
    end: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Neighbours {
    /// Calls `look`, on a thread of its own, whenever another process may have committed to the database at `path`.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn listen(path: &Path, look: impl Fn() + Send + 'static) -> io::Result<Self> {
        let signs = signs::of(path).inspect_err(|error| {
            tracing::warn!(%error, "changes by other processes are looked for once a second");
        });
        let (end, far_end) = UnixStream::pair()?;
        let ears = Ears { signs: signs.ok(), end: far_end };
        let name = "store-neighbours".to_owned();
        let thread = std::thread::Builder::new().name(name).spawn(move || ears.listen(&look))?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // a thread that panicked has ended too
            let _ = thread.join();
        }
    }
}

struct Ears {
    signs: Option<OwnedFd>,
    end: UnixStream,
}

impl Ears {
    fn listen(mut self, look: &dyn Fn()) {
        let mut unsure = false;
        loop {
            let pause = match &self.signs {
                Some(_) => unsure.then_some(LAST_LOOK),
                None => Some(SLOW),
            };
            let Ok((ended, signs)) = self.wait(pause) else { return };
            if ended {
                return;
            }
            unsure = match (&self.signs, signs) {
                (Some(descriptor), true) => match signs::read(descriptor) {
                    signs::Read::Nothing => continue,
                    signs::Read::Some => true,
                    // the directory is gone: there is nothing left to hear
                    signs::Read::Lost => {
                        self.signs = None;
                        false
                    }
                },
                _ => false,
            };
            look();
        }
    }

    /// Whether it is to end, and whether there are signs; neither when the time is up.
    fn wait(&self, pause: Option<Duration>) -> io::Result<(bool, bool)> {
        let pause = pause.and_then(|pause| Timespec::try_from(pause).ok());
        let mut waiting = vec![PollFd::new(&self.end, PollFlags::IN)];
        waiting.extend(self.signs.as_ref().map(|signs| PollFd::new(signs, PollFlags::IN)));
        match poll(&mut waiting, pause.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok((false, false)),
            Err(error) => return Err(error.into()),
        }
        let ready = |index: usize| waiting.get(index).is_some_and(|entry| !entry.revents().is_empty());
        Ok((ready(0), ready(1)))
    }
}

/// What inotify says about the directory of the database.
#[cfg(target_os = "linux")]
mod signs {
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

    use crate::store::FILE_NAME;

    /// What was read.
    pub enum Read {
        /// Nothing about the database.
        Nothing,
        /// Something was written.
        Some,
        /// There will be no more.
        Lost,
    }

    /// The directory and not the files: the `-wal` file comes and goes.
    pub fn of(path: &Path) -> io::Result<OwnedFd> {
        let directory = path.parent().unwrap_or(Path::new("."));
        let descriptor = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let wanted = WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::ONLYDIR;
        inotify::add_watch(&descriptor, directory, wanted)?;
        Ok(descriptor)
    }

    /// Takes everything that is there.
    pub fn read(descriptor: &OwnedFd) -> Read {
        let mut buffer = [const { MaybeUninit::uninit() }; 4096];
        let mut events = Reader::new(descriptor, &mut buffer);
        let mut found = Read::Nothing;
        while let Ok(event) = events.next() {
            let name = event.file_name().and_then(|name| name.to_str().ok()).unwrap_or("");
            if event.events().contains(ReadFlags::IGNORED) {
                return Read::Lost;
            }
            let missed = event.events().contains(ReadFlags::QUEUE_OVERFLOW);
            if missed || name.strip_prefix(FILE_NAME).is_some_and(|rest| rest.is_empty() || rest == "-wal") {
                found = Read::Some;
            }
        }
        found
    }
}

/// Other systems give no signs.
#[cfg(not(target_os = "linux"))]
mod signs {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    pub enum Read {
        Nothing,
        Some,
        Lost,
    }

    pub fn of(_path: &Path) -> io::Result<OwnedFd> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn read(_descriptor: &OwnedFd) -> Read {
        Read::Lost
    }
}
