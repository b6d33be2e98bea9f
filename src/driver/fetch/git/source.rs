//! `[git+]URL[//directory][@branch, tag or commit]`: a driver in a git repository.

use std::fmt;
use std::path::Path;

use super::super::url::{Login, Url, read_login};
use crate::domain::Problem;

/// The longest source, in bytes.
const LENGTH_LIMIT: usize = 4 << 10;
/// What git is asked for. Others run a program of somebody's choice.
const SCHEMES: [&str; 5] = ["https", "http", "ssh", "git", "file"];

/// A driver in a git repository.
#[derive(Clone, PartialEq, Eq)]
pub struct GitSource {
    /// What git is given: without user name and password where it is `http`.
    pub(super) url: String,
    /// The user info of an `http` URL.
    pub(super) login: Option<Login>,
    /// The directory in the repository that the driver is in; empty: its root.
    pub(super) directory: String,
    /// A branch, a tag or a commit; none: what the repository's HEAD names.
    pub(super) reference: Option<String>,
}

impl GitSource {
    /// Reads a source. With `reference`, an `@` in it is part of its path.
    ///
    /// # Errors
    /// It is none that may be given to git: why, and what one looks like.
    pub fn parse(text: &str, reference: Option<&str>) -> Result<Self, Problem> {
        Self::read(text.trim(), reference).map_err(|why| {
            Problem::new(
                "The source of a driver cannot be read",
                why,
                "name it like https://host/team/drivers.git//wiki@v1.2, git@host:team/wiki.git, or a directory",
            )
        })
    }

    /// Whether a text is a git source rather than a directory: it says so, or has the form of a URL.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("git+") || text.contains("://") || scp(text).is_some()
    }

    fn read(text: &str, reference: Option<&str>) -> Result<Self, String> {
        if text.len() > LENGTH_LIMIT || text.chars().any(char::is_control) {
            return Err(format!("it is longer than {LENGTH_LIMIT} bytes, or has control characters in it"));
        }
        let text = text.strip_prefix("git+").unwrap_or(text);
        if text.is_empty() || text.starts_with('-') || names_helper(text) {
            return Err("git would take it for an option or for the name of a program".to_owned());
        }
        // up to here it is the host's: an @ there is no reference, and // no directory
        let start = match text.find("://") {
            Some(at) => at + 3 + text[at + 3..].find('/').unwrap_or(text.len() - at - 3),
            None => scp(text).map_or(0, |path| text.len() - path.len()),
        };
        let (before, path) = text.split_at(start);
        let local = before.is_empty() || before == "file://";
        let bare = reference.is_some() || (local && Path::new(path).exists());
        let (path, found) = match path.rsplit_once('@') {
            Some((path, found)) if !bare => (path, Some(found)),
            _ => (path, None),
        };
        let (path, directory) = path.split_once("//").unwrap_or((path, ""));
        let directory = directory.trim_matches('/');
        if directory.split('/').any(|part| part == "." || part == "..") || directory.contains(':') {
            return Err("the directory in the repository leads out of it".to_owned());
        }
        let reference = reference.or(found).map(str::to_owned);
        if reference.as_deref().is_some_and(|name| !is_reference(name)) {
            return Err("what stands after @ is no branch, tag or commit".to_owned());
        }
        let (url, login) = read_url(&format!("{before}{path}"))?;
        Ok(Self { url, login, directory: directory.to_owned(), reference })
    }

    /// The same source at one commit: how it is recorded.
    pub fn pinned(&self, commit: &str) -> String {
        let mut text = format!("git+{}", self.url);
        if !self.directory.is_empty() {
            text += "//";
            text += &self.directory;
        }
        text + "@" + commit
    }

    /// Whether git reaches it over ssh.
    pub(super) fn is_ssh(&self) -> bool {
        self.url.starts_with("ssh://") || scp(&self.url).is_some()
    }

    /// The repository alone, for people and for git.
    pub fn repository(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reference {
            Some(reference) => f.write_str(&self.pinned(reference)),
            None => f.write_str(self.pinned("").trim_end_matches('@')),
        }
    }
}

