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
use crate::store::{Store, StoreError};
pub use source::{Source, Unreadable};
pub use toolbox::{Listed, Load, Toolbox, at};

/// The drivers that a run is started with.
pub(super) struct Start {
    /// Those that were named on the command line: without them it does not start.
    named: Vec<DriverVersion>,
    /// The built-in ones and those in the configuration directory: without one of them the rest goes on.
    offered: Vec<DriverVersion>,
    /// What could not be read, and was left out.
    notices: Vec<Problem>,
}

/// Reads every driver that a run is started with.
///
/// # Errors
/// When a driver that was named on the command line is broken: all findings, with file, line and column.
pub(super) fn read(options: &Options, config: &Path) -> Result<Start, Problem> {
    let named = options.drivers.iter().map(|directory| Ok(source::read_now(directory)?.version));
    let named = named.collect::<Result<_, Problem>>()?;
    let mut offered: Vec<_> = driver::built_in().into_iter().map(|loaded| loaded.version).collect();
    let mut notices = Vec::new();
    for directory in directories(&config.join("drivers")) {
        match source::read_now(&directory) {
            Ok(loaded) => offered.push(loaded.version),
            Err(problem) => notices.push(problem),
        }
    }
    Ok(Start { named, offered, notices })
}

impl Start {
    /// Records them: which can be deployed, and what was left out. What is recorded with another content stays as it is.
    ///
    /// # Errors
    /// One that was named on the command line cannot be recorded.
    pub(super) async fn record(self, store: &Store) -> Result<(Vec<DriverVersion>, Vec<Problem>), Problem> {
        let Self { named, offered, mut notices } = self;
        let mut recorded = Vec::new();
        for driver in offered {
            match store.record_driver(&driver).await {
                Ok(_) => recorded.push(driver),
                Err(error @ StoreError::Immutable { .. }) => notices.push(error.into()),
                Err(error) => return Err(error.into()),
            }
        }
        for driver in named {
            store.record_driver(&driver).await?;
            recorded.push(driver);
        }
        Ok((recorded, notices))
    }
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}
