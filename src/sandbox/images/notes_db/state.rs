//! What the database holds, and the entries of its journal. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A note. `tags` and `created_at` exist from schema 2 on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    pub(super) text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<Timestamp>,
}

/// A change, as it is written to the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(super) enum Change {
    /// A note was added.
    Add { note: Note },
    /// A note was deleted.
    Delete { id: u64 },
    /// The schema was raised.
    Migrate { to: u32, at: Timestamp },
}

/// A journal entry: a change and its place in the order of all changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) sequence: u64,
    #[serde(flatten)]
    pub(super) change: Change,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) schema: u32,
    /// The number of the last change that is in here.
    pub(super) sequence: u64,
    pub(super) next_id: u64,
    pub(super) notes: BTreeMap<u64, Note>,
}

impl Default for State {
    fn default() -> Self {
        Self { schema: 1, sequence: 0, next_id: 1, notes: BTreeMap::new() }
    }
}

impl State {
    /// Carries an entry out; one that is already in here (it is also in the snapshot) changes nothing.
    pub(super) fn apply(&mut self, entry: &Entry) {
        if entry.sequence <= self.sequence {
            return;
        }
        self.sequence = entry.sequence;
        match &entry.change {
            Change::Add { note } => {
                self.next_id = self.next_id.max(note.id + 1);
                self.notes.insert(note.id, note.clone());
            }
            Change::Delete { id } => {
                self.notes.remove(id);
            }
            Change::Migrate { to, at } => self.migrate(*to, *at),
        }
    }

    /// 1 → 2: every note gets an empty list of tags and a time: that of the migration, as the real one is not known.
    fn migrate(&mut self, to: u32, at: Timestamp) {
        if self.schema < 2 && to >= 2 {
            for note in self.notes.values_mut() {
                note.tags.get_or_insert_default();
                note.created_at.get_or_insert(at);
            }
        }
        self.schema = self.schema.max(to);
    }

    /// A note as the present schema stores it.
    pub(super) fn new_note(&self, text: &str, tags: Vec<String>, at: Timestamp) -> Note {
        let new = self.schema >= 2;
        Note {
            id: self.next_id,
            text: text.to_owned(),
            tags: new.then_some(tags),
            created_at: new.then_some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(state: &mut State, text: &str) {
        let note = state.new_note(text, vec!["a".into()], Timestamp::UNIX_EPOCH);
        state.apply(&Entry { sequence: state.sequence + 1, change: Change::Add { note } });
    }

    #[test]
    fn migration_gives_old_notes_the_new_fields_once() {
        let mut state = State::default();
        add(&mut state, "old");
        assert_eq!(state.notes[&1].tags, None);
        let at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let entry = Entry { sequence: 2, change: Change::Migrate { to: 2, at } };
        state.apply(&entry);
        assert_eq!((state.schema, state.notes[&1].created_at), (2, Some(at)));
        add(&mut state, "new");
        assert_eq!(state.notes[&2].tags, Some(vec!["a".to_owned()]));
    }

    #[test]
    fn an_entry_that_is_already_in_changes_nothing() {
        let mut state = State::default();
        add(&mut state, "one");
        let before = state.clone();
        state.apply(&Entry { sequence: 1, change: Change::Delete { id: 1 } });
        assert_eq!(state, before);
    }

    #[test]
    fn ids_are_never_used_again() {
        let mut state = State::default();
        add(&mut state, "one");
        state.apply(&Entry { sequence: 2, change: Change::Delete { id: 1 } });
        add(&mut state, "two");
        assert_eq!(state.notes.keys().copied().collect::<Vec<_>>(), [2]);
    }
}
