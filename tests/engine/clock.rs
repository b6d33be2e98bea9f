//! The machine's clock, which a test may put forward, and hold.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use styrmin::domain::{Clock, SystemClock};

/// Goes as the machine's does, ahead of it by as much as it was put forward; once held, it only moves by that.
#[derive(Debug, Default)]
pub struct TestClock {
    ahead: AtomicI64,
    held: Mutex<Option<Timestamp>>,
}

impl TestClock {
    /// Puts it forward.
    pub fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    /// From now on no pause ends by itself: what stands during one can be looked at for as long as that takes.
    pub fn hold(&self) {
        *self.held.lock().unwrap() = Some(SystemClock.now());
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let held = *self.held.lock().unwrap();
        let ahead = SignedDuration::from_secs(self.ahead.load(Ordering::SeqCst));
        held.unwrap_or_else(|| SystemClock.now()) + ahead
    }
}
