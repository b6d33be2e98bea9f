//! Drawing the form.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::choice::Choice;
use super::field::{Asks, Entry, Field};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::layout::{inset, rows_from};
use crate::ui::list::window;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::widgets::{frame, paint, scroll};

/// The columns of the labels.
const LABELS: u16 = 18;
/// The widest field.
const WIDEST: u16 = 60;

/// How many rows of a field are shown while it does not have the focus.
const UNFOCUSED_ROWS: usize = 3;

/// A row of the form.
enum Row<'a> {
    Gap,
    Section(&'a str),
    /// A field by its number, and which of its rows.
    Field(usize, &'a Field, usize),
    Note(Role, String),
    /// The button, and whether it has the focus.
    Button(bool),
}

/// A form to be drawn.
pub struct Sheet<'a> {
    /// Where one is: what stands before its heading.
    pub place: &'static str,
    /// Its heading.
    pub name: String,
    /// What is written, or not, while it is filled in.
    pub written: String,
    /// What stands above the parameters, or the items.
    pub section: &'static str,
    /// Its fields.
    pub fields: &'a [Field],
}

/// Draws the form; `focus` is the field that has the keys, or the number of fields for the button.
pub fn draw(sheet: &Sheet<'_>, focus: usize, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let title = Rect { height: u16::from(area.height >= 6), ..area };
    let line = Line::from(vec![
        look.span(Role::Muted, sheet.place),
        look.span(Role::Title, sheet.name.clone()),
        look.span(Role::Muted, sheet.written.clone()),
    ]);
    paint::line(buffer, inset(title, 1), line);
    let content = rows_from(area, title.height);
    let rows = rows(sheet, focus, usize::from(content.width.saturating_sub(LABELS + 4)));
    let at = rows.iter().position(|row| match row {
        Row::Field(index, field, row) => *index == focus && *row == field.row(),
        Row::Button(focused) => *focused,
        Row::Gap | Row::Section(_) | Row::Note(..) => false,
    });
    let page = usize::from(content.height);
    // The row after the focus is its help or error: keep it on screen too.
    let below = (at.unwrap_or(0) + 1).min(rows.len().saturating_sub(1));
    let offset = window(at.unwrap_or(0), window(below, 0, rows.len(), page), rows.len(), page);
    for (place, row) in content.rows().zip(rows.iter().skip(offset)) {
        draw_row(row, focus, look, inset(place, 1), buffer);
    }
    scroll::bar(buffer, content, look, offset, rows.len());
}

fn rows<'a>(sheet: &'a Sheet<'_>, focus: usize, width: usize) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    let mut parameters = false;
    for (index, field) in sheet.fields.iter().enumerate() {
        if matches!(field.asks, Asks::Parameter(_) | Asks::Item(_)) && !parameters {
            parameters = true;
            rows.extend([Row::Gap, Row::Section(sheet.section)]);
        } else if index == 0 {
            rows.push(Row::Gap);
        }
        let shown = if index == focus { field.rows() } else { field.rows().min(UNFOCUSED_ROWS) };
        rows.extend((0..shown).map(|row| Row::Field(index, field, row)));
        if shown < field.rows() {
            rows.push(Row::Note(Role::Muted, format!("… {} more lines", field.rows() - shown)));
        }
        if let Some(error) = &field.error {
            let lines = format::wrap(error, width.saturating_sub(2)).into_iter().enumerate();
            rows.extend(
                lines.map(|(i, l)| Row::Note(Role::Fail, format!("{} {l}", if i == 0 { "▲" } else { " " }))),
            );
        } else if index == focus && !field.help.is_empty() {
            rows.extend(
                format::wrap(&field.help, width).into_iter().map(|line| Row::Note(Role::Muted, line)),
            );
        }
    }
    rows.extend([Row::Gap, Row::Button(focus >= sheet.fields.len())]);
    rows
}

fn draw_row(row: &Row<'_>, focus: usize, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let labels = LABELS.min(area.width / 2);
    let right = Rect { x: area.x + labels, width: area.width - labels, ..area };
    match row {
        Row::Gap => {}
        Row::Section(title) => paint::line(buffer, area, Line::from(look.span(Role::Section, *title))),
        Row::Note(role, text) => {
            paint::line(buffer, inset(right, 1), Line::from(look.span(*role, text.clone())))
        }
        Row::Button(focused) => {
            paint::line(buffer, right, Line::from(frame::button(look, "Show the plan", None, *focused)));
        }
        Row::Field(index, field, row) => {
            let focused = *index == focus;
            let (mark, role) = if focused { ("▌", Role::Title) } else { (" ", Role::Muted) };
            let label = if *row == 0 { field.label.clone() } else { String::new() };
            let label = Line::from(vec![look.span(Role::SelectionMark, mark), look.span(role, label)]);
            paint::line(buffer, Rect { width: labels.saturating_sub(1), ..area }, label);
            let place = Rect { width: right.width.min(WIDEST), ..right };
            value(field, look, place, focused, buffer);
            if let Entry::Lines(lines) = &field.entry
                && let Some(line) = lines.line_at(*row)
            {
                line.draw(buffer, inset(place, 1), look, focused && lines.row() == *row);
            }
        }
    }
}

/// The box of a field: all of them as wide, and in the role of the focus.
fn value(field: &Field, look: &Look<'_>, area: Rect, focused: bool, buffer: &mut Buffer) {
    let role = if focused { Role::InputFocus } else { Role::Input };
    paint::tint(buffer, area, look.style(role));
    let inside = inset(area, 1);
    match &field.entry {
        Entry::Text(text) => text.draw(buffer, inside, look, focused),
        // Drawn row by row.
        Entry::Lines(_) => {}
        Entry::Fixed(value) => paint::line(buffer, inside, Line::from(look.span(Role::Muted, value.clone()))),
        Entry::Toggle(on) => {
            let (glyph, word) = if *on { ("✓", "yes") } else { ("○", "no") };
            paint::line(buffer, inside, Line::from(look.span(role, format!("{glyph} {word}"))));
            if focused {
                let hint = format!("{} switches", look.key(Command::Toggle, Layer::Dialog));
                paint::line(buffer, inside, Line::from(look.span(Role::Muted, hint)).right_aligned());
            }
        }
        Entry::Choice(choice) => match choice.typed() {
            Some(typed) => typed.draw(buffer, inside, look, focused),
            None => chosen(choice, look, inside, focused, buffer),
        },
    }
}

fn chosen(choice: &Choice, look: &Look<'_>, area: Rect, focused: bool, buffer: &mut Buffer) {
    let role = if focused { Role::InputFocus } else { Role::Input };
    let (at, count) = choice.position().unwrap_or((1, 1));
    let turns = focused && count > 1;
    let value = if turns { format!("‹ {} ›", choice.value()) } else { choice.value().to_owned() };
    let used = u16::try_from(format::width(&value)).unwrap_or(area.width);
    paint::line(buffer, area, Line::from(look.span(role, value)));
    let hint = match (turns, focused && choice.is_open()) {
        (true, true) => format!("{at} of {count}  ← →  or type"),
        (true, false) => format!("{at} of {count}  ← →"),
        (false, true) => "or type another".to_owned(),
        (false, false) => return,
    };
    if usize::from(area.width.saturating_sub(used)) > format::width(&hint) + 1 {
        paint::line(buffer, area, Line::from(look.span(Role::Muted, hint)).right_aligned());
    }
}
