//! What the worker allows itself: the kernel ends it when it takes more.

use std::cell::Cell;
use std::io;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::param::page_size;
use rustix::process::{
    Resource, Rlimit, Signal, getpgrp, getpid, getrlimit, kill_current_process_group, setrlimit,
};
use rustix::time::{ClockId, clock_gettime};

use crate::hooks::limits::Limits;

/// Seconds of processor time between the check that knows the place, the signal, and the end.
const GRACE: u64 = 2;

/// What the process has beside the function's values: the files, their compiled form, the allocator's own. Measured: a worker
/// that runs a small file has 4 MiB of data beside its stack.
const SLACK: u64 = 64 << 20;

/// Address space that the allocator reserves for the threads without using it.
const RESERVED: u64 = 512 << 20;

/// Sets the kernel's limits. `stack` is what the function's thread will have.
pub fn set(limits: Limits, stack: u64) -> io::Result<()> {
    let processor = limits.processor.saturating_add(GRACE);
    limit(Resource::Cpu, processor, processor.saturating_add(GRACE))?;
    let memory = limits.memory.saturating_mul(1 << 20).saturating_add(SLACK + stack);
    limit(Resource::Data, memory, memory)?;
    let space = memory.saturating_add(used_space()).saturating_add(RESERVED);
    limit(Resource::As, space, space)?;
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Fsize, 0, 0)
}

fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let allowed = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit { current: Some(soft.min(allowed)), maximum: Some(hard.min(allowed)) };
    Ok(setrlimit(resource, limit)?)
}

/// The address space that the process has mapped, in bytes: most of it is this program.
fn used_space() -> u64 {
    bytes(0).unwrap_or(1 << 30)
}

/// The memory that the process can write, in bytes.
fn used_memory() -> u64 {
    bytes(5).unwrap_or_default()
}

/// A number of `/proc/self/statm`, which counts pages.
fn bytes(field: usize) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(field)?.parse().ok()?;
    Some(pages.saturating_mul(page_size() as u64))
}

/// So many statements run between two looks at the processor time.
const STATEMENTS: u32 = 256;

/// How often the memory is looked at: each time that the processor time is looked at so often.
const SELDOM: u32 = 16;

/// Looks now and then whether a function takes too much, while it is still known where it is. The kernel's limits are a little
/// wider, and hold where this does not look: within one statement.
#[derive(Debug)]
pub struct Watch {
    limits: Limits,
    base: u64,
    statements: Cell<u32>,
    looks: Cell<u32>,
}

impl Watch {
    /// Counts memory from now on.
    pub fn new(limits: Limits) -> Self {
        Self { limits, base: used_memory(), statements: Cell::new(0), looks: Cell::new(0) }
    }

    /// Notes that a statement is about to run; says what the function must be stopped for.
    pub fn statement(&self) -> Option<String> {
        self.statements.set(self.statements.get().wrapping_add(1));
        if !self.statements.get().is_multiple_of(STATEMENTS) {
            return None;
        }
        self.looks.set(self.looks.get().wrapping_add(1));
        let used = clock_gettime(ClockId::ProcessCPUTime);
        if u64::try_from(used.tv_sec).is_ok_and(|seconds| seconds >= self.limits.processor) {
            return Some(self.limits.processor_used());
        }
        let is_over = self.looks.get().is_multiple_of(SELDOM)
            && used_memory().saturating_sub(self.base) > self.limits.memory.saturating_mul(1 << 20);
        is_over.then(|| self.limits.memory_used())
    }
}

/// Ends the process, and what it started, when the other end of standard input is closed: the parent is gone, by whatever it was.
/// A signal at the parent's death (PR_SET_PDEATHSIG) would come when the thread that started this process ends, not its process.
pub fn end_with_parent() -> io::Result<()> {
    let watch = || {
        let stdin = io::stdin();
        // No events are asked for: only a hang-up or an error is told.
        let mut fds = [PollFd::new(&stdin, PollFlags::empty())];
        while poll(&mut fds, None).is_err() || fds[0].revents().is_empty() {}
        if getpgrp() == getpid() {
            let _ = kill_current_process_group(Signal::KILL);
        }
        std::process::exit(1);
    };
    std::thread::Builder::new().stack_size(64 << 10).spawn(watch).map(drop)
}
