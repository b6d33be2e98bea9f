//! A form whose fields depend on each other: which there are, which one has the focus, and what was filled in.

use std::fmt::Debug;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::deploy::{Asks, Choice, Entry, Field, Sheet, draw_form, step_focus};
use crate::domain::World;
use crate::ui::keymap::{Command, Flag, Flags, Layer};
use crate::ui::look::Look;
use crate::ui::screen::{Context, Screen, Step};
use crate::ui::text_field::TextField;
use crate::ui::text_lines::TextLines;
use crate::ui::toast::Toast;

/// The fields of a form, by the names that they ask for.
#[derive(Debug, Default)]
pub struct Asking {
    fields: Vec<Field>,
    /// The field that has the keys; the button, when it is the number of fields.
    focus: usize,
    /// Leaving was asked for once, after something was filled in.
    leaving: bool,
    touched: bool,
}

/// What a command did to a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It means nothing here.
    Nothing,
    /// It moved about, or closed the form.
    Moved,
    /// A value changed.
    Changed,
    /// The button was pressed.
    Done,
}

/// A field for one of several known values.
pub fn choice(name: &'static str, label: &str, help: &str, (options, chosen): (Vec<String>, &str)) -> Field {
    Field::new(Asks::Named(name), label, help, Entry::Choice(Choice::new(options, chosen, false)))
}

/// A field for a text.
pub fn text(name: &'static str, label: &str, help: &str, field: TextField) -> Field {
    Field::new(Asks::Named(name), label, help, Entry::Text(field))
}

/// A field for several lines of text.
pub fn lines(name: &'static str, label: &str, help: &str, lines: TextLines) -> Field {
    Field::new(Asks::Named(name), label, help, Entry::Lines(lines))
}

/// A field for yes or no.
pub fn toggle(name: &'static str, label: &str, help: &str, on: bool) -> Field {
    Field::new(Asks::Named(name), label, help, Entry::Toggle(on))
}

/// A field for one of several things of a kind, which is taken unless it is left out.
pub fn item(name: &str, help: &str) -> Field {
    Field::new(Asks::Item(name.to_owned()), name, help, Entry::Toggle(true))
}

impl Asking {
    /// Its fields.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field that has the focus; the number of fields for the button.
    pub fn focus(&self) -> usize {
        self.focus
    }

    /// Takes other fields; what was filled in under the same name stays.
    pub fn replace(&mut self, fields: Vec<Field>) {
        let before = std::mem::replace(&mut self.fields, fields);
        let focused = before.get(self.focus).map(|field| field.asks.clone());
        for field in &mut self.fields {
            let Some(old) = before.iter().find(|old| old.asks == field.asks) else { continue };
            match (&mut field.entry, &old.entry) {
                // what is typed keeps its cursor
                (Entry::Choice(choice), Entry::Choice(chosen)) if !choice.is_open() => {
                    choice.choose(chosen.value());
                }
                (entry, old) => *entry = old.clone(),
            }
            field.error.clone_from(&old.error);
        }
        // the cursor stays on its field; behind the last one is the button
        self.focus = match focused {
            Some(asks) => self.fields.iter().position(|field| field.asks == asks).unwrap_or(self.focus),
            None if before.is_empty() => 0,
            None => self.fields.len(),
        };
        self.focus = self.focus.min(self.fields.len());
    }

    /// Takes other fields with what they hold themselves.
    pub fn begin_anew(&mut self, fields: Vec<Field>, focus: usize) {
        (self.fields, self.focus) = (fields, focus);
    }

