//! Putting text into the buffer without ever leaving it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Color, Style};
use ratatui::text::Line;

use crate::ui::format;

/// Draws a line into the first row of `area`, cut with `…` where it does not fit.
pub fn line(buffer: &mut Buffer, area: Rect, line: Line<'static>) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    let max = usize::from(area.width);
    let alignment = line.alignment.unwrap_or(Alignment::Left);
    let line = format::cut_line(line, max);
    let free = max.saturating_sub(line.width());
    let shift = match alignment {
        Alignment::Left => 0,
        Alignment::Center => free / 2,
        Alignment::Right => free,
    };
    let x = area.x + u16::try_from(shift).unwrap_or(0);
    // what is painted over leads nowhere any more
    for x in x..area.right().min(x.saturating_add(u16::try_from(line.width()).unwrap_or(u16::MAX))) {
        if let Some(cell) = buffer.cell_mut((x, area.y)) {
            cell.underline_color = Color::Reset;
        }
    }
    buffer.set_line(x, area.y, &line, area.right().saturating_sub(x));
}

/// Draws lines below each other, as many as fit.
pub fn lines(buffer: &mut Buffer, area: Rect, lines: impl IntoIterator<Item = Line<'static>>) {
    for (row, text) in area.rows().zip(lines) {
        line(buffer, row, text);
    }
}

/// Gives an area a style and leaves its text.
pub fn tint(buffer: &mut Buffer, area: Rect, style: Style) {
    buffer.set_style(area.intersection(buffer.area), style);
}

/// Empties an area and gives it a style.
pub fn clear(buffer: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(buffer.area);
    for position in area.positions() {
        if let Some(cell) = buffer.cell_mut(position) {
            cell.reset();
            cell.set_style(style);
        }
    }
}

/// Draws a horizontal rule over the first row of `area`.
pub fn rule(buffer: &mut Buffer, area: Rect, style: Style) {
    if let Some(row) = area.rows().next() {
        line(buffer, row, Line::styled("─".repeat(usize::from(row.width)), style));
    }
}
