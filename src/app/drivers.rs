//! Which drivers can be deployed: the built-in ones, those in the configuration directory, those named on the command line.

use std::fs;
use std::path::{Path, PathBuf};

use super::Options;
use crate::domain::{DriverVersion, Problem};
use crate::driver;

/// Loads every driver. A broken one in the configuration directory is told in the second part, and the rest goes on.
///
/// # Errors
/// When a driver that was named on the command line is broken: all findings, with file, line and column.
pub fn load(options: &Options, config: &Path) -> Result<(Vec<DriverVersion>, Vec<Problem>), Problem> {
    let mut notices = Vec::new();
    let mut drivers: Vec<DriverVersion> =
        driver::built_in().into_iter().map(|loaded| loaded.version).collect();
    for directory in directories(&config.join("drivers")) {
        match read(&directory) {
            Ok(driver) => drivers.push(driver),
            Err(problem) => notices.push(problem),
        }
    }
    for directory in &options.drivers {
        drivers.push(read(directory)?);
    }
    Ok((drivers, notices))
}

fn read(directory: &Path) -> Result<DriverVersion, Problem> {
    let loaded = driver::load_directory(directory);
    loaded
        .map(|loaded| loaded.version)
        .map_err(|findings| driver::problem(&directory.display().to_string(), &findings))
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}
