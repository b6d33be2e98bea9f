//! `styrmin schedule list` and `calendar`.

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::app;
use crate::app::backups::{retention, schedules};
use crate::cli::carry::amount::{moment, span};
use crate::cli::driver::table;
use crate::cli::ending::{Ending, Refusal};
use crate::cli::records::{Output, State};
use crate::domain::backup::{Schedule, ScheduleRun, ScheduleView};
use crate::domain::{Clock, SystemClock};

/// Arguments of `schedule list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

/// Arguments of `schedule calendar`.
#[derive(Debug, Args)]
pub struct CalendarArguments {
    #[command(flatten)]
    state: State,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: &ListArguments) -> Result<Ending, Refusal> {
    let views = read(&arguments.state)?;
    arguments.output.print(&views.iter().map(value).collect(), || text(&views))?;
    Ok(Ending::Well)
}

pub(super) fn calendar(arguments: &CalendarArguments) -> Result<Ending, Refusal> {
    let views = read(&arguments.state)?;
    let mut coming: Vec<(Timestamp, &Schedule)> =
        views.iter().flat_map(|view| view.next.iter().map(|begins| (*begins, &view.schedule))).collect();
    coming.sort_by(|a, b| (a.0, &a.1.name).cmp(&(b.0, &b.1.name)));
    let value: Value = coming
        .iter()
        .map(|(begins, schedule)| {
            json!({
                "begins": begins,
                "schedule": schedule.name,
                "cluster": schedule.cluster,
                "environment": schedule.environment,
                "application": schedule.application,
            })
        })
        .collect();
    let text = || {
        let now = SystemClock.now();
        let heads = ["BEGINS", "THERE", "IN", "SCHEDULE", "OF"].map(str::to_owned).to_vec();
        let rows = coming.iter().map(|(begins, schedule)| {
            vec![
                moment(*begins),
                local(*begins, schedule),
                span(begins.duration_since(now)),
                schedule.name.clone(),
                about(schedule),
            ]
        });
        table(&std::iter::once(heads).chain(rows).collect::<Vec<_>>())
    };
    arguments.output.print(&value, text)?;
    Ok(Ending::Well)
}

fn read(state: &State) -> Result<Vec<ScheduleView>, Refusal> {
    let store = state.open()?;
    Ok(app::block_on(async { schedules::all(&store).await })?)
}

/// What a schedule is for: `notes in demo`, `demo`.
pub(super) fn about(schedule: &Schedule) -> String {
    match &schedule.application {
        Some(application) => format!("{application} in {}", schedule.environment),
        None => schedule.environment.clone(),
    }
}

fn local(at: Timestamp, schedule: &Schedule) -> String {
    let zone = TimeZone::get(&schedule.time_zone).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%H:%M %Z").to_string()
}

pub(super) fn value(view: &ScheduleView) -> Value {
    let mut value = json!(view.schedule);
    if let Value::Object(map) = &mut value {
        map.insert("next".into(), json!(view.next));
        map.insert("runs".into(), json!(view.runs));
        map.insert("problem".into(), json!(view.problem));
    }
    value
}

pub(super) fn text(views: &[ScheduleView]) -> String {
    let heads = ["NAME", "OF", "WHEN", "ZONE", "KEEPS", "VERIFIES", "LAST", "NEXT"];
    let rows = views.iter().map(|view| {
        let schedule = &view.schedule;
        vec![
            schedule.name.clone(),
            about(schedule),
            schedule.cron.clone(),
            schedule.time_zone.clone(),
            schedule.retention.as_ref().map_or_else(|| "everything".to_owned(), retention::written),
            schedule.verify.map_or("-", |depth| depth.as_str()).to_owned(),
            view.runs.first().map_or_else(|| "-".to_owned(), last),
            next(view),
        ]
    });
    let rows: Vec<Vec<String>> = std::iter::once(heads.map(str::to_owned).to_vec()).chain(rows).collect();
    table(&rows)
}

fn last(run: &ScheduleRun) -> String {
    format!("{} {}", run.outcome.as_str(), moment(run.due))
}

fn next(view: &ScheduleView) -> String {
    if let Some(problem) = &view.problem {
        return format!("never: {}", problem.what);
    }
    match (&view.schedule.paused, view.next.first()) {
        (Some(pause), _) if pause.reason.is_empty() => format!("paused by {}", pause.by),
        (Some(pause), _) => format!("paused by {}: {}", pause.by, pause.reason),
        (None, Some(next)) => moment(*next),
        (None, None) => "not within a day".to_owned(),
    }
}
