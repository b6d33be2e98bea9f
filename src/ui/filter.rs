//! The filter above a table.

use crossterm::event::KeyEvent;

use super::query::Query;
use super::text_field::TextField;

/// The filter above a table: a text, and whether it is being typed.
#[derive(Debug)]
pub struct Filter {
    field: TextField,
    open: bool,
    query: Query,
}

impl Filter {
    /// A filter that lets everything through; `placeholder` shows what can be typed.
    pub fn new(placeholder: &'static str) -> Self {
        let field = TextField::default().with_placeholder(placeholder);
        Self { field, open: false, query: Query::default() }
    }

    /// What it lets through.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The field that is typed into.
    pub fn field(&self) -> &TextField {
        &self.field
    }

    /// Whether it is being typed.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.query.is_empty()
    }

    /// Begins typing.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// Ends typing and keeps the filter.
    pub fn close(&mut self) {
        self.open = false;
    }

    /// Ends typing and lets everything through.
    pub fn clear(&mut self) {
        self.field.set("");
        (self.open, self.query) = (false, Query::default());
    }

    /// Takes a key; true when the filter changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let changed = self.field.key(key);
        if changed {
            self.parse();
        }
        changed
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        self.field.paste(text);
        self.parse();
    }

    fn parse(&mut self) {
        self.query = Query::parse(self.field.text());
    }
}
