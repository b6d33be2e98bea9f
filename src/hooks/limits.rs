//! How much a function may use.

use serde::{Deserialize, Serialize};

/// The bounds of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Seconds of processor time.
    pub processor: u64,
    /// MiB of memory beside what the bare worker takes.
    pub memory: u64,
    /// Calls.
    pub calls: u32,
    /// Bytes of text given to `log`, `print` and `progress`.
    pub logged: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { processor: 60, memory: 512, calls: 100_000, logged: 16 << 20 }
    }
}

impl Limits {
    /// What is said when the processor time is over.
    pub fn processor_used(&self) -> String {
        format!("it used more than {} s of processor time", self.processor)
    }

    /// What is said when the memory is.
    pub fn memory_used(&self) -> String {
        format!("it used more than {} MiB of memory", self.memory)
    }
}
