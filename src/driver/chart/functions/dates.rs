//! Dates and durations, with Go's layouts.
//!
//! `Local` is UTC: what a chart renders does not depend on where it is rendered.

use std::rc::Rc;

use super::super::value::Value;
use super::Kind::{Any, Text, Time};
use super::arguments::{Answer, fixed, object, string, text};
use super::cast::parse_int;
use super::{Entry, Surroundings, entry};

mod civil;
mod duration;
mod layout;
mod moment;
mod parse;
mod zone;

use duration::{parse_duration, rounded_to_seconds, write_duration};
use moment::Moment;
use zone::Zone;

pub(super) const TABLE: &[Entry] = &[
    entry("now", &[], |around, _| answer(Moment::from_timestamp(around.now))),
    entry("date", &[Text, Any], date),
    entry("dateInZone", &[Text, Any, Text], date_in_zone),
    entry("date_in_zone", &[Text, Any, Text], date_in_zone),
    entry("htmlDate", &[Any], html_date),
    entry("htmlDateInZone", &[Any, Text], html_date_in_zone),
    entry("dateModify", &[Text, Time], date_modify),
    entry("date_modify", &[Text, Time], date_modify),
    entry("mustDateModify", &[Text, Time], must_date_modify),
    entry("must_date_modify", &[Text, Time], must_date_modify),
    entry("toDate", &[Text, Text], to_date),
    entry("mustToDate", &[Text, Text], must_to_date),
    entry("unixEpoch", &[Time], unix_epoch),
    entry("ago", &[Any], ago),
    entry("duration", &[Any], duration),
    entry("durationRound", &[Any], duration_round),
];

const HTML_DATE: &str = "2006-01-02";

fn answer(moment: Moment) -> Answer {
    Ok(Value::Object(Rc::new(moment)))
}

/// A `time.Time`.
fn time(value: &Value) -> Result<Moment, String> {
    Moment::of(object(value, Time)?)
}

/// A `time.Time` or the seconds since 1970; everything else is now.
fn time_or_now(around: &Surroundings, value: &Value) -> Result<Moment, String> {
    match value {
        Value::Object(_) if Time.accepts(value) => time(value),
        Value::Int(seconds) => Ok(Moment { seconds: *seconds, nanoseconds: 0, zone: Zone::Utc }),
        _ => Ok(Moment::from_timestamp(around.now)),
    }
}

fn formatted(around: &Surroundings, layout: &str, date: &Value, zone: &str) -> Answer {
    let mut moment = time_or_now(around, date)?;
    moment.zone = Zone::named(zone).unwrap_or(Zone::Utc);
    string(layout::format(&moment, layout))
}

fn date(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [layout, date] = fixed(arguments)?;
    formatted(around, &text(layout)?, date, "Local")
}

fn date_in_zone(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [layout, date, zone] = fixed(arguments)?;
    formatted(around, &text(layout)?, date, &text(zone)?)
}

fn html_date(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [date] = fixed(arguments)?;
    formatted(around, HTML_DATE, date, "Local")
}

fn html_date_in_zone(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [date, zone] = fixed(arguments)?;
    formatted(around, HTML_DATE, date, &text(zone)?)
}

fn date_modify(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [change, date] = fixed(arguments)?;
    let moment = time(date)?;
    match parse_duration(&text(change)?) {
        Ok(nanoseconds) => answer(moment.plus(nanoseconds)),
        Err(_) => answer(moment),
    }
}

fn must_date_modify(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [change, date] = fixed(arguments)?;
    answer(time(date)?.plus(parse_duration(&text(change)?)?))
}

/// What is no date is the first moment of the year 1.
fn to_date(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [layout, given] = fixed(arguments)?;
    answer(parse::parse(&text(layout)?, &text(given)?).unwrap_or_else(|_| Moment::zero()))
}

fn must_to_date(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [layout, given] = fixed(arguments)?;
    answer(parse::parse(&text(layout)?, &text(given)?)?)
}

fn unix_epoch(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [date] = fixed(arguments)?;
    string(time(date)?.seconds.to_string())
}

/// The time since then, in whole seconds.
fn ago(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [date] = fixed(arguments)?;
    let since = Moment::from_timestamp(around.now).since(&time_or_now(around, date)?);
    string(write_duration(rounded_to_seconds(since)))
}

/// A number of seconds as a duration.
fn duration(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    let seconds = match given {
        Value::Int(seconds) => *seconds,
        Value::Text(text) => parse_int(text, 10).unwrap_or(0),
        _ => 0,
    };
    string(write_duration(seconds.wrapping_mul(1_000_000_000)))
}

/// A duration as its largest unit: `2h`, `3mo`.
fn duration_round(around: &Surroundings, arguments: &[Value]) -> Answer {
    const HOUR: u64 = 3_600_000_000_000;
    const UNITS: &[(u64, &str)] = &[
        (HOUR * 24 * 365, "y"),
        (HOUR * 24 * 30, "mo"),
        (HOUR * 24, "d"),
        (HOUR, "h"),
        (HOUR / 60, "m"),
        (HOUR / 3600, "s"),
    ];
    let [given] = fixed(arguments)?;
    let nanoseconds = match given {
        Value::Int(nanoseconds) => *nanoseconds,
        Value::Text(text) => parse_duration(text).unwrap_or(0),
        Value::Object(_) if Time.accepts(given) => Moment::from_timestamp(around.now).since(&time(given)?),
        _ => 0,
    };
    let size = nanoseconds.unsigned_abs();
    let unit = UNITS.iter().find(|(unit, _)| size > *unit);
    string(unit.map_or("0s".to_owned(), |(unit, name)| format!("{}{name}", size / unit)))
}
