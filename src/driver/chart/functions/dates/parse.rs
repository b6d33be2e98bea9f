//! Reads a date by a layout, as Go's `time.ParseInLocation` does in UTC.

use super::civil::{days, days_in};
use super::layout::{Element, MONTHS, Offset, Pad, WEEKDAYS, next};
use super::moment::Moment;
use super::zone::Zone;

/// What was read so far. Numbers are as they were written.
#[derive(Default)]
struct Read {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanoseconds: u32,
    /// Whether it is past noon.
    half: Option<bool>,
    /// `Z` or `UTC`.
    is_utc: bool,
    offset: Option<i64>,
    zone: Option<String>,
}

/// Why an element could not be read.
enum Wrong {
    Value,
    /// What is out of range.
    Range(&'static str),
}

type Rest<'a> = Result<&'a str, Wrong>;

/// The moment. An error has Go's words.
pub fn parse(layout: &str, text: &str) -> Result<Moment, String> {
    let failed = |value: &str, element: &str| {
        let (value, element) = (quote(value), quote(element));
        format!("parsing time {} as {}: cannot parse {value} as {element}", quote(text), quote(layout))
    };
    let complaint = |what: &str| format!("parsing time {}: {what}", quote(text));
    let mut read = Read::default();
    let (mut layout_rest, mut rest) = (layout, text);
    loop {
        let Some((before, element, written, behind)) = next(layout_rest) else {
            rest = skip(rest, layout_rest).map_err(|(value, wanted)| failed(value, wanted))?;
            if !rest.is_empty() {
                return Err(complaint(&format!("extra text: {}", quote(rest))));
            }
            break;
        };
        rest = skip(rest, before).map_err(|(value, _)| failed(value, before))?;
        layout_rest = behind;
        rest = match read.element(element, rest, layout_rest) {
            Ok(rest) => rest,
            Err(Wrong::Value) => return Err(failed(rest, written)),
            Err(Wrong::Range(what)) => return Err(complaint(&format!("{what} out of range"))),
        };
    }
    read.moment().map_err(complaint)
}

/// A text in quotes as errors about times show it: what is not printable ASCII by its bytes.
fn quote(text: &str) -> String {
    let mut out = "\"".to_owned();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            ' '..='~' => out.push(letter),
            letter => {
                letter
                    .encode_utf8(&mut [0; 4])
                    .bytes()
                    .for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
            }
        }
    }
    out + "\""
}

/// What stands behind the letters of the layout; blanks may be more or fewer. An error is the place in both.
fn skip<'a>(mut text: &'a str, layout: &'a str) -> Result<&'a str, (&'a str, &'a str)> {
    let mut wanted = layout;
    while let Some(letter) = wanted.chars().next() {
        if letter == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return Err((text, layout));
            }
            (text, wanted) = (text.trim_start_matches(' '), wanted.trim_start_matches(' '));
        } else {
            text = text.strip_prefix(letter).ok_or((text, layout))?;
            wanted = &wanted[letter.len_utf8()..];
        }
    }
    Ok(text)
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// A number of exactly so many digits.
fn exactly(text: &str, count: usize) -> Result<(i64, &str), Wrong> {
    if digits(text) < count {
        return Err(Wrong::Value);
    }
    let (number, rest) = text.split_at(count);
    number.parse().map(|number| (number, rest)).map_err(|_| Wrong::Value)
}

/// A number of one or two digits, or of two when it is filled up with zeros.
fn small(text: &str, pad: Pad) -> Result<(i64, &str), Wrong> {
    let text = if pad == Pad::Blank { text.strip_prefix(' ').unwrap_or(text) } else { text };
    exactly(text, if pad == Pad::Zero { 2 } else { digits(text).clamp(1, 2) })
}

/// The index of the name that the text begins with, capitals or not.
fn name<'a>(names: &[&str], length: Option<usize>, text: &'a str) -> Result<(i64, &'a str), Wrong> {
    for (index, name) in names.iter().enumerate() {
        let name = &name[..length.unwrap_or(name.len())];
        if let Some((begin, rest)) = text.split_at_checked(name.len())
            && begin.eq_ignore_ascii_case(name)
        {
            return Ok((index as i64, rest));
        }
    }
    Err(Wrong::Value)
}

