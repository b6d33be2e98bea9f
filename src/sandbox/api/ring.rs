//! The last changes of one resource, in order: what watches read from.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was created.
    Added,
    /// It was written.
    Modified,
    /// It was removed.
    Deleted,
}

/// One change of one object.
#[derive(Debug, Clone)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The object after the change; the last state, with the deletion's resourceVersion, when it was removed.
    pub object: Arc<Value>,
    /// The object before the change.
    pub old: Option<Arc<Value>>,
    /// The resourceVersion of the change.
    pub revision: u64,
}

/// A change in the ring, with its JSON once a watch needed it.
#[derive(Debug)]
pub struct Entry {
    /// The change.
    pub change: Change,
    weight: usize,
    json: OnceLock<Bytes>,
}

impl Entry {
    /// The object as JSON; made once for all watches.
    pub fn json(&self) -> Bytes {
        self.json.get_or_init(|| Bytes::from(self.change.object.to_string())).clone()
    }
}

/// How much memory the changes of one resource may take, in bytes as [`weight`] estimates them.
const BUDGET: usize = 128 * 1024 * 1024;
/// So many changes are kept whatever they weigh, as by a real server's watch cache.
const FLOOR: usize = 100;

/// A list of changes, in order, bounded by their number and by the memory that they take.
#[derive(Debug)]
pub struct Ring {
    entries: VecDeque<Arc<Entry>>,
    capacity: usize,
    budget: usize,
    weight: usize,
    /// The revision of the newest change that is no longer here: what is older than it cannot be told.
    forgotten: u64,
}

impl Ring {
    /// An empty ring that knows nothing of what happened up to `revision`.
    pub fn new(capacity: usize, revision: u64) -> Self {
        Self {
            entries: VecDeque::new(),
            capacity: capacity.max(1),
            budget: BUDGET,
            weight: 0,
            forgotten: revision,
        }
    }

    /// Appends a change; the oldest ones make room.
    pub fn push(&mut self, change: Change) {
        let weight = weight(&change.object);
        self.weight += weight;
        self.entries.push_back(Arc::new(Entry { change, weight, json: OnceLock::new() }));
        while self.entries.len() > self.capacity
            || self.weight > self.budget && self.entries.len() > FLOOR.min(self.capacity)
        {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.weight -= oldest.weight;
            self.forgotten = oldest.change.revision;
        }
    }

    /// The changes after `revision`, at most `limit`; `None` when some of them are forgotten.
    pub fn after(&self, revision: u64, limit: usize) -> Option<Vec<Arc<Entry>>> {
        if revision < self.forgotten {
            return None;
        }
        let start = self.entries.partition_point(|entry| entry.change.revision <= revision);
        Some(self.entries.iter().skip(start).take(limit).cloned().collect())
    }

    /// The oldest revision after which everything is still known.
    pub fn oldest(&self) -> u64 {
        self.forgotten
    }
}

/// The memory that a value takes, roughly, in bytes: with what its text takes again once a watch has sent it.
fn weight(value: &Value) -> usize {
    // A value, and the key before it in a map.
    const VALUE: usize = 32;
    const KEY: usize = 32;
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| KEY + 2 * key.len() + weight(value)).sum::<usize>() + VALUE
        }
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + VALUE,
        Value::String(text) => VALUE + 2 * text.len(),
        _ => VALUE,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ring(capacity: usize, revisions: std::ops::RangeInclusive<u64>) -> Ring {
        let mut ring = Ring::new(capacity, 0);
        for revision in revisions {
            let object = Arc::new(json!({"revision": revision}));
            ring.push(Change { kind: ChangeKind::Added, object, old: None, revision });
        }
        ring
    }

    #[test]
    fn tells_what_came_after_a_revision() {
        let ring = ring(10, 1..=5);
        let revisions: Vec<u64> = ring.after(3, 100).unwrap().iter().map(|e| e.change.revision).collect();
        assert_eq!(revisions, [4, 5]);
        assert!(ring.after(9, 100).unwrap().is_empty());
        assert_eq!(ring.after(0, 2).unwrap().len(), 2);
    }

    #[test]
    fn says_when_it_has_forgotten() {
        let ring = ring(3, 1..=5);
        assert_eq!(ring.oldest(), 2);
        assert!(ring.after(1, 100).is_none());
        assert_eq!(ring.after(2, 100).unwrap().len(), 3);
    }

    #[test]
    fn big_changes_make_room_sooner_but_some_always_stay() {
        let mut ring = Ring::new(10_000, 0);
        ring.budget = 100_000;
        let object = Arc::new(json!({"text": "x".repeat(200)}));
        for revision in 1..=1000 {
            ring.push(Change { kind: ChangeKind::Added, object: object.clone(), old: None, revision });
        }
        let few = ring.after(ring.oldest(), 10_000).unwrap().len();
        assert!((FLOOR..400).contains(&few), "{few}");
        let big = Arc::new(json!({"text": "x".repeat(100_000)}));
        for revision in 1001..=1200 {
            ring.push(Change { kind: ChangeKind::Added, object: big.clone(), old: None, revision });
        }
        assert_eq!(ring.after(ring.oldest(), 10_000).unwrap().len(), FLOOR);
        assert_eq!(ring.oldest(), 1200 - FLOOR as u64);
    }
}
