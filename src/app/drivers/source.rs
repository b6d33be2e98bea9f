//! What a person names a driver by, and the driver that is there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::driver::{ChartPin, HelmChart};
use crate::domain::{DriverVersion, Problem};
use crate::driver::chart::Chart;
use crate::driver::fetch::{ChartReference, Fetcher, GitDriver, GitSource};
use crate::driver::{self, Content, Diagnostic, Loaded};

/// Where a driver is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A directory.
    Directory(PathBuf),
    /// A git repository.
    Git(GitSource),
}

/// Why a driver cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// It is not reached at all.
    Problem(Problem),
    /// Something in it is wrong: everything that is.
    Findings {
        /// Where it was read from.
        source: String,
        /// What is wrong, each with its place.
        findings: Vec<Diagnostic>,
    },
}

impl Source {
    /// Reads what a person wrote: a directory, or a git source with the branch, tag or commit in it or beside it.
    ///
    /// # Errors
    /// It is no git source, or a directory for which a branch was named.
    pub fn parse(text: &str, reference: Option<&str>) -> Result<Self, Problem> {
        if GitSource::is_meant(text) {
            return GitSource::parse(text, reference).map(Self::Git);
        }
        if reference.is_some() {
            return Err(Problem::new(
                format!("There are no branches in the directory {text}"),
                "--ref is for git repositories",
                format!("name the repository with git+{text}, or leave --ref out"),
            ));
        }
        Ok(Self::Directory(PathBuf::from(text)))
    }

    /// Reads the driver that is there now, and pulls its chart when that comes from elsewhere.
    ///
    /// # Errors
    /// It, or its chart, cannot be reached, or something in it is wrong.
    pub async fn read(&self, fetcher: &Fetcher) -> Result<Loaded, Unreadable> {
        let mut loaded = self.read_files(fetcher).await?;
        pull(fetcher, &mut loaded.version).await?;
        Ok(loaded)
    }

    async fn read_files(&self, fetcher: &Fetcher) -> Result<Loaded, Unreadable> {
        match self {
            Self::Directory(path) => read_directory(path.clone()).await,
            Self::Git(source) => {
                let fetched = fetcher.driver(source).await.map_err(Unreadable::Problem)?;
                let source = fetched.source.clone();
                let read = content(fetched).and_then(|content| driver::load_content(&source, content));
                read.map_err(|findings| Unreadable::Findings { source, findings })
            }
        }
    }
}

/// Pulls the chart that a driver names, and pins it: what it is now it stays for this version of the driver.
async fn pull(fetcher: &Fetcher, version: &mut DriverVersion) -> Result<(), Problem> {
    let Some(spec) = version.spec.helm.clone().filter(HelmChart::is_remote) else { return Ok(()) };
    let asked = ChartReference { location: spec.location, chart: spec.chart, version: spec.version };
    let archive = fetcher.chart(&asked).await?;
    let bytes = Arc::clone(&archive.bytes);
    let read = tokio::task::spawn_blocking(move || Chart::from_archive(&bytes)).await;
    let broken = |error: tokio::task::JoinError| {
        Problem::new(format!("{asked} cannot be read"), error.to_string(), "report this: it is a defect")
    };
    let chart = read.map_err(broken)?.map_err(|error| error.problem(&archive.origin))?;
    let pin =
        ChartPin { origin: archive.origin, version: chart.metadata.version.clone(), digest: archive.digest };
    version.pin_chart(pin, archive.bytes);
    Ok(())
}

/// The files of a driver, within the limits that a directory has too.
fn content(fetched: GitDriver) -> Result<Content, Vec<Diagnostic>> {
    let mut content = Content::default();
    for (path, bytes) in fetched.files {
        content.add(&path, bytes).map_err(|refused| vec![refused])?;
    }
    Ok(content)
}

async fn read_directory(path: PathBuf) -> Result<Loaded, Unreadable> {
    // its source is recorded: it must mean the same wherever it is read
    let path = std::path::absolute(&path).unwrap_or(path);
    let source = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || driver::load_directory(&path)).await;
    match read {
        Ok(Ok(loaded)) => Ok(loaded),
        Ok(Err(findings)) => Err(Unreadable::Findings { source, findings }),
        Err(error) => Err(Unreadable::Problem(Problem::new(
            format!("The driver in {source} cannot be read"),
            error.to_string(),
            "report this: it is a defect",
        ))),
    }
}

impl From<Problem> for Unreadable {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Unreadable> for Problem {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Problem(problem) => problem,
            Unreadable::Findings { source, findings } => driver::problem(&source, &findings),
        }
    }
}

/// Reads a driver from a directory, as a run is started with it.
///
/// # Errors
/// All findings, with file, line and column.
pub(super) fn read_now(directory: &Path) -> Result<Loaded, Problem> {
    driver::load_directory(directory)
        .map_err(|found| driver::problem(&directory.display().to_string(), &found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_and_a_repository_are_told_apart() {
        let parse = |text: &str| Source::parse(text, None).unwrap();
        assert_eq!(parse("drivers/wiki"), Source::Directory(PathBuf::from("drivers/wiki")));
        assert!(matches!(parse("git@example.org:wiki.git@v1"), Source::Git(_)));
        let refused = Source::parse("drivers/wiki", Some("main")).unwrap_err();
        assert!(refused.next.contains("git+drivers/wiki"), "{refused}");
    }
}
