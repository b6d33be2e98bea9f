//! Numbers, ages and text as people read them. Everything that is shown passes through here.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::route::{Probe, ProbeOutcome};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// How long ago, in one unit: `12s`, `5m`, `3h`, `4d`, `2y`. The future counts as now.
pub fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = seconds_between(now, then);
    let (unit, letter) = unit_of(seconds);
    format!("{}{letter}", seconds / unit)
}

/// How long ago, in words that stand in a sentence: `12 s ago`, `3 min ago`.
pub fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = seconds_between(now, then);
    let (unit, letter) = unit_of(seconds);
    let word = match letter {
        's' => "s",
        'm' => "min",
        'h' => "h",
        'd' => "d",
        _ => "y",
    };
    format!("{} {word} ago", seconds / unit)
}

/// The steps in which [`roughly_ago`] counts the first minute.
const ROUGH: i64 = 10;

/// As [`ago`], in steps of ten seconds at first: for what is asked again and again, where every second would be a frame.
pub fn roughly_ago(now: Timestamp, then: Timestamp) -> String {
    match seconds_between(now, then) {
        0..ROUGH => "just now".to_owned(),
        seconds @ ROUGH..60 => format!("{} s ago", seconds - seconds % ROUGH),
        _ => ago(now, then),
    }
}

/// As [`age`], in steps of ten seconds at first: `now`, `10s`, `5m`. Changes when [`roughly_ago`] does.
pub fn roughly(now: Timestamp, then: Timestamp) -> String {
    match seconds_between(now, then) {
        0..ROUGH => "now".to_owned(),
        seconds @ ROUGH..60 => format!("{}s", seconds - seconds % ROUGH),
        _ => age(now, then),
    }
}

/// The time until the text of [`roughly_ago`] changes.
pub fn roughly_lasts(now: Timestamp, then: Timestamp) -> Duration {
    match seconds_between(now, then) {
        seconds @ 0..60 => Duration::from_secs((ROUGH - seconds % ROUGH).unsigned_abs()),
        _ => age_lasts(now, then),
    }
}

/// The time until the text of [`age`] changes.
pub fn age_lasts(now: Timestamp, then: Timestamp) -> Duration {
    let seconds = seconds_between(now, then);
    let (unit, _) = unit_of(seconds);
    Duration::from_secs((unit - seconds % unit).unsigned_abs())
}

/// How long something took, in two units at most: `12s`, `3m 20s`, `2h 5m`, `3d 4h`.
pub fn duration(from: Timestamp, to: Timestamp) -> String {
    let seconds = seconds_between(to, from);
    let (large, letter) = unit_of(seconds);
    let (small, small_letter) = match letter {
        's' => return format!("{seconds}s"),
        'm' => (1, 's'),
        'h' => (MINUTE, 'm'),
        'd' => (HOUR, 'h'),
        _ => (DAY, 'd'),
    };
    match seconds % large / small {
        0 => format!("{}{letter}", seconds / large),
        rest => format!("{}{letter} {rest}{small_letter}", seconds / large),
    }
}

/// The time until the text of [`duration`] changes.
pub fn duration_lasts(from: Timestamp, to: Timestamp) -> Duration {
    let seconds = seconds_between(to, from);
    let unit = match unit_of(seconds) {
        (_, 's' | 'm') => 1,
        (_, 'h') => MINUTE,
        (_, 'd') => HOUR,
        _ => DAY,
    };
    Duration::from_secs((unit - seconds % unit).unsigned_abs())
}

/// The time of day, in UTC.
pub fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// Day and time of day, in UTC.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn seconds_between(now: Timestamp, then: Timestamp) -> i64 {
    now.as_second().saturating_sub(then.as_second()).max(0)
}

fn unit_of(seconds: i64) -> (i64, char) {
    match seconds {
        ..MINUTE => (1, 's'),
        MINUTE..HOUR => (MINUTE, 'm'),
        HOUR..172_800 => (HOUR, 'h'),
        172_800..YEAR => (DAY, 'd'),
        _ => (YEAR, 'y'),
    }
}

/// Milliseconds: `12 ms`, `1.4 s`.
pub fn millis(millis: u32) -> String {
    if millis < 1000 { format!("{millis} ms") } else { format!("{:.1} s", f64::from(millis) / 1000.0) }
}

