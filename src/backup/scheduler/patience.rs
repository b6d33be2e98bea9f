//! How long something that cannot be begun is tried again, and how long after each other.

use jiff::{SignedDuration, Timestamp};

use crate::domain::Intent;

/// A cluster may be slow to answer, above all where the engine has just begun.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
const AGAIN: SignedDuration = SignedDuration::from_secs(20);

/// Tries of one thing that were all in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Vain {
    /// When it was due what is tried.
    due: Timestamp,
    first: Timestamp,
    last: Timestamp,
}

impl Vain {
    /// One more, after those before it of the same.
    pub fn once_more(before: Option<Self>, due: Timestamp, now: Timestamp) -> Self {
        let before = before.filter(|before| before.due == due);
        // a clock that was put back makes nobody more patient
        let first = before.map_or(now, |before| before.first.min(now));
        Self { due, first, last: now }
    }

    /// Whether it was tried for long enough.
    pub fn is_enough(&self) -> bool {
        self.last.duration_since(self.first) >= PATIENCE
    }

    /// Whether enough time has passed since the last try.
    pub fn may_try(&self, now: Timestamp) -> bool {
        // a clock that was put back keeps nothing waiting
        now < self.last || self.next().is_none_or(|next| now >= next)
    }

    /// When it is to be tried again.
    pub fn next(&self) -> Option<Timestamp> {
        self.last.checked_add(AGAIN).ok()
    }
}

/// What cannot be begun of that which follows a run.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// The tries of what comes next.
    pub vain: Option<Vain>,
    /// What is not tried any more.
    pub given_up: Vec<Intent>,
}
