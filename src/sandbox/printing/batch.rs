//! Jobs and cron jobs.

use jiff::Timestamp;
use serde_json::Value;

use super::column::{Cell, Column, Row};
use super::duration;
use super::text::{self, NONE, UNSET, is_true};

/// The columns of jobs.
pub const JOBS: &[Column] = &[
    Column::name(),
    Column::new("Status", "The state of the job in one word.", Cell::Made(status)),
    Column::new("Completions", "How many pods succeeded, of how many wanted.", Cell::Made(completions)),
    Column::new("Duration", "How long it took, or takes until now.", Cell::Made(took)),
    Column::age(),
    Column::new(
        "Containers",
        "The names of the template's containers.",
        Cell::Made(|row| listed(row, JOB).0),
    )
    .wide(),
    Column::new("Images", "The images of the template's containers.", Cell::Made(|row| listed(row, JOB).1))
        .wide(),
    Column::new("Selector", "Which pods are meant.", Cell::Made(|row| selector(row, JOB))).wide(),
];

/// The columns of cron jobs.
pub const CRON_JOBS: &[Column] = &[
    Column::name(),
    Column::new("Schedule", "When it makes a job.", Cell::Text("/spec/schedule", "")),
    Column::new("Timezone", "The time zone of the schedule.", Cell::Text("/spec/timeZone", NONE)),
    Column::new("Suspend", "Whether it makes no jobs for now.", Cell::Made(suspended)).of_type("boolean"),
    Column::new("Active", "How many of its jobs run.", Cell::Count("/status/active")).of_type("integer"),
    Column::new("Last Schedule", "The time since it last made a job.", Cell::Made(last_schedule)),
    Column::age(),
    Column::new(
        "Containers",
        "The names of the template's containers.",
        Cell::Made(|row| listed(row, CRON).0),
    )
    .wide(),
    Column::new("Images", "The images of the template's containers.", Cell::Made(|row| listed(row, CRON).1))
        .wide(),
    Column::new("Selector", "Which pods are meant.", Cell::Made(|row| selector(row, CRON))).wide(),
];

/// Where a job keeps its specification, and a cron job that of its jobs.
const JOB: &str = "/spec";
const CRON: &str = "/spec/jobTemplate/spec";

fn listed(row: &Row<'_>, spec: &str) -> (Value, Value) {
    let (names, images) = text::names_and_images(row.items(&format!("{spec}/template/spec/containers")));
    (Value::from(names), Value::from(images))
}

fn selector(row: &Row<'_>, spec: &str) -> Value {
    Value::from(text::selector(row.object.pointer(&format!("{spec}/selector"))))
}

fn status(row: &Row<'_>) -> Value {
    let conditions = row.items("/status/conditions");
    let word = match () {
        () if is_true(conditions, "Complete") => "Complete",
        () if is_true(conditions, "Failed") => "Failed",
        () if row.is_deleting() => "Terminating",
        () if is_true(conditions, "Suspended") => "Suspended",
        () if is_true(conditions, "FailureTarget") => "FailureTarget",
        () => "Running",
    };
    Value::from(word)
}

fn completions(row: &Row<'_>) -> Value {
    let succeeded = row.number("/status/succeeded");
    let wanted = row.object.pointer("/spec/completions").and_then(Value::as_i64);
    let parallelism = row.number("/spec/parallelism");
    Value::from(match wanted {
        Some(wanted) => format!("{succeeded}/{wanted}"),
        None if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        None => format!("{succeeded}/1"),
    })
}

fn took(row: &Row<'_>) -> Value {
    let moment = |pointer| row.text(pointer).parse::<Timestamp>().ok();
    let Some(start) = moment("/status/startTime") else { return Value::from("") };
    let end = moment("/status/completionTime").unwrap_or(row.now);
    Value::from(duration::human(end.duration_since(start)))
}

fn suspended(row: &Row<'_>) -> Value {
    Value::from(match row.flag("/spec/suspend") {
        Some(true) => "True",
        Some(false) => "False",
        None => UNSET,
    })
}

fn last_schedule(row: &Row<'_>) -> Value {
    let never = row.text("/status/lastScheduleTime").is_empty();
    if never { Value::from(NONE) } else { Value::from(row.since("/status/lastScheduleTime")) }
}