fn in_range(number: i64, range: std::ops::RangeInclusive<i64>, what: &'static str) -> Result<i64, Wrong> {
    if range.contains(&number) { Ok(number) } else { Err(Wrong::Range(what)) }
}

/// The nanoseconds of the digits behind a separator, and what follows them.
fn nanoseconds(text: &str, count: usize) -> Result<(u32, &str), Wrong> {
    let behind = text.strip_prefix(['.', ',']).ok_or(Wrong::Value)?;
    if digits(behind) < count {
        return Err(Wrong::Value);
    }
    let (number, rest) = behind.split_at(count);
    // Beyond the ninth digit nothing counts.
    let number = format!("{:0<9}", &number[..count.min(9)]);
    number.parse().map(|number| (number, rest)).map_err(|_| Wrong::Value)
}

/// The digits behind a separator; none when there are none.
fn fraction_digits(text: &str) -> usize {
    text.strip_prefix(['.', ',']).map_or(0, digits)
}

impl Read {
    /// Reads an element and answers what stands behind it.
    fn element<'a>(&mut self, element: Element, text: &'a str, layout: &str) -> Rest<'a> {
        let short = Some(3);
        let (number, rest) = match element {
            Element::Year => exactly(text, 4)?,
            Element::ShortYear => exactly(text, 2)?,
            Element::Month(pad) | Element::Day(pad) | Element::Hour12(pad) => small(text, pad)?,
            Element::Minute(pad) | Element::Second(pad) => small(text, pad)?,
            Element::Hour => small(text, Pad::None)?,
            Element::MonthName(full) => name(&MONTHS, if full { None } else { short }, text)?,
            Element::WeekdayName(full) => name(&WEEKDAYS, if full { None } else { short }, text)?,
            Element::YearDay(pad) => year_day(text, pad)?,
            Element::Half(capitals) => {
                let (half, rest) = text.split_at_checked(2).ok_or(Wrong::Value)?;
                let names = if capitals { ["AM", "PM"] } else { ["am", "pm"] };
                self.half = Some(names.iter().position(|name| *name == half).ok_or(Wrong::Value)? == 1);
                return Ok(rest);
            }
            Element::Offset(form) => return self.offset(text, form),
            Element::Zone => return self.zone(text),
            Element::Fraction(_, count, trims) => return self.fraction(text, count, trims),
        };
        match element {
            Element::Year => self.year = number,
            Element::ShortYear => self.year = number + if number >= 69 { 1900 } else { 2000 },
            Element::Month(_) => self.month = Some(in_range(number, 1..=12, "month")?),
            Element::MonthName(_) => self.month = Some(number + 1),
            Element::Day(_) => self.day = Some(number),
            Element::YearDay(_) => self.year_day = Some(number),
            Element::Hour => self.hour = in_range(number, 0..=23, "hour")?,
            Element::Hour12(_) => self.hour = in_range(number, 0..=12, "hour")?,
            Element::Minute(_) => self.minute = in_range(number, 0..=59, "minute")?,
            Element::Second(_) => {
                self.second = in_range(number, 0..=59, "second")?;
                // A fraction may follow that the layout does not have.
                let count = fraction_digits(rest);
                if count > 0 && !matches!(next(layout), Some((_, Element::Fraction(..), ..))) {
                    let (nanoseconds, rest) = nanoseconds(rest, count)?;
                    self.nanoseconds = nanoseconds;
                    return Ok(rest);
                }
            }
            // The weekday must be one, and does not matter.
            _ => {}
        }
        Ok(rest)
    }

    fn fraction<'a>(&mut self, text: &'a str, count: usize, may_lack: bool) -> Rest<'a> {
        let count = if may_lack { fraction_digits(text) } else { count };
        if may_lack && count == 0 {
            return Ok(text);
        }
        let (nanoseconds, rest) = nanoseconds(text, count)?;
        self.nanoseconds = nanoseconds;
        Ok(rest)
    }

    fn offset<'a>(&mut self, text: &'a str, form: Offset) -> Rest<'a> {
        if form.zulu
            && let Some(rest) = text.strip_prefix('Z')
        {
            self.is_utc = true;
            return Ok(rest);
        }
        let behind = text.strip_prefix(['+', '-']).ok_or(Wrong::Value)?;
        let colon = if form.colons { ":" } else { "" };
        let (hours, mut rest) = exactly(behind, 2)?;
        let (mut minutes, mut seconds) = (0, 0);
        if form.minutes {
            (minutes, rest) = exactly(rest.strip_prefix(colon).ok_or(Wrong::Value)?, 2)?;
        }
        if form.seconds {
            (seconds, rest) = exactly(rest.strip_prefix(colon).ok_or(Wrong::Value)?, 2)?;
        }
        // Some write offsets of 24 hours or 60 minutes.
        in_range(hours, 0..=24, "time zone offset hour")?;
        in_range(minutes, 0..=60, "time zone offset minute")?;
        in_range(seconds, 0..=60, "time zone offset second")?;
        let offset = hours * 3600 + minutes * 60 + seconds;
        self.offset = Some(if text.starts_with('-') { -offset } else { offset });
        Ok(rest)
    }

    fn zone<'a>(&mut self, text: &'a str) -> Rest<'a> {
        if let Some(rest) = text.strip_prefix("UTC") {
            self.is_utc = true;
            return Ok(rest);
        }
        let (name, rest) = text.split_at(zone_length(text).ok_or(Wrong::Value)?);
        self.zone = Some(name.to_owned());
        Ok(rest)
    }

    /// The day of the year as month and day. None when it is none.
    fn of_year_day(&self, year_day: i64) -> Option<(i64, i64)> {
        let mut day = year_day;
        for month in 1..=12 {
            let length = days_in(self.year, month);
            if (1..=length).contains(&day) {
                return Some((month, day));
            }
            day -= length;
        }
        None
    }

    fn moment(&self) -> Result<Moment, &'static str> {
        let hour = match self.half {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = match self.year_day {
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
            Some(year_day) => {
                let (month, day) = self.of_year_day(year_day).ok_or("day-of-year out of range")?;
                if self.month.is_some_and(|other| other != month) {
                    return Err("day-of-year does not match month");
                }
                if self.day.is_some_and(|other| other != day) {
                    return Err("day-of-year does not match day");
                }
                (month, day)
            }
        };
        if day < 1 || day > days_in(self.year, month) {
            return Err("day out of range");
        }
        let local = days(self.year, month, day) * 86_400 + hour * 3600 + self.minute * 60 + self.second;
        let zone = match (&self.zone, self.offset) {
            _ if self.is_utc => Zone::Utc,
            (None, None | Some(0)) => Zone::Utc,
            (name, Some(offset)) => Zone::Fixed(offset, name.clone().unwrap_or_default()),
            // Of names only `GMT+3` tells an offset.
            (Some(name), None) => {
                let hours = name.strip_prefix("GMT").and_then(|hours| hours.parse::<i64>().ok());
                Zone::Fixed(hours.unwrap_or(0) * 3600, name.clone())
            }
        };
        // An offset counts; that of a mere name does not.
        let offset = if self.is_utc { 0 } else { self.offset.unwrap_or(0) };
        Ok(Moment { seconds: local - offset, nanoseconds: self.nanoseconds, zone })
    }
}

