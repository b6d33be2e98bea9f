//! A repository in a directory. A file is written under a temporary name, synced, and renamed: it is there whole or not at all.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use rustic_core::{FileType, Id};
use rustix::io::Errno;
use tokio_util::sync::CancellationToken;

use super::error::StorageError;
use super::storage::{File, Kind, Storage, identifier};

/// What temporary names have in common, as the public program has it.
const TEMPORARY: &str = "-tmp-";
/// How old a temporary file is before nobody can be writing it any more.
const STALE: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Directory {
    root: PathBuf,
}

impl Directory {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn path(&self, file: &File) -> PathBuf {
        self.root.join(file.path())
    }

    fn error(&self, file: Option<&File>, error: &io::Error) -> StorageError {
        let place = self.place();
        let why = match file {
            Some(file) => format!("{}: {error}", file.path()),
            None => error.to_string(),
        };
        match (error.kind(), file) {
            (ErrorKind::NotFound, Some(file)) if self.root.is_dir() => {
                StorageError::Missing { file: file.path() }
            }
            (ErrorKind::NotFound, _) => StorageError::NoPlace { place },
            (ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem, _) => {
                StorageError::Denied { place, why }
            }
            (ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge, _) => {
                StorageError::Full { place, why }
            }
            _ => StorageError::Unreachable { place, why },
        }
    }

    fn folder(&self, kind: FileType) -> PathBuf {
        self.root.join(kind.dirname())
    }

    /// The files below a folder of the repository, with their sizes; none when it is not there.
    fn files(&self, folder: &Path) -> Result<Vec<(OsString, u64)>, StorageError> {
        let failed = |error: &io::Error| self.error(None, error);
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound && self.root.is_dir() => return Ok(Vec::new()),
            Err(error) => return Err(failed(&error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| failed(&error))?;
            let about = match entry.metadata() {
                Ok(about) => about,
                // taken away meanwhile
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(&error)),
            };
            if about.is_file() {
                found.push((entry.file_name(), about.len()));
            }
        }
        Ok(found)
    }

    fn write_new(&self, path: &Path, content: &[Bytes]) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.root);
        make_folder(folder)?;
        let mut name = path.file_name().map(OsString::from).unwrap_or_default();
        name.push(format!("{TEMPORARY}{}-{:016x}", std::process::id(), random()?));
        let temporary = folder.join(name);
        let written = write_whole(&temporary, content).and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            // what stays has a name that nobody reads, and is swept
            let _ = fs::remove_file(&temporary);
        }
        written?;
        fs::File::open(folder)?.sync_all()
    }

    /// The one file that is not named by its content: whoever comes second must not replace it.
    fn write_config(&self, content: &[Bytes]) -> io::Result<()> {
        let path = self.root.join("config");
        let temporary = self.root.join(format!("config{TEMPORARY}{:016x}", random()?));
        let written =
            write_whole(&temporary, content).and_then(|()| match fs::hard_link(&temporary, &path) {
                // a file system without links
                Err(error) if Errno::from_io_error(&error) == Some(Errno::PERM) => {
                    fs::rename(&temporary, &path)
                }
                linked => linked,
            });
        let _ = fs::remove_file(&temporary);
        written?;
        fs::File::open(&self.root)?.sync_all()
    }
}

fn random() -> io::Result<u64> {
    getrandom::u64().map_err(|error| io::Error::other(error.to_string()))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() { Ok(()) } else { DirBuilder::new().recursive(true).mode(0o700).create(folder) }
}

fn write_whole(path: &Path, content: &[Bytes]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    for bytes in content {
        file.write_all(bytes)?;
    }
    file.sync_all()
}

impl Storage for Directory {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn create(&self, _stop: &CancellationToken) -> Result<(), StorageError> {
        let made = (|| {
            make_folder(&self.root)?;
            for folder in ["data", "index", "keys", "locks", "snapshots"] {
                make_folder(&self.root.join(folder))?;
            }
            (0..=255_u8).try_for_each(|byte| make_folder(&self.root.join(format!("data/{byte:02x}"))))
        })();
        made.map_err(|error: io::Error| self.error(None, &error))
    }

