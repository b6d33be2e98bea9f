use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::backup::sample_tests::{at, backup, verified};

const NOON: &str = "2026-05-20T12:00:00Z";

/// Backups at so many hours before noon, named by them.
fn before(hours: &[i64]) -> Vec<Backup> {
    let one = |hours: &i64| backup(&format!("h{hours}"), at(NOON) - SignedDuration::from_hours(*hours));
    hours.iter().map(one).collect()
}

fn kept(backups: &[Backup], retention: &str) -> Vec<String> {
    let verdicts = weigh(backups, &parse(retention).unwrap(), &TimeZone::UTC);
    verdicts.into_iter().filter(Verdict::stays).map(|verdict| verdict.backup.0).collect()
}

fn whys(backups: &[Backup], id: &str, retention: &str) -> Vec<Why> {
    let verdicts = weigh(backups, &parse(retention).unwrap(), &TimeZone::UTC);
    verdicts.into_iter().find(|verdict| verdict.backup.0 == id).unwrap().whys
}

#[test]
fn places_are_filled_by_the_newest_of_each_span() {
    let backups = before(&[0, 1, 2, 13, 14, 37, 61, 200, 800]);
    assert_eq!(kept(&backups, "last=2"), ["h0", "h1"]);
    assert_eq!(kept(&backups, "daily=3"), ["h0", "h13", "h37"]);
    // the places of days without a backup are not lost
    assert_eq!(kept(&backups, "daily=5"), ["h0", "h13", "h37", "h61", "h200"]);
    assert_eq!(kept(&backups, "weekly=2"), ["h0", "h61"]);
    assert_eq!(kept(&backups, "monthly=2"), ["h0", "h800"]);
    assert_eq!(kept(&backups, "hourly=3"), ["h0", "h1", "h2"]);
    assert_eq!(whys(&backups, "h0", "last=1,daily=2"), [Why::NewestGood, Why::Last, Why::Daily]);
    assert_eq!(whys(&backups, "h14", "last=1,daily=2"), [Why::NoPlace]);
}

#[test]
fn days_are_those_of_the_time_zone() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let late = backup("late", at("2026-05-19T22:30:00Z"));
    let early = backup("early", at("2026-05-19T21:30:00Z"));
    let daily = parse("daily=2").unwrap();
    let all = [late, early];
    assert!(doomed(&all, &daily, &berlin).is_empty(), "midnight lies between them");
    assert_eq!(doomed(&all, &daily, &TimeZone::UTC), [BackupId("early".into())]);
}

#[test]
fn what_is_not_good_fills_no_place_and_goes_when_better_ones_exist() {
    let mut backups = before(&[0, 24, 48, 72]);
    backups[0].state = BackupState::Failed;
    backups[0].parts.clear();
    backups[2] = verified(backups[2].clone(), at(NOON), false);
    assert_eq!(kept(&backups, "last=2"), ["h0", "h24", "h72"]);
    assert_eq!(whys(&backups, "h0", "last=2"), [Why::NothingBetter]);
    assert_eq!(whys(&backups, "h48", "last=2"), [Why::Damaged]);
    backups[0].state = BackupState::Completed;
    backups[1].state = BackupState::PartiallyFailed;
    assert_eq!(
        whys(&backups, "h24", "last=2"),
        [Why::NothingBetter],
        "the newer one has no copy of its parts"
    );
    backups[0].parts = backups[1].parts.clone();
    assert_eq!(whys(&backups, "h24", "last=2"), [Why::Incomplete]);
    backups[1].state = BackupState::Running;
    assert_eq!(whys(&backups, "h24", "last=2"), [Why::Unfinished]);
}

