//! The thin bar that says where one is in something long.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::look::Look;
use crate::ui::theme::Role;

/// Draws a scroll bar in the last column of `area`, when `len` rows do not fit into it.
pub fn bar(buffer: &mut Buffer, area: Rect, look: &Look<'_>, offset: usize, len: usize) {
    let page = usize::from(area.height);
    if len <= page || area.width < 2 || page < 2 {
        return;
    }
    let size = (page * page / len).clamp(1, page);
    let room = page - size;
    let start = offset.min(len - page) * room / (len - page).max(1);
    for row in 0..page {
        if !(start..start + size).contains(&row) {
            continue;
        }
        let y = area.y + u16::try_from(row).unwrap_or(0);
        if let Some(cell) = buffer.cell_mut((area.right() - 1, y)) {
            cell.set_symbol("▐").set_style(look.style(Role::Muted));
        }
    }
}
