//! The dates of YAML.

/// Whether go-yaml takes the text for a date: `2006-1-2`, `2006-1-2 15:4:5`, `2006-1-2T15:4:5Z` and the like.
pub(super) fn is_timestamp(text: &str) -> bool {
    date(text).is_some_and(|rest| rest.is_empty() || is_time(rest))
}

/// What follows a valid date.
fn date(text: &str) -> Option<&str> {
    let (year, rest) = text.split_at_checked(4)?;
    let year: i16 = year.bytes().all(|digit| digit.is_ascii_digit()).then(|| year.parse().ok()).flatten()?;
    let (month, rest) = number(rest.strip_prefix('-')?)?;
    let (day, rest) = number(rest.strip_prefix('-')?)?;
    jiff::civil::Date::new(year, month, day).ok()?;
    Some(rest)
}

/// One or two digits.
fn number(text: &str) -> Option<(i8, &str)> {
    let length = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(length)?;
    Some((digits.parse().ok()?, rest))
}

/// ` 15:4:5.9`, or with `T` and a zone.
fn is_time(text: &str) -> bool {
    let zoned = text.starts_with(['T', 't']);
    if !zoned && !text.starts_with(' ') {
        return false;
    }
    let Some(rest) = text.get(1..).and_then(clock) else { return false };
    let fraction = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => fraction,
        None => return if zoned { is_zone(rest) } else { rest.is_empty() },
    };
    let rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
    rest.len() < fraction.len() && if zoned { is_zone(rest) } else { rest.is_empty() }
}

/// What follows a valid time of day.
fn clock(text: &str) -> Option<&str> {
    let (hour, rest) = number(text)?;
    let (minute, rest) = number(rest.strip_prefix(':')?)?;
    let (second, rest) = number(rest.strip_prefix(':')?)?;
    (hour < 24 && minute < 60 && second < 60).then_some(rest)
}

/// `Z` or `+01:00`.
fn is_zone(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    let Some((hour, minute)) = text.strip_prefix(['+', '-']).and_then(|zone| zone.split_once(':')) else {
        return false;
    };
    let within = |part: &str, most: u8| {
        part.len() == 2
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u8>().is_ok_and(|n| n <= most)
    };
    within(hour, 24) && within(minute, 60)
}
