//! Drivers from repositories that real git makes.

use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::super::digest::Digest;
use super::super::tests::{Reply, Seen, Server, program, reply, with_header};
use super::*;

/// A repository, and a home that nobody has configured anything in.
struct Yard {
    directory: tempfile::TempDir,
}

impl Yard {
    /// None where there is no git: the test says that it is skipped.
    fn new() -> Option<Self> {
        if Command::new("git").arg("--version").output().is_err() {
            eprintln!("skipped: the program git is not installed");
            return None;
        }
        let yard = Self { directory: tempfile::tempdir().unwrap() };
        std::fs::create_dir(yard.repository()).unwrap();
        yard.git(&["init", "--quiet", "--initial-branch", "main"]);
        Some(yard)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn repository(&self) -> PathBuf {
        self.path("driver")
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let home = self.directory.path().as_os_str().to_owned();
        let path = std::env::var_os("PATH").unwrap();
        let mut environment = vec![("PATH".into(), path), ("HOME".into(), home)];
        environment.push(("GIT_CONFIG_NOSYSTEM".into(), "1".into()));
        environment
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.env_clear().envs(self.environment()).current_dir(self.repository());
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "a").env(format!("GIT_{role}_EMAIL"), "a@example.org");
            command.env(format!("GIT_{role}_DATE"), "2026-11-28T03:00:00Z");
        }
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.repository().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Records everything that is there.
    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn program(&self) -> Git {
        Git::new(self.environment().into_iter(), Limits::default())
    }

    async fn fetch(&self, source: &str) -> Result<GitDriver, Problem> {
        driver(&self.program(), &self.path("scratch"), &GitSource::parse(source, None).unwrap()).await
    }

    /// The source of the repository with something behind it.
    fn source(&self, more: &str) -> String {
        format!("git+file://{}{more}", self.repository().display())
    }
}

#[tokio::test]
async fn a_branch_a_tag_and_a_commit_are_pinned() {
    let Some(yard) = Yard::new() else { return };
    yard.write("driver.styrmin.yml", "version: 1\n");
    yard.write("drivers/wiki/manifests/a b.yaml.j2", "a: 1\n");
    yard.write(".github/workflows/x.yml", "");
    let first = yard.commit();
    yard.git(&["tag", "light"]);
    yard.git(&["tag", "--annotate", "--message", "x", "v1.0"]);
    yard.write("driver.styrmin.yml", "version: 2\n");
    let second = yard.commit();
    yard.git(&["branch", "feature/x", &first]);
    for (more, commit) in [
        ("", &second),
        ("@main", &second),
        ("@HEAD", &second),
        ("@v1.0", &first),
        ("@light", &first),
        ("@feature/x", &first),
        ("@refs/tags/v1.0", &first),
        (&format!("@{first}"), &first),
        (&format!("@{}", &first[..9]), &first),
    ] {
        let found = yard.fetch(&yard.source(more)).await.unwrap();
        assert_eq!(&found.commit, commit, "{more}");
        assert_eq!(found.source, yard.source(&format!("@{commit}")));
        let version = if *commit == second { "version: 2\n" } else { "version: 1\n" };
        assert_eq!(found.files["driver.styrmin.yml"], version.as_bytes(), "{more}");
        let paths: Vec<_> = found.files.keys().map(String::as_str).collect();
        assert_eq!(paths, ["driver.styrmin.yml", "drivers/wiki/manifests/a b.yaml.j2"]);
    }
    let inner = yard.fetch(&yard.source("//drivers/wiki@main")).await.unwrap();
    assert_eq!(inner.files.keys().collect::<Vec<_>>(), ["manifests/a b.yaml.j2"]);
    assert_eq!(inner.source, yard.source(&format!("//drivers/wiki@{second}")));
    // a path, without file://
    let path = format!("git+{}@v1.0", yard.repository().display());
    assert_eq!(yard.fetch(&path).await.unwrap().commit, first);

    let asked = |more: &str| GitSource::parse(&yard.source(more), None).unwrap();
    let (git, scratch) = (yard.program(), yard.path("scratch"));
    assert_eq!(commit(&git, &scratch, &asked("@v1.0")).await.unwrap(), Some(first.clone()));
    assert_eq!(commit(&git, &scratch, &asked(&format!("@{}", &first[..9]))).await.unwrap(), None);
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0, "nothing is left");
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let Some(yard) = Yard::new() else { return };
    let empty = yard.fetch(&yard.source("")).await.unwrap_err();
    assert!(empty.why.contains("no commit yet"), "{empty}");
    yard.write("a", "");
    let first = yard.commit();
    yard.git(&["tag", "both"]);
    yard.commit();
    yard.git(&["branch", "both"]);
    yard.git(&["branch", "same"]);
    yard.git(&["tag", "same"]);
    assert!(yard.fetch(&yard.source("@same")).await.is_ok());
    for (more, expected) in [
        ("@nowhere", "there is no branch, tag or commit 'nowhere'"),
        ("@both", "write @refs/heads/both or @refs/tags/both"),
        ("//deep@main", "has no directory 'deep'"),
        ("@0123456789012345678901234567890123456789", "0123456"),
        ("@abcdef1", "no branch and no tag leads to a commit abcdef1"),
    ] {
        let problem = yard.fetch(&yard.source(more)).await.unwrap_err();
        assert!(problem.why.contains(expected), "{more}: {problem}");
        assert!(problem.what.contains(&yard.source(more)), "{problem}");
        assert_eq!(problem.next, "correct the source, or the repository", "{more}: {problem}");
    }
    assert_eq!(yard.fetch(&yard.source("@refs/tags/both")).await.unwrap().commit, first);
    // what a name says is not taken for what is wrong
    let named = yard.path("submodule: no branch, larger than 401").display().to_string();
    let absent = yard.fetch(&format!("git+file://{named}")).await.unwrap_err();
    assert_ne!(absent.next, "correct the source, or the repository", "{absent}");
    let nowhere = yard.fetch("git+file:///nowhere/at/all.git").await.unwrap_err();
    assert!(nowhere.why.contains("does not appear to be a git repository"), "{nowhere}");
    assert!(nowhere.next.contains("git ls-remote file:///nowhere/at/all.git"), "{nowhere}");
}

