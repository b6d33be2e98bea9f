//! `styrmin backup …`, as far as nothing has to run.

use styrmin::domain::Problem;
use styrmin::domain::backup::{BackupState, Depth, Verification};

use crate::home::{Home, backup, now};

#[tokio::test]
async fn backups_are_listed_shown_and_pinned() {
    let home = Home::new().await;
    let store = home.store();
    let mut damaged = backup("notes-1", 48);
    let problem = Some(Problem::new("A pack is corrupted", "data/3f/3f2a", ""));
    damaged.verified = vec![Verification { depth: Depth::Full, at: now(), problem }];
    let mut proven = backup("notes-2", 24);
    proven.verified = vec![Verification { depth: Depth::Drill, at: now(), problem: None }];
    let mut other = backup("wiki-1", 1);
    (other.source.application, other.source.environment) = ("wiki".into(), "live".into());
    for one in [&damaged, &proven, &other] {
        store.record_backup(one).await.unwrap();
    }
    let ids = |more: &[&str]| {
        let listed = home.run(&[["backup", "list", "-o", "json"].as_slice(), more].concat()).json();
        let id = |one: &serde_json::Value| one["id"].as_str().unwrap().to_owned();
        listed.as_array().unwrap().iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]), ["wiki-1", "notes-2", "notes-1"]);
    assert_eq!(ids(&["demo/notes"]), ["notes-2", "notes-1"]);
    assert_eq!(ids(&["-e", "live"]), ["wiki-1"]);
    assert_eq!(ids(&["--location", "nowhere"]), Vec::<String>::new());
    let shown = home.run(&["backup", "show", "notes-1"]).good();
    for said in ["Damaged", "notes in demo on sandbox", "db", "3.0 MiB", "PostgreSQL 17.2", "data/3f/3f2a"] {
        assert!(shown.contains(said), "'{said}' is not in:\n{shown}");
    }
    let value = home.run(&["backup", "show", "notes-2", "-o", "json"]).json();
    assert_eq!(value["word"], "Verified");
    assert!(value["proven"].is_string(), "{value}");
    home.run(&["backup", "show", "notes-3"]).bad(1, &["There is no backup notes-3"]);
    home.run(&["backup", "pin", "notes-1", "notes-2"]).good();
    assert!(home.run(&["backup", "list"]).good().contains("Verified (pinned)"));
    home.run(&["backup", "unpin", "notes-1"]).good();
    assert!(!store.backup(&damaged.id).await.unwrap().unwrap().pinned);
}

#[tokio::test]
async fn what_would_be_deleted_is_told_with_the_reasons() {
    let home = Home::new().await;
    let store = home.store();
    home.run(&["backup", "prune", "demo", "--dry-run"]).bad(1, &["Nothing says what is kept", "--keep"]);
    home.with_vault(&["demo"]);
    let add = ["schedule", "add", "nightly", "-e", "demo", "--cron", "@daily", "--keep", "last=2"];
    home.run(&add).good();
    let mut all =
        [backup("h0", 0), backup("h24", 24), backup("h48", 48), backup("h72", 72), backup("h96", 96)];
    all[0].state = BackupState::Failed;
    all[3].pinned = true;
    for one in &all {
        store.record_backup(one).await.unwrap();
    }
    let weighed = home.run(&["backup", "prune", "demo/notes", "--dry-run", "-o", "json"]).json();
    let said: Vec<(&str, bool, &str)> = weighed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let why = one["why"][0].as_str().unwrap();
            (one["backup"].as_str().unwrap(), one["stays"].as_bool().unwrap(), why)
        })
        .collect();
    assert_eq!(
        said,
        [
            ("h0", true, "nothing newer is good"),
            ("h24", true, "newest good copy"),
            ("h48", true, "one of the last"),
            ("h72", true, "pinned"),
            ("h96", false, "no place left")
        ]
    );
    let text = home.run(&["backup", "prune", "demo", "--dry-run", "--keep", "last=1"]).good();
    assert!(text.contains("given keeps last=1: 2 of 5 backups go"), "{text}");
    assert_eq!(store.backups("sandbox").await.unwrap().len(), 5, "nothing was deleted");
}

#[tokio::test]
async fn nothing_is_changed_that_nobody_confirms_or_that_makes_no_sense() {
    let home = Home::new().await;
    home.run(&["backup", "run", "notes"]).bad(2, &["Nobody can confirm"]);
    home.run(&["backup", "run"]).bad(2, &["APPLICATION"]);
    home.run(&["backup", "run", "-e", "demo", "--component", "db", "--yes"]).bad(2, &["Whose components"]);
    home.run(&["backup", "restore", "x", "--path", "web/data:../etc", "--yes"]).bad(2, &["no . and no .."]);
    home.run(&["backup", "restore", "x", "--to", "notes", "--yes"]).bad(2, &["ENVIRONMENT/APPLICATION"]);
    home.run(&["environment", "clone", "demo", "copy", "--from-backups", "notes", "--yes"])
        .bad(2, &["APPLICATION=BACKUP"]);
    // with an engine: the sandbox's, in this process
    home.run(&["backup", "run", "nothing", "--yes", "--sandbox"])
        .bad(2, &["There is no application nothing"]);
    home.run(&["backup", "verify", "gone", "--yes", "--sandbox"]).bad(1, &["There is no backup gone"]);
    let store = home.store();
    store.record_backup(&backup("last", 1)).await.unwrap();
    let last = home.run(&["backup", "delete", "last", "--yes", "--sandbox"]);
    last.bad(1, &["last is not deleted", "newer good copy", "--even-the-last"]);
    home.run(&["backup", "pin", "last"]).good();
    home.run(&["backup", "delete", "last", "--even-the-last", "--yes", "--sandbox"])
        .bad(1, &["it is pinned"]);
}