fn year_day(text: &str, pad: Pad) -> Result<(i64, &str), Wrong> {
    let blanks =
        if pad == Pad::Blank { text.bytes().take(2).take_while(|byte| *byte == b' ').count() } else { 0 };
    let text = &text[blanks..];
    exactly(text, if pad == Pad::Zero { 3 } else { digits(text).clamp(1, 3) })
}

/// The length of the abbreviation that the text begins with: `CET`, `WITA`, `+03`, `GMT-8`.
fn zone_length(text: &str) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with("ChST") || text.starts_with("MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix("GMT") {
        return Some(3 + signed_hours(rest).unwrap_or(0));
    }
    if text.starts_with(['+', '-']) {
        return signed_hours(text);
    }
    match text.bytes().take(6).take_while(u8::is_ascii_uppercase).count() {
        3 => Some(3),
        4 if text[..4].ends_with('T') || text.starts_with("WITA") => Some(4),
        5 if text[..5].ends_with('T') => Some(5),
        _ => None,
    }
}

/// The length of `+8` or `-08`, up to 23 hours.
fn signed_hours(text: &str) -> Option<usize> {
    let hours = text.strip_prefix(['+', '-'])?;
    let length = digits(hours);
    let number: i64 = hours[..length].parse().ok()?;
    (number <= 23).then_some(length + 1)
}
