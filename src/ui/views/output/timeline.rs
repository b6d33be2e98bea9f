//! Calls and lines in the order in which they happened, as rows. What a row is, its sign says: colours only repeat it.

use ratatui::text::{Line, Span};

use super::Feed;
use crate::domain::call::{CallOutcome, CallRecord, OutputLine, OutputSource};
use crate::domain::text::plain;
use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// The most characters of one argument.
const ARGUMENT: usize = 48;
/// Calls whose line stands in the output already.
const SPOKEN: [&str; 2] = ["log", "progress"];

/// How much room the rows have.
#[derive(Debug, Clone, Copy)]
pub struct Width {
    /// Their columns.
    pub columns: usize,
    /// Whether what is too long goes on below; else it is cut.
    pub wrap: bool,
    /// Whether each begins with its time of day.
    pub clock: bool,
}

enum Entry<'a> {
    Call(&'a CallRecord),
    Line(&'a OutputLine),
}

/// What was called and printed, oldest first.
pub fn rows(feed: &Feed, look: &Look<'_>, width: Width) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    for entry in entries(feed) {
        match entry {
            Entry::Call(record) => call(&mut rows, record, look, width),
            Entry::Line(line) => printed(&mut rows, line, look, width),
        }
    }
    rows
}

/// Both are in the order of their times: a call comes before what it printed.
fn entries(feed: &Feed) -> Vec<Entry<'_>> {
    let is_told = |call: &&CallRecord| {
        !SPOKEN.contains(&call.name.as_str()) || !matches!(call.outcome, CallOutcome::Answered(_))
    };
    let mut calls = feed.calls().iter().filter(is_told).peekable();
    let mut entries = Vec::new();
    for line in feed.lines() {
        while let Some(call) = calls.next_if(|call| call.started <= line.at) {
            entries.push(Entry::Call(call));
        }
        entries.push(Entry::Line(line));
    }
    entries.extend(calls.map(Entry::Call));
    entries
}

/// The sign and the role of a line by where it comes from.
pub fn source_mark(source: OutputSource) -> (&'static str, Role) {
    match source {
        OutputSource::Log => ("•", Role::Text),
        OutputSource::Out => ("│", Role::Log),
        OutputSource::Error => ("!", Role::Warn),
        OutputSource::Note => ("·", Role::Muted),
    }
}

fn clock(at: jiff::Timestamp, look: &Look<'_>, width: Width) -> Vec<Span<'static>> {
    let text = if width.clock { format!(" {}  ", format::clock(at)) } else { "  ".to_owned() };
    vec![look.span(Role::LogFringe, text)]
}

fn printed(rows: &mut Vec<Line<'static>>, line: &OutputLine, look: &Look<'_>, width: Width) {
    let (sign, role) = source_mark(line.source);
    let mut lead = clock(line.at, look, width);
    lead.push(look.span(role, format!("{sign} ")));
    let used: usize = lead.iter().map(Span::width).sum();
    let room = width.columns.saturating_sub(used).max(8);
    let text = plain(&line.text);
    let parts = if width.wrap { format::break_hard(&text, room) } else { vec![format::cut(&text, room)] };
    let mut lead = Some(lead);
    for part in parts {
        // the sign stands on every row: a row that goes on is told from its neighbours
        let mut spans = lead.take().unwrap_or_else(|| {
            vec![Span::raw(" ".repeat(used.saturating_sub(2))), look.span(role, format!("{sign} "))]
        });
        spans.push(look.span(role, part));
        rows.push(Line::from(spans));
    }
}

/// A call on one row: its name, its arguments as far as there is room, where it stands and how long it took. Why it was refused
/// goes on below.
fn call(rows: &mut Vec<Line<'static>>, record: &CallRecord, look: &Look<'_>, width: Width) {
    let (sign, role, word) = standing(&record.outcome, look);
    let took = record.ended.or(look.now).map(|end| format::duration(record.started, end)).unwrap_or_default();
    let end = format!("  {sign} {}", [word, &took].map(str::trim).join(" ").trim());
    let mut spans = clock(record.started, look, width);
    spans.push(look.span(Role::Accent, "▸ "));
    let lead: usize = spans.iter().map(Span::width).sum();
    let name = plain(&record.name);
    let used = lead + format::width(&name) + format::width(&end);
    let arguments = format!("({})", plain(&record.short_arguments(ARGUMENT)));
    spans.push(look.span(Role::Title, name));
    spans.push(look.span(Role::Muted, format::cut(&arguments, width.columns.saturating_sub(used))));
    spans.push(look.span(role, end));
    rows.push(Line::from(spans));
    if let CallOutcome::Refused(problem) | CallOutcome::Undone(problem) = &record.outcome {
        let text = plain(&[problem.what.as_str(), problem.why.as_str()].join(": "));
        let text = text.trim_end_matches([':', ' ']);
        for part in format::wrap(text, width.columns.saturating_sub(lead).max(8)) {
            rows.push(Line::from(vec![Span::raw(" ".repeat(lead)), look.span(Role::Text, part)]));
        }
    }
}

fn standing(outcome: &CallOutcome, look: &Look<'_>) -> (&'static str, Role, &'static str) {
    match outcome {
        CallOutcome::Open => (look.spinner(), Role::Progress, ""),
        CallOutcome::Answered(_) => ("✓", Role::Ok, ""),
        CallOutcome::Refused(_) => ("✗", Role::Fail, "refused"),
        CallOutcome::Undone(_) => ("↻", Role::Warn, "came to nothing, and is made again"),
        CallOutcome::Told => ("✓", Role::Warn, "as a person said"),
    }
}
