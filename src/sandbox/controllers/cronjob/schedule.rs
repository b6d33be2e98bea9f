//! Schedules of CronJobs: five fields, a macro, or `@every`, read as Kubernetes reads them.
//!
//! Rules that differ between crons: a day must match both its fields when one of them is `*`, and either of them
//! otherwise; `*/2` counts as restricted; Sunday is 0 only; a time that a change of clocks skips is skipped, one that
//! comes twice comes twice.

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp};

/// How many days ahead are searched: five years.
const HORIZON: i64 = 5 * 366;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MACROS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// When a CronJob is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// At fixed times of fixed days.
    Calendar(Calendar),
    /// Again and again after so many seconds.
    Every(SignedDuration),
}

/// The five fields, each as a set of bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether the day of the month or of the week is left open.
    any_day: bool,
}

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains("TZ") {
            return Err("cannot use TZ or CRON_TZ in schedule, use timeZone field instead".to_owned());
        }
        if let Some(delay) = text.strip_prefix("@every ") {
            let delay = go_duration(delay).ok_or_else(|| {
                format!("Failed to parse duration {text}: time: invalid duration {delay:?}")
            })?;
            return Ok(Self::Every(SignedDuration::from_secs(delay.as_secs().max(1).cast_signed())));
        }
        if text.starts_with('@') {
            let known = MACROS.iter().find(|(name, _)| *name == text);
            let (_, fields) = known.ok_or_else(|| format!("Unrecognized descriptor: {text}"))?;
            return Calendar::parse(fields).map(Self::Calendar);
        }
        Calendar::parse(text).map(Self::Calendar)
    }

    /// The first time after `after`; none within five years means never.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Every(delay) => {
                let whole = Timestamp::from_second(after.as_second()).ok()?;
                whole.checked_add(*delay).ok()
            }
            Self::Calendar(calendar) => calendar.next(after, zone),
        }
    }
}

