//! Small parts that views are put together from. They take data and a [`Look`], never the model.

pub mod beats;
pub mod diff;
pub mod frame;
pub mod headed;
pub mod page;
pub mod paint;
pub mod scroll;
pub mod sheet;
pub mod table;
pub mod waterfall;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::format;
use super::layout;
use super::look::Look;
use super::theme::Role;
use crate::domain::Problem;

/// What an empty place says: a heading and what to do next, in its middle.
pub fn empty(buffer: &mut Buffer, area: Rect, look: &Look<'_>, heading: &str, next: &[String]) {
    let width = usize::from(area.width.saturating_sub(4)).min(72);
    let mut lines = vec![Line::from(look.span(Role::Title, format::cut(heading, width))).centered()];
    lines.push(Line::default());
    for paragraph in next {
        lines.extend(
            format::wrap(paragraph, width)
                .into_iter()
                .map(|l| Line::from(look.span(Role::Muted, l)).centered()),
        );
    }
    if lines.len() > usize::from(area.height) {
        lines.retain(|line| line.width() > 0);
    }
    let height = u16::try_from(lines.len()).unwrap_or(area.height);
    let place = layout::centred(area, area.width, height);
    for (index, line) in lines.into_iter().enumerate() {
        paint::line(buffer, layout::row(place, u16::try_from(index).unwrap_or(u16::MAX)), line);
    }
}

/// A problem in its three parts, wrapped to `width`.
pub fn problem_lines(look: &Look<'_>, problem: &Problem, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let indent = 8;
    for part in format::wrap(&problem.what, width.saturating_sub(2)) {
        let mark = if lines.is_empty() { "▲ " } else { "  " };
        lines.push(Line::from(vec![look.span(Role::Fail, mark), look.span(Role::Title, part)]));
    }
    for (label, text, role) in [("why", &problem.why, Role::Text), ("next", &problem.next, Role::Text)] {
        if text.is_empty() {
            continue;
        }
        for (index, part) in format::wrap(text, width.saturating_sub(indent)).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            lines.push(Line::from(vec![
                look.span(Role::Muted, format!("  {label:<6}")),
                look.span(role, part),
            ]));
        }
    }
    lines
}

/// A label and its value, the labels in one column.
pub fn pair(look: &Look<'_>, label: &str, column: usize, value: Vec<Span<'static>>) -> Line<'static> {
    let mut spans = vec![look.span(Role::Muted, format!("{label:<column$}"))];
    // one that fills its column does not touch its value
    spans.extend((format::width(label) >= column && !value.is_empty()).then(|| Span::raw(" ")));
    spans.extend(value);
    Line::from(spans)
}
