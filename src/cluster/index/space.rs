//! The tables of one namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::labels;
use crate::domain::object::EventSummary;

use super::super::project::Row;

/// How many events are kept per namespace; the oldest go first.
pub(super) const EVENTS_MAX: usize = 500;

/// Kind and name.
type Place = (String, String);

/// The objects and events of one namespace.
#[derive(Default)]
pub(super) struct Space {
    /// Rows by kind, then by name.
    tables: BTreeMap<String, BTreeMap<String, Arc<Row>>>,
    /// The objects that carry the label of each deployment.
    labelled: BTreeMap<String, BTreeSet<Place>>,
    /// The objects that each uid controls.
    owned: BTreeMap<String, BTreeSet<Place>>,
    /// How far each kind's watch has come.
    pub(super) seen: BTreeMap<String, Seen>,
    /// Kinds whose watch has not listed yet.
    pub(super) pending: BTreeSet<String>,
    listed: bool,
    /// Kinds that we may not see here: an absent object may exist.
    pub(super) hidden: BTreeSet<String>,
    events: BTreeMap<String, EventSummary>,
    /// The generation at which the namespace became complete.
    pub(super) completed: u64,
    /// The generation at which something of a deployment last changed.
    pub(super) touched: BTreeMap<String, u64>,
    /// The deployment to which the object with a uid belongs, by its label or through its owners.
    belongs: BTreeMap<String, String>,
}

/// The newest resource version that a watch has delivered.
#[derive(Debug, Default)]
pub(super) struct Seen(u64);

impl Seen {
    /// Remembers `version` if it is newer. Versions are compared as numbers, which every server so far makes them.
    pub(super) fn note(&mut self, version: &str) {
        self.0 = self.0.max(version.parse().unwrap_or_default());
    }

    /// Whether the watch has delivered everything up to `version` already.
    pub(super) fn covers(&self, version: &str) -> bool {
        version.parse::<u64>().is_ok_and(|version| version <= self.0)
    }
}

/// Whether a version is before another one of the same kind. Of versions that are no numbers nobody knows.
pub(super) fn is_before(version: &str, other: &str) -> bool {
    matches!((version.parse::<u64>(), other.parse::<u64>()), (Ok(version), Ok(other)) if version < other)
}

impl Space {
    /// Whether more is known of an object than as of `version`: an answer to a write of ours was ahead of the watch.
    pub(super) fn is_ahead(&self, kind: &str, name: &str, version: &str) -> bool {
        self.get(kind, name).is_some_and(|known| is_before(version, &known.summary.resource_version))
    }

    pub(super) fn is_complete(&self) -> bool {
        self.listed && self.pending.is_empty()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.tables.values().flat_map(BTreeMap::values)
    }

    pub(super) fn get(&self, kind: &str, name: &str) -> Option<&Arc<Row>> {
        self.tables.get(kind)?.get(name)
    }

    /// Puts a row; says whether anything changed.
    pub(super) fn put(&mut self, row: Row, at: u64) -> bool {
        let known = self.tables.get(&row.summary.key.kind).and_then(|table| table.get(&row.summary.key.name));
        if known.is_some_and(|known| **known == row) {
            return false;
        }
        if let Some(known) = known.cloned() {
            self.note(&known, at);
            self.unlink(&known);
        }
        self.note(&row, at);
        self.link(&row);
        let table = self.tables.entry(row.summary.key.kind.clone()).or_default();
        table.insert(row.summary.key.name.clone(), Arc::new(row));
        true
    }

    /// Removes a row; says whether it was there.
    pub(super) fn remove(&mut self, kind: &str, name: &str, at: u64) -> bool {
        let Some(row) = self.tables.get_mut(kind).and_then(|table| table.remove(name)) else { return false };
        self.note(&row, at);
        self.unlink(&row);
        self.belongs.remove(&row.summary.uid);
        true
    }

    fn link(&mut self, row: &Row) {
        if let Some(deployment) = row.summary.labels.get(labels::DEPLOYMENT) {
            self.labelled.entry(deployment.clone()).or_default().insert(place(row));
        }
        if let Some(owner) = &row.summary.owner {
            self.owned.entry(owner.clone()).or_default().insert(place(row));
        }
    }