    fn named(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| matches!(&field.asks, Asks::Named(known) if *known == name))
    }

    /// What a field holds; nothing when there is no such field.
    pub fn text(&self, name: &str) -> String {
        self.named(name).map(|field| field.text().trim().to_owned()).unwrap_or_default()
    }

    /// The lines that a field holds, without empty ones.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = self.named(name).map(|field| field.text().into_owned()).unwrap_or_default();
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// Says what is wrong with a field, or that nothing is, and stays where it is.
    pub fn judge(&mut self, name: &str, error: Option<String>) {
        let is_it = |field: &&mut Field| matches!(&field.asks, Asks::Named(known) if *known == name);
        if let Some(field) = self.fields.iter_mut().find(is_it) {
            field.error = error;
        }
    }

    /// Whether yes was chosen.
    pub fn is_on(&self, name: &str) -> bool {
        self.named(name).is_some_and(|field| matches!(field.entry, Entry::Toggle(true)))
    }

    /// The items, and whether each is taken.
    pub fn items(&self) -> impl Iterator<Item = (&str, bool)> {
        self.fields.iter().filter_map(|field| match &field.asks {
            Asks::Item(name) => Some((name.as_str(), matches!(field.entry, Entry::Toggle(true)))),
            _ => None,
        })
    }

    /// Says what is wrong with a field, and goes there.
    pub fn complain(&mut self, name: &str, error: String) {
        let is_it = |field: &Field| match &field.asks {
            Asks::Named(known) => *known == name,
            Asks::Item(known) => known == name,
            _ => false,
        };
        if let Some(at) = self.fields.iter().position(is_it) {
            self.fields[at].error = Some(error);
            self.focus = at;
        }
    }

    /// The layer of keys that is on top.
    pub fn layer(&self) -> Layer {
        let takes_text = self.fields.get(self.focus).is_some_and(Field::takes_text);
        if takes_text { Layer::Input } else { Layer::Dialog }
    }

    /// Takes a command.
    pub fn command(&mut self, command: Command, context: &mut Context<'_>) -> Asked {
        let sure = std::mem::take(&mut self.leaving);
        match command {
            Command::Cancel | Command::Back if sure || !self.touched => context.steps.push(Step::Close),
            Command::Cancel | Command::Back => {
                self.leaving = true;
                context.say(Toast::hint("Press it again to drop what you filled in"));
            }
            Command::Accept if self.focus >= self.fields.len() => return Asked::Done,
            Command::Left | Command::Right | Command::Toggle => {
                return self.edit(|field| field.turn(command != Command::Left));
            }
            Command::Accept | Command::Up | Command::Down if self.in_lines(command) => {
                return if command == Command::Accept { Asked::Changed } else { Asked::Moved };
            }
            Command::Accept => self.focus = step_focus(self.focus, Command::Down, &self.fields),
            Command::Up
            | Command::Down
            | Command::Next
            | Command::Previous
            | Command::Top
            | Command::Bottom => self.focus = step_focus(self.focus, command, &self.fields),
            _ => return Asked::Nothing,
        }
        Asked::Moved
    }

    /// Begins a new line, or goes to another one, where the focus is in a field of several; false when it has none there.
    fn in_lines(&mut self, command: Command) -> bool {
        let Some(field) = self.fields.get_mut(self.focus) else { return false };
        match command {
            Command::Accept => {
                let broke = field.break_line();
                self.touched |= broke;
                broke
            }
            other => field.step(other == Command::Down),
        }
    }

    /// Takes a key that types.
    pub fn key(&mut self, key: KeyEvent) -> Asked {
        self.leaving = false;
        self.edit(|field| field.key(key))
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) -> Asked {
        self.edit(|field| field.paste(text))
    }

    /// Changes the field that has the focus; what was wrong with it may be right now.
    fn edit(&mut self, change: impl FnOnce(&mut Field) -> bool) -> Asked {
        let Some(field) = self.fields.get_mut(self.focus) else { return Asked::Moved };
        if !change(field) {
            return Asked::Moved;
        }
        field.error = None;
        self.touched = true;
        Asked::Changed
    }
}

/// A screen that is nothing but such a form: what differs between them.
pub trait Form: Debug + Send {
    /// Its name, for the header and for tests.
    const FORM: &'static str;

    /// Its fields.
    fn asking(&self) -> &Asking;

    /// Its fields, to fill in.
    fn asking_mut(&mut self) -> &mut Asking;

    /// Takes the fields that follow from what was filled in, and from the picture.
    fn rebuild(&mut self, world: &World);

    /// Takes note that something was filled in.
    fn changed(&mut self, world: &World) {
        self.rebuild(world);
    }

    /// The button was pressed.
    fn done(&mut self, context: &mut Context<'_>);

    /// What stands around its fields.
    fn sheet(&self, world: &World, look: &Look<'_>) -> Sheet<'_>;

    /// Goes on after what was done to its fields.
    fn follow(&mut self, asked: Asked, context: &mut Context<'_>) {
        match asked {
            Asked::Changed => self.changed(context.world),
            Asked::Done => self.done(context),
            Asked::Moved | Asked::Nothing => {}
        }
    }
}

impl<F: Form> Screen for F {
    fn name(&self) -> &'static str {
        F::FORM
    }

    fn layer(&self) -> Layer {
        self.asking().layer()
    }

    fn flags(&self, _world: &World, _size: Size, flags: &mut Flags) {
        flags.set(Flag::Form, true);
    }

    fn command(&mut self, command: Command, context: &mut Context<'_>) -> bool {
        let asked = self.asking_mut().command(command, context);
        self.follow(asked, context);
        asked != Asked::Nothing
    }

    fn key(&mut self, key: KeyEvent, context: &mut Context<'_>) {
        let asked = self.asking_mut().key(key);
        self.follow(asked, context);
    }

    fn paste(&mut self, text: &str, context: &mut Context<'_>) {
        let asked = self.asking_mut().paste(text);
        self.follow(asked, context);
    }

    fn refresh(&mut self, context: &mut Context<'_>) {
        self.rebuild(context.world);
    }

    fn hints(&self) -> &'static [Command] {
        &[Command::Next, Command::Previous, Command::Accept, Command::Toggle, Command::Cancel]
    }

    fn draw(&self, world: &World, look: &Look<'_>, area: Rect, buffer: &mut Buffer) {
        draw_form(&self.sheet(world, look), self.asking().focus(), look, area, buffer);
    }
}
