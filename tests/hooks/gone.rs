//! A child does not outlive its run, nor its parent.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;
use styrmin::hooks::{Call, CallError, End, MemoryJournal, Performer, run};

use super::support::*;

/// Never answers; says that it was asked.
#[derive(Default)]
struct Silent {
    asked: tokio::sync::Notify,
    told: Mutex<Vec<String>>,
}

impl Performer for Silent {
    async fn perform(&self, call: &Call, _: bool, _: u32) -> Result<Value, CallError> {
        if let Call::Log { text } = call {
            self.told.lock().unwrap().push(text.clone());
            return Ok(Value::Null);
        }
        self.asked.notify_one();
        std::future::pending().await
    }
}

/// The processes of which this one is the parent, and theirs, that run something with `word` in its command line.
fn running(word: &str) -> usize {
    let commands = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.ok()?.path();
        path.file_name()?.to_str()?.parse::<u32>().ok()?;
        let line = std::fs::read(path.join("cmdline")).ok()?;
        let state = std::fs::read_to_string(path.join("stat")).ok()?;
        // One that has ended and was not asked for its status yet has no command line.
        (!state.contains(") Z ")).then(|| String::from_utf8_lossy(&line).replace('\0', " "))
    });
    commands.filter(|line| line.contains(word)).count()
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn dropping_a_run_ends_the_child_and_what_it_started() {
    if worker().python().is_none() {
        eprintln!("skipped: there is no python3");
        return;
    }
    let mark = format!("98{}", std::process::id());
    let text = format!(
        "import subprocess\nfrom styrmin_backend.actions import *\nasync def main(ctx):\n    \
         subprocess.Popen(['sleep', '{mark}'])\n    print(__import__('os').getcwd())\n    await now()\n"
    );
    let (program, worker, journal, silent) =
        (program_of(&[("actions.py", &text)]), worker(), MemoryJournal::default(), Silent::default());
    tokio::select! {
        end = run(&worker, &program, &journal, &silent) => panic!("{end:?}"),
        () = silent.asked.notified() => {}
    }
    until("the child's own child is still there", || running(&format!("sleep {mark}")) == 0);
    let place = silent.told.lock().unwrap()[0].clone();
    assert!(!std::path::Path::new(&place).exists(), "{place}");
}

/// Set for the process that is killed in the test below.
const ROLE: &str = "STYRMIN_TEST_PARENT";

/// What is killed in the test below, when it is asked to be: runs an action that never ends.
#[tokio::test]
async fn the_parent_that_is_killed() {
    let Ok(language) = std::env::var(ROLE) else { return };
    let (file, text) = match language.as_str() {
        "star" => (
            "actions.star",
            "def main(ctx):\n    now()\n    for x in range(1 << 30):\n        for y in range(1 << 30):\n            pass\n",
        ),
        _ => (
            "actions.py",
            "from styrmin_backend.actions import *\nasync def main(ctx):\n    await now()\n    while True: pass\n",
        ),
    };
    struct Told;
    impl Performer for Told {
        async fn perform(&self, _: &Call, _: bool, _: u32) -> Result<Value, CallError> {
            println!("\nit runs");
            Ok(Value::Null)
        }
    }
    let end: End = run(&worker(), &program_of(&[(file, text)]), &MemoryJournal::default(), &Told).await;
    panic!("{end:?}");
}

#[test]
fn a_child_does_not_outlive_a_parent_that_is_killed() {
    for language in ["star", "py"] {
        if language == "py" && worker().python().is_none() {
            eprintln!("skipped: there is no python3");
            continue;
        }
        let mut parent = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "gone::the_parent_that_is_killed", "--nocapture"])
            .env(ROLE, language)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "it runs"), "{language}: it did not begin");
        let children = children_of(parent.id());
        assert_eq!(children.len(), 1, "{language}");
        parent.kill().unwrap();
        parent.wait().unwrap();
        until("the child outlives its parent", || !is_running(children[0]));
    }
}

fn status_of(id: u32, field: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(field).map(|rest| rest.trim().to_owned()))
}

fn children_of(parent: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").unwrap();
    let ids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| status_of(*id, "PPid:") == Some(parent.to_string())).collect()
}

fn is_running(id: u32) -> bool {
    status_of(id, "State:").is_some_and(|state| !state.starts_with('Z'))
}
