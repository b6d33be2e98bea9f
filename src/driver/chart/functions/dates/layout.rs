//! Go's layouts: a date is written as `Mon Jan 2 15:04:05 MST 2006` would be.

use std::fmt::Write;

use super::moment::Moment;

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// How a number is filled up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pad {
    None,
    Zero,
    Blank,
}

/// How an offset from UTC is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    /// UTC itself is `Z`.
    pub zulu: bool,
    pub colons: bool,
    pub minutes: bool,
    pub seconds: bool,
}

/// An element of a layout.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Element {
    Year,
    ShortYear,
    Month(Pad),
    /// By name, in full or its first three letters.
    MonthName(bool),
    WeekdayName(bool),
    Day(Pad),
    YearDay(Pad),
    Hour,
    Hour12(Pad),
    Minute(Pad),
    Second(Pad),
    /// Of the day, in capitals or not.
    Half(bool),
    Offset(Offset),
    Zone,
    /// So many digits behind the separator; whether zeros at the end are left out.
    Fraction(char, usize, bool),
}

/// What stands before the first element of the layout, the element as it is written, and what stands behind it.
pub fn next(layout: &str) -> Option<(&str, Element, &str, &str)> {
    let mut places = layout.char_indices();
    places.find_map(|(at, _)| {
        let here = &layout[at..];
        // The blank of `_2006` is a letter of its own, and the year stands behind it.
        if let Some(behind) = here.strip_prefix("_2006") {
            return Some((&layout[..=at], Element::Year, "2006", behind));
        }
        let (element, length) = element(here)?;
        Some((&layout[..at], element, &here[..length], &here[length..]))
    })
}

/// The element that the text begins with, and its length.
fn element(text: &str) -> Option<(Element, usize)> {
    /// Those that begin others stand behind them.
    const FIXED: &[(&str, Element)] = &[
        ("January", Element::MonthName(true)),
        ("Jan", Element::MonthName(false)),
        ("Monday", Element::WeekdayName(true)),
        ("Mon", Element::WeekdayName(false)),
        ("MST", Element::Zone),
        ("01", Element::Month(Pad::Zero)),
        ("02", Element::Day(Pad::Zero)),
        ("03", Element::Hour12(Pad::Zero)),
        ("04", Element::Minute(Pad::Zero)),
        ("05", Element::Second(Pad::Zero)),
        ("06", Element::ShortYear),
        ("002", Element::YearDay(Pad::Zero)),
        ("15", Element::Hour),
        ("1", Element::Month(Pad::None)),
        ("2006", Element::Year),
        ("2", Element::Day(Pad::None)),
        ("__2", Element::YearDay(Pad::Blank)),
        ("_2", Element::Day(Pad::Blank)),
        ("3", Element::Hour12(Pad::None)),
        ("4", Element::Minute(Pad::None)),
        ("5", Element::Second(Pad::None)),
        ("PM", Element::Half(true)),
        ("pm", Element::Half(false)),
    ];
    let (written, element) = match text.chars().next()? {
        '-' | 'Z' => return offset(text),
        '.' | ',' => return fraction(text),
        _ => FIXED.iter().find(|(written, _)| text.starts_with(written))?,
    };
    // "Janus" is no month, nor "Month" a day.
    let behind = &text[written.len()..];
    let is_word = matches!(element, Element::MonthName(false) | Element::WeekdayName(false));
    if is_word && behind.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        return None;
    }
    Some((*element, written.len()))
}

fn offset(text: &str) -> Option<(Element, usize)> {
    /// The longer ones first: colons, minutes, seconds.
    const FORMS: &[(&str, bool, bool, bool)] = &[
        ("070000", false, true, true),
        ("07:00:00", true, true, true),
        ("0700", false, true, false),
        ("07:00", true, true, false),
        ("07", false, false, false),
    ];
    let zulu = text.starts_with('Z');
    let (form, colons, minutes, seconds) = FORMS.iter().find(|(form, ..)| text[1..].starts_with(form))?;
    let offset = Offset { zulu, colons: *colons, minutes: *minutes, seconds: *seconds };
    Some((Element::Offset(offset), form.len() + 1))
}

