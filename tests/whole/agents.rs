//! The real binary as an agent beside cockpits, and `kill -9` of whoever holds the engine.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::binary::{PROGRAM, cockpit, deploy_the_demo, processes_of};
use crate::pty::{PATIENCE, Pty};

/// An agent, and what it says.
pub struct Agent {
    child: Child,
    said: Lines<BufReader<ChildStderr>>,
    log: Vec<String>,
}

impl Agent {
    fn start(home: &Path) -> Self {
        Self::start_at(home, 0)
    }

    /// With an ingress at this port; 0: any free one.
    pub fn start_at(home: &Path, port: u16) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["agent", "--sandbox"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", home)
            .env("STYRMIN_INGRESS_PORT", port.to_string())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, said, log: Vec::new() }
    }

    /// Waits until it has said `text`.
    pub async fn says(&mut self, text: &str) {
        let heard = async {
            while let Ok(Some(line)) = self.said.next_line().await {
                self.log.push(line);
                if self.log.last().is_some_and(|line| line.contains(text)) {
                    return true;
                }
            }
            false
        };
        let heard = tokio::time::timeout(PATIENCE, heard).await;
        assert!(matches!(heard, Ok(true)), "waiting for: {text}\n{}", self.log.join("\n"));
    }

    /// Waits until it has ended.
    pub async fn wait(mut self) {
        self.child.wait().await.unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

/// Waits until exactly these many processes of the sandbox run, and none of `old`.
pub async fn until_pods(marker: &str, count: usize, old: &[i32]) {
    let settled = async {
        loop {
            let found = processes_of(marker);
            if found.len() == count && !found.iter().any(|pid| old.contains(pid)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let settled = tokio::time::timeout(PATIENCE, settled).await;
    assert!(
        settled.is_ok(),
        "{count} are expected, there are {:?}, there were {old:?}",
        processes_of(marker)
    );
}

async fn leads(pty: &mut Pty) {
    pty.wait_until("the engine here, and the application well", PATIENCE, |screen| {
        !screen.contains("engine")
            && screen.contains("live")
            && screen.contains("✓ Healthy")
            && screen.contains("200 in")
    })
    .await;
}

#[tokio::test]
async fn a_killed_agent_is_succeeded_by_the_cockpit_and_the_other_way_round() {
    let home = tempfile::tempdir().unwrap();
    let marker = home.path().to_string_lossy().into_owned();
    let mut agent = Agent::start(home.path());
    agent.says("the engine runs here").await;
    let mut pty = cockpit(home.path(), (100, 30));
    pty.wait_for(&format!("engine: pid {}", agent.child.id().unwrap())).await;
    deploy_the_demo(&mut pty).await;
    let before = processes_of(&marker);
    assert_eq!(before.len(), 2, "the web server and the database");
    agent.signal(Signal::KILL);
    agent.child.wait().await.unwrap();
    leads(&mut pty).await;
    until_pods(&marker, 2, &before).await;
    // the other way round
    let mut agent = Agent::start(home.path());
    agent.says("the agent is ready").await;
    let before = processes_of(&marker);
    pty.child.start_kill().unwrap();
    pty.ended().await;
    agent.says("the engine runs here").await;
    let mut pty = cockpit(home.path(), (100, 30));
    pty.wait_for(&format!("engine: pid {}", agent.child.id().unwrap())).await;
    pty.wait_for("200 in").await;
    pty.wait_for("✓ Healthy").await;
    until_pods(&marker, 2, &before).await;
    // and in order: the cockpit goes on when the agent is told to end
    agent.signal(Signal::TERM);
    assert!(agent.child.wait().await.unwrap().success());
    leads(&mut pty).await;
    pty.send(b"qq").await;
    assert!(pty.ended().await.success());
    until_pods(&marker, 0, &[]).await;
}

#[tokio::test]
async fn an_agent_says_what_it_does_and_no_secrets() {
    let home = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(home.path());
    agent.says("the engine runs here").await;
    agent.signal(Signal::INT);
    agent.says("the agent ends").await;
    assert!(agent.child.wait().await.unwrap().success());
    let log = agent.log.join("\n");
    assert!(log.contains("epoch=1") && log.contains("put down"), "{log}");
    assert!(!log.contains('\x1b'), "plain lines: {log}");
}

#[tokio::test]
async fn cockpits_of_several_processes_see_and_do_the_same() {
    let home = tempfile::tempdir().unwrap();
    let mut first = cockpit(home.path(), (100, 30));
    first.wait_for("No applications yet").await;
    let mut second = cockpit(home.path(), (100, 30));
    second.wait_for(&format!("engine: pid {}", first.child.id().unwrap())).await;
    deploy_the_demo(&mut second).await;
    first.wait_for("✓ Healthy").await;
    first.wait_for("200 in").await;
    second.send(b":take-over\r").await;
    second.wait_for("The engine runs here now").await;
    leads(&mut second).await;
    first.wait_for(&format!("engine: pid {}", second.child.id().unwrap())).await;
    first.wait_for("✓ Healthy").await;
    second.send(b":quit\r").await;
    assert!(second.ended().await.success());
    leads(&mut first).await;
}