/// Microseconds: `0.3 ms`, `12 ms`, `1.4 s`. At most eight columns.
pub fn micros(micros: u32) -> String {
    match micros {
        0..9_950 => format!("{:.1} ms", f64::from(micros) / 1000.0),
        _ => millis(micros.saturating_add(500) / 1000),
    }
}

/// An amount of data: `0 B`, `812 B`, `1.2 KiB`, `34 MiB`, `5.0 GiB`. At most eight columns.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut shown = bytes as f64 / 1024.0;
    let mut unit = 0;
    // what is rounded up to 1024 is one of the next unit
    while shown >= 1023.5 && unit + 1 < UNITS.len() {
        shown /= 1024.0;
        unit += 1;
    }
    let decimals = usize::from(shown < 9.95);
    format!("{shown:.decimals$} {}", UNITS[unit])
}

/// How much of a whole, in percent: 100 only when it is all.
pub fn percent(done: u64, total: u64) -> u64 {
    if done >= total { 100 } else { (u128::from(done) * 100 / u128::from(total.max(1))) as u64 }
}

/// The time of day without seconds, in UTC.
pub fn minute(at: Timestamp) -> String {
    at.strftime("%H:%M").to_string()
}

/// How long until then, in one unit: `in 12s`, `in 3h`; `now` when it has come.
pub fn until(now: Timestamp, then: Timestamp) -> String {
    if then <= now { "now".to_owned() } else { format!("in {}", age(then, now)) }
}

/// The time until the text of [`until`] changes.
pub fn until_lasts(now: Timestamp, then: Timestamp) -> Duration {
    let seconds = seconds_between(then, now);
    let (unit, _) = unit_of(seconds);
    Duration::from_secs((seconds % unit + 1).unsigned_abs())
}

/// A count with its noun: `1 warning`, `3 warnings`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// What a probe found, in a few words: `200 in 12 ms`, `connect failed`.
pub fn probe(probe: &Probe) -> String {
    match &probe.outcome {
        ProbeOutcome::Answered(code) => format!("{code} in {}", millis(probe.millis())),
        ProbeOutcome::Failed { phase, .. } => format!("{} failed", phase.as_str()),
    }
}

/// What a probe found, in one word: the status code, or the phase that failed.
pub fn probe_code(probe: &Probe) -> String {
    match &probe.outcome {
        ProbeOutcome::Answered(code) => code.to_string(),
        ProbeOutcome::Failed { phase, .. } => phase.as_str().to_owned(),
    }
}

/// The columns that a text takes on screen.
pub fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// Cuts a text to `max` columns, with `…` at its end when something is missing.
pub fn cut(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for grapheme in Span::raw(text).styled_graphemes(Style::new()) {
        let wide = width(grapheme.symbol);
        if used + wide + 1 > max {
            break;
        }
        used += wide;
        kept.push_str(grapheme.symbol);
    }
    if max > 0 {
        kept.push('…');
    }
    kept
}

/// Cuts a styled line to `max` columns, with `…` at its end when something is missing.
pub fn cut_line(line: Line<'static>, max: usize) -> Line<'static> {
    if line.width() <= max {
        return line;
    }
    let mut left = max;
    let mut spans = Vec::new();
    for span in line.spans {
        let wide = span.width();
        if wide < left {
            left -= wide;
            spans.push(span);
            continue;
        }
        let text = if wide == left { format!("{} ", span.content) } else { span.content.into_owned() };
        spans.push(Span::styled(cut(&text, left), span.style));
        break;
    }
    Line { spans, ..Line::default() }.style(line.style)
}

/// Breaks a text into lines of at most `max` columns, between words where that is possible.
pub fn wrap(text: &str, max: usize) -> Vec<String> {
    let max = max.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let gap = usize::from(!line.is_empty());
            if width(&line) + gap + width(word) <= max {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(word);
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            let mut pieces = break_hard(word, max);
            line = pieces.pop().unwrap_or_default();
            lines.append(&mut pieces);
        }
        lines.push(line);
    }
    lines
}