impl fmt::Debug for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether git would run the program `git-remote-<name>` for it: `ext::sh -c …`.
fn names_helper(text: &str) -> bool {
    let name = text.split_once("::").map_or("", |(name, _)| name);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// The path of `user@host:path`, which is ssh's own form.
fn scp(text: &str) -> Option<&str> {
    let (host, path) = text.split_once(':')?;
    let plain = !host.contains('/') && !host.starts_with(['.', '-']) && host.len() > 1;
    (plain && !path.starts_with("//")).then_some(path)
}

/// The URL for git, and the login that is taken out of it.
fn read_url(text: &str) -> Result<(String, Option<Login>), String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        if scp(text).is_some() {
            return Ok((text.to_owned(), None));
        }
        let path = std::path::absolute(text).map_err(|error| error.to_string())?;
        return Ok((path.to_str().ok_or("its path is no UTF-8")?.to_owned(), None));
    };
    if !SCHEMES.contains(&scheme) {
        return Err(format!("git is not asked for {scheme}://, only for {}", SCHEMES.join(", ")));
    }
    if scheme == "http" || scheme == "https" {
        let url = Url::parse(text)?;
        let query = url.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        return Ok((format!("{scheme}://{}{}{query}", url.authority(), url.path), url.login));
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (info, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if host.starts_with('-') || info.starts_with('-') {
        return Err("its host would be taken for an option".to_owned());
    }
    // a user of ssh is part of the address, a password of one is nothing that ssh takes
    if info.is_empty() {
        return Ok((text.to_owned(), None));
    }
    let user = read_login(info)?.user;
    Ok((format!("{scheme}://{user}@{host}/{path}"), None))
}

/// What git lets a branch, a tag or a commit be called, as far as it matters here.
fn is_reference(name: &str) -> bool {
    let odd = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\')
    };
    !name.is_empty() && !name.starts_with(['-', '/']) && !name.contains("..") && !name.contains(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> GitSource {
        GitSource::parse(text, None).unwrap()
    }

    #[test]
    fn every_form_of_source_is_read() {
        for (text, url, directory, reference) in [
            ("https://h.org/a/b.git", "https://h.org/a/b.git", "", None),
            ("git+https://h.org/a/b.git@v1.2", "https://h.org/a/b.git", "", Some("v1.2")),
            (
                "https://h.org:444/b.git//drivers/wiki@feature/x",
                "https://h.org:444/b.git",
                "drivers/wiki",
                Some("feature/x"),
            ),
            ("ssh://git@h.org/b.git", "ssh://git@h.org/b.git", "", None),
            ("ssh://git@h.org:22/b.git@main", "ssh://git@h.org:22/b.git", "", Some("main")),
            ("ssh://git:secret@[::1]/b.git", "ssh://git@[::1]/b.git", "", None),
            ("git@h.org:team/b.git//x@v1", "git@h.org:team/b.git", "x", Some("v1")),
            ("git@h.org:b", "git@h.org:b", "", None),
            ("file:///srv/b.git@1f00", "file:///srv/b.git", "", Some("1f00")),
            ("git+/srv/b.git//x/", "/srv/b.git", "x", None),
        ] {
            let found = source(text);
            assert_eq!((found.url.as_str(), found.directory.as_str()), (url, directory), "{text}");
            assert_eq!(found.reference.as_deref(), reference, "{text}");
            assert_eq!(source(&found.to_string()), found, "it reads what it writes");
        }
        let with = GitSource::parse("git@h.org:a@b.git", Some("v1")).unwrap();
        assert_eq!((with.url.as_str(), with.reference.as_deref()), ("git@h.org:a@b.git", Some("v1")));
    }

    #[test]
    fn an_at_in_a_path_that_exists_is_part_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a@b");
        std::fs::create_dir(&path).unwrap();
        let found = source(&format!("git+{}", path.display()));
        assert_eq!((found.url.as_str(), found.reference), (path.to_str().unwrap(), None));
        let found = source(&format!("git+{}@main", path.display()));
        assert_eq!((found.url.as_str(), found.reference.as_deref()), (path.to_str().unwrap(), Some("main")));
    }

    #[test]
    fn logins_are_taken_out() {
        let found = source("https://anna:s3cret@h.org/b.git@v1");
        let login = Login { user: "anna".to_owned(), password: "s3cret".to_owned() };
        assert_eq!((found.url.as_str(), found.login.clone()), ("https://h.org/b.git", Some(login)));
        let shown = format!("{found} {found:?} {}", found.pinned("1f00"));
        assert!(!shown.contains("s3cret") && !shown.contains("anna"), "{shown}");
        assert_eq!(found.pinned("1f00"), "git+https://h.org/b.git@1f00");
    }

    #[test]
    fn what_would_run_something_is_refused() {
        for wrong in [
            "",
            "-oProxyCommand=x",
            "git+--upload-pack=x",
            "ext::sh -c id",
            "git+ext::sh -c id",
            "fd::7",
            "ftp://h.org/x",
            "ssh://-oProxyCommand=x/y",
            "ssh://-x@h/y",
            "ssh://a@-oProxyCommand=x/y",
            "https://h.org/b.git//../x",
            "https://h.org/b.git//a:b",
            "https://h.org/b.git@-x",
            "https://h.org/b.git@a..b",
            "https://h.org/b.git@a b",
            "https://h.org/\u{1b}[2J",
        ] {
            assert!(GitSource::parse(wrong, None).is_err(), "{wrong}");
        }
        assert!(GitSource::parse("https://h.org/x", Some("--exec=x")).is_err());
        let refused = GitSource::parse("https://anna:s3cret@h.org:x/b", None).unwrap_err();
        assert!(!refused.to_string().contains("s3cret"), "{refused}");
    }

    #[test]
    fn a_directory_is_no_git_source() {
        for (text, meant) in [
            ("./wiki", false),
            ("/srv/wiki", false),
            ("wiki", false),
            ("git+./wiki", true),
            ("git@h.org:wiki", true),
            ("https://h.org/wiki", true),
            ("./a:b", false),
        ] {
            assert_eq!(GitSource::is_meant(text), meant, "{text}");
        }
    }
}
