//! Runs the `git` program: arguments and never a shell, nobody is asked, and it ends with whoever waits for it.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::super::url::{Login, Url};
use super::source::GitSource;

/// How often the size of what git writes is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How much of git's messages is read, in bytes.
const MESSAGES: usize = 16 << 10;

/// What git reads of its environment and a person may have set for it.
const KEPT: [&str; 14] = [
    "GIT_ASKPASS",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_EXEC_PATH",
    "GIT_PROXY_COMMAND",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_SSL_NO_VERIFY",
];

/// What holds whatever a person's own configuration says. An empty `credential.helper` is not among it: private repositories
/// are reached with a person's own helpers.
const SETTINGS: [&str; 14] = [
    "core.hooksPath=/dev/null",
    "core.symlinks=false",
    "core.fsmonitor=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    // where a person asks for it, and not where a server redirects to it
    "protocol.http.allow=user",
    "protocol.git.allow=user",
    "protocol.file.allow=user",
    "protocol.ext.allow=never",
];

/// What git runs to hear a login: the one in its environment.
const HELPER: &str =
    r#"!f() { printf 'username=%s\npassword=%s\n' "$STYRMIN_USER" "$STYRMIN_PASSWORD"; }; f"#;

/// How much git may take.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Limits {
    /// All that is done for one driver.
    pub(in super::super) time: Duration,
    /// What git keeps on disk meanwhile, in bytes.
    pub(in super::super) disk: u64,
    /// What one command writes, in bytes.
    pub(in super::super) output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(180), disk: 256 << 20, output: 16 << 20 }
    }
}

/// Why a command of git came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum GitError {
    /// There is no git.
    #[error("the program git is not installed, or not in PATH")]
    Missing,
    /// It cannot be run.
    #[error("git cannot be run: {0}")]
    Run(#[from] std::io::Error),
    /// It says why.
    #[error("{0}")]
    Failed(String),
    /// What the source names is not in the repository, or what is there is no driver's.
    #[error("{0}")]
    Unfit(String),
    /// The repository is too large.
    #[error("the repository takes more than {0} bytes")]
    Disk(u64),
    /// Git writes too much.
    #[error("git answers with more than {0} bytes")]
    Output(usize),
}

/// What a command wrote.
pub(super) struct Output {
    pub(super) success: bool,
    pub(super) stdout: Vec<u8>,
    pub(super) messages: String,
}

impl Output {
    /// What a command that must succeed wrote.
    ///
    /// # Errors
    /// It did not succeed: what git says.
    pub(super) fn must(self) -> Result<Vec<u8>, GitError> {
        if self.success { Ok(self.stdout) } else { Err(GitError::Failed(self.messages)) }
    }
}

/// The program, as a person has set it up.
#[derive(Debug, Clone)]
pub(in super::super) struct Git {
    /// All of it: git is started with nothing else.
    environment: Vec<(OsString, OsString)>,
    pub(in super::super) limits: Limits,
}

impl Git {
    /// Git with these variables, less what would lead it elsewhere.
    pub(in super::super) fn new(
        variables: impl Iterator<Item = (OsString, OsString)>,
        limits: Limits,
    ) -> Self {
        let kept = |name: &str| {
            !name.starts_with("GIT_")
                || KEPT.contains(&name)
                || name.starts_with("GIT_CONFIG_KEY_")
                || name.starts_with("GIT_CONFIG_VALUE_")
        };
        let named =
            |name: &OsString| name.to_str().is_some_and(|name| kept(name) && !name.starts_with("LC_"));
        let mut environment: Vec<_> = variables.filter(|(name, _)| named(name)).collect();
        for (name, value) in [
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            // messages in the language that they are read in
            ("LC_ALL", "C"),
        ] {
            environment.push((name.into(), value.into()));
        }
        Self { environment, limits }
    }

    /// Git for one source: with the login of its URL, and an ssh that asks nobody.
    pub(super) async fn prepared_for(&self, source: &GitSource, directory: &Path) -> Result<Self, GitError> {
        let mut git = self.clone();
        if let Some(login) = &source.login
            && let Ok(url) = Url::parse(&source.url)
        {
            git.log_in(&url, login);
        }
        let own = ["GIT_SSH", "GIT_SSH_COMMAND"].iter().any(|name| git.variable(name).is_some());
        if source.is_ssh() && !own {
            let asked = git.ask(directory, &["config", "--get", "core.sshCommand"]).await?;
            if !asked.success {
                git.environment.push(("GIT_SSH_COMMAND".into(), "ssh -o BatchMode=yes".into()));
            }
        }
        Ok(git)
    }