/// Breaks a text every `max` columns.
pub fn break_hard(text: &str, max: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for grapheme in Span::raw(text).styled_graphemes(Style::new()) {
        let wide = width(grapheme.symbol);
        if used + wide > max.max(1) && used > 0 {
            pieces.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(last) = pieces.last_mut() {
            last.push_str(grapheme.symbol);
        }
    }
    pieces
}

/// A URL without its scheme and without a bare slash at its end, for narrow columns.
pub fn short_url(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.strip_suffix('/').unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn ages_have_one_unit() {
        let cases = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3599, "59m"),
            (3600, "1h"),
            (172_799, "47h"),
            (172_800, "2d"),
        ];
        for (seconds, shown) in cases {
            assert_eq!(age(at(seconds), at(0)), shown);
        }
        assert_eq!(age(at(0), at(50)), "0s", "a clock that runs behind shows no negative age");
        assert_eq!(age(at(400 * DAY), at(0)), "1y");
        assert_eq!(ago(at(75), at(0)), "1 min ago");
    }

    #[test]
    fn amounts_of_data_have_two_digits_or_three() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (10_188, "9.9 KiB"),
            (10_189, "10 KiB"),
            (1_048_063, "1023 KiB"),
            (1_048_064, "1.0 MiB"),
            (3_435_973_837, "3.2 GiB"),
            (u64::MAX, "16 EiB"),
        ];
        for (amount, shown) in cases {
            assert_eq!(bytes(amount), shown);
        }
        assert_eq!([percent(0, 0), percent(99, 100), percent(999, 1000), percent(5, 4)], [100, 99, 99, 100]);
        assert_eq!(until(at(0), at(7_300)), "in 2h");
        assert_eq!((until(at(5), at(5)), minute(at(3_661))), ("now".into(), "01:01".into()));
    }

    #[test]
    fn short_times_keep_a_digit() {
        let cases = [
            (0, "0.0 ms"),
            (340, "0.3 ms"),
            (9_949, "9.9 ms"),
            (9_950, "10 ms"),
            (999_499, "999 ms"),
            (1_400_000, "1.4 s"),
        ];
        for (time, shown) in cases {
            assert_eq!(micros(time), shown);
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let cases = [
            (0, "0s"),
            (75, "1m 15s"),
            (120, "2m"),
            (7_500, "2h 5m"),
            (3 * DAY + 4 * HOUR, "3d 4h"),
            (YEAR + DAY, "1y 1d"),
        ];
        for (seconds, shown) in cases {
            assert_eq!(duration(at(0), at(seconds)), shown);
        }
        let left = [0, 75, 7_500].map(|seconds| until_lasts(at(0), at(seconds)).as_secs());
        assert_eq!(left, [1, 16, 301]);
        let lasts = [75, 7_500, 3 * DAY].map(|seconds| duration_lasts(at(0), at(seconds)).as_secs());
        assert_eq!(lasts, [1, 60, 3_600]);
        assert_eq!((clock(at(3_661)), moment(at(0))), ("01:01:01".into(), "1970-01-01 00:00:00 UTC".into()));
    }

    #[test]
    fn a_rough_age_lasts_ten_seconds() {
        let texts = [0, 9, 10, 19, 59, 60].map(|second| roughly_ago(at(second), at(0)));
        assert_eq!(texts, ["just now", "just now", "10 s ago", "10 s ago", "50 s ago", "1 min ago"]);
        assert_eq!(roughly_lasts(at(12), at(0)), Duration::from_secs(8));
        assert_eq!(roughly_lasts(at(75), at(0)), Duration::from_secs(45));
    }

    #[test]
    fn an_age_lasts_until_its_text_changes() {
        assert_eq!(age_lasts(at(12), at(0)), Duration::from_secs(1));
        assert_eq!(age_lasts(at(75), at(0)), Duration::from_secs(45));
        assert_eq!(age_lasts(at(3600 + 60), at(0)), Duration::from_secs(3540));
    }

    #[test]
    fn texts_are_cut_by_columns_and_never_wider() {
        assert_eq!(cut("notes", 5), "notes");
        assert_eq!(cut("notes-web", 5), "note…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
        let line = Line::from(vec![Span::raw("ab"), Span::raw("cd"), Span::raw("ef")]);
        assert_eq!(cut_line(line.clone(), 4).to_string(), "abc…");
        assert_eq!(cut_line(line.clone(), 5).to_string(), "abcd…");
        assert_eq!(cut_line(line, 6).to_string(), "abcdef");
    }

    #[test]
    fn texts_wrap_between_words_and_inside_long_ones() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
        assert!(wrap("日本", 1).len() == 2, "a wide character in a narrow column still moves on");
    }

    #[test]
    fn urls_are_short_in_columns() {
        assert_eq!(short_url("http://notes.localhost:8480/"), "notes.localhost:8480");
        assert_eq!(short_url("notes.localhost"), "notes.localhost");
    }
}
