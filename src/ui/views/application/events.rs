//! The events of an application's objects, newest first, and the whole text of the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::object::EventSummary;
use crate::domain::world::Application;
use crate::ui::format;
use crate::ui::layout::{inset, rows_from};
use crate::ui::list::{Cursor, window};
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::table::{Column, Grid};
use crate::ui::widgets::{empty, paint, scroll};

/// The rows below the list: a rule, and the selected event's text.
const DETAIL: u16 = 3;

/// Draws the events.
pub fn draw(application: &Application, cursor: Cursor, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    if application.events.is_empty() {
        let next = ["Kubernetes keeps events for an hour or so".to_owned()];
        empty(buffer, area, look, "Nothing happened lately", &next);
        return;
    }
    let detail = if area.height >= 8 { DETAIL } else { 0 };
    let head = Rect { height: area.height.min(1), ..area };
    let rows = Rect { height: area.height.saturating_sub(1 + detail), ..rows_from(area, 1) };
    let columns = columns(&application.events);
    let grid = Grid::new(columns, area, look);
    grid.head(buffer, head, None);
    let offset = window(cursor.at, cursor.offset, application.events.len(), usize::from(rows.height));
    let visible = application.events.iter().enumerate().skip(offset);
    for (row, (index, event)) in rows.rows().zip(visible) {
        let selected = index == cursor.at;
        grid.row(buffer, row, cells(event, look), selected);
    }
    scroll::bar(buffer, rows, look, offset, application.events.len());
    if let Some(event) = application.events.get(cursor.at).filter(|_| detail > 0) {
        let below = rows_from(area, area.height - detail);
        paint::rule(buffer, below, look.style(Role::Border));
        let text = format!("{}: {}", event.object, event.message);
        let lines = format::wrap(&text, usize::from(area.width.saturating_sub(2)));
        let lines = lines.into_iter().map(|part| Line::from(look.span(Role::Text, part)));
        paint::lines(buffer, inset(rows_from(below, 1), 1), lines);
    }
}

fn columns(events: &[EventSummary]) -> Vec<Column> {
    let widest = |text: fn(&EventSummary) -> &str| {
        let widths = events.iter().map(|event| format::width(text(event)));
        u16::try_from(widths.max().unwrap_or(0)).unwrap_or(u16::MAX)
    };
    vec![
        Column::fixed("LAST", 0, 5),
        Column::content("REASON", 1, (12, 18, 24), widest(|event| &event.reason).saturating_add(2)),
        Column::fixed("COUNT", 4, 5),
        Column::content("OBJECT", 5, (14, 40, 40), widest(|event| &event.object)),
        Column::rest("MESSAGE", 2, 20, 30),
    ]
}

fn cells(event: &EventSummary, look: &Look<'_>) -> Vec<Line<'static>> {
    let (glyph, role) = if event.warning { ("▲", Role::Warn) } else { ("·", Role::Muted) };
    let reason = if event.warning { Role::Warn } else { Role::Text };
    let count = if event.count > 1 { format!("×{}", event.count) } else { String::new() };
    vec![
        Line::from(look.span(Role::Muted, look.age(event.at))),
        Line::from(vec![look.span(role, glyph), Span::raw(" "), look.span(reason, event.reason.clone())]),
        Line::from(look.span(Role::Muted, count)),
        Line::from(look.span(Role::Muted, event.object.clone())),
        Line::from(look.span(Role::Text, event.message.replace('\n', " "))),
    ]
}
