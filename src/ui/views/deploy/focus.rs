//! Going from field to field.

use super::field::Field;
use crate::ui::keymap::Command;

/// Where a command leads from `focus`: to a field by its number, or to the button behind the last one.
pub fn step_focus(focus: usize, command: Command, fields: &[Field]) -> usize {
    let last = fields.len();
    let next = match command {
        Command::Up => focus.saturating_sub(1),
        Command::Down => (focus + 1).min(last),
        Command::Previous => focus.checked_sub(1).unwrap_or(last),
        Command::Top => 0,
        Command::Bottom => last,
        _ => (focus + 1) % (last + 1),
    };
    // what cannot be filled in is passed by; neither end of a form is such a field
    match fields.get(next) {
        Some(field) if field.is_fixed() && next != focus => step_focus(next, command, fields),
        _ => next,
    }
}
