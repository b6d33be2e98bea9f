//! Who may hold the Lease: client-go's algorithm as a pure function of what was seen and when.
//!
//! Times are the local monotonic clock's. Whether a holder is still there is judged by how long its record has not changed
//! *here*: clocks of two machines are never compared, only their rates matter, and those may differ by a third.
//!
//! Where it differs from client-go, it is stricter. A term counts from the moment at which its renewal was *sent*. And an
//! epoch (`leaseTransitions`) is raised by every acquisition, of one's own lapsed Lease too, so that it is given once.

use std::time::Duration;

use jiff::Timestamp;

/// The numbers of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTimes {
    /// How long a record counts after it was last seen to change.
    pub duration: Duration,
    /// How long after its last renewal a holder stops by itself; below `duration`.
    pub renew_deadline: Duration,
    /// How often a holder renews, and how soon what failed is tried again.
    pub retry: Duration,
}

impl Default for LeaseTimes {
    /// client-go's: 15 s, 10 s, 2 s.
    fn default() -> Self {
        let [duration, renew_deadline, retry] = [15, 10, 2].map(Duration::from_secs);
        Self { duration, renew_deadline, retry }
    }
}

/// What stands in the Lease.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaseRecord {
    /// Who holds it; empty when it was released.
    pub holder: String,
    /// How long it counts after it was last seen to change.
    pub duration: Duration,
    /// Raised by every acquisition: the epoch.
    pub transitions: u64,
    /// When the holder got it, by its clock: for people only.
    pub acquired: Option<Timestamp>,
    /// When the holder renewed it, by its clock: for people only.
    pub renewed: Option<Timestamp>,
    /// Who asked the holder to hand it over.
    pub requested_by: Option<String>,
}

/// A Lease as it was read, with its resourceVersion.
pub type Versioned = (LeaseRecord, String);

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Read the Lease.
    Read,
    /// Write it: over this version, or anew when there is none.
    Write {
        /// The record; its times are the writer's to fill in.
        record: LeaseRecord,
        /// The version that is replaced.
        over: Option<String>,
        /// A new term begins with it.
        acquires: bool,
    },
    /// Nothing until then, unless the Lease changes.
    Wait(Duration),
    /// Hand it over to whoever asked for it.
    GiveWay(String),
}

#[derive(Debug, Clone)]
struct Seen {
    lease: Option<Versioned>,
    /// When it was first seen to be so.
    at: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Term {
    epoch: u64,
    /// When the renewal that it counts from was sent.
    renewed: Duration,
}

/// One candidate's view.
#[derive(Debug, Clone)]
pub struct Elector {
    me: String,
    times: LeaseTimes,
    seen: Option<Seen>,
    term: Option<Term>,
    doubtful: bool,
    gone: Option<String>,
    floor: u64,
}

impl Elector {
    /// A candidate that has seen nothing yet. `me` must be nobody else's name, not even of an earlier life.
    pub fn new(me: &str, times: LeaseTimes) -> Self {
        Self { me: me.to_owned(), times, seen: None, term: None, doubtful: false, gone: None, floor: 0 }
    }

    /// Epochs up to this one were given already, and this process (the one before us in our state directory) is known
    /// to have ended: its Lease need not lapse.
    pub fn know(&mut self, gone: Option<String>, epoch: u64) {
        self.gone = gone;
        self.floor = self.floor.max(epoch);
    }

    /// The epoch of the term that is under way.
    pub fn epoch(&mut self, now: Duration) -> Option<u64> {
        if self.lapses().is_some_and(|end| now >= end) {
            self.term = None;
        }
        self.term.map(|term| term.epoch)
    }

    /// When the term ends by itself.
    pub fn lapses(&self) -> Option<Duration> {
        self.term.map(|term| term.renewed + self.times.renew_deadline)
    }

    /// What was last seen to stand in the Lease.
    pub fn record(&self) -> Option<&LeaseRecord> {
        self.seen.as_ref()?.lease.as_ref().map(|(record, _)| record)
    }

    /// Takes note of what stands in the Lease; none when there is none.
    pub fn see(&mut self, lease: Option<Versioned>, now: Duration) {
        self.doubtful = false;
        let known = self.seen.as_ref().is_some_and(|seen| seen.lease == lease);
        if known {
            return;
        }
        let ours = lease.as_ref().is_some_and(|(record, _)| {
            record.holder == self.me && self.term.is_some_and(|term| term.epoch == record.transitions)
        });
        if !ours {
            self.term = None;
        }
        self.seen = Some(Seen { lease, at: now });
    }

    /// A write got the answer that it was accepted as this version.
    pub fn written(&mut self, written: Versioned, acquired: bool, sent: Duration, now: Duration) {
        let epoch = written.0.transitions;
        if acquired {
            self.floor = self.floor.max(epoch);
            self.term = Some(Term { epoch, renewed: sent });
        } else if let Some(term) = self.term.as_mut().filter(|term| term.epoch == epoch) {
            term.renewed = term.renewed.max(sent);
        }
        self.see(Some(written), now);
    }

    /// A write was refused, or its answer was lost: what stands there must be read again.
    pub fn doubt(&mut self) {
        self.doubtful = true;
    }

    /// What to do now.
    pub fn decide(&mut self, now: Duration) -> Move {
        let term = self.epoch(now).and(self.term);
        let Some(seen) = self.seen.as_ref().filter(|_| !self.doubtful) else { return Move::Read };
        let Some((record, version)) = &seen.lease else { return self.acquire(&LeaseRecord::default(), None) };
        match term {
            Some(term) => self.hold(term, record, version, now),
            None => self.stand(seen, record, version, now),
        }
    }

    fn hold(&self, term: Term, record: &LeaseRecord, version: &str, now: Duration) -> Move {
        if let Some(other) = record.requested_by.as_ref().filter(|other| **other != self.me) {
            return Move::GiveWay(other.clone());
        }
        let due = term.renewed + self.times.retry;
        if now < due {
            return Move::Wait(due);
        }
        Move::Write { record: record.clone(), over: Some(version.to_owned()), acquires: false }
    }

    fn stand(&self, seen: &Seen, record: &LeaseRecord, version: &str, now: Duration) -> Move {
        let is_gone = self.gone.as_ref() == Some(&record.holder);
        let free = record.holder.is_empty() || record.holder == self.me || is_gone;
        if !free && now < seen.at + record.duration {
            return Move::Wait(seen.at + record.duration);
        }
        // who asked for it comes first, for as long as that takes
        let asked = record.requested_by.as_ref().is_some_and(|other| *other != self.me);
        let turn = seen.at + 2 * self.times.retry;
        if free && asked && now < turn {
            return Move::Wait(turn);
        }
        self.acquire(record, Some(version.to_owned()))
    }

    fn acquire(&self, before: &LeaseRecord, over: Option<String>) -> Move {
        let record = LeaseRecord {
            holder: self.me.clone(),
            duration: self.times.duration,
            transitions: before.transitions.max(self.floor).saturating_add(1),
            acquired: None,
            renewed: None,
            requested_by: None,
        };
        Move::Write { record, over, acquires: true }
    }

    /// What to leave behind when the term ends by itself: a record that nobody has to wait for. None when it is not ours.
    pub fn release(&mut self) -> Option<(LeaseRecord, String)> {
        self.term = None;
        let (record, version) = self.seen.as_ref()?.lease.as_ref()?;
        let ours = record.holder == self.me && !self.doubtful;
        let left = LeaseRecord { holder: String::new(), duration: Duration::from_secs(1), ..record.clone() };
        ours.then(|| (left, version.clone()))
    }
}

#[cfg(test)]
mod tests;
