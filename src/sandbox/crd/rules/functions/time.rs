//! Points in time and durations.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

use super::Answer;
use crate::sandbox::crd::rules::meter::Meter;
use crate::sandbox::crd::rules::value::{Cel, Fault};

const UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];
const LONG_UNITS: [(&str, f64); 2] = [("d", 86_400e9), ("w", 604_800e9)];

/// Parses a duration as Go writes it (`1h30m`, `-1.5s`); a schema's format knows days and weeks besides.
pub fn duration(text: &str, long_units: bool) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut nanos = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, left) = after.split_at(end);
        let long = LONG_UNITS.iter().filter(|_| long_units);
        let (_, factor) = UNITS.iter().chain(long).find(|(name, _)| *name == unit)?;
        nanos += number.parse::<f64>().ok()? * factor;
        rest = left;
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked to be in the range of a duration")]
    let nanos = (nanos < 9.2e18).then_some(nanos.round() as i64)?;
    Some(SignedDuration::from_nanos(if negative { -nanos } else { nanos }))
}

/// Midnight of a date.
pub fn date(text: &str) -> Option<Timestamp> {
    let date: Date = Some(text).filter(|text| text.len() == 10)?.parse().ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

pub fn call(name: &str, arguments: &[Cel], _meter: &Meter) -> Answer {
    let overflow = |what: &'static str| move || Fault::error(format!("{what} overflow"));
    Ok(Some(match (name, arguments) {
        ("_+_", [Cel::Time(time), Cel::Span(span)] | [Cel::Span(span), Cel::Time(time)]) => {
            Cel::Time(time.checked_add(*span).map_err(|_| overflow("timestamp")())?)
        }
        ("_-_", [Cel::Time(time), Cel::Span(span)]) => {
            Cel::Time(time.checked_sub(*span).map_err(|_| overflow("timestamp")())?)
        }
        ("_-_", [Cel::Time(time), Cel::Time(other)]) => Cel::Span(time.duration_since(*other)),
        ("_+_", [Cel::Span(a), Cel::Span(b)]) => {
            Cel::Span(a.checked_add(*b).ok_or_else(overflow("duration"))?)
        }
        ("_-_", [Cel::Span(a), Cel::Span(b)]) => {
            Cel::Span(a.checked_sub(*b).ok_or_else(overflow("duration"))?)
        }
        ("-_", [Cel::Span(span)]) => Cel::Span(span.checked_neg().ok_or_else(overflow("duration"))?),
        (_, [Cel::Span(span)]) => return Ok(part_of_span(name, *span).map(Cel::Int)),
        (_, [Cel::Time(time)]) => return Ok(part(name, &time.to_zoned(TimeZone::UTC)).map(Cel::Int)),
        (_, [Cel::Time(time), Cel::Text(zone)]) => {
            let unknown = || Fault::error(format!("unknown time zone {zone}"));
            let zone = time_zone(zone).ok_or_else(unknown)?;
            return Ok(part(name, &time.to_zoned(zone)).map(Cel::Int));
        }
        _ => return Ok(None),
    }))
}

/// `UTC`, `+02:00`, or a name of the time zone database.
fn time_zone(text: &str) -> Option<TimeZone> {
    if let Some((hours, minutes)) = text.split_once(':') {
        let hours: i32 = hours.trim_start_matches('+').parse().ok()?;
        let minutes: i32 = minutes.parse().ok()?;
        let minutes = if text.starts_with('-') { -minutes } else { minutes };
        let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
        return Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?));
    }
    if text.is_empty() || text == "UTC" { Some(TimeZone::UTC) } else { TimeZone::get(text).ok() }
}

fn part(name: &str, time: &Zoned) -> Option<i64> {
    Some(match name {
        "getFullYear" => i64::from(time.year()),
        "getMonth" => i64::from(time.month()) - 1,
        "getDate" => i64::from(time.day()),
        "getDayOfMonth" => i64::from(time.day()) - 1,
        "getDayOfYear" => i64::from(time.day_of_year()) - 1,
        "getDayOfWeek" => i64::from(time.weekday().to_sunday_zero_offset()),
        "getHours" => i64::from(time.hour()),
        "getMinutes" => i64::from(time.minute()),
        "getSeconds" => i64::from(time.second()),
        "getMilliseconds" => i64::from(time.millisecond()),
        _ => return None,
    })
}

fn part_of_span(name: &str, span: SignedDuration) -> Option<i64> {
    Some(match name {
        "getHours" => span.as_hours(),
        "getMinutes" => span.as_mins(),
        "getSeconds" => span.as_secs(),
        "getMilliseconds" => i64::try_from(span.as_millis()).unwrap_or(i64::MAX),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("1h30m", false), Some(SignedDuration::from_mins(90)));
        assert_eq!(duration("-1.5s", false), Some(SignedDuration::from_millis(-1500)));
        assert_eq!(duration("0", false), Some(SignedDuration::ZERO));
        assert_eq!(duration("1d", true), Some(SignedDuration::from_hours(24)));
        for wrong in ["", "-", "5", "1x", "1d", "h"] {
            assert_eq!(duration(wrong, false), None, "{wrong}");
        }
    }
}
