//! Who is looked at next. Pure: a name occupies one slot however often it is woken, is never worked on twice at once, and
//! after a failure waits for a time that grows, which any change ends.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::operate::pause;

/// The deployments of a cluster are told apart by namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The namespace of its environment.
    pub namespace: String,
    /// The deployment's name.
    pub name: String,
}

#[derive(Debug, Default)]
struct Entry {
    /// When it is due; none while nothing has to be done.
    due: Option<Timestamp>,
    running: bool,
    failures: u32,
}

/// The queue.
#[derive(Debug, Default)]
pub struct Queue {
    entries: BTreeMap<Name, Entry>,
}

impl Queue {
    /// Something about `name` changed: it is due now, whatever it waits for.
    pub fn wake(&mut self, name: Name, now: Timestamp) {
        self.entries.entry(name).or_default().due = Some(now);
    }

    /// The next one that is due and not being worked on; from now on it is.
    pub fn take(&mut self, now: Timestamp) -> Option<Name> {
        let ready = self.entries.iter_mut().filter(|(_, entry)| !entry.running);
        let due = ready.filter_map(|(name, entry)| Some((entry.due?, name, entry)));
        let (at, name, entry) = due.min_by_key(|(at, _, _)| *at)?;
        if at > now {
            return None;
        }
        entry.due = None;
        entry.running = true;
        Some(name.clone())
    }

    /// The work on `name` ended well; `again` is when it wants to be looked at even if nothing changes.
    pub fn succeeded(&mut self, name: &Name, again: Option<Timestamp>) {
        let Some(entry) = self.entries.get_mut(name) else { return };
        entry.running = false;
        entry.failures = 0;
        // A change during the work stays due.
        entry.due = entry.due.or(again);
        if entry.due.is_none() {
            self.entries.remove(name);
        }
    }

    /// The work on `name` failed; says when it is tried again by itself.
    pub fn failed(&mut self, name: &Name, now: Timestamp) -> Timestamp {
        let entry = self.entries.entry(name.clone()).or_default();
        entry.running = false;
        entry.failures = entry.failures.saturating_add(1);
        let next = now.saturating_add(pause(entry.failures)).unwrap_or(now);
        let due = entry.due.map_or(next, |due| due.min(next));
        entry.due = Some(due);
        due
    }

    /// When the next one is due; none when there is nothing to wait for.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.entries.values().filter(|entry| !entry.running).filter_map(|entry| entry.due).min()
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Name {
        Name { namespace: "demo".into(), name: name.into() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_name_is_never_worked_on_twice_at_once() {
        let mut queue = Queue::default();
        queue.wake(name("a"), at(0));
        queue.wake(name("a"), at(0));
        assert_eq!(queue.take(at(0)), Some(name("a")));
        assert_eq!(queue.take(at(0)), None);
        queue.wake(name("a"), at(1));
        assert_eq!(queue.take(at(1)), None, "it is being worked on");
        queue.succeeded(&name("a"), None);
        assert_eq!(queue.take(at(1)), Some(name("a")), "what changed meanwhile is not lost");
        queue.succeeded(&name("a"), None);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_change_ends_the_pause() {
        let mut queue = Queue::default();
        queue.wake(name("a"), at(0));
        for _ in 0..9 {
            let due = queue.next_due().unwrap();
            assert_eq!(queue.take(due), Some(name("a")));
            queue.failed(&name("a"), due);
        }
        let slow = queue.next_due().unwrap();
        assert_eq!(queue.take(at(slow.as_second() - 1)), None);
        queue.wake(name("a"), at(slow.as_second() - 1));
        assert_eq!(queue.take(at(slow.as_second() - 1)), Some(name("a")));
        queue.succeeded(&name("a"), Some(at(5000)));
        assert_eq!(queue.next_due(), Some(at(5000)));
    }

    #[test]
    fn the_one_that_waits_longest_is_first() {
        let mut queue = Queue::default();
        queue.wake(name("a"), at(2));
        queue.wake(name("b"), at(1));
        assert_eq!(queue.take(at(3)), Some(name("b")));
        assert_eq!(queue.take(at(3)), Some(name("a")));
    }
}
