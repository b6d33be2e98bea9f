//! The objects themselves: tables by resource, one revision counter, a ring of changes per table.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use super::random::Random;
use super::ring::{Change, ChangeKind, Entry, Ring};
use super::{definitions, object};
use crate::sandbox::kinds::Kinds;

/// Namespace and name; the namespace is empty for cluster-scoped objects.
pub type Key = (String, String);

/// Where commits go to be kept.
pub type Sink = std::sync::mpsc::Sender<Commit>;

/// One write, for whoever keeps the objects.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The table: `pods`, `deployments.apps`.
    pub resource: String,
    /// Which object.
    pub key: Key,
    /// The write's revision.
    pub revision: u64,
    /// The object; `None` when it was removed.
    pub object: Option<Arc<Value>>,
}

/// The objects of one resource.
#[derive(Debug)]
struct Table {
    rows: BTreeMap<Key, Arc<Value>>,
    ring: Ring,
    written: watch::Sender<u64>,
}

/// Everything that the API server holds. Behind one lock; no method waits for anything.
#[derive(Debug)]
pub struct Objects {
    /// The newest revision.
    pub revision: u64,
    /// What is served.
    pub kinds: Kinds,
    /// Names and uids.
    pub random: Random,
    /// The second octet of every address: `127.<block>.x.y`.
    pub block: u8,
    tables: HashMap<String, Table>,
    /// Up to here nothing is known of the past: what was loaded.
    loaded: u64,
    ring_capacity: usize,
    sink: Option<Sink>,
    written: watch::Sender<u64>,
    collectable: watch::Sender<u64>,
}

impl Objects {
    /// An empty store whose rings hold `ring_capacity` changes.
    pub fn new(seed: u64, ring_capacity: usize) -> Self {
        Self {
            revision: 1,
            kinds: Kinds::new(),
            random: Random::new(seed),
            block: 64,
            tables: HashMap::new(),
            loaded: 0,
            ring_capacity,
            sink: None,
            written: watch::Sender::new(1),
            collectable: watch::Sender::new(1),
        }
    }

    /// Fills the store with what was kept; `revision` is the newest one ever given out.
    pub fn load(&mut self, revision: u64, rows: Vec<(String, Arc<Value>)>) {
        self.revision = self.revision.max(revision);
        self.loaded = revision;
        // Names and uids of an earlier run must not come again.
        self.random = Random::new(self.random.number() ^ revision.wrapping_mul(0x2545_f491_4f6c_dd1d));
        for (resource, row) in rows {
            let key = key_of(&row);
            if resource == definitions::RESOURCE {
                definitions::serve(&mut self.kinds, &row);
            }
            self.table(&resource).rows.insert(key, row);
        }
    }

    /// Sends every later commit to `sink`.
    pub fn keep_in(&mut self, sink: Sink) {
        self.sink = Some(sink);
    }

    /// Lets the sink go.
    pub fn stop_keeping(&mut self) {
        self.sink = None;
    }

    /// Woken on every commit.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }

    /// Woken on the commits after which there may be something to collect.
    pub fn collectable(&self) -> watch::Receiver<u64> {
        self.collectable.subscribe()
    }

    /// Woken on every commit to one table.
    pub fn changes_of(&mut self, resource: &str) -> watch::Receiver<u64> {
        self.table(resource).written.subscribe()
    }

    fn table(&mut self, resource: &str) -> &mut Table {
        let (capacity, loaded, revision) = (self.ring_capacity, self.loaded, self.revision);
        self.tables.entry(resource.to_owned()).or_insert_with(|| Table {
            rows: BTreeMap::new(),
            ring: Ring::new(capacity, loaded),
            written: watch::Sender::new(revision),
        })
    }

