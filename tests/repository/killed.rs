//! A process that is killed in the middle of a save: nothing is locked, nothing is damaged.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use styrmin::backup::repository::Source;
use styrmin::domain::backup::Depth;

use super::ground::{Noise, Restic, directory, files, made, new, noise, read, save};

/// Where the victim saves.
const PLACE: &str = "STYRMIN_TEST_VICTIM";

/// Saves without an end, and says how far it is. It is begun by the test below.
#[tokio::test]
#[ignore = "the process that another test begins and kills (issue 7)"]
async fn victim() {
    let Some(place) = std::env::var_os(PLACE).map(PathBuf::from) else { return };
    let repository = made(&directory(&place)).await;
    let (feed, source) = Source::channel();
    let feeding = async {
        let mut noise = Noise::new(9);
        loop {
            feed.send(noise.bytes(1 << 20)).await.unwrap();
        }
    };
    let told = |bytes| println!("saved {bytes}");
    let (saved, ()) = tokio::join!(repository.save(new("/x"), source, told), feeding);
    panic!("it never ends: {saved:?}");
}

#[tokio::test]
async fn a_save_that_is_killed_leaves_nothing_behind_that_hinders() {
    let home = tempfile::tempdir().unwrap();
    let location = directory(home.path());
    let repository = made(&location).await;
    let good = save(&repository, "/good", Source::of(noise(1, 1_000_000))).await.unwrap();
    for megabytes in [1, 25, 60] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::victim", "--ignored", "--nocapture"])
            .env(PLACE, home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reached = lines.map_while(Result::ok).any(|line| {
            let saved = line.strip_prefix("saved ").and_then(|bytes| bytes.parse::<u64>().ok());
            saved.is_some_and(|bytes| bytes >= megabytes << 20)
        });
        assert!(reached, "the victim did not come so far");
        child.kill().unwrap();
        child.wait().unwrap();

        assert_eq!(repository.snapshots().await.unwrap().len(), 1);
        assert_eq!(repository.check(Depth::Full, &[]).await.unwrap(), []);
    }
    assert!(files(&home.path().join("locks")).is_empty());
    assert_eq!(read(&repository, &good.snapshot).await.unwrap().1, good.digest);
    repository.prune(false).await.unwrap();
    let next = save(&repository, "/next", Source::of(noise(2, 1_000_000))).await.unwrap();
    if let Some(restic) = Restic::on(&location) {
        restic.agrees(&[("/good", &good), ("/next", &next)]);
    }
}
