//! Whether the cluster answers, folded over all watches: one that fails makes the picture stale, and says since when.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::domain::world::Link;
use crate::domain::{Clock, Problem};

use super::error::ClusterError;
use super::index::Index;

/// The state of the link. Watches report to it; a change bumps the index's generation.
pub(super) struct LinkState {
    index: Arc<Index>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    retry: Notify,
}

#[derive(Default)]
struct State {
    answered: bool,
    since: Option<Timestamp>,
    failing: BTreeMap<String, Problem>,
}

impl LinkState {
    pub(super) fn new(index: Arc<Index>, clock: Arc<dyn Clock>) -> Self {
        Self { index, clock, state: Mutex::default(), retry: Notify::new() }
    }

    /// A watch got an answer.
    pub(super) fn answered(&self, watch: &str) {
        let mut state = self.lock();
        let news = !state.answered || state.failing.remove(watch).is_some();
        state.answered = true;
        if state.failing.is_empty() {
            state.since = None;
        }
        drop(state);
        if news {
            self.index.touch();
        }
    }

    /// A watch failed. Being denied something, told to list anew, or that somebody else wrote first, is an answer: it does not make
    /// the rest stale.
    pub(super) fn failed(&self, watch: &str, error: &ClusterError) {
        use ClusterError::{Expired, Forbidden, NotFound, Stale};
        if matches!(error, Forbidden { .. } | NotFound { .. } | Expired { .. } | Stale { .. }) {
            self.answered(watch);
            return;
        }
        let now = self.clock.now();
        let mut state = self.lock();
        state.since.get_or_insert(now);
        let problem = error.problem();
        let news = state.failing.insert(watch.to_owned(), problem.clone()) != Some(problem);
        drop(state);
        if news {
            self.index.touch();
        }
    }

    /// A watch ended for good: its troubles are nobody's any more.
    pub(super) fn ended(&self, watch: &str) {
        let mut state = self.lock();
        state.failing.remove(watch);
        if state.failing.is_empty() {
            state.since = None;
        }
    }

    /// Waits before the next try, but no longer than until [`Self::retry_now`].
    pub(super) async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.retry.notified() => {}
        }
    }

    /// Ends every pause: the cluster is likely to answer now.
    pub(super) fn retry_now(&self) {
        self.retry.notify_waiters();
    }

    /// The link as it is now.
    pub(super) fn link(&self) -> Link {
        let state = self.lock();
        match (state.failing.values().next(), state.since) {
            (Some(problem), Some(since)) => Link::Stale { since, problem: problem.clone() },
            _ if state.answered => Link::Live,
            _ => Link::Connecting,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::ManualClock;

    #[test]
    fn one_failing_watch_makes_the_picture_stale_since_its_first_failure() {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let link = LinkState::new(Arc::new(Index::default()), clock.clone());
        assert_eq!(link.link(), Link::Connecting);
        link.answered("pods");
        assert_eq!(link.link(), Link::Live);
        let lost = ClusterError::Unreachable { message: "connection refused".into() };
        link.failed("pods", &lost);
        clock.advance(SignedDuration::from_secs(5));
        link.failed("services", &lost);
        let Link::Stale { since, problem } = link.link() else { panic!("not stale") };
        assert_eq!(since, Timestamp::UNIX_EPOCH);
        assert!(problem.why.contains("connection refused"));
        link.answered("pods");
        assert!(matches!(link.link(), Link::Stale { .. }), "the other one still fails");
        link.answered("services");
        assert_eq!(link.link(), Link::Live);
    }

    #[test]
    fn being_denied_is_an_answer() {
        let link =
            LinkState::new(Arc::new(Index::default()), Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)));
        link.failed("secrets", &ClusterError::Forbidden { object: "secrets".into(), message: "no".into() });
        assert_eq!(link.link(), Link::Live);
    }
}