#[test]
fn the_last_good_copy_of_every_component_stays() {
    let mut backups = before(&[0, 24, 48]);
    backups[0].parts.retain(|part| part.component == "web");
    assert_eq!(kept(&backups, "last=1"), ["h0", "h24"], "only the older one has the database");
    assert_eq!(whys(&backups, "h24", "last=1"), [Why::NewestGood]);
    let damaged: Vec<Backup> = before(&[0, 24]).into_iter().map(|it| verified(it, at(NOON), false)).collect();
    assert_eq!(kept(&damaged, "last=1").len(), 2, "nothing is good: nothing goes");
    let mut velero = before(&[0, 24]);
    velero[1].engine = Engine::Velero;
    assert_eq!(whys(&velero, "h24", "last=1"), [Why::NotOurs]);
}

#[test]
fn a_retention_is_read_and_written() {
    let read = parse(" last=3, daily=7,monthly=12 ").unwrap();
    assert_eq!(written(&read), "last=3,daily=7,monthly=12");
    assert_eq!(parse(&written(&read)).unwrap(), read);
    for wrong in ["", "last", "last=x", "yearly=1", "last=0", "daily=-1"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

/// Backups of two applications with every state, pins, faults and several contents.
fn any_backups() -> impl Strategy<Value = Vec<Backup>> {
    let one = (0_i64..2000, 0_u8..10, any::<bool>(), 0_u8..4, any::<bool>());
    proptest::collection::vec(one, 0..40).prop_map(|made| {
        let each = made.into_iter().enumerate();
        each.map(|(number, (hours, state, pinned, content, other))| {
            let made = at(NOON) - SignedDuration::from_hours(hours);
            let mut one = backup(&format!("b{number}"), made);
            one.pinned = pinned && state % 3 == 0;
            one.source.application = if other { "wiki" } else { "notes" }.into();
            match content {
                0 => one.parts.truncate(1),
                1 => one.parts.clear(),
                _ => {}
            }
            match state {
                0 => one.state = BackupState::Failed,
                1 => one.state = BackupState::PartiallyFailed,
                2 => one.state = BackupState::Running,
                3 => one.state = BackupState::Cancelled,
                4 => one = verified(one, at(NOON), false),
                5 => one = verified(one, at(NOON), true),
                6 => one.engine = Engine::Velero,
                _ => {}
            }
            one
        })
        .collect()
    })
}

fn any_retention() -> impl Strategy<Value = Retention> {
    (0_u32..4, 0_u32..30, 0_u32..8, 0_u32..5, 0_u32..5)
        .prop_map(|(last, hourly, daily, weekly, monthly)| Retention { last, hourly, daily, weekly, monthly })
}

/// What good copies there are: by application, component and volume.
fn copies(backups: &[Backup]) -> BTreeSet<(String, String, Option<String>)> {
    let good = backups.iter().filter(|backup| is_ours(backup) && backup.is_good());
    good.flat_map(|backup| {
        backup.whole_parts().map(|(component, volume)| {
            (backup.source.application.clone(), component.to_owned(), volume.map(str::to_owned))
        })
    })
    .collect()
}

proptest! {
    #[test]
    fn nothing_that_counts_is_lost(backups in any_backups(), retention in any_retention()) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let gone: BTreeSet<BackupId> = doomed(&backups, &retention, &zone).into_iter().collect();
        let (left, went): (Vec<Backup>, Vec<Backup>) =
            backups.iter().cloned().partition(|backup| !gone.contains(&backup.id));
        prop_assert_eq!(copies(&left), copies(&backups), "the last good copy of a component went");
        for backup in &went {
            prop_assert!(!backup.pinned && backup.state.is_final() && is_ours(backup));
            let better = left.iter().any(|other| {
                other.source.application == backup.source.application && is_ours(other) && other.is_good()
            });
            prop_assert!(better, "{} was the last of its application", backup.id);
        }
        for application in ["notes", "wiki"] {
            let newest = |of: &[Backup]| {
                let its = of.iter().filter(|it| it.source.application == application && is_ours(it) && it.is_good());
                its.max_by_key(|it| (it.created, it.id.clone())).map(|it| it.id.clone())
            };
            prop_assert_eq!(newest(&left), newest(&backups), "the newest good one went");
        }
        // once more changes nothing
        prop_assert_eq!(doomed(&left, &retention, &zone), Vec::new());
    }
}
