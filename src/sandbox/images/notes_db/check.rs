//! Looks whether a snapshot is sound: more than reading it asks for.

use super::dump;
use super::state::Note;

/// What a sound snapshot holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sound {
    /// How many notes.
    pub(super) notes: usize,
    /// Their schema.
    pub(super) schema: u32,
    /// The number of the last change that is in it.
    pub(super) sequence: u64,
}

/// Checks every note of a snapshot, `batch` at a time; after each batch `tell` hears how many of how many are checked.
pub(super) fn check(
    text: &str,
    newest_schema: u32,
    batch: usize,
    mut tell: impl FnMut(usize, usize),
) -> Result<Sound, String> {
    let (header, lines) = dump::open(text, newest_schema)?;
    let mut last = 0;
    for (index, line) in lines.iter().enumerate() {
        let at = |why: String| format!("line {}: {why}", index + 2);
        let note: Note = serde_json::from_str(line).map_err(|error| at(error.to_string()))?;
        judge(&note, header.schema).map_err(at)?;
        if note.id <= last {
            return Err(at(format!("the note {} stands behind the note {last}", note.id)));
        }
        last = note.id;
        let done = index + 1;
        if done % batch.max(1) == 0 || done == lines.len() {
            tell(done, lines.len());
        }
    }
    if last >= header.next_id {
        return Err(format!("line 1: the next note would be {}, and there is a note {last}", header.next_id));
    }
    Ok(Sound { notes: lines.len(), schema: header.schema, sequence: header.sequence })
}

fn judge(note: &Note, schema: u32) -> Result<(), String> {
    if note.text.trim().is_empty() {
        return Err(format!("the note {} is empty", note.id));
    }
    if schema >= 2 && (note.tags.is_none() || note.created_at.is_none()) {
        return Err(format!("the note {} has no tags or no time, which schema {schema} asks for", note.id));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::sandbox::images::notes_db::state::State;

    fn snapshot(schema: u32) -> String {
        let mut state = State { schema, sequence: 9, ..State::default() };
        for text in ["milk", "eggs", "bread"] {
            let note = state.new_note(text, Vec::new(), Timestamp::UNIX_EPOCH);
            state.next_id += 1;
            state.notes.insert(note.id, note);
        }
        dump::write(&state).unwrap()
    }

    fn checked(text: &str, batch: usize) -> (Result<Sound, String>, Vec<(usize, usize)>) {
        let mut told = Vec::new();
        (check(text, 2, batch, |done, of| told.push((done, of))), told)
    }

    #[test]
    fn what_is_sound_is_counted_in_batches() {
        let sound = Ok(Sound { notes: 3, schema: 2, sequence: 9 });
        assert_eq!(checked(&snapshot(2), 2), (sound, vec![(2, 3), (3, 3)]));
        assert_eq!(checked(&snapshot(1), 100).1, [(3, 3)]);
        let empty = dump::write(&State::default()).unwrap();
        assert_eq!(checked(&empty, 1), (Ok(Sound { notes: 0, schema: 1, sequence: 0 }), vec![]));
    }

    #[test]
    fn damage_is_told_with_its_line() {
        let good = snapshot(2);
        let table = [
            (good.replace("\"text\":\"eggs\"", "\"text\":\" \""), "line 3: the note 2 is empty"),
            (good.replace("\"id\":3", "\"id\":1"), "line 4: the note 1 stands behind the note 2"),
            (good.replace("\"next_id\":4", "\"next_id\":3"), "line 1: the next note would be 3"),
            (good.replacen("\"tags\":[],", "", 1), "line 2: the note 1 has no tags or no time"),
            (good.replace("\"eggs\"", "eggs"), "line 3: "),
            (good.replace("\"count\":3", "\"count\":4"), "it is cut off: 3 notes of 4"),
            (good.replace("\"schema\":2", "\"schema\":3"), "it has schema 3"),
        ];
        for (text, expected) in table {
            assert_ne!(text, good, "{expected}");
            let why = checked(&text, 1).0.unwrap_err();
            assert!(why.starts_with(expected), "{why}, not {expected}");
        }
    }
}