/// `.000` or `,999`, when no other digit follows.
fn fraction(text: &str) -> Option<(Element, usize)> {
    let separator = text.chars().next()?;
    let digit = text[1..].chars().next().filter(|digit| *digit == '0' || *digit == '9')?;
    let rest = text[1..].trim_start_matches(digit);
    let digits = text.len() - 1 - rest.len();
    if rest.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    Some((Element::Fraction(separator, digits, digit == '9'), digits + 1))
}

/// The moment in its zone, written like the layout.
pub fn format(moment: &Moment, layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while let Some((before, element, _, behind)) = next(rest) {
        out.push_str(before);
        write(&mut out, moment, element);
        rest = behind;
    }
    out + rest
}

fn write(out: &mut String, moment: &Moment, element: Element) {
    let civil = moment.civil();
    let hour12 = |hour: u8| if hour.is_multiple_of(12) { 12 } else { hour % 12 };
    let (offset, zone) = moment.zone.at(moment.seconds);
    let name = |name: &'static str, full: bool| if full { name } else { &name[..3] };
    match element {
        Element::Year => {
            _ = write!(out, "{}{:04}", if civil.year < 0 { "-" } else { "" }, civil.year.unsigned_abs())
        }
        Element::ShortYear => number(out, (civil.year % 100).abs(), Pad::Zero, 2),
        Element::Month(pad) => number(out, civil.month.into(), pad, 2),
        Element::MonthName(full) => out.push_str(name(MONTHS[usize::from(civil.month) - 1], full)),
        Element::WeekdayName(full) => out.push_str(name(WEEKDAYS[usize::from(civil.weekday)], full)),
        Element::Day(pad) => number(out, civil.day.into(), pad, 2),
        Element::YearDay(pad) => number(out, civil.year_day.into(), pad, 3),
        Element::Hour => number(out, civil.hour.into(), Pad::Zero, 2),
        Element::Hour12(pad) => number(out, hour12(civil.hour).into(), pad, 2),
        Element::Minute(pad) => number(out, civil.minute.into(), pad, 2),
        Element::Second(pad) => number(out, civil.second.into(), pad, 2),
        Element::Half(capitals) => out.push_str(match (capitals, civil.hour < 12) {
            (true, true) => "AM",
            (true, false) => "PM",
            (false, true) => "am",
            (false, false) => "pm",
        }),
        Element::Offset(form) => write_offset(out, offset, form),
        Element::Zone if zone.is_empty() => {
            write_offset(out, offset, Offset { zulu: false, colons: false, minutes: true, seconds: false });
        }
        Element::Zone => out.push_str(&zone),
        Element::Fraction(separator, digits, trims) => {
            let mut shown = format!("{:09}", moment.nanoseconds);
            shown.truncate(digits);
            shown.extend(std::iter::repeat_n('0', digits.saturating_sub(shown.len())));
            let shown = if trims { shown.trim_end_matches('0') } else { &shown };
            if !shown.is_empty() {
                out.push(separator);
                out.push_str(shown);
            }
        }
    }
}

fn number(out: &mut String, number: i64, pad: Pad, width: usize) {
    _ = match pad {
        Pad::None => write!(out, "{number}"),
        Pad::Zero => write!(out, "{number:0width$}"),
        Pad::Blank => write!(out, "{number:width$}"),
    };
}

fn write_offset(out: &mut String, offset: i64, form: Offset) {
    if form.zulu && offset == 0 {
        out.push('Z');
        return;
    }
    // The sign is that of the minutes, as in Go.
    out.push(if offset / 60 < 0 { '-' } else { '+' });
    let size = offset.unsigned_abs();
    let colon = if form.colons { ":" } else { "" };
    _ = write!(out, "{:02}", size / 3600);
    if form.minutes {
        _ = write!(out, "{colon}{:02}", size / 60 % 60);
    }
    if form.seconds {
        _ = write!(out, "{colon}{:02}", size % 60);
    }
}
