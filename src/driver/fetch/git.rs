//! Drivers from git repositories, by the `git` program and a person's own credentials.
//!
//! The commit that a branch or a tag names is found first (`ls-remote`), then that commit alone is fetched into a bare
//! repository that is thrown away afterwards, and its files are read out of it. Nothing is checked out; there are no hooks,
//! no submodules, no filters.

mod program;
mod scratch;
mod source;
mod tree;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::Problem;
use program::GitError;
pub(super) use program::{Git, Limits};
use scratch::Scratch;
pub use source::GitSource;

/// The files of a driver at one commit.
#[derive(Clone, PartialEq, Eq)]
pub struct GitDriver {
    /// Every file by its path inside the driver.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The commit: 40 or 64 hex digits.
    pub commit: String,
    /// How it is recorded: `git+https://host/x.git//directory@<commit>`.
    pub source: String,
}

impl std::fmt::Debug for GitDriver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} files)", self.source, self.files.len())
    }
}

/// What a reference means at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// A ref, such as `refs/heads/main`, and its commit.
    Ref { name: String, commit: String },
    /// A commit that no ref is named for: all of its digits, or the first ones.
    Commit(String),
}

impl Target {
    fn commit(&self) -> &str {
        match self {
            Self::Ref { commit, .. } | Self::Commit(commit) => commit,
        }
    }
}

/// The commit that a source means at the moment; none when that is known only once everything is fetched (the first digits
/// of a commit).
pub(super) async fn commit(git: &Git, scratch: &Path, source: &GitSource) -> Result<Option<String>, Problem> {
    let found = git.within(async {
        let scratch = Scratch::new(scratch)?;
        let git = git.prepared_for(source, scratch.path()).await?;
        look(&git, scratch.path(), source).await
    });
    let found = found.await.map_err(|error| problem(source, &error))?;
    Ok(Some(found.commit().to_owned()).filter(|commit| is_whole(commit)))
}

/// Fetches a driver's files. `scratch` is where the repository is meanwhile.
pub(super) async fn driver(git: &Git, scratch: &Path, source: &GitSource) -> Result<GitDriver, Problem> {
    let fetched = git.within(async {
        let scratch = Scratch::new(scratch)?;
        let repository = scratch.path();
        let git = git.prepared_for(source, repository).await?;
        let target = look(&git, repository, source).await?;
        let format = if target.commit().len() == 64 { "sha256" } else { "sha1" };
        let made = ["init", "--quiet", "--bare", "--template=", "--object-format", format];
        git.ask(repository, &made).await?.must()?;
        let commit = bring(&git, repository, source, &target).await?;
        let files = tree::files(&git, repository, &commit, &source.directory).await?;
        Ok(GitDriver { files, source: source.pinned(&commit), commit })
    });
    fetched.await.map_err(|error| problem(source, &error))
}

/// Asks what the reference means.
async fn look(git: &Git, repository: &Path, source: &GitSource) -> Result<Target, GitError> {
    let reference = source.reference.as_deref().unwrap_or("HEAD");
    let patterns = match reference {
        "HEAD" => vec!["HEAD".to_owned()],
        full if full.starts_with("refs/") => vec![full.to_owned(), format!("{full}^{{}}")],
        name => {
            vec![format!("refs/heads/{name}"), format!("refs/tags/{name}"), format!("refs/tags/{name}^{{}}")]
        }
    };
    let mut arguments = vec!["ls-remote", "--quiet", "--", &source.url];
    arguments.extend(patterns.iter().map(String::as_str));
    let listed = git.ask(repository, &arguments).await?.must()?;
    let listed = String::from_utf8_lossy(&listed);
    let commit_of = |name: &str| {
        let mut lines = listed.lines().filter_map(|line| line.split_once('\t'));
        let found = lines.find(|(commit, listed)| *listed == name && is_whole(commit));
        found.map(|(commit, _)| commit.to_owned())
    };
    let found: Vec<Target> = patterns
        .iter()
        .filter(|name| !name.ends_with("^{}"))
        .filter_map(|name| {
            // what an annotated tag points at counts, not the tag
            let commit = commit_of(&format!("{name}^{{}}")).or_else(|| commit_of(name))?;
            Some(Target::Ref { name: name.clone(), commit })
        })
        .collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [Target::Ref { commit: a, .. }, Target::Ref { commit: b, .. }] if a == b => Ok(found[0].clone()),
        [] if is_commit(reference) => Ok(Target::Commit(reference.to_ascii_lowercase())),
        [] if reference == "HEAD" => Err(GitError::Unfit("the repository has no commit yet".to_owned())),
        [] => Err(GitError::Unfit(format!("there is no branch, tag or commit '{reference}'"))),
        _ => Err(GitError::Unfit(format!(
            "there is a branch and a tag '{reference}', at different commits; write @refs/heads/{reference} or @refs/tags/{reference}"
        ))),
    }
}

