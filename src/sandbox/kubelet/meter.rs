//! What the processes of containers use: processor time and memory of each process group, read from `/proc`.
//!
//! Memory is what is the group's own, anonymous and shared memory that cannot be given back; pages of programs and files do not
//! count. Nothing is measured while nobody asks and no container has a limit.

mod proc;
mod usage;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use proc::Groups;

/// How often a container with a memory limit is measured.
const PERIOD: Duration = Duration::from_millis(500);
/// A reading as young as this is good enough for everybody.
const FRESH: Duration = Duration::from_millis(250);
/// The shortest time over which processor time is averaged, once a container is older.
const WINDOW: Duration = Duration::from_secs(10);

/// What a process group has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// Processor time since its start, ended children included.
    pub(super) processor: Duration,
    /// Bytes.
    pub(super) memory: u64,
}

/// A moment, and what had been used by then.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    processor: Duration,
}

/// A process group that is measured.
#[derive(Debug)]
struct Measured {
    pod: String,
    container: String,
    /// Where averaging begins, and where it will begin next.
    base: Sample,
    next: Sample,
}

/// Measures process groups.
#[derive(Debug)]
pub(super) struct Meter {
    groups: Mutex<HashMap<i32, Measured>>,
    node: Mutex<[Sample; 2]>,
    last: Mutex<Option<(Instant, Arc<Groups>)>>,
}

/// Ends the measuring of a group when dropped.
pub(super) struct Guard<'a> {
    meter: &'a Meter,
    group: i32,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        lock(&self.meter.groups).remove(&self.group);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Meter {
    pub(super) fn new() -> Self {
        let begin = Sample { at: Instant::now(), processor: proc::machine().processor };
        Self { groups: Mutex::default(), node: Mutex::new([begin, begin]), last: Mutex::default() }
    }

    /// Measures a container's process group until the guard is dropped.
    pub(super) fn measure(&self, group: u32, pod: &str, container: &str) -> Guard<'_> {
        let group = i32::try_from(group).unwrap_or_default();
        let begin = Sample { at: Instant::now(), processor: Duration::ZERO };
        let (pod, container) = (pod.to_owned(), container.to_owned());
        lock(&self.groups).insert(group, Measured { pod, container, base: begin, next: begin });
        Guard { meter: self, group }
    }

    /// Waits until a process group uses more memory than `limit` bytes. Never returns when there is no limit.
    pub(super) async fn over(&self, group: u32, limit: Option<u64>) {
        let (Some(limit), Ok(group)) = (limit, i32::try_from(group)) else {
            return std::future::pending().await;
        };
        loop {
            if self.read().get(&group).is_some_and(|reading| reading.memory > limit) {
                return;
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// Every measured group as it is now, or was a moment ago.
    fn read(&self) -> Arc<Groups> {
        let mut last = lock(&self.last);
        if let Some((at, groups)) = &*last
            && at.elapsed() < FRESH
        {
            return Arc::clone(groups);
        }
        let wanted: Vec<i32> = lock(&self.groups).keys().copied().collect();
        let groups = Arc::new(proc::groups(&wanted));
        *last = Some((Instant::now(), Arc::clone(&groups)));
        groups
    }
}
