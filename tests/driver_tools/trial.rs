//! `driver test`: on a sandbox of its own, which leaves nothing.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::home::Home;
use crate::pty::PATIENCE;

const NOTES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/drivers/notes");

/// The processes that run in this home.
fn processes(home: &Home) -> Vec<String> {
    let marker = home.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    let ours = |path: &Path| {
        let environment = fs::read(path.join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&marker)
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| ours(path)).map(|path| path.display().to_string()).collect()
}

#[test]
fn a_driver_that_works_passes() {
    let home = Home::new();
    let found = home.run(&["test", NOTES, "--set", "replicas=2", "-o", "json"]).json();
    assert_eq!((&found["passed"], &found["version"]), (&true.into(), &"1.0.0".into()));
    let web = &found["components"][1];
    assert_eq!((&web["name"], &web["ready"], &web["simulated"]), (&"web".into(), &2.into(), &false.into()));
    let urls = found["urls"].as_array().unwrap();
    assert!(!urls.is_empty() && urls.iter().all(|url| url["works"] == true), "{found}");
    assert_eq!(home.temporary(), [""; 0]);
    assert!(!home.path(".local").exists(), "a trial is not recorded");
    assert_eq!(processes(&home), [""; 0]);
}

#[test]
fn a_new_driver_passes_and_says_what_was_not_asked() {
    let home = Home::with_driver();
    let text = home.run(&["test", "wiki"]).good();
    assert!(text.contains("web  Healthy  1/1  simulated: no process runs"), "{text}");
    assert!(text.contains("is not asked: nothing real is behind it") && text.ends_with("passed\n"), "{text}");
}

#[test]
fn a_driver_that_does_not_become_healthy_fails_and_says_why() {
    let home = Home::new();
    // long enough for its process to answer, and less than the 60 s in which its Deployment must progress
    let arguments = ["test", NOTES, "--version", "1.2.0-broken", "--timeout", "20"];
    let (code, text, _) = home.run(&arguments).parts();
    assert_eq!(code, 1, "{text}");
    for part in ["web  Progressing  0/1", "failed: It is not healthy after 20 s", "answers 503", "--timeout"]
    {
        assert!(text.contains(part), "'{part}' is not in:\n{text}");
    }
    assert_eq!(home.temporary(), [""; 0]);
    assert_eq!(processes(&home), [""; 0]);
}

#[test]
fn a_driver_that_cannot_be_planned_is_refused() {
    let home = Home::new();
    home.run(&["test", NOTES, "--set", "replicas=99"]).refused(&["replicas"]);
    home.run(&["test", NOTES, "--version", "7.0"]).refused(&["7.0", ">=1.0,<2.0"]);
    assert_eq!(home.temporary(), [""; 0]);
}

#[test]
fn how_components_change_is_told_meanwhile() {
    let home = Home::new();
    let (code, _, told) = home.run(&["test", NOTES]).parts();
    assert_eq!(code, 0, "{told}");
    let of_web: Vec<&str> = told.lines().filter(|line| line.starts_with("web is ")).collect();
    assert_eq!(of_web.last(), Some(&"web is Healthy, 1/1 ready"), "{told}");
    assert!(of_web.windows(2).all(|pair| pair[0] != pair[1]), "{told}");
}

/// Waits until no process runs in this home any more.
fn until_none_runs(home: &Home) {
    let end = Instant::now() + PATIENCE;
    loop {
        let left = processes(home);
        if left.is_empty() {
            return;
        }
        for pid in left.iter().filter_map(|path| path.rsplit('/').next()?.parse().ok()) {
            let pid = Pid::from_raw(pid).unwrap();
            // one that is not there any more needs no waiting for
            let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
            let patience = Timespec::try_from(end.saturating_duration_since(Instant::now())).unwrap();
            let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)).unwrap();
            assert_eq!(ended, 1, "left behind: {left:?}");
        }
    }
}

#[test]
fn interrupted_it_leaves_nothing() {
    let home = Home::new();
    let patience = PATIENCE.as_secs().to_string();
    let mut command = home.command(&["test", NOTES, "--version", "1.2.0-broken", "--timeout", &patience]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    // until its process answers, which it does not do well
    let mut told = String::new();
    while !told.lines().any(|line| line.starts_with("web is ") && line.ends_with("statuscode: 503")) {
        assert_ne!(stderr.read_line(&mut told).unwrap(), 0, "nothing is deployed: {told}");
    }
    assert!(processes(&home).len() > 1, "its own process, and those of the application");
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    stderr.read_to_string(&mut told).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(1), "{told}");
    assert!(told.contains("interrupted"), "{told}");
    assert_eq!(home.temporary(), [""; 0]);
    until_none_runs(&home);
}

#[test]
fn every_built_in_driver_is_sound_and_passes() {
    let home = Home::new();
    let drivers = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/drivers")).unwrap();
    for directory in drivers.map(|entry| entry.unwrap().path()) {
        let directory = directory.to_str().unwrap();
        let linted = home.run(&["lint", directory, "-o", "json"]).json();
        assert_eq!((linted["errors"].as_u64(), linted["warnings"].as_u64()), (Some(0), Some(0)), "{linted}");
        assert!(!home.run(&["render", directory, "-o", "json"]).json().as_array().unwrap().is_empty());
        let tried = home.run(&["test", directory, "-o", "json"]).json();
        assert_eq!(tried["passed"], true, "{directory}: {tried}");
    }
}
