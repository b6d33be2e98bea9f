//! Messages, from the bottom right corner upwards; the newest in the footer, where a box would lie on what a person decides by.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::ui::format;
use crate::ui::layout::inset;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::toast::{Toast, Toasts, Tone};
use crate::ui::widgets::{paint, problem_lines};

/// The widest message.
const WIDEST: u16 = 64;

/// Draws the messages that fit into the lower part of `area`, the newest at the bottom; `close` is the key that closes a
/// problem.
pub fn draw(toasts: &Toasts, look: &Look<'_>, area: Rect, buffer: &mut Buffer, close: Option<&str>) {
    let mut bottom = area.bottom();
    let top = area.y + area.height / 3;
    for toast in toasts.iter().rev() {
        let width = area.width.saturating_sub(2).min(WIDEST);
        let lines = text(toast, look, usize::from(width.saturating_sub(3)), close);
        let widest = lines.iter().map(Line::width).max().unwrap_or(0);
        let width = u16::try_from(widest + 3).unwrap_or(width).min(width);
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(bottom.saturating_sub(top));
        if height == 0 || width < 4 {
            return;
        }
        bottom -= height;
        let place = Rect { x: area.right() - width - 1, y: bottom, width, height };
        paint::clear(buffer, place, look.style(Role::Base).patch(look.style(Role::Toast)));
        let (_, role) = toast.mark();
        for row in place.rows() {
            paint::line(buffer, row, Line::from(look.span(role, "▌")));
        }
        paint::lines(buffer, Rect { x: place.x + 2, width: width - 2, ..place }, lines);
        bottom = bottom.saturating_sub(u16::from(bottom > top));
    }
}

/// The newest message in one line, in place of the footer, where the box of a message would lie on what a person decides by.
pub fn line(toasts: &Toasts, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(toast) = toasts.iter().next_back() else { return };
    // the key hints stand there already
    paint::clear(buffer, area, look.style(Role::Base).patch(look.style(Role::Footer)));
    let inside = inset(area, 1);
    let (glyph, role) = toast.mark();
    let width = usize::from(inside.width).saturating_sub(2);
    let said = look.span(Role::Text, format::cut(&toast.text.what, width));
    paint::line(buffer, inside, Line::from(vec![look.span(role, format!("{glyph} ")), said]));
}

fn text(toast: &Toast, look: &Look<'_>, width: usize, close: Option<&str>) -> Vec<Line<'static>> {
    if toast.tone == Tone::Problem {
        let mut lines = problem_lines(look, &toast.text, width);
        lines.extend(close.map(|key| Line::from(look.span(Role::Muted, format!("  {key} closes this")))));
        return lines;
    }
    let (glyph, role) = toast.mark();
    let wrapped = format::wrap(&toast.text.what, width.saturating_sub(2)).into_iter().enumerate();
    let line = |(index, part): (usize, String)| {
        let mark = if index == 0 { format!("{glyph} ") } else { "  ".to_owned() };
        Line::from(vec![look.span(role, mark), look.span(Role::Text, part)])
    };
    wrapped.map(line).collect()
}
