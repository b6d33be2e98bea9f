//! Copies beside the data: `$DATA_DIR/copies/<name>.dump`.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

const ENDING: &str = "dump";

/// Where the copies of a database are.
pub(super) struct Copies(PathBuf);

/// A copy that holds what it should.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Its name.
    pub(super) name: String,
    /// It was not there before.
    pub(super) written: bool,
    /// The SHA-256 of its content.
    pub(super) digest: String,
}

impl Copies {
    /// Those beside the data in `directory`.
    pub(super) fn beside(directory: &Path) -> Self {
        Self(directory.join("copies"))
    }

    fn path(&self, name: &str) -> Result<PathBuf, String> {
        let known = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(known) {
            return Err(format!("{name:?} cannot name a copy: use letters, digits, '.', '_' and '-'"));
        }
        Ok(self.0.join(format!("{name}.{ENDING}")))
    }

    /// Writes a copy, unless the newest one has the same content: who tries again and again does not push out what he may need.
    pub(super) fn keep_once(&self, name: &str, content: &[u8]) -> Result<Kept, String> {
        let newest = self.names()?.into_iter().next();
        let same = newest.filter(|newest| self.read(newest).is_ok_and(|known| known == content));
        let written = same.is_none();
        if written {
            self.write(name, content)?;
        }
        let digest = format!("{:x}", Sha256::digest(content));
        Ok(Kept { name: same.unwrap_or_else(|| name.to_owned()), written, digest })
    }

    /// Whole or not at all, in the place of one that has the name.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), String> {
        let path = self.path(name)?;
        let new = path.with_extension("new");
        let written = fs::create_dir_all(&self.0).and_then(|()| {
            let mut file = File::create(&new)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(&self.0)?.sync_all()
        });
        written.map_err(|error| format!("{}: {error}", path.display()))
    }

    /// What is in a copy.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.path(name)?;
        fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Their names, the newest first.
    pub(super) fn names(&self) -> Result<Vec<String>, String> {
        let at = |error: std::io::Error| format!("{}: {error}", self.0.display());
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(error)),
        };
        let mut found: Vec<(SystemTime, String)> = Vec::new();
        for entry in entries {
            let entry = entry.map_err(at)?;
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                let written = entry.metadata().and_then(|metadata| metadata.modified()).map_err(at)?;
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                found.push((written, name));
            }
        }
        found.sort();
        Ok(found.into_iter().rev().map(|(_, name)| name).collect())
    }

    /// Removes all but the newest; gives the names of those that are left, and of those that went.
    pub(super) fn keep(&self, newest: usize) -> Result<(Vec<String>, Vec<String>), String> {
        let mut kept = self.names()?;
        let removed = kept.split_off(newest.min(kept.len()));
        for name in &removed {
            match fs::remove_file(self.path(name)?) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(format!("{name}: {error}")),
                _ => {}
            }
        }
        Ok((kept, removed))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn copies_are_written_read_and_the_oldest_go() {
        let directory = tempfile::tempdir().unwrap();
        let copies = Copies::beside(directory.path());
        assert_eq!(copies.keep(2).unwrap(), (vec![], vec![]));
        for (age, name) in [(30, "a"), (10, "b-1.0.0"), (20, "c")] {
            copies.write(name, name.as_bytes()).unwrap();
            let file = File::options().write(true).open(copies.path(name).unwrap()).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1000 - age)).unwrap();
        }
        assert_eq!(copies.read("b-1.0.0").unwrap(), b"b-1.0.0");
        assert_eq!(copies.names().unwrap(), ["b-1.0.0", "c", "a"]);
        assert_eq!(copies.keep(2).unwrap().1, ["a"]);
        assert_eq!(copies.keep(2).unwrap(), (vec!["b-1.0.0".to_owned(), "c".to_owned()], vec![]));
    }

    #[test]
    fn what_the_newest_copy_has_is_not_written_again() {
        let directory = tempfile::tempdir().unwrap();
        let copies = Copies::beside(directory.path());
        let kept = |name: &str, written| Kept {
            name: name.to_owned(),
            written,
            digest: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
        };
        assert_eq!(copies.keep_once("a", b""), Ok(kept("a", true)));
        assert_eq!(copies.keep_once("b", b""), Ok(kept("a", false)));
        assert!(copies.keep_once("b", b"more").unwrap().written);
        assert!(copies.keep_once("b", b"even more").unwrap().written, "a name is taken again");
        assert_eq!(copies.names().unwrap().len(), 2);
        assert_eq!(copies.read("b").unwrap(), b"even more");
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let copies = Copies::beside(directory.path());
        for name in ["", "..", "../x", "a/b", ".hidden", "a b"] {
            assert!(copies.write(name, b"x").unwrap_err().contains("cannot name a copy"), "{name}");
        }
        assert!(copies.read("none").unwrap_err().contains("none.dump"));
    }
}
