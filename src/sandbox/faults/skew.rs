//! A clock that goes wrong by a fixed time.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::sandbox::clock::Clock;

/// Another clock, ahead or behind.
pub struct SkewedClock {
    clock: Arc<dyn Clock>,
    ahead: Mutex<SignedDuration>,
}

impl SkewedClock {
    /// Goes right at first.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, ahead: Mutex::new(SignedDuration::ZERO) }
    }

    /// From now on it is so far ahead; behind when negative. Who sleeps already is not woken.
    pub fn set(&self, ahead: SignedDuration) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = ahead;
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let (now, ahead) = (self.clock.now(), *self.ahead.lock().unwrap_or_else(PoisonError::into_inner));
        now.saturating_add(ahead).unwrap_or(now)
    }

    fn moved(&self) -> Option<watch::Receiver<()>> {
        self.clock.moved()
    }
}
