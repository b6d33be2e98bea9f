//! Schedules: when backups are made by themselves, and what came of it.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::text::{Line, Span};

use super::section::what;
use crate::domain::backup::{Retention, RunOutcome, Schedule, ScheduleRun, ScheduleView};
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::table::Column;

/// The columns of the table.
pub fn columns([name, what, when, keeps]: [u16; 4]) -> Vec<Column> {
    vec![
        Column::fixed("STATE", 0, 10),
        Column::content("NAME", 1, (6, 14, 24), name),
        Column::content("WHAT", 2, (8, 16, 32), what),
        Column::fixed("NEXT", 3, 7),
        Column::fixed("LAST", 4, 12),
        Column::content("WHEN", 5, (9, 12, 32), when),
        Column::content("KEEPS", 6, (8, 12, 40), keeps),
        Column::fixed("VERIFY", 7, 6),
    ]
}

/// The cells of a schedule.
pub fn cells(view: &ScheduleView, look: &Look<'_>, quiet: Role) -> Vec<Line<'static>> {
    let schedule = &view.schedule;
    let next = match (view.next.first(), look.now) {
        (Some(next), Some(now)) => format::until(now, *next),
        _ => "–".to_owned(),
    };
    let last = view.runs.first().map_or_else(|| look.span(quiet, "–"), |run| outcome(run, look, quiet));
    vec![
        Line::from(state(view, look)),
        Line::from(look.span(Role::Title, schedule.name.clone())),
        Line::from(look.span(Role::Text, what(schedule))),
        Line::from(look.span(Role::Text, next)),
        Line::from(last),
        Line::from(look.span(quiet, schedule.cron.clone())),
        Line::from(look.span(quiet, keeps(schedule.retention.as_ref()))),
        Line::from(look.span(quiet, schedule.verify.map_or("–", |depth| depth.as_str()))),
    ]
}

fn state(view: &ScheduleView, look: &Look<'_>) -> Span<'static> {
    match (&view.problem, &view.schedule.paused, view.runs.first().map(|run| run.outcome)) {
        (Some(_), ..) => look.span(Role::Fail, "✗ Broken"),
        (_, Some(_), _) => look.span(Role::Idle, "‖ Paused"),
        (_, _, Some(RunOutcome::Missed)) => look.span(Role::Warn, "▲ Missed"),
        (_, _, Some(RunOutcome::Refused)) => look.span(Role::Fail, "✗ Refused"),
        _ => look.span(Role::Ok, "✓ Active"),
    }
}

/// The sign and the role of what became of a run.
pub fn outcome_mark(outcome: RunOutcome) -> (&'static str, Role) {
    match outcome {
        RunOutcome::Begun => ("✓", Role::Ok),
        RunOutcome::Overlapped | RunOutcome::Missed => ("▲", Role::Warn),
        RunOutcome::Refused => ("✗", Role::Fail),
    }
}

fn outcome(run: &ScheduleRun, look: &Look<'_>, quiet: Role) -> Span<'static> {
    let age = look.age(run.due);
    match run.outcome {
        RunOutcome::Begun => look.span(quiet, format!("✓ {age}")),
        other => {
            let (sign, role) = outcome_mark(other);
            look.span(role, format!("{sign} {} {age}", brief(other)))
        }
    }
}

fn brief(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Begun => "begun",
        RunOutcome::Overlapped => "overlap",
        RunOutcome::Missed => "missed",
        RunOutcome::Refused => "refused",
    }
}

/// `0 3 * * * Europe/Berlin`: the expression and its time zone.
pub fn when(schedule: &Schedule) -> String {
    format!("{} {}", schedule.cron, schedule.time_zone)
}

/// `3 last, 7 daily`: what a retention keeps.
pub fn keeps(retention: Option<&Retention>) -> String {
    let Some(retention) = retention else { return "everything".to_owned() };
    let slots = [
        (retention.last, "last"),
        (retention.hourly, "hourly"),
        (retention.daily, "daily"),
        (retention.weekly, "weekly"),
        (retention.monthly, "monthly"),
    ];
    let kept: Vec<String> = slots
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if kept.is_empty() { "only the newest good one".to_owned() } else { kept.join(", ") }
}

/// What there is to say about a schedule, the most important first.
pub fn detail(view: &ScheduleView, look: &Look<'_>, quiet: Role) -> Vec<Line<'static>> {
    let schedule = &view.schedule;
    let mut lines = Vec::new();
    if let Some(problem) = &view.problem {
        lines.push(Line::from(vec![
            look.span(Role::Fail, format!("✗ {}: ", problem.what)),
            look.span(Role::Text, problem.why.replace('\n', " ")),
        ]));
        lines.push(Line::from(look.span(quiet, format!("  next {}", problem.next))));
    }
    if let Some(pause) = &schedule.paused {
        let reason = if pause.reason.is_empty() { "no reason given" } else { &pause.reason };
        lines.push(Line::from(vec![
            look.span(Role::Idle, format!("‖ Paused by {} {}: ", pause.by, look.ago(pause.since))),
            look.span(Role::Text, reason.to_owned()),
        ]));
    }
    let jitter = match schedule.jitter {
        0 => String::new(),
        seconds => format!(" · put off by up to {}", lasting(seconds)),
    };
    let missed = format!(" · missed runs: {}", schedule.missed.as_str());
    lines.push(Line::from(vec![
        look.span(Role::Text, format!("  {}", when(schedule))),
        look.span(quiet, format!("{jitter}{missed} · keeps {}", keeps(schedule.retention.as_ref()))),
    ]));
    for run in view.runs.iter().take(TOLD) {
        lines.push(past(run, look, quiet));
    }
    lines
}

/// How many runs are told below the table.
const TOLD: usize = 4;

/// How long what is said of a schedule stays true by itself: when it was due and is due, and since when it is paused.
pub fn schedule_lasts(view: &ScheduleView, now: Timestamp) -> Option<Duration> {
    let next = view.next.first().map(|next| format::until_lasts(now, *next));
    let past = view.runs.iter().take(TOLD).map(|run| run.due);
    let past = past.chain(view.schedule.paused.iter().map(|pause| pause.since));
    past.map(|at| format::age_lasts(now, at)).chain(next).min()
}

fn lasting(seconds: u32) -> String {
    let end = Timestamp::from_second(i64::from(seconds)).unwrap_or_default();
    format::duration(Timestamp::UNIX_EPOCH, end)
}

/// What became of a run, in a line.
pub fn past(run: &ScheduleRun, look: &Look<'_>, quiet: Role) -> Line<'static> {
    let (sign, role) = outcome_mark(run.outcome);
    let made = run.backups.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let said = match &run.problem {
        Some(problem) if problem.why.is_empty() => problem.what.clone(),
        Some(problem) => format!("{}: {}", problem.what, problem.why.replace('\n', " ")),
        None if made.is_empty() => told(run.outcome).to_owned(),
        None => made,
    };
    Line::from(vec![
        look.span(role, format!("{sign} {} ", run.outcome.as_str())),
        look.span(quiet, format!("{} {} UTC  ", look.ago(run.due), format::minute(run.due))),
        look.span(Role::Text, said),
    ])
}

/// What an outcome means, where nothing else is known.
pub fn told(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Begun => "its operation was begun",
        RunOutcome::Overlapped => "skipped: the one before had not ended",
        RunOutcome::Missed => "its time passed while nobody could make it",
        RunOutcome::Refused => "it could not be begun",
    }
}
