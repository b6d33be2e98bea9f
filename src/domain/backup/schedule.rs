//! When backups are made by themselves, and how long they are kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::{BackupId, Depth};
use crate::domain::words::words;
use crate::domain::{OperationId, Problem};

words! {
    /// What is done about a run whose time passed while nobody could make it.
    Missed {
        /// Nothing: the next one comes in its time.
        Skip => "skip",
        /// One is made as soon as it can be, however many were missed.
        Once => "once",
    }
}

/// A schedule of backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its name, a DNS label, unique per cluster.
    pub name: String,
    /// The cluster.
    pub cluster: String,
    /// The environment.
    pub environment: String,
    /// The application; none: all of the environment, in one operation.
    pub application: Option<String>,
    /// Five fields, as cron has them.
    pub cron: String,
    /// The IANA name of the time zone that they are in.
    pub time_zone: String,
    /// Each run is put off by up to so many seconds, always the same for a schedule and a run: not all begin at once.
    pub jitter: u32,
    /// What is done about missed runs.
    pub missed: Missed,
    /// What is kept of its backups; a prune follows each run. None: everything.
    pub retention: Option<Retention>,
    /// How thoroughly each backup is verified after it was made; none: not at all.
    pub verify: Option<Depth>,
    /// It makes no backups until somebody resumes it.
    pub paused: Option<Pause>,
    /// When it was made, or last changed: runs before that are none of its.
    pub created: Timestamp,
}

/// Who paused a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// Why, in their words.
    pub reason: String,
}

/// How many backups are kept: the newest of each of so many hours, days, weeks and months that have one, and the last ones whatever
/// their time. Only complete backups count; the newest good one stays in any case, and so do pinned ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// The last ones.
    pub last: u32,
    /// Hours.
    pub hourly: u32,
    /// Days.
    pub daily: u32,
    /// Weeks, beginning on Monday.
    pub weekly: u32,
    /// Months.
    pub monthly: u32,
}

words! {
    /// What became of a run of a schedule.
    RunOutcome {
        /// An operation was begun.
        Begun => "Begun",
        /// It was skipped: the one before had not ended.
        Overlapped => "Overlapped",
        /// Its time passed while nobody could make it.
        Missed => "Missed",
        /// It could not be begun.
        Refused => "Refused",
    }
}

/// A run of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRun {
    /// The schedule.
    pub schedule: String,
    /// When it was due, without jitter.
    pub due: Timestamp,
    /// When it was seen to.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: RunOutcome,
    /// The operation.
    pub operation: Option<OperationId>,
    /// The backups that it made, of those that still exist.
    pub backups: Vec<BackupId>,
    /// Why it was not made.
    pub problem: Option<Problem>,
}

/// What a retention does with a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    /// The backup.
    pub backup: BackupId,
    /// Whether it stays.
    pub stays: bool,
    /// Why, in a few words: "the newest good one", "daily 2026-11-28", "pinned", "no slot is left".
    pub reason: String,
}

/// A schedule, with what was and what comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleView {
    /// The schedule.
    pub schedule: Schedule,
    /// When it is due within the next 24 hours, jitter included; empty while it is paused.
    pub next: Vec<Timestamp>,
    /// Its last runs, newest first.
    pub runs: Vec<ScheduleRun>,
    /// Why its expression or time zone means nothing.
    pub problem: Option<Problem>,
}
