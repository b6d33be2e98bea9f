//! The sandbox's own clock: timestamps on objects, deadlines, ages. Everything that stamps an object reads it here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Ticks when the clock is moved; `None` for a clock that moves by itself.
    fn moved(&self) -> Option<watch::Receiver<()>> {
        None
    }
}

/// Waits until it is so late by this clock.
pub async fn sleep_until(clock: &dyn Clock, until: Timestamp) {
    // before the clock is read: a move after that is not missed
    let mut moved = clock.moved();
    loop {
        let now = clock.now();
        if now >= until {
            return;
        }
        match &mut moved {
            Some(moved) => {
                if moved.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
            None => {
                let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                tokio::time::sleep(left).await;
            }
        }
    }
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of the sandbox where the machine's clock is read"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<Timestamp>,
    moved: watch::Sender<()>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { now: Mutex::new(start), moved: watch::Sender::new(()) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: SignedDuration) {
        {
            let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            *now = now.saturating_add(by).unwrap_or(*now);
        }
        self.moved.send_replace(());
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moved(&self) -> Option<watch::Receiver<()>> {
        Some(self.moved.subscribe())
    }
}

/// A timestamp as `metav1.Time` writes it: RFC 3339 in UTC, whole seconds.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A timestamp as `metav1.MicroTime` writes it: RFC 3339 in UTC with six decimals.
pub fn rfc3339_micro(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_was_moved_far_enough() {
        let clock = std::sync::Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let until = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(10);
        let mover = clock.clone();
        let moving = async move {
            for _ in 0..10 {
                tokio::task::yield_now().await;
                mover.advance(SignedDuration::from_secs(1));
            }
        };
        tokio::join!(sleep_until(&*clock, until), moving);
        assert_eq!(clock.now(), until);
        sleep_until(&*clock, Timestamp::UNIX_EPOCH).await;
    }

    #[test]
    fn times_are_written_as_kubernetes_writes_them() {
        let at: Timestamp = "2026-03-01T12:00:05.1234567Z".parse().unwrap();
        assert_eq!(rfc3339(at), "2026-03-01T12:00:05Z");
        assert_eq!(rfc3339_micro(at), "2026-03-01T12:00:05.123456Z");
    }
}
