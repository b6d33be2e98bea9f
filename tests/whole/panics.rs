//! A panic gives the terminal back, says what happened, and leaves a recording.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};
use styrmin::app::panics::{self, Panics};
use styrmin::app::recorder::Recorder;
use styrmin::app::terminal::TerminalGuard;
use styrmin::domain::{Clock, SystemClock};
use styrmin::ui::event::Event;
use tokio::sync::mpsc;

use crate::pty::Pty;

/// Names the directory of recordings to the process that is to panic.
const DIRECTORY: &str = "STYRMIN_TEST_RECORDINGS";

/// Panics on purpose where the test below asks for it; elsewhere there is nothing to do.
#[test]
fn child_that_panics() {
    let Some(recordings) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let (_guard, _screen) = TerminalGuard::enter().unwrap();
    let (recorder, clock) = (Recorder::new((80, 24)), Arc::new(SystemClock));
    recorder.note(&Event::Key(KeyEvent::from(KeyCode::Char('j'))), clock.now(), false);
    let (notices, _) = mpsc::channel(1);
    panics::install(Panics { recorder, recordings, clock, notices });
    let _ = std::panic::catch_unwind(|| panic!("the roof is on fire"));
    // what the tests' own frame would print comes over what was said
    std::process::exit(101);
}

#[tokio::test]
async fn a_panic_gives_the_terminal_back_and_leaves_a_recording() {
    let directory = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let environment = [(DIRECTORY, directory.path().to_str().unwrap())];
    let arguments = ["--exact", "panics::child_that_panics", "--nocapture"];
    let mut pty = Pty::start(program.to_str().unwrap(), &arguments, &environment, (100, 30));
    pty.wait_for("the roof is on fire").await;
    pty.wait_for("styrmin replay").await;
    pty.wait_given_back().await;
    pty.ended().await;
    let recordings: Vec<_> = std::fs::read_dir(directory.path()).unwrap().flatten().collect();
    assert_eq!(recordings.len(), 1);
    let frames = styrmin::app::replay(&recordings[0].path()).unwrap();
    assert_eq!(frames.len(), 1, "the key that was pressed can be stepped again");
}
