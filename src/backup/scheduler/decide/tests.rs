use super::*;
use crate::backup::sample_tests::{at, schedule};
use crate::domain::backup::Pause;

fn run(due: &str, outcome: RunOutcome, operation: Option<i64>) -> ScheduleRun {
    ScheduleRun {
        schedule: "nightly".into(),
        due: at(due),
        at: at(due),
        outcome,
        operation: operation.map(OperationId),
        backups: Vec::new(),
        problem: None,
    }
}

fn decided(schedule: &Schedule, runs: &[ScheduleRun], open: Option<i64>, now: &str) -> Decision {
    let calendar = Calendar::of(schedule).unwrap();
    let open = open.map(OperationId);
    decide(&Situation { schedule, calendar: &calendar, runs, open, now: at(now) })
}

/// What is said of a decision: the claimed run, and what is noted.
fn said(decision: &Decision) -> (Option<String>, Vec<(String, &'static str)>) {
    let claim = decision.claim.as_ref().map(|run| run.due.to_string());
    (claim, decision.note.iter().map(|run| (run.due.to_string(), run.outcome.as_str())).collect())
}

#[test]
fn the_table_of_decisions() {
    let (skip, once) = (schedule(), Schedule { missed: Missed::Once, ..schedule() });
    let last = [run("2026-05-10T02:30:00Z", RunOutcome::Begun, Some(7))];
    let day = |day: u8| format!("2026-05-{day:02}T02:30:00Z");
    type Case<'a> = (&'a str, &'a Schedule, Option<i64>, &'a str, Option<u8>, &'a [(u8, &'a str)]);
    let cases: [Case<'_>; 12] = [
        ("before its time", &skip, None, "2026-05-11T02:29:59Z", None, &[]),
        ("in its time", &skip, None, "2026-05-11T02:30:00Z", Some(11), &[]),
        ("a little late", &skip, None, "2026-05-11T02:39:00Z", Some(11), &[]),
        ("too late", &skip, None, "2026-05-11T02:41:00Z", None, &[(11, "Missed")]),
        ("too late, made up for", &once, None, "2026-05-11T09:00:00Z", Some(11), &[]),
        ("days later", &skip, None, "2026-05-14T09:00:00Z", None, &[(14, "Missed")]),
        ("days later, in time", &skip, None, "2026-05-14T02:30:00Z", Some(14), &[(13, "Missed")]),
        ("days later, made up for once", &once, None, "2026-05-14T09:00:00Z", Some(14), &[(13, "Missed")]),
        ("over itself", &skip, Some(7), "2026-05-11T02:30:00Z", None, &[(11, "Overlapped")]),
        ("over itself, not due", &skip, Some(7), "2026-05-10T22:00:00Z", None, &[]),
        ("the clock went back", &skip, None, "2026-05-09T12:00:00Z", None, &[(9, "Missed")]),
        ("the clock went back a little", &skip, None, "2026-05-10T02:10:00Z", None, &[(9, "Missed")]),
    ];
    for (what, schedule, open, now, claim, note) in cases {
        let decision = decided(schedule, &last, open, now);
        let note: Vec<_> = note.iter().map(|(due, outcome)| (day(*due), *outcome)).collect();
        assert_eq!(said(&decision), (claim.map(day), note), "{what}");
        assert!(decision.wake.unwrap() > at(now), "{what}: it looks again later");
        assert!(decision.resume.is_none() && decision.change.is_empty(), "{what}");
    }
}

#[test]
fn what_was_recorded_is_never_due_again() {
    let nightly = schedule();
    let mut runs: Vec<ScheduleRun> = Vec::new();
    let mut begun = Vec::new();
    // a clock that jumps about
    let clock = [
        "05-11T02:31",
        "05-11T02:20",
        "05-11T02:35",
        "06-20T02:31",
        "05-12T02:31",
        "05-12T02:30",
        "05-13T02:32",
    ];
    for now in clock {
        let decision = decided(&nightly, &runs, None, &format!("2026-{now}:00Z"));
        for run in decision.note.into_iter().chain(decision.claim.clone()) {
            if runs.iter().all(|known| known.due != run.due) {
                if decision.claim.as_ref() == Some(&run) {
                    begun.push(run.due.strftime("%m-%d").to_string());
                }
                runs.push(ScheduleRun { operation: Some(OperationId(1)), ..run });
            }
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.due));
    }
    assert_eq!(begun, ["05-11", "06-20", "05-12", "05-13"], "a wrong clock silences nothing");
}

#[test]
fn a_new_or_changed_schedule_has_missed_nothing() {
    let created = Schedule { created: at("2026-05-11T02:30:00Z"), missed: Missed::Once, ..schedule() };
    let decision = decided(&created, &[], None, "2026-05-11T12:00:00Z");
    assert_eq!(said(&decision), (None, Vec::new()));
    assert_eq!(decision.wake, Some(at("2026-05-12T02:30:00Z")));
}

#[test]
fn what_was_claimed_and_not_begun_is_begun_or_given_up() {
    let nightly = schedule();
    let waiting = [run("2026-05-11T02:30:00Z", RunOutcome::Begun, None)];
    let soon = decided(&nightly, &waiting, None, "2026-05-11T09:00:00Z");
    assert_eq!(soon.resume.as_ref(), waiting.first(), "a crash loses nothing");
    assert!(soon.claim.is_none() && soon.note.is_empty());
    let later = decided(&nightly, &waiting, None, "2026-05-12T02:30:00Z");
    assert!(later.resume.is_none());
    assert_eq!(later.change.first().map(|run| run.outcome), Some(RunOutcome::Refused));
    assert_eq!(said(&later).0.as_deref(), Some("2026-05-12T02:30:00Z"));
}

#[test]
fn a_paused_schedule_does_nothing() {
    let pause = Pause { by: "anna".into(), since: at("2026-05-11T00:00:00Z"), reason: "a migration".into() };
    let paused = Schedule { paused: Some(pause), missed: Missed::Once, ..schedule() };
    let runs = [run("2026-05-10T02:30:00Z", RunOutcome::Begun, None)];
    let decision = decided(&paused, &runs, None, "2026-05-14T12:00:00Z");
    assert_eq!((said(&decision), decision.wake), ((None, Vec::new()), None));
    let change = decision.change.first().unwrap();
    assert!(change.problem.as_ref().unwrap().why.contains("migration"), "{change:?}");
}

#[test]
fn a_run_by_hand_does_not_stand_for_one_that_is_due() {
    let nightly = Schedule { jitter: 1200, ..schedule() };
    let by_hand = [run("2026-05-11T02:30:00.001Z", RunOutcome::Begun, Some(9))];
    let calendar = Calendar::of(&nightly).unwrap();
    let begins = calendar.begins(&nightly, at("2026-05-11T02:30:00Z"));
    let early = decided(&nightly, &by_hand, None, "2026-05-11T02:30:01Z");
    assert_eq!((said(&early).0, early.wake.unwrap() > at("2026-05-11T02:30:01Z")), (None, true));
    let in_time = decided(&nightly, &by_hand, None, &begins.to_string());
    assert_eq!(said(&in_time).0.as_deref(), Some("2026-05-11T02:30:00Z"));
}