    fn list(&self, kind: FileType, stop: &CancellationToken) -> Result<Vec<(Id, u64)>, StorageError> {
        if !self.root.is_dir() {
            return Err(StorageError::NoPlace { place: self.place() });
        }
        let folder = self.folder(kind);
        let files = match kind {
            FileType::Config => {
                return match fs::metadata(&folder) {
                    Ok(about) => Ok(vec![(Id::default(), about.len())]),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
                    Err(error) => Err(self.error(None, &error)),
                };
            }
            FileType::Pack => {
                let mut files = Vec::new();
                for byte in 0..=255_u8 {
                    if stop.is_cancelled() {
                        return Err(StorageError::Cancelled);
                    }
                    files.extend(self.files(&folder.join(format!("{byte:02x}")))?);
                }
                files
            }
            _ => self.files(&folder)?,
        };
        let named = files.into_iter().filter_map(|(name, size)| Some((identifier(name.to_str()?)?, size)));
        Ok(named.collect())
    }

    fn read(
        &self,
        file: &File,
        range: Option<(u32, u32)>,
        stop: &CancellationToken,
    ) -> Result<Bytes, StorageError> {
        if stop.is_cancelled() {
            return Err(StorageError::Cancelled);
        }
        let path = self.path(file);
        let read = (|| {
            let mut open = fs::File::open(&path)?;
            let Some((offset, length)) = range else {
                let mut whole = Vec::new();
                open.read_to_end(&mut whole)?;
                return Ok(whole);
            };
            let mut part = vec![0; length as usize];
            let mut filled = 0;
            while filled < part.len() {
                match open.read_at(&mut part[filled..], u64::from(offset) + filled as u64) {
                    Ok(0) => break,
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            part.truncate(filled);
            Ok(part)
        })();
        read.map(Bytes::from).map_err(|error: io::Error| self.error(Some(file), &error))
    }

    fn missing(&self, files: &[File], stop: &CancellationToken) -> Result<Vec<File>, StorageError> {
        let mut missing = Vec::new();
        for file in files {
            if stop.is_cancelled() {
                return Err(StorageError::Cancelled);
            }
            match fs::metadata(self.path(file)).map_err(|error| self.error(Some(file), &error)) {
                Ok(_) => {}
                Err(StorageError::Missing { .. }) => missing.push(*file),
                Err(error) => return Err(error),
            }
        }
        Ok(missing)
    }

    fn write(&self, file: &File, content: &[Bytes], stop: &CancellationToken) -> Result<(), StorageError> {
        if stop.is_cancelled() {
            return Err(StorageError::Cancelled);
        }
        // where a disk was taken away, nothing must be written into what it was mounted on
        let mounted = match file.kind {
            Kind::Config | Kind::Key => self.root.is_dir(),
            Kind::Snapshot | Kind::Index | Kind::Pack => self.root.join("config").is_file(),
        };
        if !mounted {
            return Err(StorageError::NoPlace { place: self.place() });
        }
        let written = match file.kind {
            Kind::Config => self.write_config(content),
            _ => self.write_new(&self.path(file), content),
        };
        written.map_err(|error| self.error(None, &error))
    }

    fn remove(&self, file: &File, stop: &CancellationToken) -> Result<(), StorageError> {
        if stop.is_cancelled() {
            return Err(StorageError::Cancelled);
        }
        match fs::remove_file(self.path(file)) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.root.is_dir() => Ok(()),
            removed => removed.map_err(|error| self.error(Some(file), &error)),
        }
    }

    fn sweep(&self, stop: &CancellationToken) -> Result<(), StorageError> {
        let folders = ["", "index", "keys", "snapshots"].map(|name| self.root.join(name));
        let data = (0..=255_u8).map(|byte| self.root.join(format!("data/{byte:02x}")));
        for folder in folders.into_iter().chain(data) {
            if stop.is_cancelled() {
                return Err(StorageError::Cancelled);
            }
            for (name, _) in self.files(&folder)? {
                let path = folder.join(&name);
                let temporary = name.to_string_lossy().contains(TEMPORARY);
                let age = fs::metadata(&path).and_then(|about| about.modified()).map(|time| time.elapsed());
                if let (true, Ok(Ok(age))) = (temporary, age)
                    && age > STALE
                {
                    tracing::info!(path = %path.display(), "a file that was never finished is taken away");
                    fs::remove_file(&path).map_err(|error| self.error(None, &error))?;
                }
            }
        }
        Ok(())
    }

    fn window(&self) -> u32 {
        0
    }
}
