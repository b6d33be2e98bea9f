//! What images need to know of the host: where it keeps programs, and where the files of the container are.

use std::path::PathBuf;

/// The programs of one server, as the host has them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Programs {
    /// The directory of the server.
    pub(super) directory: PathBuf,
    /// What the server says its version is.
    pub(super) version: String,
}

/// The directories of the PATH.
pub(super) fn path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// Whether a program is in one of them.
pub(super) fn on_path(program: &str) -> bool {
    path().iter().any(|directory| directory.join(program).is_file())
}

/// A path in the container, as it is on this machine.
pub(super) fn inside(path: &str) -> PathBuf {
    let root = std::env::var_os("STYRMIN_ROOT").map(PathBuf::from).unwrap_or_else(|| PathBuf::from("/"));
    root.join(path.trim_start_matches('/'))
}