    /// One object.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.tables.get(resource)?.rows.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The objects of a table, of one namespace or of all, by namespace and name.
    pub fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let Some(table) = self.tables.get(resource) else { return Vec::new() };
        match namespace {
            None => table.rows.values().cloned().collect(),
            Some(namespace) => {
                let from = (namespace.to_owned(), String::new());
                let rows = table.rows.range((Bound::Included(from), Bound::Unbounded));
                rows.take_while(|(key, _)| key.0 == namespace).map(|(_, row)| row.clone()).collect()
            }
        }
    }

    /// The tables that hold something.
    pub fn resources(&self) -> Vec<String> {
        self.tables.iter().filter(|(_, table)| !table.rows.is_empty()).map(|(name, _)| name.clone()).collect()
    }

    /// The rows of a table as they were at `revision`; `None` when that is too long ago.
    pub fn at(&mut self, resource: &str, revision: u64) -> Option<BTreeMap<Key, Arc<Value>>> {
        let table = self.table(resource);
        let later = table.ring.after(revision, usize::MAX)?;
        let mut rows = table.rows.clone();
        for entry in later.iter().rev() {
            let key = key_of(&entry.change.object);
            match &entry.change.old {
                Some(old) => rows.insert(key, old.clone()),
                None => rows.remove(&key),
            };
        }
        Some(rows)
    }

    /// The changes of a table after `revision`; `Err` with the oldest known revision when some are forgotten.
    pub fn after(&mut self, resource: &str, revision: u64, limit: usize) -> Result<Vec<Arc<Entry>>, u64> {
        let ring = &self.table(resource).ring;
        ring.after(revision, limit).ok_or_else(|| ring.oldest())
    }

    /// Writes: gives the object the next revision, stores or removes it, and tells everybody.
    pub fn commit(&mut self, resource: &str, kind: ChangeKind, mut written: Value) -> Arc<Value> {
        self.revision += 1;
        let revision = self.revision;
        object::metadata_mut(&mut written)
            .insert("resourceVersion".to_owned(), Value::from(revision.to_string()));
        let written = Arc::new(written);
        let key = key_of(&written);
        if resource == definitions::RESOURCE {
            match kind {
                ChangeKind::Deleted => definitions::withdraw(&mut self.kinds, &written),
                _ => definitions::serve(&mut self.kinds, &written),
            }
        }
        let table = self.table(resource);
        let (old, kept) = if kind == ChangeKind::Deleted {
            (table.rows.remove(&key), None)
        } else {
            (table.rows.insert(key.clone(), written.clone()), Some(written.clone()))
        };
        let collectable = kind == ChangeKind::Deleted
            || object::deleting(&written)
            || object::owners(&written) != old.as_deref().map_or(&[][..], object::owners);
        table.ring.push(Change { kind, object: written.clone(), old, revision });
        table.written.send_replace(revision);
        if let Some(sink) = &self.sink {
            // A keeper that is gone has told so itself; what is in memory stays right.
            let _ = sink.send(Commit { resource: resource.to_owned(), key, revision, object: kept });
        }
        if collectable {
            self.collectable.send_replace(revision);
        }
        self.written.send_replace(revision);
        written
    }
}

/// The key of an object.
pub fn key_of(value: &Value) -> Key {
    (object::namespace(value).to_owned(), object::name(value).to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn thing(name: &str, value: u32) -> Value {
        json!({"metadata": {"namespace": "n", "name": name}, "value": value})
    }

    #[test]
    fn nothing_is_forgotten_of_a_table_that_is_new() {
        let mut objects = Objects::new(0, 100);
        objects.commit("others", ChangeKind::Added, thing("a", 1));
        let then = objects.revision;
        objects.commit("things", ChangeKind::Added, thing("a", 1));
        assert_eq!(objects.after("things", then, 10).unwrap().len(), 1);
        let mut restarted = Objects::new(0, 100);
        restarted.load(then, Vec::new());
        assert_eq!(restarted.after("things", then - 1, 10).unwrap_err(), then);
    }

    #[test]
    fn earlier_states_are_rebuilt_from_the_ring() {
        let mut objects = Objects::new(0, 100);
        objects.commit("things", ChangeKind::Added, thing("a", 1));
        objects.commit("things", ChangeKind::Added, thing("b", 1));
        let then = objects.revision;
        objects.commit("things", ChangeKind::Modified, thing("a", 2));
        objects.commit("things", ChangeKind::Deleted, thing("b", 1));
        objects.commit("things", ChangeKind::Added, thing("c", 1));
        let rows = objects.at("things", then).unwrap();
        let seen: Vec<(&str, &Value)> = rows.values().map(|row| (object::name(row), &row["value"])).collect();
        assert_eq!(seen, [("a", &json!(1)), ("b", &json!(1))]);
        assert_eq!(objects.list("things", Some("n")).len(), 2);
        assert!(objects.list("things", Some("m")).is_empty());
    }
}
