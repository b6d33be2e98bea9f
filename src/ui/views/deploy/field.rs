//! The fields of the form, and how each is filled in.

use std::borrow::Cow;

use crossterm::event::{KeyCode, KeyEvent};
use serde_json::Value;

use super::choice::Choice;
use crate::domain::driver::{ParameterKind, ParameterSpec};
use crate::ui::text_field::TextField;
use crate::ui::text_lines::{LINES_MAX, TextLines};

/// What a field asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asks {
    /// The driver.
    Driver,
    /// The environment.
    Environment,
    /// The application's version.
    Version,
    /// The deployment's name.
    Name,
    /// Host names beside its own.
    Hosts,
    /// A parameter of the driver.
    Parameter(Box<ParameterSpec>),
    /// Something that another form asks for, by a name of its own.
    Named(&'static str),
    /// One of several things of a kind that another form takes or leaves, by its name.
    Item(String),
}

/// How a field is filled in.
#[derive(Debug, Clone)]
pub enum Entry {
    /// One of several values.
    Choice(Choice),
    /// A text.
    Text(TextField),
    /// Several lines of text, or one item each.
    Lines(TextLines),
    /// Yes or no.
    Toggle(bool),
    /// A value that stays as it is.
    Fixed(String),
}

/// A field of the form.
#[derive(Debug, Clone)]
pub struct Field {
    /// What it asks for.
    pub asks: Asks,
    /// How people read it.
    pub label: String,
    /// One line about it.
    pub help: String,
    /// How it is filled in.
    pub entry: Entry,
    /// What is wrong with its value.
    pub error: Option<String>,
    /// What becomes of the value that a secret has.
    pub kept: Kept,
}

/// What becomes of the value that a secret has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kept {
    /// It has none.
    #[default]
    None,
    /// It stays, unless another one is typed.
    Stays,
    /// It is taken away.
    Removed,
}

impl Field {
    /// A field without an error.
    pub fn new(asks: Asks, label: &str, help: &str, entry: Entry) -> Self {
        Self { asks, label: label.to_owned(), help: help.to_owned(), entry, error: None, kept: Kept::None }
    }

    /// Whether it holds something that must not be kept or shown.
    pub fn is_secret(&self) -> bool {
        matches!(&self.asks, Asks::Parameter(spec) if spec.kind == ParameterKind::Secret)
    }

    /// Whether keys type text into it.
    pub fn takes_text(&self) -> bool {
        match &self.entry {
            Entry::Text(_) | Entry::Lines(_) => true,
            Entry::Choice(choice) => choice.is_open(),
            Entry::Toggle(_) | Entry::Fixed(_) => false,
        }
    }

    /// Whether there is anything to fill in.
    pub fn is_fixed(&self) -> bool {
        matches!(self.entry, Entry::Fixed(_))
    }

    /// Puts the value of a parameter in the place of the default.
    pub fn fill(&mut self, value: &Value) {
        match &mut self.entry {
            Entry::Text(field) => field.set(&plain(value)),
            Entry::Lines(field) => field.set(&plain(value)),
            Entry::Choice(choice) => choice.choose(&plain(value)),
            Entry::Toggle(on) => *on = value.as_bool().unwrap_or(*on),
            Entry::Fixed(_) => {}
        }
    }

    /// Takes a key; true when the value changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        if key.code == KeyCode::Backspace && self.is_secret() && self.text().is_empty() {
            return self.keep_or_remove();
        }
        match &mut self.entry {
            Entry::Text(field) => field.key(key),
            Entry::Lines(field) => field.key(key),
            Entry::Choice(choice) => choice.key(key),
            Entry::Toggle(_) | Entry::Fixed(_) => false,
        }
    }

    /// Takes pasted text; true when the value changed.
    pub fn paste(&mut self, text: &str) -> bool {
        match &mut self.entry {
            Entry::Text(field) => field.paste(text),
            Entry::Lines(field) => {
                let fits = field.paste(text);
                if !fits {
                    self.error = Some(format!("it takes {LINES_MAX} lines at most: nothing was pasted"));
                }
                return fits;
            }
            Entry::Choice(choice) => return choice.paste(text),
            Entry::Toggle(_) | Entry::Fixed(_) => return false,
        }
        true
    }

    /// Goes to the next value, or the one before; true when the value changed.
    pub fn turn(&mut self, forwards: bool) -> bool {
        match &mut self.entry {
            Entry::Choice(choice) => choice.turn(forwards),
            Entry::Toggle(on) => {
                *on = !*on;
                true
            }
            Entry::Text(_) | Entry::Lines(_) | Entry::Fixed(_) => false,
        }
    }

    /// The value as text.
    pub fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(match &self.entry {
            Entry::Text(field) => field.text(),
            Entry::Lines(field) => return Cow::Owned(field.text()),
            Entry::Choice(choice) => choice.value(),
            Entry::Toggle(true) => "true",
            Entry::Toggle(false) => "false",
            Entry::Fixed(value) => value,
        })
    }

    /// How many rows it takes.
    pub fn rows(&self) -> usize {
        match &self.entry {
            Entry::Lines(field) => field.count(),
            _ => 1,
        }
    }

    /// The row of it that has the cursor.
    pub fn row(&self) -> usize {
        match &self.entry {
            Entry::Lines(field) => field.row(),
            _ => 0,
        }
    }

    /// Goes a row up or down inside the field; false when there is none.
    pub fn step(&mut self, down: bool) -> bool {
        if let Entry::Lines(field) = &mut self.entry { field.step(down) } else { false }
    }

    /// Begins a new row; false when it has one row only.
    pub fn break_line(&mut self) -> bool {
        if let Entry::Lines(field) = &mut self.entry { field.break_line() } else { false }
    }
}

/// A value as it stands in a field: the items of a list on a line each. A second line stands below a single item with commas in
/// it, so that they do not part it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.len() == 1 && items.iter().map(plain).any(|item| item.contains(',')) => {
            items.iter().map(|item| plain(item) + "\n").collect()
        }
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join("\n"),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
