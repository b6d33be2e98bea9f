//! When a schedule is due: cron's five fields in a time zone.
//!
//! They are read as times on a wall clock. Where the clock is put forward, what falls into the hour that does not exist is due as
//! much later as the clock was moved; where it is put back, what falls into the hour that comes twice is due once, the first
//! time. What is due every hour is due in both.

use cronexpr::{Crontab, FallbackTimezoneOption, MakeTimestamp, ParseOptions};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::domain::Problem;
use crate::domain::backup::{Schedule, ScheduleRun, ScheduleView};

/// How far from a moment the clock may be moved so that it matters for what is due then: a day was left out once.
const MARGIN: SignedDuration = SignedDuration::from_hours(26);
/// How far ahead people look.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// The most runs that are told ahead: one a minute.
const RUNS_AHEAD: usize = 24 * 60;
/// How far back the newest run is looked for, in growing steps.
const BACK: [i64; 5] = [2, 26, 32 * 24, 367 * 24, 9 * 366 * 24];
/// What can be said in one word.
const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// When something is due.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// The fields, over the wall clock's time as if it were UTC: there no hour is left out, and none comes twice.
    fields: Crontab,
    zone: TimeZone,
    /// Whether it is due in every hour of its days.
    every_hour: bool,
}

impl Calendar {
    /// The calendar of an expression with five fields (or `@daily` and the like) and the IANA name of a time zone.
    ///
    /// # Errors
    /// One of them means nothing, or it is never due: no month has a 31st of February.
    pub fn new(cron: &str, time_zone: &str) -> Result<Self, Problem> {
        let zone = zone(time_zone)?;
        let cron = cron.trim();
        let known = NICKNAMES.iter().find(|(nickname, _)| nickname.eq_ignore_ascii_case(cron));
        let text = known.map_or(cron, |(_, fields)| fields);
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let &[_, hours, _, _, _] = fields.as_slice() else {
            let why = format!("it has {} fields, not five", fields.len());
            return Err(no_cron(cron, &why));
        };
        if fields.iter().any(|field| is_extension(field)) {
            return Err(no_cron(cron, "L, W, # and H are extensions that cron itself does not have"));
        }
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::UTC;
        let parsed = cronexpr::parse_crontab_with(&fields.join(" "), options)
            .map_err(|error| no_cron(cron, &error.to_string()))?;
        let every_hour = ["*", "*/1", "0-23"].contains(&hours);
        let calendar = Self { fields: parsed, zone, every_hour };
        match calendar.next(Timestamp::UNIX_EPOCH) {
            Some(_) => Ok(calendar),
            None => Err(no_cron(cron, "it is never due: no such day ever comes")),
        }
    }

    /// The calendar of a schedule, without its jitter.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of(schedule: &Schedule) -> Result<Self, Problem> {
        Self::new(&schedule.cron, &schedule.time_zone)
    }

    /// The first moment after `after` at which it is due; none when none comes for years.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let mut best: Option<Timestamp> = None;
        for wall in self.walls(self.start(after, after)) {
            let (first, second) = self.moments(wall)?;
            // a time that does not exist is due later than some that follow it on the wall
            if best.is_some_and(|best| first >= best && wall > self.wall(best)) {
                break;
            }
            let found = [Some(first), second].into_iter().flatten().filter(|moment| *moment > after).min();
            best = best.into_iter().chain(found).min();
        }
        best
    }

    /// The moments after `after` until `until`, both as they come: in order, each once, the first `limit` of them.
    pub fn between(&self, after: Timestamp, until: Timestamp, limit: usize) -> Vec<Timestamp> {
        let mut found = Vec::new();
        let margin = if self.moves(after, until) { MARGIN } else { SignedDuration::ZERO };
        let start = self.start(after, until);
        let last = self.wall(until).saturating_add(margin);
        for wall in self.walls(start).take_while(|wall| *wall <= last) {
            let Some((first, second)) = self.moments(wall) else { break };
            let of_it = [Some(first), second].into_iter().flatten();
            found.extend(of_it.filter(|moment| *moment > after && *moment <= until));
            // what comes later on the wall may be earlier only where the clock is moved
            if found.len() >= limit && margin.is_zero() {
                break;
            }
        }
        found.sort_unstable();
        found.dedup();
        found.truncate(limit);
        found
    }

    /// The newest moment after `after` and not after `until`.
    pub fn newest(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        BACK.iter().find_map(|hours| {
            let from = until.saturating_sub(SignedDuration::from_hours(*hours)).unwrap_or(Timestamp::MIN);
            self.between(from.max(after), until, usize::MAX).pop()
        })
    }

    /// When the run of a schedule begins that is due at this moment: later by its jitter, and before the next one is due.
    pub fn begins(&self, schedule: &Schedule, due: Timestamp) -> Timestamp {
        if schedule.jitter == 0 {
            return due;
        }
        let room = self.next(due).map_or(u64::MAX, |next| next.duration_since(due).as_secs().unsigned_abs());
        let end = room.min(u64::from(schedule.jitter) + 1);
        due.saturating_add(SignedDuration::from_secs(drawn(schedule, due, end))).unwrap_or(due)
    }

    /// The time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    fn wall(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    /// Whether the clock is moved around this time.
    fn moves(&self, after: Timestamp, until: Timestamp) -> bool {
        let (Ok(from), Ok(to)) = (after.checked_sub(MARGIN), until.checked_add(MARGIN)) else { return true };
        self.zone.following(from).next().is_some_and(|moved| moved.timestamp() <= to)
    }

    /// From where on the wall clock is to be looked at, so that nothing after `after` is left out.
    fn start(&self, after: Timestamp, until: Timestamp) -> DateTime {
        let wall = self.wall(after);
        if self.moves(after, until) { wall.saturating_sub(MARGIN) } else { wall }
    }

    /// What the fields match on the wall clock after a time on it, in order.
    fn walls(&self, after: DateTime) -> impl Iterator<Item = DateTime> + '_ {
        let mut last = after.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
        std::iter::from_fn(move || {
            let next = self.fields.find_next(MakeTimestamp(last?)).ok();
            last = next.as_ref().map(|zoned| zoned.timestamp());
            next.map(|zoned| zoned.datetime())
        })
    }

    /// The moments at which the wall clock shows this, or would if it had not been put forward; the second one where it is
    /// put back and that counts.
    fn moments(&self, wall: DateTime) -> Option<(Timestamp, Option<Timestamp>)> {
        let moment = self.zone.to_ambiguous_timestamp(wall);
        let twice = self.every_hour && matches!(moment.offset(), AmbiguousOffset::Fold { .. });
        let second = if twice { moment.later().ok() } else { None };
        Some((moment.compatible().ok()?, second))
    }
}

