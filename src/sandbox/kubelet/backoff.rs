//! How long a container waits before it is started again. Pure.

use std::time::Duration;

/// The settings, by default those of a real kubelet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// The second wait; the first restart comes at once.
    pub first: Duration,
    /// Where doubling stops.
    pub max: Duration,
    /// A container that ran so long starts from the beginning.
    pub reset_after: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(10),
            max: Duration::from_secs(300),
            reset_after: Duration::from_secs(600),
        }
    }
}

/// The waits of one container.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delays {
    settings: BackOff,
    failures: u32,
}

impl Delays {
    pub(super) fn new(settings: BackOff) -> Self {
        Self { settings, failures: 0 }
    }

    /// The wait before the next start, after a run that took `ran`. The first is zero.
    pub(super) fn next(&mut self, ran: Duration) -> Duration {
        if ran >= self.settings.reset_after {
            self.failures = 0;
        }
        let delay = match self.failures {
            0 => Duration::ZERO,
            failures => {
                let factor = 2_u32.saturating_pow(failures - 1);
                self.settings.first.saturating_mul(factor).min(self.settings.max)
            }
        };
        self.failures = self.failures.saturating_add(1);
        delay
    }

    /// The wait before the next try of something that has not worked at all: never zero.
    pub(super) fn retry(&mut self) -> Duration {
        self.failures = self.failures.max(1);
        self.next(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_restart_is_immediate_and_the_waits_double_up_to_five_minutes() {
        let mut delays = Delays::new(BackOff::default());
        let waits: Vec<u64> = (0..8).map(|_| delays.next(SHORT).as_secs()).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn a_long_run_starts_from_the_beginning() {
        let mut delays = Delays::new(BackOff::default());
        delays.next(SHORT);
        delays.next(SHORT);
        assert_eq!(delays.next(Duration::from_secs(600)), Duration::ZERO);
        assert_eq!(delays.next(SHORT).as_secs(), 10);
    }

    #[test]
    fn retries_wait_from_the_first() {
        let mut delays = Delays::new(BackOff::default());
        assert_eq!(delays.retry().as_secs(), 10);
        assert_eq!(delays.retry().as_secs(), 20);
    }
}
