//! Drivers: which can be deployed (the built-in ones, those in the configuration directory, those named on the command line,
//! those that were loaded), and the tools for those who write them.

use std::fs;
use std::path::{Path, PathBuf};

use super::Options;
use crate::domain::{DriverVersion, Problem};
use crate::driver;

pub mod rendering;
mod source;
mod toolbox;
pub mod trial;

pub use crate::store::Recorded;
pub use source::{Source, Unreadable};
pub use toolbox::{Listed, Load, Toolbox, at};

/// Loads every driver that a run is started with. A broken one in the configuration directory is told in the second part, and
/// the rest goes on.
///
/// # Errors
/// When a driver that was named on the command line is broken: all findings, with file, line and column.
pub(super) fn load(options: &Options, config: &Path) -> Result<(Vec<DriverVersion>, Vec<Problem>), Problem> {
    let mut notices = Vec::new();
    let mut drivers: Vec<DriverVersion> =
        driver::built_in().into_iter().map(|loaded| loaded.version).collect();
    for directory in directories(&config.join("drivers")) {
        match source::read_now(&directory) {
            Ok(loaded) => drivers.push(loaded.version),
            Err(problem) => notices.push(problem),
        }
    }
    for directory in &options.drivers {
        drivers.push(source::read_now(directory)?.version);
    }
    Ok((drivers, notices))
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}
