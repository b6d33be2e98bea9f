//! The work queue: each key once, in the order of the controllers, with delayed looks and retries.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::routes::Key;

const FIRST_RETRY: SignedDuration = SignedDuration::from_millis(100);
const LONGEST_RETRY: SignedDuration = SignedDuration::from_secs(60);

/// A write that was refused.
#[derive(Debug, Clone)]
struct Failure {
    message: String,
    times: u32,
}

/// What is to be done now, and what later.
#[derive(Debug, Default)]
pub struct Queue {
    ready: BTreeSet<Key>,
    later: BTreeSet<(Timestamp, Key)>,
    due: HashMap<Key, Timestamp>,
    failures: HashMap<Key, Failure>,
}

impl Queue {
    /// Asks for a key to be worked on.
    pub fn add(&mut self, key: Key) {
        self.ready.insert(key);
    }

    /// The next key; those whose time has come first join the others.
    pub fn take(&mut self, now: Timestamp) -> Option<Key> {
        while let Some((at, key)) = self.later.first().cloned() {
            if at > now {
                break;
            }
            self.later.pop_first();
            self.due.remove(&key);
            self.ready.insert(key);
        }
        self.ready.pop_first()
    }

    /// Asks for a key to be worked on at `at`, in place of what was asked for it before.
    pub fn look_again(&mut self, key: &Key, at: Option<Timestamp>) {
        if let Some(before) = self.due.remove(key) {
            self.later.remove(&(before, key.clone()));
        }
        if let Some(at) = at {
            self.due.insert(key.clone(), at);
            self.later.insert((at, key.clone()));
        }
    }

    /// When the next delayed key is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Notes how a key's writes went: a refusal is retried, later each time.
    pub fn note(&mut self, key: &Key, refusal: Option<String>, again: Option<Timestamp>, now: Timestamp) {
        let Some(message) = refusal else {
            self.failures.remove(key);
            self.look_again(key, again);
            return;
        };
        let times = self.failures.get(key).map_or(0, |failure| failure.times).saturating_add(1);
        let delay = FIRST_RETRY.saturating_mul(1 << times.min(12)).min(LONGEST_RETRY);
        let retry = now.saturating_add(delay).unwrap_or(now);
        self.failures.insert(key.clone(), Failure { message, times });
        self.look_again(key, Some(again.map_or(retry, |again| again.min(retry))));
    }

    /// Why the last write for a key was refused, while it is.
    pub fn failure(&self, key: &Key) -> Option<&str> {
        self.failures.get(key).map(|failure| failure.message.as_str())
    }

    /// Forgets what was kept for an object that is gone.
    pub fn forget(&mut self, key: &Key) {
        self.failures.remove(key);
        self.look_again(key, None);
    }
}

#[cfg(test)]
mod tests {
    use super::super::routes::Controller;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a timestamp")
    }

    fn key(controller: Controller) -> Key {
        Key::new(controller, "a", "x")
    }

    #[test]
    fn makers_come_before_summarisers_and_each_once() {
        let mut queue = Queue::default();
        for controller in [Controller::Endpoints, Controller::ReplicaSet, Controller::Endpoints] {
            queue.add(key(controller));
        }
        assert_eq!(queue.take(at(0)), Some(key(Controller::ReplicaSet)));
        assert_eq!(queue.take(at(0)), Some(key(Controller::Endpoints)));
        assert_eq!(queue.take(at(0)), None);
    }

    #[test]
    fn delayed_keys_wait_for_their_time_and_can_be_moved() {
        let mut queue = Queue::default();
        queue.look_again(&key(Controller::Job), Some(at(10)));
        queue.look_again(&key(Controller::Job), Some(at(5)));
        assert_eq!(queue.next_due(), Some(at(5)));
        assert_eq!(queue.take(at(4)), None);
        assert_eq!(queue.take(at(5)), Some(key(Controller::Job)));
        assert_eq!(queue.next_due(), None);
    }

    #[test]
    fn refusals_are_retried_later_each_time() {
        let mut queue = Queue::default();
        let job = key(Controller::Job);
        queue.note(&job, Some("no".into()), None, at(0));
        let first = queue.next_due().expect("a retry");
        queue.note(&job, Some("no".into()), None, at(0));
        assert!(queue.next_due().expect("a retry") > first);
        assert_eq!(queue.failure(&job), Some("no"));
        queue.note(&job, None, None, at(0));
        assert_eq!((queue.failure(&job), queue.next_due()), (None, None));
    }
}
