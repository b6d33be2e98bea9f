//! A served sandbox, and one kubectl that talks to it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::served::Served;

/// The environment variable that names the binaries.
const KUBECTLS: &str = "STYRMIN_KUBECTL";
/// How long one command may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Declares the cases of a module; each runs once per kubectl.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        mod with_kubectl {
            $(#[test] fn $case() { crate::ground::with_each(super::$case) })*
        }
    };
}

/// One kubectl and its cluster.
pub struct Ground {
    program: PathBuf,
    /// `20` of 1.20.
    pub minor: u32,
    /// Its home is the home of this kubectl too: its cache, and the files of the case.
    served: Served,
}

/// Runs a case with every kubectl that there is, side by side: they mostly wait.
pub fn with_each(case: impl AsyncFn(&Ground)) {
    let programs = programs();
    if programs.is_empty() {
        println!("skipped: no kubectl ({KUBECTLS} names none, and none is on the PATH)");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let each = programs.into_iter().map(async |program| {
        let ground = Ground::start(program).await;
        println!("with kubectl 1.{}", ground.minor);
        case(&ground).await;
    });
    runtime.block_on(futures::future::join_all(each));
}

fn programs() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os(KUBECTLS) {
        return std::env::split_paths(&named).filter(|path| path.is_file()).collect();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("kubectl"))
        .find(|path| path.is_file())
        .into_iter()
        .collect()
}

impl Ground {
    async fn start(program: PathBuf) -> Self {
        let served = Served::start().await;
        let mut ground = Self { program, minor: 0, served };
        let version = ground.ok("version --client -o json").await;
        let version: serde_json::Value = serde_json::from_str(&version).unwrap();
        let minor = version["clientVersion"]["minor"].as_str().unwrap().trim_end_matches('+').to_owned();
        ground.minor = minor.parse().unwrap();
        ground
    }

    fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words);
        self.surround(&mut command);
        command
    }

    /// The directory of the case.
    pub fn home(&self) -> &Path {
        self.served.home.path()
    }

    /// Gives a program the home and the cluster of the case.
    pub fn surround(&self, command: &mut Command) {
        command
            .env_remove("KUBERNETES_SERVICE_HOST")
            .env("HOME", self.home())
            .env("KUBECONFIG", &self.served.kubeconfig)
            .current_dir(self.home())
            .kill_on_drop(true);
    }

    /// The binary.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// What a pseudo-terminal needs to run it.
    pub fn in_terminal(&self) -> (&str, Vec<(&str, &str)>) {
        let text =
            |path: &'_ Path| -> &'_ str { Box::leak(path.to_str().unwrap().to_owned().into_boxed_str()) };
        (
            text(&self.program),
            vec![("HOME", text(self.home())), ("KUBECONFIG", text(&self.served.kubeconfig))],
        )
    }

    /// Starts it, to be left running.
    pub fn start_command(&self, line: &str) -> Child {
        self.command(&words(line))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Runs it with words of a line, with input and more of the environment.
    pub async fn run_with(&self, line: &str, input: &[u8], environment: &[(&str, &str)]) -> Output {
        let mut child = self
            .command(&words(line))
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writing = tokio::spawn(async move {
            // A command that does not read its input closes it.
            let _ = stdin.write_all(&input).await;
        });
        let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await;
        let output =
            output.unwrap_or_else(|_| panic!("kubectl 1.{} {line}: takes too long", self.minor)).unwrap();
        writing.abort();
        output
    }

    /// Its output; fails when it does.
    pub async fn ok(&self, line: &str) -> String {
        self.ok_with(line, "").await
    }

    /// As [`Self::ok`], with input.
    pub async fn ok_with(&self, line: &str, input: &str) -> String {
        let output = self.run_with(line, input.as_bytes(), &[]).await;
        let (told, complained) = texts(&output);
        assert!(output.status.success(), "kubectl 1.{} {line}\n{told}\n{complained}", self.minor);
        told
    }

    /// Asks until the output has `part`.
    pub async fn until_told(&self, line: &str, part: &str) {
        let asking = async {
            while !self.ok(line).await.contains(part) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let told = tokio::time::timeout(LIMIT, asking).await;
        told.unwrap_or_else(|_| panic!("kubectl 1.{} {line}: '{part}' is never told", self.minor));
    }

    /// Its complaint; fails when it does not.
    pub async fn refused(&self, line: &str, input: &str) -> String {
        let output = self.run_with(line, input.as_bytes(), &[]).await;
        let (told, complained) = texts(&output);
        assert!(!output.status.success(), "kubectl 1.{} {line} succeeded\n{told}", self.minor);
        complained
    }

    /// Writes a file into its home and gives the name.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.home().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// Words of a line; what stands between `'` belongs together, as in a shell.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted, mut inside) = (vec![String::new()], false, false);
    for letter in line.chars() {
        match letter {
            '\'' => (quoted, inside) = (true, !inside),
            ' ' if !inside => {
                if quoted || words.last().is_some_and(|word| !word.is_empty()) {
                    words.push(String::new());
                }
                quoted = false;
            }
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    if !quoted && words.last().is_some_and(String::is_empty) {
        words.pop();
    }
    words
}

/// Standard output and standard error.
pub fn texts(output: &Output) -> (String, String) {
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// The words of each line of a table.
pub fn cells(table: &str) -> Vec<Vec<String>> {
    table.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// A deployment of the demo application's front.
pub fn web(name: &str, replicas: u32, version: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: styrmin/notes-web:{version}
        ports: [{{containerPort: 8080, name: http}}]
        readinessProbe: {{periodSeconds: 1, httpGet: {{path: /healthz, port: http}}}}
        env: [{{name: POD_IP, valueFrom: {{fieldRef: {{fieldPath: status.podIP}}}}}}]
"
    )
}

/// A pod that runs a command of the host.
pub fn shell(name: &str, script: &str) -> String {
    format!(
        "apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  containers: [{{name: main, image: 'styrmin/host:1', command: [sh, -c, '{script}']}}]
"
    )
}
