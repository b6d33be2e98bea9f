//! Text in sections, put together line by line for a page that scrolls as a whole.

use ratatui::text::{Line, Span};

use crate::ui::format;
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// The column in which what a label says begins.
const VALUE: usize = 16;
/// The columns before the lines of an item.
const INDENT: usize = 2;

/// The lines so far, and where sections begin.
pub struct Sheet<'a> {
    look: &'a Look<'a>,
    width: usize,
    /// The lines.
    pub lines: Vec<Line<'static>>,
    /// The lines that are headings.
    pub starts: Vec<usize>,
}

impl<'a> Sheet<'a> {
    /// An empty sheet of so many columns.
    pub fn new(look: &'a Look<'a>, width: usize) -> Self {
        Self { look, width, lines: Vec::new(), starts: Vec::new() }
    }

    /// A heading, with a gap before it and a remark behind it.
    pub fn section(&mut self, title: &str, remark: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.starts.push(self.lines.len());
        let spans =
            vec![self.look.span(Role::Section, title), self.look.span(Role::Muted, format!("  {remark}"))];
        self.lines.push(Line::from(spans));
    }

    /// A label and what it says; nothing when it says nothing.
    pub fn fact(&mut self, label: &str, text: &str) {
        self.fact_in(Role::Text, label, text);
    }

    /// The same, in a role.
    pub fn fact_in(&mut self, role: Role, label: &str, text: &str) {
        // A label that somebody else wrote may need more than its column.
        let label = format::cut(label, VALUE - INDENT - 1);
        let gap = " ".repeat(VALUE.saturating_sub(INDENT + format::width(&label)));
        let lead = vec![self.look.span(Role::Muted, format!("{}{label}{gap}", " ".repeat(INDENT)))];
        self.wrapped(lead, VALUE, role, text);
    }

    /// A paragraph.
    pub fn text(&mut self, text: &str) {
        self.wrapped(vec![Span::raw(" ".repeat(INDENT))], INDENT, Role::Text, text);
    }

    /// Something that has a name, and what is said of it behind the name.
    pub fn item(&mut self, name: &str, said: &str) {
        for part in format::wrap(name, self.width.saturating_sub(INDENT)) {
            self.lines
                .push(Line::from(vec![Span::raw(" ".repeat(INDENT)), self.look.span(Role::Title, part)]));
        }
        let room = self.width.saturating_sub(self.lines.last().map_or(0, Line::width) + 2);
        match self.lines.last_mut() {
            Some(line) if format::width(said) <= room => {
                line.spans.push(self.look.span(Role::Text, format!("  {said}")));
            }
            _ => self.below(said),
        }
    }

    /// What else is said of the item above.
    pub fn below(&mut self, text: &str) {
        self.below_in(Role::Muted, text);
    }

    /// The same, in a role.
    pub fn below_in(&mut self, role: Role, text: &str) {
        let indent = INDENT + 2;
        self.wrapped(vec![Span::raw(" ".repeat(indent))], indent, role, text);
    }

    fn wrapped(&mut self, lead: Vec<Span<'static>>, indent: usize, role: Role, text: &str) {
        let mut lead = Some(lead);
        for part in format::wrap(text.trim(), self.width.saturating_sub(indent).max(8)) {
            let mut spans = lead.take().unwrap_or_else(|| vec![Span::raw(" ".repeat(indent))]);
            spans.push(self.look.span(role, part));
            self.lines.push(Line::from(spans));
        }
    }
}