    /// Has git answer one place that asks who we are, and no other: neither does it say so unasked, nor to where it is
    /// redirected. What is said comes by the environment: arguments can be read by everybody on the machine.
    fn log_in(&mut self, place: &Url, login: &Login) {
        let scheme = if place.tls { "https" } else { "http" };
        let key = format!("credential.{scheme}://{}.helper", place.authority());
        // the empty one leaves out a person's own helpers, which would keep it too
        self.configure(&key, "");
        self.configure(&key, HELPER);
        self.environment.extend([
            ("STYRMIN_USER".into(), login.user.clone().into()),
            ("STYRMIN_PASSWORD".into(), login.password.clone().into()),
        ]);
    }

    fn variable(&self, name: &str) -> Option<&OsString> {
        self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Adds to the configuration that the environment holds.
    fn configure(&mut self, key: &str, value: &str) {
        let count = self.variable("GIT_CONFIG_COUNT").and_then(|count| count.to_str()?.parse::<u32>().ok());
        let count = count.unwrap_or(0);
        self.environment.retain(|(name, _)| name != "GIT_CONFIG_COUNT");
        self.environment.extend([
            ("GIT_CONFIG_COUNT".into(), (count + 1).to_string().into()),
            (format!("GIT_CONFIG_KEY_{count}").into(), key.into()),
            (format!("GIT_CONFIG_VALUE_{count}").into(), value.into()),
        ]);
    }

    /// Runs one command of those that need no repository, in `directory`.
    ///
    /// # Errors
    /// It cannot be run, or takes too much; that it fails is in the output.
    pub(super) async fn ask(&self, directory: &Path, arguments: &[&str]) -> Result<Output, GitError> {
        self.start(directory, &[], arguments, b"").await
    }

    /// Runs one command in the repository that `directory` is.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(super) async fn run(
        &self,
        directory: &Path,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Output, GitError> {
        self.start(directory, &["--git-dir", "."], arguments, input).await
    }

    async fn start(
        &self,
        directory: &Path,
        repository: &[&str],
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Output, GitError> {
        let mut command = Command::new("git");
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        // no repository that the directory happens to be in
        command
            .current_dir(directory)
            .env("GIT_CEILING_DIRECTORIES", directory.parent().unwrap_or(directory));
        command.args(repository).args(SETTINGS.iter().flat_map(|setting| ["-c", *setting])).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawned = command.process_group(0).kill_on_drop(true).spawn();
        let mut child = spawned.map_err(|error| match error.kind() {
            ErrorKind::NotFound if directory.is_dir() => GitError::Missing,
            _ => GitError::Run(error),
        })?;
        let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
        let work = converse(&mut child, input, self.limits.output);
        let (status, stdout, messages) = tokio::select! {
            done = work => done?,
            () = grown(directory, self.limits.disk) => return Err(GitError::Disk(self.limits.disk)),
        };
        if size(directory) > self.limits.disk {
            return Err(GitError::Disk(self.limits.disk));
        }
        // what it left running is a person's own, such as the keeper of passwords
        group.0 = None;
        Ok(Output { success: status.success(), stdout, messages: readable(&messages) })
    }

    /// Within the time that one driver may take.
    pub(super) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, GitError>>,
    ) -> Result<T, GitError> {
        let limit = self.limits.time;
        let slow = || GitError::Failed(format!("git does not finish within {} s", limit.as_secs_f32()));
        timeout(limit, work).await.unwrap_or_else(|_| Err(slow()))
    }
}

/// A process that was not waited for, and all that it started. They end with this value: git's helpers do not always notice
/// the end of git.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // they may have ended by themselves
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Writes the input and reads everything that is written, side by side.
async fn converse(
    child: &mut Child,
    input: &[u8],
    limit: usize,
) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), GitError> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // a command that does not want it all says so by its exit code
            let _ = stdin.write_all(input).await;
        }
        Ok(())
    };
    let read = async {
        let bytes = take(stdout, limit).await?;
        if bytes.len() > limit { Err(GitError::Output(limit)) } else { Ok(bytes) }
    };
    let messages = async {
        let bytes = take(stderr, MESSAGES).await?;
        Ok(bytes)
    };
    let ((), stdout, messages) = tokio::try_join!(write, read, messages)?;
    Ok((child.wait().await?, stdout, messages))
}

/// Reads until the end, or until one byte more than `limit`; what comes after that is thrown away only by who hangs up.
async fn take(pipe: Option<impl AsyncRead + Unpin>, limit: usize) -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(limit as u64 + 1).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// Waits until a directory is larger than `limit` bytes.
async fn grown(directory: &Path, limit: u64) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if size(directory) > limit {
            return;
        }
    }
}

/// The size of a bare repository: some dozen files.
fn size(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// The last lines of git's messages, without what a terminal would take for orders.
fn readable(messages: &[u8]) -> String {
    const LINES: usize = 4;
    let text = String::from_utf8_lossy(messages);
    let lines: Vec<String> = text
        .split(['\n', '\r'])
        .map(|line| line.chars().filter(|c| !c.is_control()).take(300).collect::<String>())
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
