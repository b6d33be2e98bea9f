//! Writes stop for a while, so that a backup sees one state. Whoever froze may die: it ends by itself.

use std::time::Duration;

use tokio::time::Instant;

/// The longest time, in seconds.
pub(super) const LONGEST: u64 = 3600;

/// Whether writes are refused, and how long yet. It is not on the disk: a restart ends it.
#[derive(Debug, Default)]
pub(super) struct Freeze(Option<Instant>);

impl Freeze {
    /// From now on for at least so long; an earlier freeze that lasts longer stands.
    pub(super) fn hold(&mut self, time: Duration) {
        let until = Instant::now() + time;
        self.0 = Some(self.0.map_or(until, |known| known.max(until)));
    }

    /// Ends it; whether there was one.
    pub(super) fn release(&mut self) -> bool {
        let was = self.left().is_some();
        self.0 = None;
        was
    }

    /// How long it lasts yet.
    pub(super) fn left(&self) -> Option<Duration> {
        self.0?.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// The same in whole seconds, rounded up: it is never 0 while it lasts.
    pub(super) fn seconds_left(&self) -> Option<u64> {
        self.left().map(|left| left.as_secs() + u64::from(left.subsec_nanos() > 0))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_by_itself_and_the_longer_one_counts() {
        let mut freeze = Freeze::default();
        assert_eq!(freeze.seconds_left(), None);
        freeze.hold(Duration::from_secs(30));
        freeze.hold(Duration::from_secs(10));
        advance(Duration::from_millis(29_900)).await;
        assert_eq!(freeze.seconds_left(), Some(1));
        advance(Duration::from_millis(100)).await;
        assert_eq!((freeze.seconds_left(), freeze.release()), (None, false));
        freeze.hold(Duration::from_secs(10));
        assert!(freeze.release() && freeze.left().is_none());
    }
}
