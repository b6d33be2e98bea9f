//! Drawing a log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::targets::count;
use super::{Logs, Stream};
use crate::domain::world::Application;
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{inset, row, rows_from};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::views::application::log_line::Level;
use crate::ui::widgets::{empty, paint};

/// Draws the status line and the lines below it.
pub fn draw(logs: &Logs, application: &Application, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(target) = &logs.target else {
        let next = ["The log is followed as soon as the first container starts".to_owned()];
        empty(buffer, area, look, "No containers yet", &next);
        return;
    };
    let status = inset(row(area, 0), 1);
    let place = format!("{} › {}", target.pod, target.container);
    let right = state(logs, look);
    let width = u16::try_from(Line::from(right.clone()).width()).unwrap_or(u16::MAX);
    let left = Rect { width: status.width.saturating_sub(width + 2), ..status };
    let many = count(application);
    let more = if many > 1 {
        format!("  {} picks one of {many}", look.key(Command::LogContainer, Layer::Detail))
    } else {
        String::new()
    };
    paint::line(buffer, left, Line::from(vec![look.span(Role::Text, place), look.span(Role::Muted, more)]));
    paint::line(buffer, status, Line::from(right).right_aligned());
    let mut content = rows_from(area, 1);
    if logs.searching || !logs.search.is_empty() {
        content.height = content.height.saturating_sub(1);
        search(logs, look, rows_from(area, area.height.saturating_sub(1).max(1)), buffer);
    }
    if logs.buffer.is_empty() {
        let (heading, next) = silence(logs);
        empty(buffer, content, look, heading, &next);
        return;
    }
    lines(logs, look, inset(content, 1), buffer);
}

fn silence(logs: &Logs) -> (&str, Vec<String>) {
    match &logs.stream {
        Stream::Ended { problem: Some(problem), .. } => {
            (&problem.what, vec![problem.why.clone(), problem.next.clone()])
        }
        Stream::Ended { problem: None, .. } => ("The container ended and wrote nothing", Vec::new()),
        Stream::Idle | Stream::Open(_) => {
            ("Nothing written yet", vec!["Lines appear as they come".to_owned()])
        }
    }
}

/// Whether the log is followed, and how much of it is kept.
fn state(logs: &Logs, look: &Look<'_>) -> Vec<Span<'static>> {
    let (role, word) = match (&logs.stream, logs.following) {
        (Stream::Ended { problem: Some(_), .. }, _) => (Role::Fail, "✗ broken off".to_owned()),
        (Stream::Ended { .. }, _) => (Role::Warn, "■ ended".to_owned()),
        (_, true) => (Role::Ok, "● following".to_owned()),
        (_, false) => (Role::Warn, format!("‖ paused, {} below", logs.buffer.end().saturating_sub(logs.top))),
    };
    let mut spans = vec![look.span(role, word)];
    if logs.wrap {
        spans.push(look.span(Role::Muted, "  wrapped"));
    } else if logs.side > 0 {
        spans.push(look.span(Role::Muted, format!("  → {}", logs.side)));
    }
    spans.push(look.span(Role::Muted, format!("  {}", format::count(logs.buffer.len(), "line"))));
    spans
}

fn search(logs: &Logs, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let area = inset(row(area, 0), 1);
    paint::line(buffer, area, Line::from(look.span(Role::Key, "/ ")));
    let field = Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(2), ..area };
    if logs.searching {
        logs.search.draw(buffer, field, look, true);
    } else {
        paint::line(buffer, field, Line::from(look.span(Role::Text, logs.search.text())));
    }
}

/// Draws the lines on screen: from the top down, or, following, the last ones from the bottom up.
fn lines(logs: &Logs, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let (height, width) = (usize::from(area.height), usize::from(area.width));
    let painter = Painter { logs, look, width };
    let log = &logs.buffer;
    let mut rows: Vec<Line<'static>> = Vec::with_capacity(height);
    if logs.following {
        let mut blocks: Vec<Vec<Line<'static>>> = Vec::new();
        let mut count = 0;
        for number in (log.first()..log.end()).rev() {
            if count >= height {
                break;
            }
            let block = painter.rows(number);
            count += block.len();
            blocks.push(block);
        }
        rows.extend(blocks.into_iter().rev().flatten().skip(count.saturating_sub(height)));
    } else {
        for number in logs.top.max(log.first())..log.end() {
            if rows.len() >= height {
                break;
            }
            rows.extend(painter.rows(number));
        }
    }
    paint::lines(buffer, area, rows);
}

struct Painter<'a> {
    logs: &'a Logs,
    look: &'a Look<'a>,
    width: usize,
}

impl Painter<'_> {
    /// The rows of the line of that number: one, or several when long lines are wrapped.
    fn rows(&self, number: usize) -> Vec<Line<'static>> {
        let Some(line) = self.logs.buffer.get(number) else { return Vec::new() };
        let mut rows = if self.logs.wrap {
            let parts = format::break_hard(&line.text, self.width).into_iter().enumerate();
            let stamp = |index| if index == 0 { line.stamp } else { 0 };
            parts.map(|(index, part)| self.row(line.level, &part, stamp(index))).collect()
        } else {
            let hidden: usize = line.text.chars().take(self.logs.side).map(char::len_utf8).sum();
            vec![self.row(line.level, &line.text[hidden..], line.stamp.saturating_sub(hidden))]
        };
        if self.logs.found == Some(number) {
            let style = self.look.style(Role::Selection);
            rows = rows.into_iter().map(|row| row.style(style)).collect();
        }
        rows
    }

    /// A piece of text that begins with `stamp` bytes of time stamp.
    fn row(&self, level: Level, text: &str, stamp: usize) -> Line<'static> {
        let role = match level {
            Level::Plain => Role::Log,
            Level::Debug => Role::LogFringe,
            Level::Warn => Role::Warn,
            Level::Error => Role::Fail,
            Level::Remark => Role::Accent,
        };
        let (fringe, rest) = text.split_at_checked(stamp).unwrap_or(("", text));
        let mut spans = Vec::new();
        if !fringe.is_empty() {
            spans.push(self.look.span(Role::LogFringe, fringe));
        }
        spans.extend(self.matches(role, rest));
        Line::from(spans)
    }

    /// The text with what the search looks for marked.
    fn matches(&self, role: Role, text: &str) -> Vec<Span<'static>> {
        let look = self.look;
        let (lower, wanted) = (text.to_lowercase(), self.logs.search.text().to_lowercase());
        // Only where lower-casing keeps the positions can they be used.
        if wanted.is_empty() || lower.len() != text.len() {
            return vec![look.span(role, text)];
        }
        let mut spans = Vec::new();
        let mut at = 0;
        for (start, _) in lower.match_indices(&wanted) {
            let end = start + wanted.len();
            let (Some(before), Some(found)) = (text.get(at..start), text.get(start..end)) else { continue };
            spans.push(look.span(role, before));
            spans.push(look.span(Role::Match, found));
            at = end;
        }
        spans.push(look.span(role, text.get(at..).unwrap_or("")));
        spans
    }
}
