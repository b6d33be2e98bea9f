//! A screen with a heading of one line and a rule below it; where it is too low, the heading goes first.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use super::{diff, paint};
use crate::domain::diff::Change;
use crate::ui::format;
use crate::ui::layout::{inset, row, rows_from};
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// The rows below the heading.
pub fn content(area: Rect) -> Rect {
    rows_from(area, if area.height >= 6 { 2 } else { u16::from(area.height >= 3) })
}

/// How many rows there are below the heading.
pub fn height(size: Size) -> usize {
    usize::from(content(Rect::new(0, 0, size.width, size.height)).height)
}

/// The heading, with a rule below it: where one is, what it is, and something at the right.
pub fn head(
    area: Rect,
    look: &Look<'_>,
    (place, name): (&str, String),
    right: Line<'static>,
    buffer: &mut Buffer,
) {
    let title = inset(row(area, 0), 1);
    let right = right.right_aligned();
    let width = title.width.saturating_sub(u16::try_from(right.width()).unwrap_or(0) + 2);
    let left = Line::from(vec![look.span(Role::Muted, place.to_owned()), look.span(Role::Title, name)]);
    paint::line(buffer, title, right);
    paint::line(buffer, Rect { width, ..title }, left);
    paint::rule(buffer, row(area, 1), look.style(Role::Border));
}

/// How many of something differ, and how many lines come and go in all; nothing where none differs.
pub fn counts(count: usize, what: &str, (added, removed): (usize, usize), look: &Look<'_>) -> Line<'static> {
    if count == 0 {
        return Line::default();
    }
    let lines = |change: Change, lines: usize| -> Span<'static> {
        look.span(diff::role(change), format!(" {}{lines}", change.sign()))
    };
    Line::from(vec![
        look.span(Role::Muted, format!("{} ", format::count(count, what))),
        lines(Change::Added, added),
        lines(Change::Removed, removed),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widgets::page::plain;

    #[test]
    fn the_heading_goes_where_there_is_no_room_for_it() {
        assert_eq!([2, 3, 5, 6, 20].map(|rows| height(Size::new(10, rows))), [2, 2, 4, 4, 18]);
    }

    #[test]
    fn what_comes_and_goes_is_counted() {
        plain(|look| {
            assert_eq!(counts(2, "file", (3, 0), look).to_string(), "2 files  +3 -0");
            assert_eq!(counts(0, "file", (0, 0), look).to_string(), "");
        });
    }

    #[test]
    fn the_right_side_of_a_heading_is_kept() {
        plain(|look| {
            let area = Rect::new(0, 0, 24, 2);
            let mut buffer = Buffer::empty(area);
            head(
                area,
                look,
                ("Drivers › ", "a-long-name-of-it".to_owned()),
                Line::from("latest"),
                &mut buffer,
            );
            let shown: String =
                area.columns().map(|place| buffer[(place.x, 0)].symbol().to_owned()).collect();
            assert!(shown.starts_with(" Drivers › a-l") && shown.trim_end().ends_with(" latest"), "{shown}");
        });
    }
}
