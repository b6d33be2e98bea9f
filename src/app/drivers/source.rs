//! What a person names a driver by, and the driver that is there.

use std::path::{Path, PathBuf};

use crate::domain::Problem;
use crate::driver::fetch::{Fetcher, GitDriver, GitSource};
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

    /// Reads the driver that is there now, without a chart that comes from elsewhere.
    ///
    /// # Errors
    /// It cannot be reached, or something in it is wrong.
    pub async fn read(&self, fetcher: &Fetcher) -> Result<Loaded, Unreadable> {
        match self {
            Self::Directory(path) => read_directory(path.clone()).await,
            Self::Git(source) => {
                let fetched = fetcher.driver(source).await.map_err(Unreadable::Problem)?;
                let source = fetched.source.clone();
                load(&source, fetched).map_err(|findings| Unreadable::Findings { source, findings })
            }
        }
    }
}

fn load(source: &str, fetched: GitDriver) -> Result<Loaded, Vec<Diagnostic>> {
    let mut content = Content::default();
    for (path, bytes) in fetched.files {
        content.add(&path, bytes).map_err(|finding| vec![finding])?;
    }
    driver::load_content(source, content)
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
