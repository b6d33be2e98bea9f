//! Which keys do what: the line at the bottom, and the box that comes up when a sequence has begun.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::ui::keymap::{Binding, Chord, Command, Flags, Layer};
use crate::ui::layout;
use crate::ui::look::Look;
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widgets::{frame, paint};

/// The columns between two hints.
const GAP: usize = 2;
/// Commands hinted at everywhere, after the screen's own.
const COMMON: [Command; 3] = [Command::Palette, Command::Help, Command::Back];

/// Draws the key hints that fit, the most useful first. The way to the help is always among them.
pub fn footer(model: &Model, area: Rect, buffer: &mut Buffer) {
    let look = model.look();
    paint::tint(buffer, area, look.style(Role::Footer));
    let (layer, flags) = (model.layer(), model.flags());
    let top = model.overlays.last().or(model.views.last());
    let own = top.map_or(&[][..], |screen| screen.hints());
    let commands = own.iter().chain(COMMON.iter().filter(|command| !own.contains(command)));
    let hints: Vec<(Command, Vec<Span<'static>>)> = commands
        .filter_map(|command| Some((*command, hint(model, &look, *command, layer, &flags)?)))
        .collect();
    let width = |hint: &[Span<'static>]| hint.iter().map(Span::width).sum::<usize>() + GAP;
    let help = hints.iter().find(|(command, _)| *command == Command::Help).map_or(0, |(_, hint)| width(hint));
    let mut left = (usize::from(area.width.saturating_sub(2)) + GAP).saturating_sub(help);
    let mut spans = Vec::new();
    for (command, hint) in hints {
        let needed = if command == Command::Help { 0 } else { width(&hint) };
        if needed <= left {
            left -= needed;
            spans.extend(hint);
            spans.push(Span::raw(" ".repeat(GAP)));
        }
    }
    spans.pop();
    paint::line(buffer, layout::inset(area, 1), Line::from(spans));
}

fn hint(
    model: &Model,
    look: &Look<'_>,
    command: Command,
    layer: Layer,
    flags: &Flags,
) -> Option<Vec<Span<'static>>> {
    let keys = model.config.keymap.keys_of(command, layer, flags);
    let key = keys.into_iter().next()?;
    Some(vec![look.span(Role::Key, key), look.span(Role::KeyHint, format!(" {}", command.hint()))])
}

/// Draws what can follow the keys that were pressed so far.
pub fn continuations(model: &Model, area: Rect, buffer: &mut Buffer) {
    if model.pending.is_empty() {
        return;
    }
    let look = model.look();
    let (layer, flags) = (model.layer(), model.flags());
    let layers = [Some(layer), layer.falls_through().then_some(Layer::Global)];
    let keymap = &model.config.keymap;
    let begun = |binding: &&Binding| binding.keys.starts_with(&model.pending);
    let lines: Vec<Line<'static>> = layers
        .into_iter()
        .flatten()
        .flat_map(|layer| keymap.in_force(layer, &flags).filter(begun))
        .map(|binding| {
            let rest = &binding.keys[model.pending.len()..];
            let rest = rest.iter().map(Chord::to_string).collect::<Vec<_>>().join(" ");
            Line::from(vec![
                look.span(Role::Key, format!("{rest:<6}")),
                look.span(Role::Text, binding.command.doc().to_owned()),
            ])
        })
        .collect();
    let width = lines.iter().map(Line::width).max().unwrap_or(0) + 4;
    let size = (u16::try_from(width).unwrap_or(u16::MAX), u16::try_from(lines.len() + 2).unwrap_or(u16::MAX));
    let (width, height) = (size.0.min(area.width), size.1.min(area.height));
    let place = Rect { x: area.right() - width, y: area.bottom() - height, width, height };
    let title = model.pending.iter().map(Chord::to_string).collect::<Vec<_>>().join(" ");
    let inside = frame::dialog(buffer, place, &look, &title);
    paint::lines(buffer, inside, lines);
}
