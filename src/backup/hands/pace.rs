//! How fast something goes, said twice a second at most.

use std::time::{Duration, Instant};

use crate::domain::operation::StepProgress;

/// The pause between two words about it.
const PAUSE: Duration = Duration::from_millis(500);

/// Counts bytes.
pub(super) struct Pace {
    total: Option<u64>,
    done: u64,
    said: Instant,
    before: u64,
}

impl Pace {
    pub(super) fn new(total: Option<u64>) -> Self {
        Self { total, done: 0, said: Instant::now(), before: 0 }
    }

    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// So many more; how far it is, when it is time to say so.
    pub(super) fn add(&mut self, bytes: u64) -> Option<StepProgress> {
        self.done += bytes;
        let passed = self.said.elapsed();
        if passed < PAUSE {
            return None;
        }
        let millis = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = (self.done - self.before).saturating_mul(1000) / millis;
        (self.said, self.before) = (Instant::now(), self.done);
        let (done, total) = (self.done, self.total);
        Some(StepProgress { at: None, done, total, rate, item: String::new() })
    }
}