#[tokio::test]
async fn links_and_submodules_are_refused() {
    let Some(yard) = Yard::new() else { return };
    symlink("/etc/passwd", yard.repository().join("values.j2.yml")).unwrap();
    let first = yard.commit();
    let linked = yard.fetch(&yard.source("")).await.unwrap_err();
    assert!(linked.why.contains("values.j2.yml is a symbolic link"), "{linked}");
    std::fs::remove_file(yard.repository().join("values.j2.yml")).unwrap();
    yard.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{first},vendor")]);
    yard.git(&["rm", "--quiet", "--cached", "values.j2.yml"]);
    yard.git(&["commit", "--quiet", "--message", "x"]);
    let nested = yard.fetch(&yard.source("")).await.unwrap_err();
    assert!(nested.why.contains("vendor is a submodule"), "{nested}");
}

#[tokio::test]
async fn nothing_of_anybody_is_run() {
    let Some(yard) = Yard::new() else { return };
    yard.write("a", "");
    yard.write(".gitattributes", "* filter=trap\n");
    yard.commit();
    let trace = yard.path("trace");
    let hooks = yard.path("hooks");
    std::fs::create_dir(&hooks).unwrap();
    for hook in ["reference-transaction", "post-checkout", "post-merge"] {
        let path = hooks.join(hook);
        std::fs::write(&path, format!("#!/bin/sh\necho {hook} >> {}\n", trace.display())).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let configuration = format!(
        "[core]\n\thooksPath = {}\n[filter \"trap\"]\n\tsmudge = touch {trace}\n[url \"ext::touch {trace} #\"]\n\tinsteadOf = https://trap.example/\n",
        hooks.display(),
        trace = trace.display()
    );
    std::fs::write(yard.path(".gitconfig"), configuration).unwrap();
    yard.fetch(&yard.source("")).await.unwrap();
    let refused = yard.fetch("https://trap.example/x.git").await.unwrap_err();
    assert!(refused.why.contains("transport 'ext' not allowed"), "{refused}");
    assert!(!trace.exists(), "{}", std::fs::read_to_string(&trace).unwrap());
}

/// A plain web server of a bare repository, for whoever has this login.
fn web(root: PathBuf) -> impl Fn(&Seen) -> Reply {
    move |seen| {
        if seen.header("authorization") != Some("Basic YW5uYTpwdw==") {
            return with_header(reply(401, ""), "www-authenticate", "Basic realm=\"x\"");
        }
        match std::fs::read(root.join(seen.path().trim_start_matches('/'))) {
            Ok(bytes) => reply(200, bytes),
            Err(_) => reply(404, ""),
        }
    }
}

#[tokio::test]
async fn private_repositories_are_reached_with_a_login_that_is_not_told() {
    let Some(yard) = Yard::new() else { return };
    yard.write("driver.styrmin.yml", "x");
    let commit = yard.commit();
    yard.git(&["update-server-info"]);
    let server = Server::start(web(yard.repository().join(".git"))).await;
    let address = format!("localhost:{}", server.address.port());
    if yard
        .fetch(&format!("git+http://{address}/"))
        .await
        .is_err_and(|error| error.why.contains("remote-http"))
    {
        return eprintln!("skipped: this git has no way to http");
    }
    let refused = yard.fetch(&format!("git+http://{address}/")).await.unwrap_err();
    assert!(refused.why.contains("could not read Username"), "{refused}");
    assert!(refused.next.contains("credential helper"), "{refused}");

    let found = yard.fetch(&format!("git+http://anna:pw@{address}/@main")).await.unwrap();
    assert_eq!(
        (found.commit.as_str(), found.source),
        (commit.as_str(), format!("git+http://{address}/@{commit}"))
    );
    let wrong = yard.fetch(&format!("git+http://anna:s3cret@{address}/")).await.unwrap_err();
    assert!(!wrong.to_string().contains("s3cret") && !wrong.to_string().contains("anna"), "{wrong}");

    // a person's own helper
    std::fs::write(
        yard.path(".gitconfig"),
        "[credential]\n\thelper = \"!f() { echo username=anna; echo password=pw; }; f\"\n",
    )
    .unwrap();
    assert_eq!(yard.fetch(&format!("git+http://{address}/")).await.unwrap().commit, commit);
}

#[tokio::test]
async fn a_login_is_said_to_nobody_that_a_server_redirects_to() {
    let Some(yard) = Yard::new() else { return };
    yard.write("driver.styrmin.yml", "x");
    let commit = yard.commit();
    yard.git(&["update-server-info"]);
    let root = yard.repository().join(".git");
    // one that lets everybody in, and one that asks who comes
    for asks in [false, true] {
        let root = root.clone();
        let (other, _) = Server::with_tls(move |seen| match std::fs::read(root.join(&seen.path()[1..])) {
            _ if asks => with_header(reply(401, ""), "www-authenticate", "Basic realm=\"y\""),
            Ok(bytes) => reply(200, bytes),
            Err(_) => reply(404, ""),
        })
        .await;
        // what is not encrypted is not redirected to
        let elsewhere = format!("https://localhost:{}", other.address.port());
        let server = Server::start(move |seen| {
            if seen.header("authorization") != Some("Basic YW5uYTpwdw==") {
                return with_header(reply(401, ""), "www-authenticate", "Basic realm=\"x\"");
            }
            super::super::tests::redirect(302, format!("{elsewhere}{}", seen.target))
        })
        .await;
        let source = format!("git+http://anna:pw@localhost:{}/@main", server.address.port());
        let source = GitSource::parse(&source, None).unwrap();
        let environment = yard.environment().into_iter().chain([("GIT_SSL_NO_VERIFY".into(), "1".into())]);
        let git = Git::new(environment, Limits::default());
        let found = super::commit(&git, &yard.path("scratch"), &source).await;
        if found.as_ref().is_err_and(|error| error.why.contains("remote-http")) {
            return eprintln!("skipped: this git has no way to http");
        }
        let answered = server.seen().iter().filter(|seen| seen.header("authorization").is_some()).count();
        assert!(answered > 0, "the server that the login is for hears it");
        assert!(!other.seen().is_empty(), "the other one is asked: {found:?}");
        for seen in other.seen() {
            assert_eq!(seen.header("authorization"), None, "{}", seen.target);
        }
        assert_eq!(found.as_ref().ok(), (!asks).then_some(&Some(commit.clone())), "{found:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_protocol_is_not_followed() {
    let Some(yard) = Yard::new() else { return };
    yard.write("a", "");
    yard.commit();
    let server = Server::start(|_| super::super::tests::redirect(301, "file:///etc/")).await;
    let refused = yard.fetch(&format!("git+http://localhost:{}/x.git", server.address.port())).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn what_is_too_large_is_left() {
    let Some(yard) = Yard::new() else { return };
    yard.write("large", &"x".repeat(6 << 20));
    yard.commit();
    let refused = yard.fetch(&yard.source("")).await.unwrap_err();
    assert!(refused.why.contains("large is larger than"), "{refused}");

    // what no compression makes small
    let noise =
        (0..30_000_u64).flat_map(|number| Digest::of(&number.to_le_bytes()).hex().as_bytes().to_vec());
    let noise: Vec<u8> = noise.collect();
    std::fs::write(yard.repository().join("large"), noise).unwrap();
    yard.commit();
    let mut git = yard.program();
    git.limits.disk = 100_000;
    let source = GitSource::parse(&yard.source(""), None).unwrap();
    let refused = driver(&git, &yard.path("scratch"), &source).await.unwrap_err();
    assert!(refused.why.contains("more than 100000 bytes"), "{refused}");
    git.limits = Limits { output: 20, ..Limits::default() };
    let refused = driver(&git, &yard.path("scratch"), &source).await.unwrap_err();
    assert!(refused.why.contains("answers with more than 20 bytes"), "{refused}");
}

/// A program that calls itself git, and git with it.
fn pretender(yard: &Yard, script: &str) -> Git {
    let programs = yard.path("programs");
    std::fs::create_dir_all(&programs).unwrap();
    program(&programs.join("git"), &format!("#!/bin/sh\n{script}\n"));
    let path = [programs.as_os_str(), &std::env::var_os("PATH").unwrap()].join(std::ffi::OsStr::new(":"));
    let environment = [(OsString::from("PATH"), path)];
    Git::new(environment.into_iter(), Limits::default())
}

/// Waits until the process whose number is in the file has ended. A zombie has.
async fn until_gone(file: &Path) {
    let pid: u32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
    let gone = async {
        loop {
            match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
                Err(_) => return,
                Ok(text) if text.rsplit(')').next().unwrap().trim().starts_with('Z') => return,
                Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the helper of git goes on");
}

#[tokio::test]
async fn what_hangs_is_ended_with_everything_that_it_started() {
    let Some(yard) = Yard::new() else { return };
    if !Path::new("/proc/self/stat").exists() {
        return eprintln!("skipped: there is no /proc to see processes in");
    }
    let pid = yard.path("pid");
    let mut git =
        pretender(&yard, &format!("sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait", pid.display()));
    let source = GitSource::parse(&yard.source(""), None).unwrap();

    // by whoever does not wait any longer
    let scratch = yard.path("scratch");
    {
        let fetching = driver(&git, &scratch, &source);
        tokio::pin!(fetching);
        let started = async {
            while !pid.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = &mut fetching => panic!("it hangs"),
            () = started => {}
        }
    }
    until_gone(&pid).await;
    std::fs::remove_file(&pid).unwrap();

    // by its time
    git.limits.time = Duration::from_millis(500);
    let refused = driver(&git, &scratch, &source).await.unwrap_err();
    assert!(refused.why.contains("does not finish within 0.5 s"), "{refused}");
    if pid.exists() {
        until_gone(&pid).await;
    }
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0, "nothing is left");
}

#[tokio::test]
async fn messages_are_readable_and_short() {
    let Some(yard) = Yard::new() else { return };
    let git = pretender(
        &yard,
        "i=0; while [ $i -lt 3000 ]; do printf 'line %s \\033[2J\\n' $i >&2; i=$((i+1)); done; exit 1",
    );
    let source = GitSource::parse(&yard.source(""), None).unwrap();
    let refused = driver(&git, &yard.path("scratch"), &source).await.unwrap_err();
    assert!(refused.why.lines().count() <= 4 && !refused.why.contains('\u{1b}'), "{refused}");
}

#[tokio::test]
async fn without_git_it_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = [(OsString::from("PATH"), directory.path().as_os_str().to_owned())];
    let git = Git::new(nowhere.into_iter(), Limits::default());
    let source = GitSource::parse("https://h.org/x.git", None).unwrap();
    let refused = driver(&git, &directory.path().join("scratch"), &source).await.unwrap_err();
    assert!(refused.why.contains("not installed"), "{refused}");
    assert!(refused.next.starts_with("install git"), "{refused}");
}
