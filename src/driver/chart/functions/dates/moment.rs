//! Go's `time.Time` as templates see it.

use std::rc::Rc;

use jiff::Timestamp;

use super::super::super::value::{Object, Value};
use super::civil::{Civil, civil, days};
use super::duration::{parse_duration, write_duration};
use super::layout::{MONTHS, WEEKDAYS, format};
use super::zone::Zone;

/// A moment, and the zone that it is told in.
#[derive(Clone)]
pub struct Moment {
    /// Since 1970 began.
    pub seconds: i64,
    /// Within the second.
    pub nanoseconds: u32,
    pub zone: Zone,
}

const SECOND: i64 = 1_000_000_000;
const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";

impl Moment {
    /// A timestamp in UTC.
    pub fn from_timestamp(time: Timestamp) -> Self {
        let nanoseconds = time.as_nanosecond();
        let second = i128::from(SECOND);
        Self {
            seconds: i64::try_from(nanoseconds.div_euclid(second)).unwrap_or(0),
            nanoseconds: u32::try_from(nanoseconds.rem_euclid(second)).unwrap_or(0),
            zone: Zone::Utc,
        }
    }

    /// Go's zero time: the year 1 begins.
    pub fn zero() -> Self {
        Self { seconds: days(1, 1, 1) * 86_400, nanoseconds: 0, zone: Zone::Utc }
    }

    /// The moment that the object is.
    pub fn of(object: &dyn Object) -> Result<Self, String> {
        let number = |name| match object.field(name) {
            Some(Ok(Value::Int(number))) => Ok(number),
            _ => Err(format!("a time without {name}")),
        };
        let zone = match object.call("Format", &[Value::text("-07:00:00 MST")]) {
            Some(Ok(Value::Text(ref zone))) => zone_of(zone),
            _ => Zone::Utc,
        };
        let nanoseconds = u32::try_from(number("Nanosecond")?).unwrap_or(0);
        Ok(Self { seconds: number("Unix")?, nanoseconds, zone })
    }

    /// The moment so many nanoseconds later.
    pub fn plus(&self, nanoseconds: i64) -> Self {
        let sum = i64::from(self.nanoseconds) + nanoseconds.rem_euclid(SECOND);
        Self {
            seconds: self.seconds.saturating_add(nanoseconds.div_euclid(SECOND)).saturating_add(sum / SECOND),
            nanoseconds: u32::try_from(sum % SECOND).unwrap_or(0),
            zone: self.zone.clone(),
        }
    }

    /// The nanoseconds since another moment; as many as a duration can have when there are more.
    pub fn since(&self, other: &Self) -> i64 {
        let total =
            |moment: &Self| i128::from(moment.seconds) * i128::from(SECOND) + i128::from(moment.nanoseconds);
        let difference = total(self) - total(other);
        i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
    }

    /// The day and time in its zone.
    pub fn civil(&self) -> Civil {
        civil(self.seconds.saturating_add(self.zone.at(self.seconds).0))
    }

    fn in_zone(&self, zone: Zone) -> Value {
        Value::Object(Rc::new(Self { zone, ..self.clone() }))
    }

    /// `AddDate`: the same time on another day of the calendar.
    fn plus_date(&self, years: i64, months: i64, more_days: i64) -> Option<Self> {
        let civil = self.civil();
        let day = i64::from(civil.day).checked_add(more_days)?;
        let month = i64::from(civil.month).checked_add(months)?;
        let of_day = i64::from(civil.hour) * 3600 + i64::from(civil.minute) * 60 + i64::from(civil.second);
        let local =
            days(civil.year.checked_add(years)?, month, 1).checked_add(day - 1)?.checked_mul(86_400)?;
        let offset = self.zone.at(self.seconds).0;
        let seconds = local.checked_add(of_day - offset)?;
        // The offset may be another one on that day.
        let offset = offset - self.zone.at(seconds).0;
        Some(Self { seconds: seconds + offset, ..self.clone() })
    }
}

