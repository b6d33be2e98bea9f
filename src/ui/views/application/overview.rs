//! The overview: why it is not well, components with their pods and containers, URLs, conditions.

mod parts;

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use super::page;
use crate::domain::world::{Application, LogTarget};
use crate::domain::{Health, Problem};
use crate::ui::format;
use crate::ui::keymap::{Command, Layer};
use crate::ui::list::{Cursor, window};
use crate::ui::look::Look;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::{paint, problem_lines, scroll, table};

/// What a line stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A container whose log can be followed.
    Container(LogTarget),
    /// A URL.
    Url(String),
    /// Something to read.
    Text,
}

/// A line, and what it stands for; headings and gaps stand for nothing.
struct Entry {
    line: Line<'static>,
    item: Option<Item>,
}

struct Page<'a> {
    look: &'a Look<'a>,
    width: usize,
    entries: Vec<Entry>,
}

impl Page<'_> {
    fn section(&mut self, title: &str) {
        if !self.entries.is_empty() {
            self.entries.push(Entry { line: Line::default(), item: None });
        }
        self.entries.push(Entry { line: Line::from(self.look.span(Role::Section, title)), item: None });
    }

    fn add(&mut self, item: Option<Item>, spans: Vec<Span<'static>>) {
        self.entries.push(Entry { line: Line::from(spans), item });
    }

    /// Text that may need several lines, after `lead` and under the end of it.
    fn wrapped(&mut self, lead: Vec<Span<'static>>, role: Role, text: &str) {
        let indent = Line::from(lead.clone()).width();
        let parts = format::wrap(text, self.width.saturating_sub(indent).max(16));
        let mut lead = Some(lead);
        for part in parts {
            let (item, mut spans) = match lead.take() {
                Some(lead) => (Some(Item::Text), lead),
                None => (None, vec![Span::raw(" ".repeat(indent))]),
            };
            spans.push(self.look.span(role, part));
            self.add(item, spans);
        }
        if let Some(lead) = lead {
            self.add(Some(Item::Text), lead);
        }
    }
}

fn entries(application: &Application, look: &Look<'_>, width: u16) -> Vec<Entry> {
    let mut page = Page { look, width: usize::from(width.saturating_sub(3)), entries: Vec::new() };
    problem(&mut page, application);
    causes(&mut page, application);
    page.section("COMPONENTS");
    if application.components.is_empty() {
        page.add(None, vec![look.span(Role::Muted, "  none yet")]);
    }
    for part in &application.components {
        parts::component(&mut page, part);
    }
    if !application.urls.is_empty() {
        page.section("URLS");
        application.urls.iter().for_each(|view| parts::url(&mut page, view));
    }
    if !application.conditions.is_empty() {
        page.section("CONDITIONS");
        application.conditions.iter().for_each(|it| parts::condition(&mut page, it));
    }
    page.entries
}

fn problem(page: &mut Page<'_>, application: &Application) {
    let Some(problem) = &application.problem else { return };
    page.section("THE ENGINE STOPPED");
    for (index, line) in problem_lines(page.look, problem, page.width).into_iter().enumerate() {
        let mut spans = vec![Span::raw("  ")];
        spans.extend(line.spans);
        page.add((index == 0).then_some(Item::Text), spans);
    }
    if problem.contested.is_some() {
        let key = page.look.key(Command::Settle, Layer::Detail);
        let text = format!("          {key} settles who has these fields");
        page.add(None, vec![page.look.span(Role::Muted, text)]);
    }
}

