//! Files of a ConfigMap, a Secret, or the downward API in a volume, changed all at once.
//!
//! The layout is that of a real kubelet, because programs watch it: the files are in a directory `..<time>`, `..data` is a link
//! to it, and each visible name is a link through `..data`. An update writes a new directory and renames one link.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::join;

/// The link that an update moves.
const DATA: &str = "..data";
/// Where the new link waits for its renaming.
const NEW_DATA: &str = "..data_tmp";
/// How many names are tried for the new directory: the sandbox's clock may stand still.
const TRIES: u32 = 1000;

/// A file of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox::kubelet) struct File {
    /// Its bytes.
    pub(in crate::sandbox::kubelet) content: Vec<u8>,
    /// Its permissions.
    pub(in crate::sandbox::kubelet) mode: u32,
}

/// Files by their path in the volume.
pub(in crate::sandbox::kubelet) type Payload = BTreeMap<String, File>;

/// Makes the volume hold just these files. Whether anything had to be written.
///
/// # Errors
/// The disk refuses, or a path leads out of the volume; then the old files are still there, all of them.
pub(super) fn write(volume: &Path, payload: &Payload, now: Timestamp) -> io::Result<bool> {
    fs::create_dir_all(volume)?;
    let old = fs::read_link(volume.join(DATA)).ok();
    if old.as_ref().is_some_and(|old| holds(&volume.join(old), payload)) {
        show(volume, payload)?;
        return Ok(false);
    }
    let name = new_directory(volume, now)?;
    let inner = volume.join(&name);
    if let Err(error) = fill(&inner, payload) {
        // Half an update is of no use, and a full disk needs the room.
        fs::remove_dir_all(&inner).ok();
        return Err(error);
    }
    fs::remove_file(volume.join(NEW_DATA)).ok();
    symlink(&name, volume.join(NEW_DATA))?;
    fs::rename(volume.join(NEW_DATA), volume.join(DATA))?;
    show(volume, payload)?;
    if let Some(old) = old {
        fs::remove_dir_all(volume.join(old)).ok();
    }
    Ok(true)
}

fn new_directory(volume: &Path, now: Timestamp) -> io::Result<String> {
    let time = now.strftime("..%Y_%m_%d_%H_%M_%S.%9f").to_string();
    for attempt in 0..TRIES {
        let name = if attempt == 0 { time.clone() } else { format!("{time}-{attempt}") };
        match fs::create_dir(volume.join(&name)) {
            Ok(()) => return Ok(name),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("no free name for a new version of the volume"))
}

fn fill(directory: &Path, payload: &Payload) -> io::Result<()> {
    for (path, file) in payload {
        let target = inside(directory, path)?;
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&target, &file.content)?;
        fs::set_permissions(&target, fs::Permissions::from_mode(file.mode))?;
    }
    Ok(())
}

fn inside(directory: &Path, path: &str) -> io::Result<PathBuf> {
    let target = join(directory, path).filter(|target| target != directory);
    target.ok_or_else(|| io::Error::other(format!("{path:?} leads out of the volume")))
}

/// Whether a version of the volume is what it should be.
fn holds(directory: &Path, payload: &Payload) -> bool {
    let mut found = BTreeSet::new();
    collect(directory, &mut found);
    let wanted: BTreeSet<PathBuf> = payload.keys().filter_map(|path| inside(directory, path).ok()).collect();
    found == wanted
        && payload.iter().all(|(path, file)| {
            inside(directory, path).is_ok_and(|target| {
                let mode = fs::metadata(&target).map(|metadata| metadata.permissions().mode() & 0o7777);
                mode.is_ok_and(|mode| mode == file.mode)
                    && fs::read(&target).is_ok_and(|content| content == file.content)
            })
        })
}

fn collect(directory: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.insert(path);
        }
    }
}

/// Makes the visible names, and takes away those that are no more.
fn show(volume: &Path, payload: &Payload) -> io::Result<()> {
    let wanted: BTreeSet<&str> =
        payload.keys().filter_map(|path| path.trim_start_matches("./").split('/').next()).collect();
    for entry in fs::read_dir(volume)?.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with("..")) else { continue };
        let ours = fs::read_link(entry.path()).is_ok_and(|target| target.starts_with(DATA));
        if ours && !wanted.contains(name) {
            fs::remove_file(entry.path())?;
        }
    }
    for name in wanted {
        match symlink(Path::new(DATA).join(name), volume.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(files: &[(&str, &str)]) -> Payload {
        let file = |content: &str| File { content: content.into(), mode: 0o640 };
        files.iter().map(|(path, content)| ((*path).to_owned(), file(content))).collect()
    }

    #[test]
    fn an_update_moves_one_link_and_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let volume = directory.path();
        let now = Timestamp::UNIX_EPOCH;
        assert!(write(volume, &payload(&[("a", "1"), ("sub/b", "2")]), now).unwrap());
        let first = fs::read_link(volume.join(DATA)).unwrap();
        assert_eq!(first, Path::new("..1970_01_01_00_00_00.000000000"));
        assert_eq!(fs::read_link(volume.join("a")).unwrap(), Path::new("..data/a"));
        assert_eq!(fs::read_to_string(volume.join("sub/b")).unwrap(), "2");
        let mode = fs::metadata(volume.join("a")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);

        assert!(!write(volume, &payload(&[("a", "1"), ("sub/b", "2")]), now).unwrap());
        assert!(write(volume, &payload(&[("a", "new")]), now).unwrap());
        assert_ne!(fs::read_link(volume.join(DATA)).unwrap(), first);
        assert_eq!(fs::read_to_string(volume.join("a")).unwrap(), "new");
        assert!(fs::symlink_metadata(volume.join("sub")).is_err());
        assert!(!volume.join(first).exists());
    }

    #[test]
    fn a_path_out_of_the_volume_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        write(directory.path(), &payload(&[("a", "1")]), now).unwrap();
        write(directory.path(), &payload(&[("a", "2"), ("../b", "2")]), now).unwrap_err();
        assert_eq!(fs::read_to_string(directory.path().join("a")).unwrap(), "1");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
    }
}