    fn unlink(&mut self, row: &Row) {
        let deployment = row.summary.labels.get(labels::DEPLOYMENT);
        for (links, key) in [(&mut self.labelled, deployment), (&mut self.owned, row.summary.owner.as_ref())]
        {
            let Some(places) = key.and_then(|key| links.get_mut(key)) else { continue };
            places.remove(&place(row));
            if let Some(key) = key.filter(|_| places.is_empty()) {
                links.remove(key);
            }
        }
    }

    /// Remembers that something of the row's deployment moved.
    fn note(&mut self, row: &Row, at: u64) {
        let inherited = || row.summary.owner.as_ref().and_then(|owner| self.belongs.get(owner));
        let Some(deployment) = row.summary.labels.get(labels::DEPLOYMENT).or_else(inherited).cloned() else {
            return;
        };
        self.touched.insert(deployment.clone(), at);
        self.belongs.insert(row.summary.uid.clone(), deployment);
    }

    /// Replaces the table of a kind; says whether that changed anything.
    pub(super) fn reset(&mut self, kind: &str, rows: Vec<Row>, at: u64) -> bool {
        let listed: BTreeSet<String> = rows.iter().map(|row| row.summary.key.name.clone()).collect();
        let known = self.tables.get(kind).into_iter().flat_map(BTreeMap::keys);
        let gone: Vec<String> = known.filter(|name| !listed.contains(*name)).cloned().collect();
        let mut changed = self.arrived(kind, at);
        for name in gone {
            changed |= self.remove(kind, &name, at);
        }
        for row in rows {
            self.seen.entry(kind.to_owned()).or_default().note(&row.summary.resource_version);
            changed |= self.put(row, at);
        }
        changed
    }

    /// The first list of a kind is there; that the namespace is complete now is news too.
    fn arrived(&mut self, kind: &str, at: u64) -> bool {
        self.listed = true;
        self.hidden.remove(kind);
        self.seen.entry(kind.to_owned()).or_default();
        let news = self.pending.remove(kind) && self.pending.is_empty();
        if news {
            self.completed = at;
        }
        news
    }

    pub(super) fn put_event(&mut self, uid: &str, event: EventSummary) -> bool {
        if self.events.get(uid) == Some(&event) {
            return false;
        }
        self.events.insert(uid.to_owned(), event);
        self.trim_events();
        true
    }

    pub(super) fn reset_events(&mut self, events: Vec<(String, EventSummary)>, at: u64) -> bool {
        let before = std::mem::replace(&mut self.events, events.into_iter().collect());
        self.trim_events();
        let changed = self.events != before;
        self.arrived("Event", at) || changed
    }

    fn trim_events(&mut self) {
        while self.events.len() > EVENTS_MAX {
            let oldest = self.events.iter().min_by_key(|(_, event)| event.at).map(|(uid, _)| uid.clone());
            let Some(oldest) = oldest else { return };
            self.events.remove(&oldest);
        }
    }

    /// The events, newest first.
    pub(super) fn events(&self) -> Vec<EventSummary> {
        let mut events: Vec<EventSummary> = self.events.values().cloned().collect();
        events.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.object.cmp(&b.object)));
        events
    }

    /// What carries the deployment's label, by kind and name.
    pub(super) fn labelled(&self, deployment: &str) -> impl Iterator<Item = &Arc<Row>> {
        let places = self.labelled.get(deployment).into_iter().flatten();
        places.filter_map(|(kind, name)| self.get(kind, name))
    }

    /// The same, and what it owns: ReplicaSets and pods whose labels say nothing.
    pub(super) fn belonging_to(&self, deployment: &str) -> Vec<&Arc<Row>> {
        let mut found: BTreeMap<(&str, &str), &Arc<Row>> = BTreeMap::new();
        let mut open: Vec<&Arc<Row>> = self.labelled(deployment).collect();
        while let Some(row) = open.pop() {
            let key = &row.summary.key;
            if found.insert((&key.kind, &key.name), row).is_none() {
                let owned = self.owned.get(&row.summary.uid).into_iter().flatten();
                open.extend(owned.filter_map(|(kind, name)| self.get(kind, name)));
            }
        }
        found.into_values().collect()
    }
}

fn place(row: &Row) -> Place {
    (row.summary.key.kind.clone(), row.summary.key.name.clone())
}