/// A zone from its offset and name, as `-07:00:00 MST` writes it.
fn zone_of(written: &str) -> Zone {
    let (offset, name) = written.split_once(' ').unwrap_or((written, ""));
    if (offset, name) == ("+00:00:00", "UTC") {
        return Zone::Utc;
    }
    let mut units = offset[1..].split(':').map(|number| number.parse::<i64>().unwrap_or(0));
    let mut next = || units.next().unwrap_or(0);
    let seconds = next() * 3600 + next() * 60 + next();
    // Without a name, Go writes the offset in its place.
    let name = if name.starts_with(['+', '-']) { "" } else { name };
    Zone::Fixed(if offset.starts_with('-') { -seconds } else { seconds }, name.to_owned())
}

impl Object for Moment {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        let civil = self.civil();
        let in_units = |per_second: i64| {
            let of_second = i64::from(self.nanoseconds) / (SECOND / per_second);
            Value::Int(self.seconds.wrapping_mul(per_second).wrapping_add(of_second))
        };
        Some(Ok(match name {
            "Year" => Value::Int(civil.year),
            "Month" => Value::text(MONTHS[usize::from(civil.month) - 1]),
            "Weekday" => Value::text(WEEKDAYS[usize::from(civil.weekday)]),
            "Day" => Value::Int(civil.day.into()),
            "Hour" => Value::Int(civil.hour.into()),
            "Minute" => Value::Int(civil.minute.into()),
            "Second" => Value::Int(civil.second.into()),
            "YearDay" => Value::Int(civil.year_day.into()),
            "Nanosecond" => Value::Int(self.nanoseconds.into()),
            "Unix" => Value::Int(self.seconds),
            "UnixMilli" => in_units(1000),
            "UnixMicro" => in_units(1_000_000),
            "UnixNano" => in_units(SECOND),
            "UTC" | "Local" => self.in_zone(Zone::Utc),
            "IsZero" => Value::Bool(self.since(&Self::zero()) == 0),
            "String" => Value::text(self.print()),
            _ => return None,
        }))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let answer = |moment: Self| Value::Object(Rc::new(moment));
        Some(Ok(match (name, arguments) {
            ("Format", [Value::Text(layout)]) => Value::text(format(self, layout)),
            ("AddDate", [Value::Int(years), Value::Int(months), Value::Int(days)]) => {
                let sum = self.plus_date(*years, *months, *days);
                return Some(sum.map(answer).ok_or_else(|| "the date is too far away".to_owned()));
            }
            ("Add", [Value::Int(nanoseconds)]) => answer(self.plus(*nanoseconds)),
            ("Add", [Value::Object(span)]) if span.type_name() == "time.Duration" => {
                match parse_duration(&span.print()) {
                    Ok(nanoseconds) => answer(self.plus(nanoseconds)),
                    Err(error) => return Some(Err(error)),
                }
            }
            (_, [Value::Object(other)]) => {
                let other = match Self::of(&**other) {
                    Ok(other) => other,
                    Err(error) => return Some(Err(error)),
                };
                let difference = self.since(&other);
                match name {
                    "Sub" => Value::Object(Rc::new(Span(difference))),
                    "Before" => Value::Bool(difference < 0),
                    "After" => Value::Bool(difference > 0),
                    "Equal" => Value::Bool(difference == 0),
                    "Compare" => Value::Int(difference.signum()),
                    _ => return None,
                }
            }
            _ => return None,
        }))
    }

    fn print(&self) -> String {
        format(self, "2006-01-02 15:04:05.999999999 -0700 MST")
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::text(format(self, RFC3339_NANO)))
    }
}

/// Go's `time.Duration`, in nanoseconds.
struct Span(i64);

impl Object for Span {
    fn type_name(&self) -> &'static str {
        "time.Duration"
    }

    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        let fraction = |unit: f64| Value::Float(self.0 as f64 / unit);
        Some(Ok(match name {
            "Hours" => fraction(3600e9),
            "Minutes" => fraction(60e9),
            "Seconds" => fraction(1e9),
            "Milliseconds" => Value::Int(self.0 / 1_000_000),
            "Microseconds" => Value::Int(self.0 / 1000),
            "Nanoseconds" => Value::Int(self.0),
            "String" => Value::text(self.print()),
            _ => return None,
        }))
    }

    fn call(&self, _: &str, _: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    fn print(&self) -> String {
        write_duration(self.0)
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::Int(self.0))
    }

    fn truth(&self) -> bool {
        self.0 != 0
    }
}
