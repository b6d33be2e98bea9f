//! Processes of containers: the command line, the start, the end.

mod terminal;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

pub(super) use terminal::Terminal;

use super::volumes::{Mount, join, translate};
use crate::sandbox::images::{KnownImage, session};

/// The inside of a container: what its main process, its probes and `exec` share.
#[derive(Debug, Clone)]
pub(super) struct Inside {
    pub(super) image: KnownImage,
    pub(super) environment: BTreeMap<String, String>,
    /// The directory that stands for `/`.
    pub(super) root: PathBuf,
    /// The working directory.
    pub(super) directory: PathBuf,
    /// The volumes that are mounted.
    pub(super) mounts: Vec<Mount>,
}

impl Inside {
    /// The command that runs `argv` in here, with its output piped. The error is what a container runtime says about a program
    /// that does not exist.
    pub(super) fn command(&self, executable: &Path, argv: &[String]) -> Result<Command, String> {
        let Some(program) = argv.first().filter(|program| !program.is_empty()) else {
            return Err("no command specified".into());
        };
        let argv = &self.at_home(argv);
        let argv: Vec<String> = if self.image.has_command(program) {
            argv.to_vec()
        } else {
            let argv: Vec<String> = argv.iter().map(|word| translate(word, &self.mounts)).collect();
            self.check_program(&argv[0]).map_err(|why| format!("exec: {program:?}: {why}"))?;
            argv
        };
        let mut command = Command::new(executable);
        command
            .args(self.image.launch(&argv))
            .env_clear()
            .envs(&self.environment)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Ok(command)
    }

    /// Words that mean this machine mean the pod, where the image's programs listen on the pod's address.
    fn at_home(&self, argv: &[String]) -> Vec<String> {
        let address = self.environment.get("POD_IP").filter(|_| self.image.is_at_home());
        let word = |word: &String| match address {
            Some(address) if matches!(word.as_str(), "localhost" | "127.0.0.1") => address.clone(),
            _ => word.clone(),
        };
        argv.iter().map(word).collect()
    }

    fn check_program(&self, program: &str) -> Result<(), String> {
        if program.contains('/') {
            let exists = Path::new(program).exists() || self.directory.join(program).exists();
            return if exists { Ok(()) } else { Err("no such file or directory".into()) };
        }
        let path = self.environment.get("PATH").map(String::as_str).unwrap_or_default();
        let found = std::env::split_paths(path).any(|directory| directory.join(program).is_file());
        if found { Ok(()) } else { Err("executable file not found in $PATH".into()) }
    }
}

/// Puts the image's own commands on the container's PATH, so that `sh -c 'notes-db dump | wc'` finds them.
pub(super) fn install_commands(inside: &Inside, executable: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let Some(directory) = join(&inside.root, "usr/local/bin") else { return Ok(()) };
    std::fs::create_dir_all(&directory)?;
    for name in inside.image.commands() {
        let words = inside.image.launch(&[(*name).to_owned()]);
        let words: Vec<String> = std::iter::once(executable.to_string_lossy().into_owned())
            .chain(words)
            .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
            .collect();
        let script = format!("#!/bin/sh\nexec {} \"$@\"\n", words.join(" "));
        let path = directory.join(name);
        if std::fs::read_to_string(&path).ok().as_ref() != Some(&script) {
            std::fs::write(&path, script)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

/// A running process and its group. Dropping it kills the group.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    /// None once the process was waited for.
    pid: Option<Pid>,
    /// Whether it leads a session: it has a terminal.
    leads_session: bool,
}

impl Running {
    /// Starts a command made by [`Inside::command`] in a process group of its own.
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        Ok(Self::new(command.process_group(0).spawn()?, false))
    }

    /// Starts a command made by [`Inside::command`] at a terminal instead of its pipes, in a session of its own.
    pub(super) fn spawn_in_terminal(command: Command) -> io::Result<(Self, Terminal)> {
        let (child, terminal) = terminal::spawn(command)?;
        Ok((Self::new(child, true), terminal))
    }

    fn new(child: Child, leads_session: bool) -> Self {
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { child, pid, leads_session }
    }

    /// The process id, 0 when it has ended.
    pub(super) fn id(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// Its piped streams; each can be taken once.
    pub(super) fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for the process, then ends what is left of its group, as the end of a container's first process does.
    /// Safe to drop before it is ready.
    pub(super) async fn wait(&mut self) -> i32 {
        let status = self.child.wait().await;
        self.kill();
        self.pid = None;
        match status {
            Ok(status) => status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
            Err(_) => 255,
        }
    }

    /// Sends a signal to the process itself.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid {
            kill_process(pid, signal).ok();
        }
    }

    /// Kills the whole group, or the whole session.
    pub(super) fn kill(&self) {
        let Some(pid) = self.pid else { return };
        kill_process_group(pid, Signal::KILL).ok();
        if self.leads_session {
            session::kill(pid);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::images::{Image, find};

    fn inside(root: &Path) -> Inside {
        let Image::Known(image) = find("styrmin/notes-db:1.0.0") else { panic!("not known") };
        let environment = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into();
        let mounts = vec![Mount { path: "/data".into(), source: root.join("volume") }];
        Inside { image, environment, root: root.into(), directory: root.into(), mounts }
    }

    fn words(command: &Command) -> Vec<String> {
        command.as_std().get_args().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn host_programs_get_translated_paths_and_own_commands_do_not() {
        let directory = tempfile::tempdir().unwrap();
        let inside = inside(directory.path());
        let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let command = inside.command(Path::new("/styrmin"), &argv(&["ls", "/data/x", "/etc"])).unwrap();
        let inner = format!("{}/volume/x", directory.path().display());
        assert_eq!(words(&command), ["image", "shim", "--", "ls", &inner, "/etc"]);
        let own = inside.command(Path::new("/styrmin"), &argv(&["notes-db", "/data"])).unwrap();
        assert_eq!(words(&own), ["image", "notes-db", "--version", "1.0.0", "/data"]);
        for missing in ["no-such-program", "/no/such", "./x"] {
            let error = inside.command(Path::new("/styrmin"), &argv(&[missing])).unwrap_err();
            assert!(error.contains(missing), "{error}");
        }
    }

    #[tokio::test]
    async fn exit_codes_and_signals_are_told_and_the_group_dies_with_its_leader() {
        let shell = |script: &str| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
            command
        };
        assert_eq!(Running::spawn(shell("exit 7")).unwrap().wait().await, 7);
        assert_eq!(Running::spawn(shell("kill -9 $$")).unwrap().wait().await, 137);
        let mut running = Running::spawn(shell("sleep 1000 & exit 0")).unwrap();
        let (_, stdout, _) = running.pipes();
        assert_eq!(running.wait().await, 0);
        // The pipe ends only when the last process that holds it has ended.
        let mut rest = Vec::new();
        let reading = tokio::io::AsyncReadExt::read_to_end(&mut stdout.unwrap(), &mut rest).await;
        assert_eq!(reading.unwrap(), 0);
    }
}
