//! Which database servers the host has.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::sandbox::images::host::{Programs, on_path, path};

/// The programs behind an image of that name; none when it is no server's, or the host does not have them.
pub(in crate::sandbox::images) fn find(image: &str) -> Option<&'static Programs> {
    static POSTGRES: OnceLock<Option<Programs>> = OnceLock::new();
    static MARIADB: OnceLock<Option<Programs>> = OnceLock::new();
    match image {
        "postgres" => POSTGRES.get_or_init(|| look(postgres(), &["postgres", "initdb", "pg_dump"])).as_ref(),
        "mariadb" => MARIADB.get_or_init(|| look(mariadb(), &["mariadbd"])).as_ref().filter(|_| installs()),
        _ => None,
    }
}

fn look(mut directories: Vec<PathBuf>, programs: &[&str]) -> Option<Programs> {
    // as root they need another user
    if rustix::process::getuid().is_root() && !on_path("setpriv") {
        return None;
    }
    directories.retain(|directory| programs.iter().all(|program| directory.join(program).is_file()));
    let directory = directories.into_iter().next()?;
    let said = Command::new(directory.join(programs[0])).arg("--version").output().ok()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let version = said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(Programs { directory, version: version.trim_end_matches(',').to_owned() })
}

/// The newest first.
fn postgres() -> Vec<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, path)| path).chain(path()).collect()
}

fn mariadb() -> Vec<PathBuf> {
    ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from).into_iter().chain(path()).collect()
}

fn installs() -> bool {
    ["mariadb-install-db", "mariadb", "mariadb-dump"].iter().all(|program| on_path(program))
}
