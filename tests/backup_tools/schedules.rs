//! `styrmin schedule …`.

use crate::home::Home;

#[tokio::test]
async fn a_schedule_is_added_shown_paused_and_removed() {
    let home = Home::new().await;
    home.with_vault(&["demo"]);
    let add =
        ["schedule", "add", "hourly", "-e", "demo", "--cron", "@hourly", "--time-zone", "Europe/Berlin"];
    let keep =
        ["--jitter", "5m", "--missed", "once", "--keep", "last=3,daily=7", "--verify", "full", "-o", "json"];
    let added = home.run(&[add.as_slice(), keep.as_slice()].concat()).json();
    assert_eq!((&added[0]["jitter"], &added[0]["missed"]), (&300.into(), &"Once".into()));
    assert_eq!(added[0]["retention"]["daily"], 7);
    let listed = home.run(&["schedule", "list"]).good();
    for said in ["hourly", "@hourly", "Europe/Berlin", "last=3,daily=7", "full"] {
        assert!(listed.contains(said), "'{said}' is not in:\n{listed}");
    }
    let coming = home.run(&["schedule", "calendar", "-o", "json"]).json();
    let coming = coming.as_array().unwrap();
    // the last one may be put off to behind the day
    assert!((23..=25).contains(&coming.len()), "{coming:?}");
    let lines = home.run(&["schedule", "calendar"]).good().lines().count();
    // two processes read two clocks: meanwhile one may have come or gone
    assert!(lines.abs_diff(coming.len() + 1) <= 1, "{lines} lines: {coming:?}");
    home.run(&["schedule", "pause", "hourly", "--reason", "a migration"]).good();
    assert!(home.run(&["schedule", "list"]).good().contains("a migration"));
    assert_eq!(home.run(&["schedule", "calendar", "-o", "json"]).json(), serde_json::json!([]));
    let before = home.store().schedule("sandbox", "hourly").await.unwrap().unwrap();
    home.run(&["schedule", "resume", "hourly"]).good();
    let after = home.store().schedule("sandbox", "hourly").await.unwrap().unwrap();
    assert!(
        after.paused.is_none() && after.created > before.created,
        "what was due meanwhile is none of its"
    );
    home.run(&[add.as_slice(), &["--keep", "last=1"]].concat()).bad(1, &["exists already"]);
    home.run(&["schedule", "remove", "hourly"]).good();
    home.run(&["schedule", "remove", "hourly"]).bad(1, &["There is no schedule hourly"]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_why() {
    let home = Home::new().await;
    let add =
        |more: &[&str]| home.run(&[["schedule", "add", "nightly", "-e", "demo"].as_slice(), more].concat());
    add(&["--cron", "30 2 * * *"]).bad(1, &["has no backup location", "styrmin location assign"]);
    home.with_vault(&["demo"]);
    add(&["--cron", "30 2 * *"]).bad(1, &["4 fields"]);
    add(&["--cron", "0 0 31 2 *"]).bad(1, &["never due"]);
    add(&["--cron", "0 0 * * *", "--time-zone", "Berlin"]).bad(1, &["no time zone 'Berlin'"]);
    add(&["--cron", "0 0 * * *", "--keep", "yearly=1"]).bad(2, &["none of last"]);
    add(&["--cron", "0 0 * * *", "--jitter", "13h"]).bad(1, &["too long"]);
    add(&["--cron", "0 0 * * *", "--application", "notse"]).bad(1, &["no application notse"]);
    home.run(&["schedule", "add", "x", "-e", "dmeo", "--cron", "0 0 * * *"]).bad(2, &["demo on sandbox"]);
    assert_eq!(home.run(&["schedule", "list", "-o", "json"]).json(), serde_json::json!([]));
}
