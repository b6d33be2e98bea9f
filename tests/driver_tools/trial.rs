//! `driver test`: on a sandbox of its own, which leaves nothing.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

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
    let arguments = ["test", NOTES, "--version", "1.2.0-broken", "--timeout", "4"];
    let (code, text, _) = home.run(&arguments).parts();
    assert_eq!(code, 1, "{text}");
    for part in ["web  Progressing  0/1", "failed: It is not healthy after 4 s", "answers 503", "--timeout"] {
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
fn interrupted_it_leaves_nothing() {
    let home = Home::new();
    let mut command = home.command(&["test", NOTES, "--version", "1.2.0-broken", "--timeout", "600"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = std::time::Instant::now();
    // until the sandbox is there, and something runs on it
    while processes(&home).len() < 3 {
        assert!(begun.elapsed() < PATIENCE, "nothing is deployed");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let status = child.wait().unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(status.code(), Some(1), "{told}");
    assert!(told.contains("interrupted"), "{told}");
    assert_eq!(home.temporary(), [""; 0]);
    while !processes(&home).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "left behind: {:?}", processes(&home));
        std::thread::sleep(Duration::from_millis(20));
    }
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