/// Fetches the commit, as little as the server lets us; its whole name.
async fn bring(
    git: &Git,
    repository: &Path,
    source: &GitSource,
    target: &Target,
) -> Result<String, GitError> {
    const ALL: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    let commit = target.commit();
    let name = match target {
        Target::Ref { name, .. } => Some(name.as_str()),
        Target::Commit(_) => None,
    };
    // old servers do not give a commit by its name, plain web servers no shallow history
    let mut tries: Vec<(bool, Vec<&str>)> = Vec::new();
    if is_whole(commit) {
        tries.push((true, vec![commit]));
    }
    tries.extend(name.map(|name| (true, vec![name])));
    tries.push((false, name.map_or(ALL.to_vec(), |name| vec![name])));
    let mut last = GitError::Failed(String::new());
    for (shallow, references) in tries {
        let mut arguments = vec!["fetch", "--quiet", "--no-tags", "--no-recurse-submodules"];
        arguments.extend(shallow.then_some("--depth=1"));
        arguments.extend(["--", source.url.as_str()]);
        arguments.extend(references);
        let output = git.run(repository, &arguments, b"").await?;
        if !output.success {
            last = GitError::Failed(output.messages);
            continue;
        }
        let wanted = format!("{commit}^{{commit}}");
        let found = git.run(repository, &["rev-parse", "--verify", "--quiet", &wanted], b"").await?;
        if found.success {
            return Ok(String::from_utf8_lossy(&found.stdout).trim().to_owned());
        }
        last = match name {
            Some(name) => GitError::Failed(format!("{name} moved while it was fetched")),
            None => GitError::Unfit(format!("no branch and no tag leads to a commit {commit}")),
        };
    }
    Err(last)
}

fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_whole(text: &str) -> bool {
    is_commit(text) && matches!(text.len(), 40 | 64)
}

/// For people: what git says, and what can be done about just that.
fn problem(source: &GitSource, error: &GitError) -> Problem {
    let why = error.to_string();
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    let by_hand = || format!("try it by hand: git ls-remote {}", source.repository());
    let next = match error {
        GitError::Missing => {
            "install git, or get the driver's files yourself and load their directory".to_owned()
        }
        GitError::Run(_) => {
            "make the state directory writable for you, or name another one with --state-dir".to_owned()
        }
        GitError::Disk(_) | GitError::Output(_) => {
            "put the driver into a repository of its own, or load a directory".to_owned()
        }
        GitError::Unfit(_) => "correct the source, or the repository".to_owned(),
        GitError::Failed(_)
            if says(&[
                "Authentication failed",
                "could not read Username",
                "could not read Password",
                "Permission denied",
                "403",
                "401",
            ]) =>
        {
            format!("log in as git does (a credential helper, ssh-agent); {}", by_hand())
        }
        GitError::Failed(_) if says(&["Host key verification failed"]) => {
            format!("accept the host's key once: ssh to it, or {}", by_hand())
        }
        GitError::Failed(_) => by_hand(),
    };
    Problem::new(format!("The driver {source} cannot be fetched"), why, next)
}