/// The time zone of this IANA name.
///
/// # Errors
/// There is none, or this machine knows none.
pub fn zone(name: &str) -> Result<TimeZone, Problem> {
    TimeZone::get(name).map_err(|error| {
        Problem::new(
            format!("There is no time zone '{name}'"),
            error.to_string(),
            "give an IANA name, as Europe/Berlin or UTC; where even that is unknown, install the package tzdata",
        )
    })
}

/// A number below `end` that is always the same for a schedule and a run of it.
fn drawn(schedule: &Schedule, due: Timestamp, end: u64) -> i64 {
    let mut hasher = Sha256::new();
    hasher.update(schedule.cluster.as_bytes());
    hasher.update([0]);
    hasher.update(schedule.name.as_bytes());
    hasher.update(due.as_second().to_be_bytes());
    let drawn = hasher.finalize().iter().take(8).fold(0_u64, |drawn, byte| (drawn << 8) | u64::from(*byte));
    i64::try_from(drawn % end.max(1)).unwrap_or(0)
}

/// A schedule with its last runs, and what comes within a day.
pub fn view(schedule: Schedule, runs: Vec<ScheduleRun>, now: Timestamp) -> ScheduleView {
    let calendar = match Calendar::of(&schedule) {
        Ok(calendar) => calendar,
        Err(problem) => return ScheduleView { schedule, next: Vec::new(), runs, problem: Some(problem) },
    };
    let next = if schedule.paused.is_some() { Vec::new() } else { ahead(&schedule, &calendar, now) };
    ScheduleView { schedule, next, runs, problem: None }
}

/// When it begins within the next 24 hours.
fn ahead(schedule: &Schedule, calendar: &Calendar, now: Timestamp) -> Vec<Timestamp> {
    let end = now.saturating_add(AHEAD).unwrap_or(now);
    // what is due already and waits for its jitter begins yet
    let earliest = now.saturating_sub(SignedDuration::from_secs(i64::from(schedule.jitter))).unwrap_or(now);
    let due = calendar.between(earliest.max(schedule.created), end, usize::MAX);
    let mut next: Vec<Timestamp> = due.into_iter().map(|due| calendar.begins(schedule, due)).collect();
    next.retain(|begins| *begins > now && *begins <= end);
    next.sort_unstable();
    next.truncate(RUNS_AHEAD);
    next
}

/// Whether a field uses what some crons add, and cron itself does not have.
fn is_extension(field: &str) -> bool {
    field.split([',', '-', '/']).any(|item| {
        let letters = item.chars().any(|c| c.is_ascii_alphabetic());
        let others = item.chars().any(|c| !c.is_ascii_alphabetic());
        (letters && others) || item.contains('#') || (letters && item.len() < 3)
    })
}

fn no_cron(cron: &str, why: &str) -> Problem {
    Problem::new(
        format!("'{cron}' is no time for a schedule"),
        why,
        "give five fields: minute, hour, day of the month, month, day of the week; 30 2 * * * is every night at half past two",
    )
}

#[cfg(test)]
mod tests;
