//! The last events, kept to be written down when the program panics, and stepped again by `styrmin replay`.
//!
//! What is typed into a secret field is never kept: the character is replaced before it enters the ring.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crossterm::event::{KeyCode, KeyEvent};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::Problem;
use crate::ui::event::Event;

/// How many events are kept.
const EVENTS: usize = 2_000;
/// How many of them may be pictures of the world: the newest; they are large.
const WORLDS: usize = 16;

/// One recorded event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// The first line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The program's version.
    pub version: String,
    /// Columns and rows at the start.
    pub size: (u16, u16),
}

/// The ring. Clones share it.
#[derive(Debug, Clone)]
pub struct Recorder {
    ring: Arc<Mutex<VecDeque<Entry>>>,
    header: Header,
}

impl Recorder {
    /// An empty ring for a terminal of this size.
    pub fn new(size: (u16, u16)) -> Self {
        let header = Header { version: env!("CARGO_PKG_VERSION").to_owned(), size };
        Self { ring: Arc::new(Mutex::new(VecDeque::with_capacity(EVENTS))), header }
    }

    /// Keeps an event; `secret` says that the focus is in a field whose text must not be kept.
    pub fn note(&self, event: &Event, at: Timestamp, secret: bool) {
        let event = match event {
            Event::Config(_) => return,
            Event::Key(key) if secret => Event::Key(masked(*key)),
            Event::Paste(text) if secret => Event::Paste("*".repeat(text.chars().count())),
            other => other.clone(),
        };
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == EVENTS {
            ring.pop_front();
        }
        let is_world = matches!(event, Event::World(..));
        ring.push_back(Entry { at, event });
        if is_world {
            forget_old_worlds(&mut ring);
        }
    }

    /// Writes the ring into a new file of `directory`, readable by its owner only, and returns its path.
    ///
    /// # Errors
    /// When the directory or the file cannot be written.
    pub fn dump(&self, directory: &Path, now: Timestamp) -> io::Result<PathBuf> {
        use std::os::unix::fs::OpenOptionsExt;
        fs::create_dir_all(directory)?;
        let path = directory.join(format!("{}.jsonl", now.strftime("%Y%m%dT%H%M%S%.3f")));
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let mut out = io::BufWriter::new(file);
        writeln!(out, "{}", serde_json::to_string(&self.header)?)?;
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in ring.iter() {
            writeln!(out, "{}", serde_json::to_string(entry)?)?;
        }
        out.flush()?;
        Ok(path)
    }
}

fn masked(key: KeyEvent) -> KeyEvent {
    match key.code {
        KeyCode::Char(_) => KeyEvent { code: KeyCode::Char('*'), ..key },
        _ => key,
    }
}

fn forget_old_worlds(ring: &mut VecDeque<Entry>) {
    let is_world = |entry: &Entry| matches!(entry.event, Event::World(..));
    let worlds = ring.iter().filter(|entry| is_world(entry)).count();
    if worlds > WORLDS
        && let Some(oldest) = ring.iter().position(is_world)
    {
        ring.remove(oldest);
    }
}

/// Reads a recording.
///
/// # Errors
/// When the file cannot be read, or a line of it is not what was written: the message names the line.
pub fn read(path: &Path) -> Result<(Header, Vec<Entry>), Problem> {
    let what = || format!("The recording {} cannot be replayed", path.display());
    let next = "name a file from the state directory's recordings/, written by this version";
    let file = fs::File::open(path).map_err(|error| Problem::new(what(), error.to_string(), next))?;
    let mut lines = io::BufReader::new(file).lines().enumerate();
    let malformed = |number: usize, error: &dyn std::fmt::Display| {
        Problem::new(what(), format!("line {}: {error}", number + 1), next)
    };
    let (number, first) = lines.next().ok_or_else(|| Problem::new(what(), "it is empty", next))?;
    let first = first.map_err(|error| malformed(number, &error))?;
    let header: Header = serde_json::from_str(&first).map_err(|error| malformed(number, &error))?;
    let mut entries = Vec::new();
    for (number, line) in lines {
        let line = line.map_err(|error| malformed(number, &error))?;
        entries.push(serde_json::from_str(&line).map_err(|error| malformed(number, &error))?);
    }
    Ok((header, entries))
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;

    fn key(c: char) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))
    }

    #[test]
    fn what_is_dumped_can_be_read_and_hides_secrets() {
        let directory = tempfile::tempdir().unwrap();
        let recorder = Recorder::new((80, 24));
        recorder.note(&key('j'), Timestamp::UNIX_EPOCH, false);
        recorder.note(&key('s'), Timestamp::UNIX_EPOCH, true);
        recorder.note(&Event::Paste("hunter2".into()), Timestamp::UNIX_EPOCH, true);
        let path = recorder.dump(directory.path(), Timestamp::UNIX_EPOCH).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("hunter2"));
        let (header, entries) = read(&path).unwrap();
        assert_eq!(header.size, (80, 24));
        let typed: Vec<KeyCode> = entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::Key(key) => Some(key.code),
                _ => None,
            })
            .collect();
        assert_eq!(typed, [KeyCode::Char('j'), KeyCode::Char('*')]);
    }

    #[test]
    fn the_ring_is_bounded_and_a_bad_line_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let recorder = Recorder::new((80, 24));
        for _ in 0..EVENTS + 10 {
            recorder.note(&key('j'), Timestamp::UNIX_EPOCH, false);
        }
        let path = recorder.dump(directory.path(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(read(&path).unwrap().1.len(), EVENTS);
        fs::write(&path, "{\"version\":\"0\",\"size\":[1,1]}\nnonsense\n").unwrap();
        assert!(read(&path).unwrap_err().why.starts_with("line 2"));
    }
}
