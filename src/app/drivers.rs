//! Drivers: which can be deployed (the built-in ones, those in the configuration directory, those named on the command line,
//! those that were loaded), and the tools for those who write them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Options;
use super::paths::Paths;
use crate::domain::{Clock, DriverVersion, Problem};
use crate::driver;
use crate::driver::fetch::Fetcher;

mod charts;
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
    /// Records them: which can be deployed, and what was left out. What is recorded with another content stays as it is. The
    /// chart of one that was named on the command line is pulled; of the others, what was fetched before is taken: nobody waits
    /// for a network before the first picture.
    ///
    /// # Errors
    /// One that was named on the command line cannot be recorded, or its chart cannot be pulled.
    pub(super) async fn record(
        self,
        store: &Store,
        paths: &Paths,
        clock: &Arc<dyn Clock>,
    ) -> Result<(Vec<DriverVersion>, Vec<Problem>), Problem> {
        let Self { named, offered, mut notices } = self;
        let mut recorded = Vec::new();
        let fetcher = || Fetcher::new(&paths.cache(), Arc::clone(clock));
        for mut driver in offered {
            if charts::missing(&driver).is_some() {
                if let Some(known) = known(store, &driver).await? {
                    recorded.push(known);
                    continue;
                }
                match charts::take(&fetcher()?, &mut driver).await {
                    Ok(true) => {}
                    Ok(false) => {
                        notices.push(not_at_hand(&driver));
                        continue;
                    }
                    Err(problem) => {
                        notices.push(problem);
                        continue;
                    }
                }
            }
            match store.record_driver(&driver).await {
                Ok(_) => recorded.push(driver),
                Err(error @ StoreError::Immutable { .. }) => notices.push(error.into()),
                Err(error) => return Err(error.into()),
            }
        }
        for mut driver in named {
            if charts::missing(&driver).is_some() {
                if let Some(known) = known(store, &driver).await? {
                    recorded.push(known);
                    continue;
                }
                charts::pull(&fetcher()?, &mut driver).await?;
            }
            store.record_driver(&driver).await?;
            recorded.push(driver);
        }
        Ok((recorded, notices))
    }
}

/// The recorded version of a driver, when it has the same files: its chart was pulled then.
async fn known(store: &Store, driver: &DriverVersion) -> Result<Option<DriverVersion>, Problem> {
    let before = store.driver(&driver.reference).await?;
    Ok(before.filter(|before| charts::same_files(driver, before)))
}

fn not_at_hand(driver: &DriverVersion) -> Problem {
    Problem::new(
        format!("The driver {} is left out", driver.reference),
        format!("its chart is not at hand, and is not pulled while the cockpit starts ({})", driver.source),
        format!("styrmin driver load {} pulls it", driver.source),
    )
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}
