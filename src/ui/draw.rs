//! Draws the model. Nothing is changed here.

mod header;
mod hints;
mod toasts;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::keymap::Command;
use super::layout::Layout;
use super::link::{self, Linked};
use super::look;
use super::model::Model;
use super::theme::Role;
use super::widgets::paint;

/// Draws the model.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    draw_linked(model, frame);
}

/// Draws the model, and tells which cells of the frame lead somewhere; none where the terminal shows no links.
pub fn draw_linked(model: &Model, frame: &mut Frame<'_>) -> Vec<Linked> {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    let look = model.look();
    paint::clear(buffer, area, look.style(Role::Base));
    // The terminal may have another size than the last event said: what is drawn follows the terminal.
    let layout = Layout::new(Size::new(area.width, area.height), model.is_stale());
    if let Some(view) = model.views.last() {
        view.draw(&model.world, &look, layout.body, buffer);
    }
    header::draw(model, layout, buffer);
    hints::footer(model, layout.footer, buffer);
    let above = Rect { height: area.height - layout.footer.height, ..area };
    for overlay in &model.overlays {
        overlay.draw(&model.world, &look, above, buffer);
    }
    hints::continuations(model, above, buffer);
    if model.is_deciding() {
        toasts::line(&model.toasts, &look, layout.footer, buffer);
    } else {
        let close = model.config.keymap.keys_of(Command::Back, model.layer(), &model.flags());
        toasts::draw(&model.toasts, &look, above, buffer, close.first().map(String::as_str));
    }
    if model.config.options.ascii {
        to_ascii(buffer);
    }
    let linked = link::take(buffer, &model.world);
    if model.config.options.links { linked } else { Vec::new() }
}

/// Replaces the cockpit's own glyphs by ASCII characters.
fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let mut characters = cell.symbol().chars();
        if let (Some(glyph), None) = (characters.next(), characters.next())
            && let Some(plain) = look::to_ascii(glyph)
        {
            cell.set_char(plain);
        }
    }
}
