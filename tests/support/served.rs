//! `styrmin sandbox serve` as a process of its own.
#![allow(dead_code, reason = "shared with a benchmark; each uses its part")]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long it may take to start.
const LIMIT: Duration = Duration::from_secs(60);

/// A served sandbox that keeps nothing. It ends with this value.
pub struct Served {
    /// The kubeconfig that it wrote.
    pub kubeconfig: PathBuf,
    /// A directory that goes with it; the kubeconfig is in it.
    pub home: TempDir,
    process: Child,
}

impl Served {
    /// Starts one and waits until it says that it listens; fails with what it complained of.
    pub async fn start() -> Self {
        let home = TempDir::new().unwrap();
        let (kubeconfig, complaints) = (home.path().join("kubeconfig"), home.path().join("served.log"));
        let mut process = Command::new(env!("CARGO_BIN_EXE_styrmin"))
            .args(["sandbox", "serve", "--ephemeral", "--ingress", "127.0.0.1:0", "--kubeconfig"])
            .arg(&kubeconfig)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&complaints).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = tokio::time::timeout(LIMIT, lines.next_line()).await;
        if !matches!(first, Ok(Ok(Some(_)))) {
            let why = std::fs::read_to_string(&complaints).unwrap();
            panic!("it does not say that it listens: {first:?}, {:?}\n{why}", process.try_wait());
        }
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { kubeconfig, home, process }
    }

    /// Its resident memory in MiB.
    pub fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Ends it.
    pub async fn stop(mut self) {
        self.process.kill().await.unwrap();
    }
}
