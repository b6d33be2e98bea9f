//! Time zones: UTC, by name, or an offset that a date was written with.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time zone.
#[derive(Clone)]
pub enum Zone {
    Utc,
    /// Of the system's database.
    Named(TimeZone),
    /// Seconds east of UTC, and the name, which may be empty.
    Fixed(i64, String),
}

impl Zone {
    /// Go's `time.LoadLocation`; none for a name that it does not know.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "" | "UTC" | "Local" => Some(Self::Utc),
            name if name.contains("..") || name.starts_with(['/', '\\']) => None,
            name => TimeZone::get(name).ok().map(Self::Named),
        }
    }

    /// The seconds east of UTC at that time, and the abbreviation.
    pub fn at(&self, seconds: i64) -> (i64, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Fixed(offset, name) => (*offset, name.clone()),
            Self::Named(zone) => match Timestamp::from_second(seconds) {
                Ok(time) => {
                    let info = zone.to_offset_info(time);
                    (i64::from(info.offset().seconds()), info.abbreviation().to_owned())
                }
                // Beyond the years 9999 no rule is known.
                Err(_) => (0, "UTC".to_owned()),
            },
        }
    }
}
