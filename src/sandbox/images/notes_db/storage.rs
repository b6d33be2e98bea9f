//! The files: `notes.snapshot`, `notes.journal`, `notes.lock`.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::dump;
use super::state::{Change, Entry, State};

/// Entries after which the journal is folded into the snapshot.
const COMPACT_AFTER: usize = 1000;

/// The open database.
pub(super) struct Storage {
    directory: PathBuf,
    state: State,
    journal: File,
    entries: usize,
    /// Held as long as the database is open.
    _lock: File,
}

impl Storage {
    /// Opens the database in `directory`, creating it where there is none. The second value says what was repaired.
    ///
    /// # Errors
    /// Another process has it open, it is damaged or newer than `newest_schema`, or the disk refuses.
    pub(super) fn open(directory: &Path, newest_schema: u32) -> Result<(Self, Option<String>), String> {
        let at = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        std::fs::create_dir_all(directory).map_err(|error| at(directory, &error))?;
        let lock = lock(&directory.join("notes.lock"))?;
        let snapshot = snapshot(directory);
        let mut state = match std::fs::read_to_string(&snapshot) {
            Ok(text) => dump::read(&text, newest_schema).map_err(|why| at(&snapshot, &why))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(at(&snapshot, &error)),
        };
        let path = directory.join("notes.journal");
        let mut journal = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| at(&path, &error))?;
        let mut text = Vec::new();
        journal.read_to_end(&mut text).map_err(|error| at(&path, &error))?;
        let (entries, good) = parse(&text).map_err(|why| at(&path, &why))?;
        for entry in &entries {
            state.apply(entry);
        }
        if state.schema > newest_schema {
            let why = format!("it has schema {}, and this version reads up to {newest_schema}", state.schema);
            return Err(at(&path, &why));
        }
        let torn = text.len() - good;
        journal.set_len(good as u64).map_err(|error| at(&path, &error))?;
        journal.seek(SeekFrom::End(0)).map_err(|error| at(&path, &error))?;
        let note = (torn > 0).then(|| format!("dropped {torn} bytes of an unfinished write at the end"));
        let entries = entries.len();
        Ok((Self { directory: directory.to_owned(), state, journal, entries, _lock: lock }, note))
    }

    /// What is in it.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Writes a change and syncs it; only then it counts.
    ///
    /// # Errors
    /// The disk refused; nothing has changed then.
    pub(super) fn commit(&mut self, change: Change) -> Result<(), String> {
        let entry = Entry { sequence: self.state.sequence + 1, change };
        let line = serde_json::to_string(&entry).map_err(|error| error.to_string())? + "\n";
        let start = self.journal.stream_position().map_err(|error| error.to_string())?;
        let written = self.journal.write_all(line.as_bytes()).and_then(|()| self.journal.sync_data());
        if let Err(error) = written {
            // Half a line must not stand before the next one.
            self.journal.set_len(start).ok();
            self.journal.seek(SeekFrom::Start(start)).ok();
            return Err(error.to_string());
        }
        self.state.apply(&entry);
        self.entries += 1;
        if self.entries >= COMPACT_AFTER {
            self.compact()?;
        }
        Ok(())
    }

    /// Replaces everything. The sequence goes on, so that no old journal entry can be applied to the new state.
    ///
    /// # Errors
    /// The disk refused; the old content stands then.
    pub(super) fn replace(&mut self, state: State) -> Result<(), String> {
        let sequence = self.state.sequence.max(state.sequence) + 1;
        let new = State { sequence, ..state };
        let old = std::mem::replace(&mut self.state, new);
        self.compact().inspect_err(|_| self.state = old)
    }

    /// The size of the journal in bytes.
    pub(super) fn journal_bytes(&self) -> u64 {
        self.journal.metadata().map_or(0, |metadata| metadata.len())
    }

    /// Folds the journal into the snapshot; gives how many of its entries that were.
    ///
    /// # Errors
    /// The disk refused; what was there before stands then.
    pub(super) fn fold(&mut self) -> Result<usize, String> {
        let entries = self.entries;
        self.compact()?;
        Ok(entries)
    }

    /// Writes the snapshot beside the old one, swaps them, empties the journal. A crash between the steps loses nothing: the
    /// sequence numbers tell which entries the snapshot already has.
    fn compact(&mut self) -> Result<(), String> {
        let text = dump::write(&self.state)?;
        let new = self.directory.join("notes.snapshot.new");
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, snapshot(&self.directory))?;
            File::open(&self.directory)?.sync_all()
        });
        written.map_err(|error| format!("{}: {error}", new.display()))?;
        self.entries = 0;
        self.journal
            .set_len(0)
            .and_then(|()| self.journal.seek(SeekFrom::Start(0)).map(drop))
            .map_err(|error| format!("notes.journal: {error}"))
    }
}

