//! Numbers of bytes and spans of time in few characters.

use jiff::{SignedDuration, Timestamp};

pub use crate::domain::text::bytes;

/// A span of time: `45 s`, `3 min`, `2 h`, `5 d`.
pub fn span(span: SignedDuration) -> String {
    match span.as_secs().max(0) {
        seconds @ 0..=89 => format!("{seconds} s"),
        seconds @ 90..=5399 => format!("{} min", (seconds + 30) / 60),
        seconds @ 5400..=172_799 => format!("{} h", (seconds + 1800) / 3600),
        seconds => format!("{} d", (seconds + 43_200) / 86_400),
    }
}

/// A moment, in UTC: `2026-05-20 12:30`.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A span of time as people type it: `90s`, `5m`, `2h`; a number alone is seconds.
pub fn seconds(text: &str) -> Result<u32, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let count: u32 = digits.parse().map_err(|_| "expected a span of time, as 90s, 5m or 2h".to_owned())?;
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        other => return Err(format!("'{other}' is none of s, m, h")),
    };
    count.checked_mul(unit).ok_or_else(|| "it is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short() {
        let spans =
            [(0, "0 s"), (89, "89 s"), (300, "5 min"), (7200, "2 h"), (86_400 * 3, "3 d"), (-5, "0 s")];
        for (count, said) in spans {
            assert_eq!(span(SignedDuration::from_secs(count)), said);
        }
    }

    #[test]
    fn spans_are_read() {
        assert_eq!(
            (seconds("90s"), seconds("5m"), seconds("2h"), seconds("7")),
            (Ok(90), Ok(300), Ok(7200), Ok(7))
        );
        assert!(seconds("").is_err() && seconds("5 d").is_err() && seconds("m").is_err());
        assert!(seconds("4000000000h").is_err());
    }
}
