//! A page of lines that scrolls, with a cursor that stops at those that stand for something.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{paint, problem_lines, scroll, table};
use crate::domain::Problem;
use crate::ui::format;
use crate::ui::keymap::{Command, Keymap};
use crate::ui::list::{Cursor, window};
use crate::ui::look::Look;
use crate::ui::theme::{Role, Theme};

/// A page that is being put together. `I` is what a line can stand for.
pub struct Page<'a, I> {
    /// What its lines are drawn with.
    pub look: &'a Look<'a>,
    /// The columns that a line has.
    pub width: usize,
    entries: Vec<Entry<I>>,
    /// Where the headings are.
    headings: Vec<usize>,
}

/// A line, and what it stands for; headings and gaps stand for nothing.
struct Entry<I> {
    line: Line<'static>,
    item: Option<I>,
}

impl<'a, I: Clone> Page<'a, I> {
    /// An empty page for an area of this many columns: the mark of the selection and the scroll bar are taken off.
    pub fn new(look: &'a Look<'a>, width: u16) -> Self {
        let width = usize::from(width.saturating_sub(3));
        Self { look, width, entries: Vec::new(), headings: Vec::new() }
    }

    /// A heading, with a gap before it.
    pub fn section(&mut self, title: &str) {
        self.heading(vec![self.look.span(Role::Section, title)]);
    }

    /// A heading of several parts, with a gap before it.
    pub fn heading(&mut self, spans: Vec<Span<'static>>) {
        if !self.entries.is_empty() {
            self.add(None, Vec::new());
        }
        self.headings.push(self.entries.len());
        self.add(None, spans);
    }

    /// A line.
    pub fn add(&mut self, item: Option<I>, spans: Vec<Span<'static>>) {
        self.entries.push(Entry { line: Line::from(spans), item });
    }

    /// Text that may need several lines, after `lead` and under the end of it.
    pub fn wrapped(&mut self, item: Option<I>, lead: Vec<Span<'static>>, role: Role, text: &str) {
        let indent = Line::from(lead.clone()).width();
        let parts = format::wrap(text, self.width.saturating_sub(indent).max(16));
        let mut lead = Some(lead);
        let mut item = item;
        for part in parts {
            let mut spans = lead.take().unwrap_or_else(|| vec![Span::raw(" ".repeat(indent))]);
            spans.push(self.look.span(role, part));
            self.add(item.take(), spans);
        }
        if let Some(lead) = lead {
            self.add(item, lead);
        }
    }

    /// A problem in its three parts; its first line stands for `item`.
    pub fn problem(&mut self, item: I, problem: &Problem) {
        let mut item = Some(item);
        for line in problem_lines(self.look, problem, self.width.saturating_sub(2)) {
            let mut spans = vec![Span::raw("  ")];
            spans.extend(line.spans);
            self.add(item.take(), spans);
        }
    }

    /// The indices of the lines that stand for something.
    fn stops(&self) -> Vec<usize> {
        let stops = self.entries.iter().enumerate().filter(|(_, entry)| entry.item.is_some());
        stops.map(|(index, _)| index).collect()
    }

    /// What the cursor is on.
    pub fn item_at(&self, at: usize) -> Option<I> {
        self.entries[*self.stops().get(at)?].item.clone()
    }

    /// Moves the cursor over the lines that stand for something, or to the next or previous heading's first one; `height` rows
    /// are on screen.
    pub fn move_cursor(&self, cursor: &mut Cursor, command: Command, height: usize) -> bool {
        let stops = self.stops();
        // The first stop below each heading.
        let below = |heading: &usize| stops.iter().position(|stop| stop > heading);
        let mut sections = self.headings.iter().filter_map(below);
        let jump = match command {
            Command::Next => sections.find(|at| *at > cursor.at),
            Command::Previous => sections.take_while(|at| *at < cursor.at).last(),
            _ => None,
        };
        let mut stop = *cursor;
        let moved = match command {
            Command::Next | Command::Previous => true,
            other => stop.command(other, stops.len(), height),
        };
        cursor.at = jump.unwrap_or(stop.at);
        self.place(cursor, height);
        moved
    }

    /// Brings the cursor to a line that exists, and that line on screen.
    pub fn settle(&self, cursor: &mut Cursor, height: usize) {
        cursor.at = cursor.at.min(self.stops().len().saturating_sub(1));
        self.place(cursor, height);
    }

    /// The first line keeps its heading on screen, the last one what follows it.
    fn place(&self, cursor: &mut Cursor, height: usize) {
        let stops = self.stops();
        let len = self.entries.len();
        let line = match cursor.at {
            0 => 0,
            at if at + 1 >= stops.len() => len.saturating_sub(1),
            at => stops[at],
        };
        cursor.offset = window(line, cursor.offset, len, height);
        if let Some(stop) = stops.get(cursor.at) {
            cursor.offset = window(*stop, cursor.offset, len, height);
        }
    }

    /// Draws it.
    pub fn draw(self, cursor: Cursor, area: Rect, buffer: &mut Buffer) {
        let selected = self.stops().get(cursor.at).copied();
        let (look, len) = (self.look, self.entries.len());
        let offset = window(selected.unwrap_or(0), cursor.offset, len, usize::from(area.height));
        for (row, (index, entry)) in area.rows().zip(self.entries.into_iter().enumerate().skip(offset)) {
            table::select(buffer, row, look, Some(index) == selected);
            paint::line(buffer, table::content(row), entry.line);
            table::settle(buffer, row, look, Some(index) == selected);
        }
        scroll::bar(buffer, area, look, offset, len);
    }
}

/// Lays something out for what does not depend on colours, keys or time: where the cursor may stop.
pub fn plain<T>(work: impl FnOnce(&Look<'_>) -> T) -> T {
    let (theme, keymap) = (Theme::plain(), Keymap::empty());
    work(&Look { theme: &theme, now: None, keymap: &keymap, still: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stops_at_what_stands_for_something_and_jumps_between_headings() {
        plain(|look| {
            let mut page: Page<'_, char> = Page::new(look, 40);
            page.section("ONE");
            page.add(Some('a'), Vec::new());
            page.wrapped(
                Some('b'),
                Vec::new(),
                Role::Text,
                "words that need more than one line on such a page",
            );
            page.section("EMPTY");
            page.section("TWO");
            page.add(Some('c'), Vec::new());
            page.add(Some('d'), Vec::new());
            let mut cursor = Cursor::default();
            let mut after = |command| {
                page.move_cursor(&mut cursor, command, 4);
                (page.item_at(cursor.at).unwrap_or('-'), cursor.offset)
            };
            assert_eq!(after(Command::Down), ('b', 0));
            assert_eq!(after(Command::Next), ('c', 5));
            assert_eq!(after(Command::Next), ('c', 5), "there is no further heading");
            assert_eq!(after(Command::Down), ('d', 6));
            assert_eq!(after(Command::Previous), ('c', 6));
            assert_eq!(after(Command::Previous), ('a', 0));
            assert_eq!(after(Command::Bottom), ('d', 6));
        });
    }

    #[test]
    fn a_page_without_anything_to_stop_at_is_left_alone() {
        plain(|look| {
            let mut page: Page<'_, ()> = Page::new(look, 0);
            page.section("NOTHING");
            let mut cursor = Cursor { at: 7, offset: 9 };
            page.settle(&mut cursor, 0);
            assert_eq!(cursor, Cursor::default());
            assert_eq!(page.item_at(0), None);
        });
    }
}
