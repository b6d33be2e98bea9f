//! What is loaded is offered by the cockpits that run.

use std::fs;

use crate::home::{Home, PROGRAM};
use crate::pty::Pty;

fn cockpit(home: &Home) -> Pty {
    let path = home.path("");
    let environment = [("HOME", path.to_str().unwrap().trim_end_matches('/')), ("STYRMIN_INGRESS_PORT", "0")];
    Pty::start(PROGRAM, &["--sandbox"], &environment, (120, 40))
}

#[tokio::test]
async fn a_running_cockpit_offers_what_another_process_loads() {
    let home = Home::with_driver();
    let mut pty = cockpit(&home);
    pty.wait_for("No applications yet").await;
    pty.send(b"2").await;
    pty.wait_for("notes").await;
    assert!(!pty.text().contains("wiki"));
    home.run(&["load", "wiki"]).good();
    pty.wait_for("wiki").await;
    // the form offers it, and the engine deploys it
    pty.send(b"1n").await;
    pty.wait_for("Show the plan").await;
    // the last by its name is before the first
    pty.send(b"\x1b[D").await;
    pty.wait_for("Greeting").await;
    pty.send(b"\x1b[Z\r").await;
    pty.wait_for("to create").await;
    assert!(pty.text().contains("Deploy wiki 1.28.0"), "{}", pty.text());
    pty.send(b"y").await;
    pty.wait_for("Healthy").await;
    pty.send(b":quit\r").await;
    assert!(pty.ended().await.success());
}

#[tokio::test]
async fn a_driver_that_was_changed_without_a_new_version_does_not_keep_it_from_starting() {
    let home = Home::new();
    let directory = home.path(".config/styrmin/drivers/wiki");
    home.run(&["new", "wiki", "--directory", directory.to_str().unwrap()]).good();
    home.run(&["load", directory.to_str().unwrap()]).good();
    let file = directory.join("driver.styrmin.yml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("It works.", "It runs.")).unwrap();
    let mut pty = cockpit(&home);
    pty.wait_for("No applications yet").await;
    pty.wait_for("wiki 0.1.0").await;
    pty.send(b"2").await;
    pty.wait_for("notes").await;
    pty.send(b":quit\r").await;
    assert!(pty.ended().await.success());
}
