//! The text form of everything: a header line, one line per note, and a count. Snapshot on disk and dump are the same.

use serde::{Deserialize, Serialize};

use super::state::{Note, State};

const FORMAT: &str = "notes-db";

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    format: String,
    pub(super) schema: u32,
    pub(super) sequence: u64,
    pub(super) next_id: u64,
}

#[derive(Serialize, Deserialize)]
struct Footer {
    end: bool,
    count: usize,
}

/// Writes everything as lines.
pub(super) fn write(state: &State) -> Result<String, String> {
    let header = Header {
        format: FORMAT.into(),
        schema: state.schema,
        sequence: state.sequence,
        next_id: state.next_id,
    };
    let mut lines = vec![to_line(&header)?];
    for note in state.notes.values() {
        lines.push(to_line(note)?);
    }
    lines.push(to_line(&Footer { end: true, count: state.notes.len() })?);
    Ok(lines.concat())
}

fn to_line(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(value).map(|text| text + "\n").map_err(|error| error.to_string())
}

/// The header and the lines of the notes; refuses what is cut off, or newer than `newest_schema`. Errors name the line.
pub(super) fn open(text: &str, newest_schema: u32) -> Result<(Header, Vec<&str>), String> {
    let lines: Vec<&str> = text.lines().collect();
    let [first, notes @ .., last] = lines.as_slice() else {
        return Err("it is empty or cut off: there is no header and count".into());
    };
    let header: Header = serde_json::from_str(first).map_err(|error| format!("line 1: {error}"))?;
    if header.format != FORMAT {
        return Err(format!("line 1: the format is {:?}, not {FORMAT:?}", header.format));
    }
    if header.schema > newest_schema {
        return Err(format!(
            "it has schema {}, and this version reads up to {newest_schema}: run a newer notes-db",
            header.schema
        ));
    }
    let footer: Footer = serde_json::from_str(last)
        .map_err(|_| format!("line {}: it is cut off: the count at the end is missing", lines.len()))?;
    if footer.count != notes.len() {
        return Err(format!("it is cut off: {} notes of {}", notes.len(), footer.count));
    }
    Ok((header, notes.to_vec()))
}

/// Reads what [`write`] wrote; refuses what [`open`] does, and what is damaged. Errors name the line.
pub(super) fn read(text: &str, newest_schema: u32) -> Result<State, String> {
    let (header, notes) = open(text, newest_schema)?;
    let mut state = State {
        schema: header.schema,
        sequence: header.sequence,
        next_id: header.next_id,
        ..State::default()
    };
    for (index, line) in notes.iter().enumerate() {
        let note: Note =
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", index + 2))?;
        state.next_id = state.next_id.max(note.id + 1);
        state.notes.insert(note.id, note);
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn sample() -> State {
        let mut state = State { schema: 2, sequence: 7, next_id: 3, ..State::default() };
        let note = state.new_note("a \"quoted\"\nnote", vec!["x".into()], Timestamp::UNIX_EPOCH);
        state.notes.insert(1, Note { id: 1, ..note });
        state
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = write(&sample()).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert_eq!(read(&text, 2).unwrap(), sample());
    }

    #[test]
    fn damage_is_refused() {
        let text = write(&sample()).unwrap();
        let cut: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
        let short: String = [0, 2].iter().map(|&n| format!("{}\n", text.lines().nth(n).unwrap())).collect();
        for bad in ["", "x", &cut, &short, &text.replace("notes-db", "other")] {
            assert!(read(bad, 2).is_err(), "{bad}");
        }
        assert!(read(&text, 1).unwrap_err().contains("schema 2"));
    }
}
