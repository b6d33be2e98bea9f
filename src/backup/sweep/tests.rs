use super::*;
use crate::backup::sample_tests::{at, backup};
use crate::domain::backup::BackupState;

const NOW: &str = "2026-05-20T12:00:00Z";

fn listed(snapshot: &str, tags: &[&str], hours: i64) -> Listed {
    Listed {
        snapshot: snapshot.into(),
        time: at(NOW) - SignedDuration::from_hours(hours),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        path: "/demo/notes/db.sql".into(),
    }
}

/// Everything that the sample backup of this name has in its location.
fn whole(id: &str, hours: i64) -> Vec<Listed> {
    let tag = format!("backup:{id}");
    vec![
        listed(&format!("{id}-db"), &["styrmin", &tag, "part:db"], hours),
        listed(&format!("{id}-web"), &["styrmin", &tag, "part:web/data"], hours),
        listed(&format!("{id}-manifest"), &["styrmin", &tag, "manifest"], hours),
    ]
}

#[test]
fn what_agrees_is_left_alone() {
    let one = backup("one", at(NOW));
    let mut there = whole("one", 48);
    there.push(listed("somebody", &["home"], 1000));
    assert_eq!(sweep(&[one], &there, at(NOW)), Sweep { foreign: 1, ..Sweep::default() });
}

#[test]
fn data_without_a_backup_is_an_orphan_only_when_nobody_can_need_it() {
    let one = backup("one", at(NOW));
    let mut there = whole("one", 48);
    there.push(listed("again", &["styrmin", "backup:one", "part:db"], 48));
    there.push(listed("crashed", &["styrmin", "backup:lost", "part:db"], 48));
    there.push(listed("writing", &["styrmin", "backup:new", "part:db"], 2));
    there.extend(whole("theirs", 48));
    let found = sweep(std::slice::from_ref(&one), &there, at(NOW));
    let orphans: Vec<(&str, &str)> =
        found.orphans.iter().map(|orphan| (orphan.snapshot.as_str(), orphan.why)).collect();
    assert_eq!(
        orphans,
        [
            ("again", "another try of its backup took its place"),
            ("crashed", "its backup was never completed")
        ]
    );
    assert_eq!(found.fresh, 1);
    assert_eq!(
        found.uncatalogued,
        BTreeMap::from([(BackupId("theirs".into()), "theirs-manifest".to_owned())])
    );
    assert!(found.losses.is_empty());
    let running = Backup { state: BackupState::Running, ..one };
    let found = sweep(&[running], &there, at(NOW));
    assert!(found.orphans.iter().all(|orphan| orphan.snapshot != "again"), "its backup is being made");
}

#[test]
fn backups_without_data_are_told() {
    let (one, two) = (backup("one", at(NOW)), backup("two", at(NOW)));
    let mut there = whole("one", 48);
    there.remove(1);
    let found = sweep(&[one, two], &there, at(NOW));
    let [first, second] = found.losses.as_slice() else { panic!("{found:?}") };
    assert_eq!((first.gone.as_slice(), first.everything), (["web/data".to_owned()].as_slice(), false));
    assert!(second.everything && second.gone.len() == 3, "{second:?}");
    let later = at(NOW) + SignedDuration::from_secs(1);
    let newer = Backup { ended: Some(later), ..backup("three", at(NOW)) };
    assert!(sweep(&[newer], &there, at(NOW)).losses.is_empty(), "it was made after the list");
    let said = first.verification(at(NOW));
    assert!(said.problem.unwrap().why.contains("web/data"));
}
