use super::*;
use crate::domain::backup::{Missed, Pause};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn due(cron: &str, zone: &str, after: &str, until: &str) -> Vec<String> {
    let calendar = Calendar::new(cron, zone).unwrap();
    let all = calendar.between(at(after), at(until), usize::MAX);
    // one after the other gives the same
    let mut last = at(after);
    for expected in &all {
        last = calendar.next(last).unwrap();
        assert_eq!(last, *expected, "{cron} in {zone}");
        let before = last.checked_sub(SignedDuration::from_nanos(1)).unwrap();
        assert_eq!(calendar.newest(before, last), Some(last));
    }
    assert!(calendar.next(last).is_none_or(|next| next > at(until)));
    assert_eq!(calendar.newest(at(after), at(until)), all.last().copied());
    all.iter()
        .map(|due| due.to_zoned(calendar.zone().clone()).strftime("%m-%d %H:%M %Z").to_string())
        .collect()
}

fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule {
        name: "nightly".into(),
        cluster: "sandbox".into(),
        environment: "demo".into(),
        application: None,
        cron: cron.into(),
        time_zone: zone.into(),
        jitter: 0,
        missed: Missed::Skip,
        retention: None,
        verify: None,
        paused: None,
        created: at("2026-01-01T00:00:00Z"),
    }
}

#[test]
fn an_hour_that_does_not_exist_moves_what_is_due_in_it() {
    let (from, to) = ("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z");
    let berlin = due("30 2 * * *", "Europe/Berlin", from, to);
    assert_eq!(berlin, ["03-29 03:30 CEST", "03-30 02:30 CEST"]);
    // the moment is not doubled where the next hour is due anyway
    let both = due("30 2,3 * * *", "Europe/Berlin", from, "2026-03-29T12:00:00Z");
    assert_eq!(both, ["03-29 03:30 CEST"]);
    let york = due("0 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z");
    assert_eq!(york, ["03-08 03:00 EDT", "03-09 02:00 EDT"]);
}

#[test]
fn an_hour_that_comes_twice_counts_once() {
    let berlin = due("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z");
    assert_eq!(berlin, ["10-25 02:30 CEST", "10-26 02:30 CET"]);
    let york = due("15 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z");
    assert_eq!(york, ["11-01 01:15 EDT", "11-02 01:15 EST"]);
}

#[test]
fn what_is_due_every_hour_is_due_in_both() {
    let autumn = due("30 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", "2026-10-25T02:45:00Z");
    assert_eq!(autumn, ["10-25 01:30 CEST", "10-25 02:30 CEST", "10-25 02:30 CET", "10-25 03:30 CET"]);
    let spring = due("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T02:45:00Z");
    assert_eq!(spring, ["03-29 01:30 CET", "03-29 03:30 CEST", "03-29 04:30 CEST"]);
}

#[test]
fn every_minute_is_every_minute_of_every_day() {
    for zone in ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"] {
        let calendar = Calendar::new("* * * * *", zone).unwrap();
        for day in
            ["2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z", "2026-11-01T00:00:00Z", "2026-10-03T12:00:00Z"]
        {
            let end = at(day).checked_add(SignedDuration::from_hours(24)).unwrap();
            let all = calendar.between(at(day), end, usize::MAX);
            assert_eq!(all.len(), 24 * 60, "{zone} {day}");
            assert!(all.windows(2).all(|pair| pair[1].duration_since(pair[0]).as_secs() == 60));
        }
    }
    let first = Calendar::new("* * * * *", "UTC").unwrap().between(
        at("2026-01-01T00:00:00Z"),
        at("2027-01-01T00:00:00Z"),
        3,
    );
    assert_eq!(first.last(), Some(&at("2026-01-01T00:03:00Z")));
}

#[test]
fn a_clock_that_moves_by_half_an_hour_and_a_day_that_was_left_out() {
    let lord = due("10,20,31 2 * * *", "Australia/Lord_Howe", "2026-10-03T14:00:00Z", "2026-10-03T17:00:00Z");
    assert_eq!(lord.len(), 3, "{lord:?}");
    // Samoa had no 30th of December in 2011
    let apia = due("0 12 30 12 *", "Pacific/Apia", "2011-12-28T00:00:00Z", "2012-01-02T00:00:00Z");
    assert_eq!(apia, ["12-31 12:00 +14"]);
}

