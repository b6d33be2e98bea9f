//! Durations as Go reads and writes them: `1h15m30.5s`.

use super::super::super::format::quote_bytes as quoted;

/// The units and their nanoseconds.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1000),
    ("\u{b5}s", 1000),
    ("\u{3bc}s", 1000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The nanoseconds of a duration. An error has Go's words.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let shown = quoted(text.as_bytes());
    let invalid = || format!("time: invalid duration {shown}");
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (whole, behind) = split_digits(rest);
        let (fraction, behind) = behind.strip_prefix('.').map_or(("", behind), split_digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end =
            behind.find(|letter: char| letter == '.' || letter.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {shown}"));
        }
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, size) = known
            .ok_or_else(|| format!("time: unknown unit {} in duration {shown}", quoted(unit.as_bytes())))?;
        let whole: u64 = if whole.is_empty() { Some(0) } else { whole.parse().ok() }.ok_or_else(invalid)?;
        let part = whole.checked_mul(*size).and_then(|part| part.checked_add(of_fraction(fraction, *size)));
        total = part
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= 1 << 63)
            .ok_or_else(invalid)?;
        rest = behind;
    }
    match total {
        // Only a negative one can have the last nanosecond.
        total if negative => Ok(total.wrapping_neg() as i64),
        total => i64::try_from(total).map_err(|_| invalid()),
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()))
}

/// The nanoseconds of the digits behind a point. Digits below 2^-63 do not count.
fn of_fraction(digits: &str, size: u64) -> u64 {
    let (mut number, mut scale) = (0_u64, 1_f64);
    for digit in digits.bytes() {
        match number.checked_mul(10).and_then(|number| number.checked_add(u64::from(digit - b'0'))) {
            Some(next) if next <= 1 << 63 => (number, scale) = (next, scale * 10.0),
            _ => break,
        }
    }
    (number as f64 * (size as f64 / scale)) as u64
}

/// The duration as Go writes it.
pub fn write_duration(nanoseconds: i64) -> String {
    let size = nanoseconds.unsigned_abs();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (of_second, seconds) = (size % 1_000_000_000, size / 1_000_000_000);
    let text = match size {
        0 => "0s".to_owned(),
        1..1000 => format!("{size}ns"),
        1000..1_000_000 => format!("{}\u{b5}s", with_fraction(size / 1000, size % 1000, 3)),
        1_000_000..1_000_000_000 => format!("{}ms", with_fraction(size / 1_000_000, size % 1_000_000, 6)),
        _ => {
            let last = format!("{}s", with_fraction(seconds % 60, of_second, 9));
            match seconds / 60 {
                0 => last,
                minutes @ 1..60 => format!("{minutes}m{last}"),
                minutes => format!("{}h{}m{last}", minutes / 60, minutes % 60),
            }
        }
    };
    format!("{sign}{text}")
}

/// The number with the fraction of so many digits, without zeros at its end.
fn with_fraction(whole: u64, fraction: u64, digits: usize) -> String {
    let fraction = format!("{fraction:0digits$}");
    match fraction.trim_end_matches('0') {
        "" => whole.to_string(),
        fraction => format!("{whole}.{fraction}"),
    }
}

/// To the nearest second, half of one away from zero.
pub fn rounded_to_seconds(nanoseconds: i64) -> i64 {
    const SECOND: i64 = 1_000_000_000;
    let rest = nanoseconds % SECOND;
    let down = nanoseconds - rest;
    if rest.abs() * 2 < SECOND {
        return down;
    }
    down.checked_add(SECOND * rest.signum()).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
}