/// The chain of causes, from the outermost object inwards.
fn causes(page: &mut Page<'_>, application: &Application) {
    let last = application.verdict.causes.last();
    // What stopped the engine is told above, with what to do next.
    let told = |problem: &Problem| last.is_some_and(|cause| cause.message.starts_with(&problem.what));
    if last.is_none() || application.problem.as_ref().is_some_and(told) {
        return;
    }
    let heading = if application.health() == Health::Progressing { "WAITING FOR" } else { "WHY" };
    page.section(heading);
    for (depth, cause) in application.verdict.causes.iter().enumerate() {
        let arm = if depth == 0 { String::new() } else { format!("{}↳ ", "  ".repeat(depth - 1)) };
        let lead = vec![
            page.look.span(Role::Muted, format!("  {arm}")),
            page.look.span(Role::Text, format!("{} ", cause.object)),
            page.look.span(Role::Title, format!("{} ", cause.reason)),
        ];
        let indent = Line::from(lead.clone()).width();
        if cause.message.is_empty() || indent + format::width(&cause.message) <= page.width {
            page.wrapped(lead, Role::Text, &cause.message);
        } else {
            page.add(Some(Item::Text), lead);
            let indent = format!("    {}", "  ".repeat(depth));
            for part in format::wrap(&cause.message, page.width.saturating_sub(indent.len()).max(16)) {
                page.add(None, vec![Span::raw(indent.clone()), page.look.span(Role::Text, part)]);
            }
        }
    }
}

/// The indices of the lines that stand for something.
fn stops(entries: &[Entry]) -> Vec<usize> {
    entries.iter().enumerate().filter(|(_, entry)| entry.item.is_some()).map(|(index, _)| index).collect()
}

/// The lines, laid out for what does not depend on colours or time.
fn plain(application: &Application, width: u16) -> Vec<Entry> {
    let theme = Theme::plain();
    let keymap = crate::ui::keymap::Keymap::empty();
    entries(application, &Look { theme: &theme, now: None, keymap: &keymap, still: true }, width)
}

/// What the cursor is on.
pub fn item_at(application: &Application, width: u16, at: usize) -> Option<Item> {
    let mut entries = plain(application, width);
    let index = *stops(&entries).get(at)?;
    entries.swap_remove(index).item
}

/// Moves the cursor over the lines that stand for something.
pub fn move_cursor(cursor: &mut Cursor, command: Command, application: &Application, size: Size) -> bool {
    let entries = plain(application, size.width);
    let page = usize::from(page::Areas::new(size).content.height);
    let mut stop = *cursor;
    let moved = stop.command(command, stops(&entries).len(), page);
    cursor.at = stop.at;
    place(cursor, &entries, page);
    moved
}

/// Brings the cursor to a line that exists, and that line on screen.
pub fn settle(cursor: &mut Cursor, application: &Application, size: Size) {
    let entries = plain(application, size.width);
    cursor.at = cursor.at.min(stops(&entries).len().saturating_sub(1));
    place(cursor, &entries, usize::from(page::Areas::new(size).content.height));
}

/// The first line keeps its heading on screen, the last one what follows it.
fn place(cursor: &mut Cursor, entries: &[Entry], page: usize) {
    let stops = stops(entries);
    let line = match cursor.at {
        0 => 0,
        at if at + 1 >= stops.len() => entries.len().saturating_sub(1),
        at => stops[at],
    };
    cursor.offset = window(line, cursor.offset, entries.len(), page);
    if let Some(stop) = stops.get(cursor.at) {
        cursor.offset = window(*stop, cursor.offset, entries.len(), page);
    }
}

/// Draws the overview.
pub fn draw(application: &Application, cursor: Cursor, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
    let entries = entries(application, look, area.width);
    let selected = stops(&entries).get(cursor.at).copied();
    let page = usize::from(area.height);
    let offset = window(selected.unwrap_or(0), cursor.offset, entries.len(), page);
    let len = entries.len();
    for (row, (index, entry)) in area.rows().zip(entries.into_iter().enumerate().skip(offset)) {
        table::select(buffer, row, look, Some(index) == selected);
        paint::line(buffer, table::content(row), entry.line);
        table::settle(buffer, row, look, Some(index) == selected);
    }
    scroll::bar(buffer, area, look, offset, len);
}
