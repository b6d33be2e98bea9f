//! What the tools for drivers work with: a way to fetch, and the records of a state directory.

use std::path::Path;
use std::sync::Arc;

use super::super::paths::Paths;
use super::charts;
use super::source::{Source, Unreadable};
use crate::domain::{Clock, DriverRef, DriverVersion, Problem, SystemClock};
use crate::driver::fetch::Fetcher;
use crate::driver::{self, Diagnostic, Loaded};
use crate::store::{FILE_NAME, Recorded, Store};

/// The tools' own.
pub struct Toolbox {
    fetcher: Fetcher,
    paths: Paths,
    clock: Arc<dyn Clock>,
}

/// What loading a driver did.
#[derive(Debug, Clone)]
pub struct Load {
    /// The driver version, as it is recorded.
    pub version: DriverVersion,
    /// Whether it is new.
    pub recorded: Recorded,
    /// What is worth knowing about it.
    pub warnings: Vec<Diagnostic>,
}

/// A driver version that can be deployed.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The driver version.
    pub version: DriverVersion,
    /// Whether it is recorded; one that is built in is so when a cockpit starts for the first time.
    pub recorded: bool,
}

impl Toolbox {
    /// Tools for a state directory; nothing is made there before something is to be kept.
    ///
    /// # Errors
    /// The home directory cannot be found, or nothing can be fetched.
    pub fn new(state: Option<&Path>) -> Result<Self, Problem> {
        let paths = Paths::resolve(state, None)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(Self { fetcher: Fetcher::new(&paths.cache(), Arc::clone(&clock))?, paths, clock })
    }

    /// Reads a driver, with its chart.
    ///
    /// # Errors
    /// It or its chart cannot be reached, or something in it is wrong.
    pub async fn read(&self, source: &Source) -> Result<Loaded, Unreadable> {
        let mut loaded = source.read(&self.fetcher).await?;
        charts::pull(&self.fetcher, &mut loaded.version).await?;
        Ok(loaded)
    }

    /// Reads a driver and records it with its chart: cockpits and agents of the state directory offer it from then on. A commit
    /// that is recorded already is not fetched again, nor is the chart of files that are.
    ///
    /// # Errors
    /// It cannot be reached, something in it is wrong, or another content is recorded under the same version.
    pub async fn load(&self, source: &Source) -> Result<Load, Unreadable> {
        let store = self.records()?;
        if let Some(version) = self.known(source, &store).await? {
            return Ok(Load { version, recorded: Recorded::Known, warnings: Vec::new() });
        }
        let Loaded { mut version, warnings } = source.read(&self.fetcher).await?;
        let before = store.driver(&version.reference).await.map_err(Problem::from)?;
        if let Some(before) = before.filter(|before| charts::same_files(&version, before)) {
            return Ok(Load { version: before, recorded: Recorded::Known, warnings });
        }
        charts::pull(&self.fetcher, &mut version).await?;
        let recorded = store.record_driver(&version).await.map_err(Problem::from)?;
        Ok(Load { version, recorded, warnings })
    }

    /// The recorded driver version of the commit that a git source means now.
    async fn known(&self, source: &Source, store: &Store) -> Result<Option<DriverVersion>, Problem> {
        let Source::Git(source) = source else { return Ok(None) };
        let Some(commit) = self.fetcher.commit(source).await? else { return Ok(None) };
        let pinned = source.pinned(&commit);
        Ok(store.drivers().await?.into_iter().find(|version| version.source == pinned))
    }

    /// Every driver version that can be deployed, by name, the newest first.
    ///
    /// # Errors
    /// The records cannot be read.
    pub async fn list(&self) -> Result<Vec<Listed>, Problem> {
        let mut listed: Vec<Listed> = match self.kept()? {
            Some(store) => {
                store.drivers().await?.into_iter().map(|version| Listed { version, recorded: true }).collect()
            }
            None => Vec::new(),
        };
        for loaded in driver::built_in() {
            if !listed.iter().any(|known| known.version.reference == loaded.version.reference) {
                listed.push(Listed { version: loaded.version, recorded: false });
            }
        }
        listed.sort_by(|a, b| {
            let (a, b) = (&a.version.reference, &b.version.reference);
            a.name.cmp(&b.name).then_with(|| driver::version::compare(&b.version, &a.version))
        });
        Ok(listed)
    }

    /// A driver version by `NAME@VERSION`, recorded or built in; by `NAME` alone, the highest.
    ///
    /// # Errors
    /// There is none: with those that there are.
    pub async fn find(&self, text: &str) -> Result<DriverVersion, Problem> {
        let (name, version) =
            text.split_once('@').map_or((text, None), |(name, version)| (name, Some(version)));
        let listed = self.list().await?;
        let is_meant = |driver: &&DriverVersion| {
            driver.reference.name == name && version.is_none_or(|version| driver.reference.version == version)
        };
        if let Some(found) = listed.iter().map(|listed| &listed.version).find(is_meant) {
            // a list has no binaries, which charts are
            let whole = match self.kept()? {
                Some(store) => store.driver(&found.reference).await?,
                None => None,
            };
            return Ok(whole.unwrap_or_else(|| found.clone()));
        }
        let known: Vec<String> = listed.iter().map(|listed| at(&listed.version.reference)).collect();
        Err(Problem::new(
            format!("There is no driver {text}"),
            format!("there is {}", known.join(", ")),
            "name one of them, a directory, or a git repository",
        ))
    }

    /// The records, made when they are not there yet.
    fn records(&self) -> Result<Store, Problem> {
        self.paths.make_state()?;
        Store::open(&self.paths.state, Arc::clone(&self.clock))
    }

    /// The records, when there are some: who only looks makes none.
    fn kept(&self) -> Result<Option<Store>, Problem> {
        let there = self.paths.state.join(FILE_NAME).exists();
        there.then(|| self.records()).transpose()
    }
}

/// How a driver version is named on the command line.
pub fn at(reference: &DriverRef) -> String {
    format!("{}@{}", reference.name, reference.version)
}
