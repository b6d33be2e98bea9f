//! `styrmin driver new NAME`.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::domain::Problem;
use crate::driver::skeleton;

/// Arguments of `driver new`.
#[derive(Debug, Args)]
pub struct NewArguments {
    /// The driver's name: small letters, digits and -
    name: String,
    /// Where to put it [default: a new directory of that name]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

pub(super) fn run(arguments: &NewArguments) -> Result<bool, Problem> {
    let files = skeleton(&arguments.name)?;
    let directory = arguments.directory.clone().unwrap_or_else(|| PathBuf::from(&arguments.name));
    make(&directory)?;
    for (path, text) in files {
        write(&directory.join(path), &text)?;
    }
    let shown = directory.display();
    super::say(&super::printable(&format!(
        "The driver {} is in {shown}. Next:\n  styrmin driver lint {shown}\n  styrmin driver render {shown}\n  \
         styrmin driver test {shown}\n  styrmin driver load {shown}\n",
        arguments.name
    )))?;
    Ok(true)
}

/// Makes the directory; one that has something in it is left alone.
fn make(directory: &Path) -> Result<(), Problem> {
    let refused = |why: String| {
        let what = format!("The driver cannot be put into {}", directory.display());
        Problem::new(what, why, "name another place with --directory")
    };
    fs::create_dir_all(directory).map_err(|error| refused(error.to_string()))?;
    let mut entries = fs::read_dir(directory).map_err(|error| refused(error.to_string()))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(refused("there is something in it already".to_owned())),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    // never over a file that came meanwhile
    let written =
        made.and_then(|()| fs::File::create_new(path)).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let next = match error.kind() {
            ErrorKind::AlreadyExists => "name another place with --directory",
            _ => "make the directory writable for you",
        };
        Problem::new(format!("{} cannot be written", path.display()), error.to_string(), next)
    })
}