/// Where the snapshot is.
pub(super) fn snapshot(directory: &Path) -> PathBuf {
    directory.join("notes.snapshot")
}

fn lock(path: &Path) -> Result<File, String> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(format!("{}: another notes-db has this data open", path.display()))
        }
        Err(TryLockError::Error(error)) => Err(format!("{}: {error}", path.display())),
    }
}

/// The entries of a journal, and how many of its bytes are good: an unfinished last line is not.
fn parse(text: &[u8]) -> Result<(Vec<Entry>, usize), String> {
    let mut entries = Vec::new();
    let mut good = 0;
    for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let Some(content) = line.strip_suffix(b"\n") else { break };
        let entry =
            serde_json::from_slice(content).map_err(|error| format!("line {}: {error}", index + 1))?;
        entries.push(entry);
        good += line.len();
    }
    Ok((entries, good))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn add(storage: &mut Storage, text: &str) {
        let note = storage.state().new_note(text, Vec::new(), Timestamp::UNIX_EPOCH);
        storage.commit(Change::Add { note }).unwrap();
    }

    fn texts(storage: &Storage) -> Vec<String> {
        storage.state().notes.values().map(|note| note.text.clone()).collect()
    }

    fn open(directory: &Path, schema: u32) -> Storage {
        Storage::open(directory, schema).unwrap().0
    }

    #[test]
    fn notes_survive_reopening_compaction_and_a_torn_write() {
        let directory = tempfile::tempdir().unwrap();
        let mut storage = open(directory.path(), 1);
        add(&mut storage, "one");
        storage.compact().unwrap();
        add(&mut storage, "two");
        drop(storage);
        let journal = directory.path().join("notes.journal");
        OpenOptions::new().append(true).open(&journal).unwrap().write_all(b"{\"sequence\":3,\"op").unwrap();
        let (mut storage, repaired) = Storage::open(directory.path(), 1).unwrap();
        assert!(repaired.is_some());
        add(&mut storage, "three");
        drop(storage);
        assert_eq!(texts(&open(directory.path(), 1)), ["one", "two", "three"]);
    }

    #[test]
    fn entries_that_the_snapshot_has_are_not_applied_twice() {
        let directory = tempfile::tempdir().unwrap();
        let mut storage = open(directory.path(), 1);
        add(&mut storage, "one");
        let journal = std::fs::read(directory.path().join("notes.journal")).unwrap();
        let id = 1;
        storage.commit(Change::Delete { id }).unwrap();
        storage.compact().unwrap();
        drop(storage);
        // As after a crash between the new snapshot and the emptied journal.
        std::fs::write(directory.path().join("notes.journal"), journal).unwrap();
        assert!(texts(&open(directory.path(), 1)).is_empty());
    }

    #[test]
    fn damage_newer_data_and_a_second_opener_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let mut storage = open(directory.path(), 2);
        let second = Storage::open(directory.path(), 2).err().unwrap();
        assert!(second.contains("another notes-db"), "{second}");
        storage.commit(Change::Migrate { to: 2, at: Timestamp::UNIX_EPOCH }).unwrap();
        drop(storage);
        let newer = Storage::open(directory.path(), 1).err().unwrap();
        assert!(newer.contains("schema 2"), "{newer}");
        std::fs::write(directory.path().join("notes.journal"), "garbage\n").unwrap();
        let damaged = Storage::open(directory.path(), 2).err().unwrap();
        assert!(damaged.contains("notes.journal: line 1"), "{damaged}");
    }

    #[test]
    fn a_restore_replaces_everything() {
        let directory = tempfile::tempdir().unwrap();
        let mut storage = open(directory.path(), 1);
        add(&mut storage, "one");
        let copy = storage.state().clone();
        add(&mut storage, "two");
        storage.replace(copy).unwrap();
        add(&mut storage, "three");
        drop(storage);
        assert_eq!(texts(&open(directory.path(), 1)), ["one", "three"]);
    }
}
