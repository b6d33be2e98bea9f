//! Boxes: dialogs and overlays with a title.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Widget};

use super::paint;
use crate::ui::format;
use crate::ui::layout;
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// Draws a box over whatever is there and returns its inside. A box too small for a border has none.
pub fn dialog(buffer: &mut Buffer, area: Rect, look: &Look<'_>, title: &str) -> Rect {
    let base = look.style(Role::Base).patch(look.style(Role::Dialog));
    paint::clear(buffer, area, base);
    if area.height < 5 || area.width < 12 {
        return area;
    }
    let title = format::cut(title, room(area.width));
    let title = Line::from(look.span(Role::DialogTitle, format!(" {title} ")));
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(base.patch(look.style(Role::BorderFocus)))
        .title(title);
    let inside = layout::inset(block.inner(area), 1);
    block.render(area.intersection(buffer.area), buffer);
    inside
}

/// The columns of a box's border that its title can take.
fn room(width: u16) -> usize {
    usize::from(width.saturating_sub(6))
}

/// Whether a box of this width shows all of a title.
pub fn has_room(width: u16, title: &str) -> bool {
    format::width(title) <= room(width)
}

/// A button, as a piece of text.
pub fn button(look: &Look<'_>, label: &str, key: Option<&str>, focused: bool) -> Span<'static> {
    let role = if focused { Role::ButtonFocus } else { Role::Button };
    let key = key.map(|key| format!(" ({key})")).unwrap_or_default();
    let (left, right) = if focused { ("▸", " ") } else { (" ", " ") };
    look.span(role, format!("{left} {label}{key} {right}"))
}
