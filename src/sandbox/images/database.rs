//! What the images of database servers have in common: where the host keeps their programs, their data, their first start, their end.
//!
//! A server runs as the host's program, on the pod's address only. It refuses to be root: as root it is started as the user that the host
//! has for it (or `nobody`), with the right to pass directories that are root's alone, because volumes are below the sandbox's own.

mod found;
pub(super) mod mariadb;
pub(super) mod postgres;

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::complain;
use super::host::{Programs, inside};
pub(super) use found::find;

/// The rights that stay with a server that is not root: its volume lies below directories that only root may enter.
const RIGHTS: &str = "+dac_override,+dac_read_search";

/// A variable, or what is in the file that `NAME_FILE` names: as the images of the Docker library read secrets.
fn setting(names: &[&str]) -> Result<Option<String>, String> {
    for name in names {
        if let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()) {
            return Ok(Some(value));
        }
        if let Some(file) = std::env::var(format!("{name}_FILE")).ok().filter(|file| !file.is_empty()) {
            let path = inside(&file);
            let text = fs::read_to_string(&path).map_err(|error| format!("{name}_FILE: {file}: {error}"))?;
            return Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
        }
    }
    Ok(None)
}

/// Whom a server runs as.
#[derive(Debug, Clone, Copy)]
struct Identity {
    uid: u32,
    gid: u32,
}

impl Identity {
    /// None: as whoever runs the sandbox.
    fn of(names: &[&str]) -> Option<Self> {
        if !rustix::process::getuid().is_root() {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        Some(names.iter().find_map(|name| user(&users, name)).unwrap_or(Self { uid: 65534, gid: 65534 }))
    }
}

fn user(passwd: &str, name: &str) -> Option<Identity> {
    let mut fields = passwd
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
    fields.next();
    Some(Identity { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

/// A directory of data that exists, with everything in it the server's.
fn data(path: &str, identity: Option<Identity>) -> Result<PathBuf, String> {
    let failed = |error: io::Error| format!("{path}: {error}");
    let directory = inside(path);
    fs::create_dir_all(&directory).map_err(failed)?;
    let directory = fs::canonicalize(&directory).map_err(failed)?;
    if let Some(identity) = identity {
        own(&directory, identity).map_err(failed)?;
    }
    // what a volume has may be open to a group; the server wants it for itself
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    Ok(directory)
}

fn own(path: &Path, identity: Identity) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, lchown};
    let about = fs::symlink_metadata(path)?;
    if (about.uid(), about.gid()) != (identity.uid, identity.gid) {
        lchown(path, Some(identity.uid), Some(identity.gid))?;
    }
    if about.is_dir() {
        for entry in fs::read_dir(path)? {
            own(&entry?.path(), identity)?;
        }
    }
    Ok(())
}

/// A command that runs as that identity, in the directory.
fn command(program: &Path, identity: Option<Identity>, directory: &Path) -> Command {
    let Some(Identity { uid, gid }) = identity else {
        let mut command = Command::new(program);
        command.current_dir(directory);
        return command;
    };
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
    command.arg(format!("--inh-caps={RIGHTS}")).arg(format!("--ambient-caps={RIGHTS}"));
    command.arg(program).current_dir(directory);
    command
}

/// Runs a step of the first start; what it says goes to the log when it fails.
async fn step(mut command: Command, input: &str, what: &str) -> Result<(), String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{what}: {error}"))?;
    let stdin = child.stdin.take();
    let (_, output) = tokio::join!(
        async {
            if let Some(mut stdin) = stdin {
                stdin.write_all(input.as_bytes()).await.ok();
            }
        },
        child.wait_with_output()
    );
    let output = output.map_err(|error| format!("{what}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{what}: {}\n{}", output.status, String::from_utf8_lossy(&said).trim()))
}

/// A file for one run, which only the server may read.
fn private(name: &str, text: &str, identity: Option<Identity>) -> Result<PathBuf, String> {
    let directory = inside("/tmp");
    let path = directory.join(name);
    let written = fs::create_dir_all(&directory).and_then(|()| {
        fs::remove_file(&path).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        fs::write(&path, "")?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        if let Some(Identity { uid, gid }) = identity {
            chown(&path, Some(uid), Some(gid))?;
        }
        fs::write(&path, text)
    });
    written.map(|()| path.clone()).map_err(|error| format!("{}: {error}", path.display()))
}

/// A first start that has begun and not ended: beside the data, so that the data alone tells nothing wrong.
struct FirstStart {
    mark: PathBuf,
}

impl FirstStart {
    /// Begins one where there is no data yet (`sign` is missing), or where an earlier one was cut short; what that left goes.
    fn begin(directory: &Path, sign: &str) -> Result<Option<Self>, String> {
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        let mark = directory.with_file_name(format!(".styrmin-first-start-{name}"));
        let failed = |error: io::Error| format!("{}: {error}", directory.display());
        if !mark.exists() && directory.join(sign).exists() {
            return Ok(None);
        }
        if mark.exists() {
            for entry in fs::read_dir(directory).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let gone = match entry.file_type().map_err(failed)?.is_dir() {
                    true => fs::remove_dir_all(entry.path()),
                    false => fs::remove_file(entry.path()),
                };
                gone.map_err(failed)?;
            }
        }
        fs::write(&mark, "").map_err(failed)?;
        Ok(Some(Self { mark }))
    }

    fn end(self) -> Result<(), String> {
        fs::remove_file(&self.mark).map_err(|error| format!("{}: {error}", self.mark.display()))
    }
}

/// Scripts of a first start are not run here; a container that brings some is told so.
fn no_scripts() -> Result<(), String> {
    let any =
        fs::read_dir(inside("/docker-entrypoint-initdb.d")).is_ok_and(|mut entries| entries.next().is_some());
    if any {
        Err("the sandbox does not run what is in /docker-entrypoint-initdb.d".to_owned())
    } else {
        Ok(())
    }
}

/// The name of whoever runs the sandbox.
fn own_name() -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let mut names = users.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    names.next()
}

/// Says why a server does not start; its exit code.
fn refuse(image: &str, why: &str) -> u8 {
    complain(&format!("{image}: {why}"));
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_from_the_list_of_users() {
        let list = "root:x:0:0:root:/root:/bin/sh\npostgres:x:105:112::/var/lib/postgresql:/bin/bash\n";
        let found = user(list, "postgres").unwrap();
        assert_eq!((found.uid, found.gid), (105, 112));
        assert!(user(list, "post").is_none());
    }

    #[test]
    fn a_first_start_that_was_cut_short_begins_anew_and_one_that_ended_does_not() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        fs::create_dir(&data).unwrap();
        let first = FirstStart::begin(&data, "PG_VERSION").unwrap().unwrap();
        fs::write(data.join("PG_VERSION"), "15").unwrap();
        drop(first);
        let again = FirstStart::begin(&data, "PG_VERSION").unwrap().unwrap();
        assert!(!data.join("PG_VERSION").exists(), "what was left of it is gone");
        fs::write(data.join("PG_VERSION"), "15").unwrap();
        again.end().unwrap();
        assert!(FirstStart::begin(&data, "PG_VERSION").unwrap().is_none());
        assert!(data.join("PG_VERSION").exists());
    }
}