impl Calendar {
    fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(format!("Expected exactly 5 fields, found {}: {}", fields.len(), fields.join(" ")));
        };
        let (days, any_day) = field(days, (1, 31), &[])?;
        let (weekdays, any_weekday) = field(weekdays, (0, 6), &DAYS)?;
        Ok(Self {
            minutes: field(minutes, (0, 59), &[])?.0,
            hours: field(hours, (0, 23), &[])?.0,
            days,
            months: field(months, (1, 12), &MONTHS)?.0,
            weekdays,
            any_day: any_day || any_weekday,
        })
    }

    fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = zone.to_datetime(after);
        // one day back: a change of clocks can repeat an evening
        let mut date = local.date().checked_sub(Span::new().days(1)).ok()?;
        for _ in 0..HORIZON {
            if self.has_day(date) {
                let from = if date < local.date() { 22 } else { 0 };
                let from = if date == local.date() { local.hour() - 2 } else { from };
                if let Some(found) = self.next_of_day(date, from, after, zone) {
                    return Some(found);
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn has_day(&self, date: Date) -> bool {
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        has(self.months, date.month()) && if self.any_day { day && weekday } else { day || weekday }
    }

    /// The first time of a day after `after`, not looking at the hours before `from`.
    fn next_of_day(&self, date: Date, from: i8, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut found: Option<Timestamp> = None;
        for hour in (from.max(0)..24).filter(|hour| has(self.hours, *hour)) {
            for minute in (0..60).filter(|minute| has(self.minutes, *minute)) {
                let at = Time::new(hour, minute, 0, 0).ok()?.on(date.year(), date.month(), date.day());
                for candidate in moments(at, zone).into_iter().flatten().filter(|moment| *moment > after) {
                    found = Some(found.map_or(candidate, |known| known.min(candidate)));
                }
                // the hour after may come earlier still, where clocks go back
                if found.is_some_and(|found| zone.to_datetime(found).hour() + 1 < hour) {
                    return found;
                }
            }
        }
        found
    }
}

/// The moments at which clocks show a time: none, one or two.
fn moments(at: jiff::civil::DateTime, zone: &TimeZone) -> [Option<Timestamp>; 2] {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => [offset.to_timestamp(at).ok(), None],
        AmbiguousOffset::Gap { .. } => [None, None],
        AmbiguousOffset::Fold { before, after } => {
            [before.to_timestamp(at).ok(), after.to_timestamp(at).ok()]
        }
    }
}

fn has(bits: u64, value: i8) -> bool {
    bits >> value & 1 == 1
}

/// One field as bits, and whether it leaves everything open.
fn field(text: &str, limits: (u32, u32), names: &[&str]) -> Result<(u64, bool), String> {
    let mut bits = 0;
    let mut open = false;
    for part in text.split(',') {
        let (found, star) = range(part, limits, names)?;
        bits |= found;
        open |= star;
    }
    Ok((bits, open))
}

fn range(part: &str, (least, most): (u32, u32), names: &[&str]) -> Result<(u64, bool), String> {
    let mut pieces = part.split('/');
    let (range, step) = (pieces.next().unwrap_or_default(), pieces.next());
    if pieces.next().is_some() {
        return Err(format!("Too many slashes: {part}"));
    }
    let open = matches!(range, "*" | "?");
    let (first, last) = match range.split_once('-') {
        _ if open => (least, most),
        Some((first, last)) => (number(first, least, names)?, number(last, least, names)?),
        None => {
            let only = number(range, least, names)?;
            (only, if step.is_some() { most } else { only })
        }
    };
    let step = step.map_or(Ok(1), |step| number(step, 0, &[]))?;
    if first < least {
        return Err(format!("Beginning of range ({first}) below minimum ({least}): {part}"));
    }
    if last > most {
        return Err(format!("End of range ({last}) above maximum ({most}): {part}"));
    }
    if first > last {
        return Err(format!("Beginning of range ({first}) beyond end of range ({last}): {part}"));
    }
    if step == 0 {
        return Err(format!("Step of range should be a positive number: {part}"));
    }
    let bits = (first..=last).step_by(step as usize).fold(0u64, |bits, value| bits | 1 << value);
    Ok((bits, open && step == 1))
}

fn number(text: &str, least: u32, names: &[&str]) -> Result<u32, String> {
    let lower = text.to_lowercase();
    if let Some(at) = names.iter().position(|name| *name == lower) {
        return Ok(least + at as u32);
    }
    text.parse().map_err(|_| {
        format!("Failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax")
    })
}

/// A duration as Go writes it: `1h30m`, `90s`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * seconds;
        rest = tail;
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(total).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    fn next(schedule: &str, after: &str, zone: &TimeZone) -> String {
        let next = Schedule::parse(schedule).expect("a schedule").next(at(after), zone);
        next.map_or_else(|| "never".to_owned(), |next| next.to_string())
    }

    #[test]
    fn times_follow_each_other() {
        for (schedule, after, expected) in [
            ("* * * * *", "2026-01-01T00:00:30Z", "2026-01-01T00:01:00Z"),
            ("* * * * *", "2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"),
            ("*/15 * * * *", "2026-01-01T00:46:00Z", "2026-01-01T01:00:00Z"),
            ("5/20 3 * * *", "2026-01-01T03:05:00Z", "2026-01-01T03:25:00Z"),
            ("0 12 * * mon-fri", "2026-01-02T12:00:00Z", "2026-01-05T12:00:00Z"),
            ("0 0 29 feb ?", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 31 2 *", "2026-01-01T00:00:00Z", "never"),
            ("59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z"),
            ("@hourly", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"),
            ("@every 1m30s", "2026-01-01T00:00:00.7Z", "2026-01-01T00:01:30Z"),
        ] {
            assert_eq!(next(schedule, after, &TimeZone::UTC), expected, "{schedule} after {after}");
        }
    }

    #[test]
    fn restricted_days_are_joined_and_open_ones_are_not() {
        let first = "2026-01-01T00:00:00Z";
        assert_eq!(next("0 0 13 * 5", first, &TimeZone::UTC), "2026-01-02T00:00:00Z", "a Friday");
        assert_eq!(next("0 0 13 * *", first, &TimeZone::UTC), "2026-01-13T00:00:00Z");
        assert_eq!(next("0 0 */13 * 0", first, &TimeZone::UTC), "2026-01-04T00:00:00Z", "a Sunday");
    }

    #[test]
    fn changes_of_clocks_skip_and_repeat() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        assert_eq!(next("30 2 * * *", "2026-03-28T12:00:00Z", &zone), "2026-03-30T00:30:00Z");
        assert_eq!(next("30 2 * * *", "2026-10-24T12:00:00Z", &zone), "2026-10-25T00:30:00Z");
        assert_eq!(next("30 2 * * *", "2026-10-25T00:30:00Z", &zone), "2026-10-25T01:30:00Z");
        assert_eq!(next("* * * * *", "2026-10-25T00:59:00Z", &zone), "2026-10-25T01:00:00Z");
    }

    #[test]
    fn what_is_no_schedule_is_explained() {
        for (bad, part) in [
            ("* * * *", "Expected exactly 5 fields, found 4"),
            ("60 * * * *", "End of range (60) above maximum (59)"),
            ("* * * * 7", "End of range (7) above maximum (6)"),
            ("* * 0 * *", "Beginning of range (0) below minimum (1)"),
            ("*/0 * * * *", "Step of range should be a positive number"),
            ("x * * * *", "Failed to parse int from x"),
            ("@never", "Unrecognized descriptor"),
            ("TZ=UTC * * * * *", "use timeZone field instead"),
        ] {
            let why = Schedule::parse(bad).expect_err("a refusal");
            assert!(why.contains(part), "{bad}: {why}");
        }
    }
}
