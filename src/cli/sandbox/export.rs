//! `styrmin sandbox export` and `styrmin sandbox import`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Place;
use crate::app::home;
use crate::app::paths::Paths;
use crate::domain::Problem;
use crate::sandbox::SandboxError;
use crate::sandbox::portable::{self, HEADER, PortableError};
use crate::sandbox::serve::files;

/// Arguments of `sandbox export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    #[command(flatten)]
    place: Place,
    /// Only this namespace, what is in it, and the PersistentVolumes of its claims
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,
    /// The file, written with mode 0600; an earlier export is replaced, any other file is not [default: standard output]
    file: Option<PathBuf>,
}

/// Arguments of `sandbox import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    #[command(flatten)]
    place: Place,
    /// An export
    file: PathBuf,
}

/// Writes the export.
///
/// # Errors
/// There is nothing to export, or it cannot be written.
pub fn export(arguments: &ExportArguments) -> Result<(), Problem> {
    let directory = Paths::resolve(arguments.place.state.as_deref(), None)?.sandbox();
    if let Some(file) = &arguments.file {
        check_replaceable(file)?;
    }
    let export = portable::export(&directory, arguments.namespace.as_deref())
        .map_err(|error| problem("The sandbox cannot be exported", &directory, &error))?;
    match &arguments.file {
        Some(file) => {
            let written = files::write(file, &export.text);
            written.map_err(|error| unwritten(&error.to_string()))?;
            say(&format!("{} objects are in {}\n", export.objects, file.display()))
        }
        None => say(&export.text),
    }
}

/// Reads the export, and tells what became of it.
///
/// # Errors
/// The file is no export, or the directory cannot be used; nothing is changed then.
pub fn import(arguments: &ImportArguments) -> Result<(), Problem> {
    let directory = Paths::resolve(arguments.place.state.as_deref(), None)?.sandbox();
    let what = format!("{} cannot be imported", arguments.file.display());
    let text = fs::read_to_string(&arguments.file).map_err(|error| {
        Problem::new(what.clone(), error.to_string(), "name a file that `styrmin sandbox export` wrote")
    })?;
    let made = files::make_directory(&directory);
    made.map_err(|error| {
        Problem::new(what.clone(), error.to_string(), "make it writable for you, or name another --state")
    })?;
    let imported = portable::import(&directory, &text).map_err(|error| problem(&what, &directory, &error))?;
    let mut told = format!("{} objects are new\n", imported.created);
    if !imported.kept.is_empty() {
        told.push_str(&format!("{} were there already, and stay as they are:\n", imported.kept.len()));
        told.extend(imported.kept.iter().map(|name| format!("  {name}\n")));
    }
    if imported.freed > 0 {
        told.push_str(&format!("{} references to owners that are nowhere were taken away\n", imported.freed));
    }
    say(&told)
}

/// Refuses to put an export in place of something else.
fn check_replaceable(file: &Path) -> Result<(), Problem> {
    let what = format!("{} is not replaced", file.display());
    match fs::read(file) {
        Ok(bytes) if bytes.is_empty() || bytes.starts_with(HEADER.as_bytes()) => Ok(()),
        Ok(_) => Err(Problem::new(what, "it is no earlier export", "name another file, or remove it")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Problem::new(what, error.to_string(), "name another file")),
    }
}

fn say(text: &str) -> Result<(), Problem> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| unwritten(&error.to_string()))
}

fn unwritten(why: &str) -> Problem {
    Problem::new("The result cannot be written", why, "name a file that you may write, on a disk with room")
}

fn problem(what: &str, directory: &Path, error: &PortableError) -> Problem {
    let next = match error {
        PortableError::Sandbox(SandboxError::InUse { .. }) => {
            "stop it first: end that cockpit or that `styrmin sandbox serve`"
        }
        PortableError::Sandbox(error) => return home::refused(directory, error),
        PortableError::Nothing { .. } => "name the state directory with --state",
        PortableError::NoNamespace { .. } => "name one that exists, or leave --namespace out",
        PortableError::Document { .. } => "nothing was changed; correct the file there",
        PortableError::Unwritable { .. } => "remove that object",
        PortableError::Disk { .. } => "make room, and import again: what is there already is left alone",
    };
    Problem::new(what, error.to_string(), next)
}