#[test]
fn leap_days_weekdays_and_names() {
    let leap = due("0 6 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2033-01-01T00:00:00Z");
    assert_eq!(leap, ["02-29 06:00 UTC", "02-29 06:00 UTC"]);
    let week = due("0 22 * * mon-fri", "Europe/Berlin", "2026-05-01T00:00:00Z", "2026-05-05T00:00:00Z");
    assert_eq!(week, ["05-01 22:00 CEST", "05-04 22:00 CEST"]);
    // both named: either counts, as cron has it
    let either = due("0 0 13 * 5", "UTC", "2026-03-07T00:00:00Z", "2026-03-21T00:00:00Z");
    assert_eq!(either, ["03-13 00:00 UTC", "03-20 00:00 UTC"]);
    assert_eq!(due("@daily", "UTC", "2026-03-07T00:00:00Z", "2026-03-08T00:00:00Z"), ["03-08 00:00 UTC"]);
}

#[test]
fn what_means_nothing_is_refused_with_why() {
    let refused = |cron: &str, zone: &str| Calendar::new(cron, zone).unwrap_err().why;
    assert!(refused("0 0 31 2 *", "UTC").contains("never"));
    assert!(refused("* * * *", "UTC").contains("4 fields"));
    assert!(refused("0 0 * * * UTC", "UTC").contains("6 fields"));
    assert!(refused("61 * * * *", "UTC").contains("61"));
    assert!(refused("", "UTC").contains("0 fields"));
    for extension in ["0 0 L * *", "0 0 15W * *", "0 0 * * 5#3", "H 0 * * *", "0 0 * * 5L"] {
        assert!(refused(extension, "UTC").contains("extensions"), "{extension}");
    }
    let zone = Calendar::new("0 0 * * *", "Mars/Olympus").unwrap_err();
    assert!(zone.what.contains("Mars/Olympus"), "{zone}");
}

#[test]
fn jitter_is_always_the_same_and_ends_before_the_next_run() {
    let mut nightly = schedule("*/10 * * * *", "UTC");
    let calendar = Calendar::of(&nightly).unwrap();
    let due = at("2026-05-01T00:10:00Z");
    assert_eq!(calendar.begins(&nightly, due), due);
    nightly.jitter = 3600;
    let all = calendar.between(due, at("2026-05-03T00:00:00Z"), usize::MAX);
    let put_off: Vec<i64> =
        all.iter().map(|due| calendar.begins(&nightly, *due).duration_since(*due).as_secs()).collect();
    assert!(put_off.iter().all(|seconds| (0..600).contains(seconds)), "{put_off:?}");
    assert!(put_off.iter().any(|seconds| *seconds > 300) && put_off.iter().any(|seconds| *seconds < 300));
    assert_eq!(calendar.begins(&nightly, due), calendar.begins(&nightly.clone(), due));
    let other = Schedule { name: "other".into(), ..nightly.clone() };
    assert!(all.iter().any(|due| calendar.begins(&nightly, *due) != calendar.begins(&other, *due)));
    nightly.jitter = 5;
    assert!(all.iter().all(|due| calendar.begins(&nightly, *due).duration_since(*due).as_secs() <= 5));
}

#[test]
fn a_view_shows_the_next_day() {
    let now = at("2026-05-01T12:00:00Z");
    let mut nightly = schedule("0 */6 * * *", "UTC");
    nightly.jitter = 300;
    let shown = view(nightly.clone(), Vec::new(), now);
    assert_eq!(shown.problem, None);
    // the one of noon waits for its jitter, or begins now
    assert!((4..=5).contains(&shown.next.len()), "{:?}", shown.next);
    assert!(shown.next.windows(2).all(|pair| pair[0] < pair[1]));
    nightly.paused = Some(Pause { by: "anna".into(), since: now, reason: "migration".into() });
    assert!(view(nightly.clone(), Vec::new(), now).next.is_empty());
    nightly.cron = "nonsense".into();
    assert!(view(nightly, Vec::new(), now).problem.is_some());
}
