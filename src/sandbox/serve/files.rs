//! Files that only their owner may read.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::ServeError;

/// The longest file that is read, in bytes: a kubeconfig of many clusters.
const LONGEST: u64 = 1024 * 1024;

/// Makes a directory for its owner alone.
pub fn make_directory(path: &Path) -> Result<(), ServeError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| ServeError::file(path, error))
}

/// Puts a file in place, with mode 0600, whole or not at all.
pub fn write(path: &Path, text: &str) -> Result<(), ServeError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let written = write_new(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // what could not be put in place is of no use
        let _ = fs::remove_file(&beside);
        ServeError::file(path, error)
    })
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The text of a file, `None` when there is no file.
pub fn read(path: &Path) -> Result<Option<String>, ServeError> {
    let failed = |error| ServeError::file(path, error);
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 1 MiB")));
    }
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|_| failed(io::Error::new(io::ErrorKind::InvalidData, "it is no text")))
}

/// As [`read`], for a secret: whatever its mode was, it is 0600 from now on.
pub fn read_secret(path: &Path) -> Result<Option<String>, ServeError> {
    let text = read(path)?;
    if text.is_some() {
        fs::set_permissions(path, Permissions::from_mode(0o600))
            .map_err(|error| ServeError::file(path, error))?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn secrets_are_for_their_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/er");
        make_directory(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        let file = path.join("token");
        assert_eq!(read_secret(&file).unwrap(), None);
        write(&file, "one").unwrap();
        write(&file, "two").unwrap();
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(read_secret(&file).unwrap().as_deref(), Some("two"));
        assert_eq!(mode(&file), 0o600);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_no_file_of_text_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let told = write(&directory.path().join("missing/file"), "x").unwrap_err().to_string();
        assert!(told.contains("missing/file"), "{told}");
        assert!(matches!(read(directory.path()), Err(ServeError::File { .. })));
        let binary = directory.path().join("binary");
        fs::write(&binary, [0xff, 0xfe]).unwrap();
        assert!(matches!(read(&binary), Err(ServeError::File { .. })));
    }
}
