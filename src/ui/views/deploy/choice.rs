//! One of several known values, or a new one that is typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::ui::text_field::TextField;

/// One of several known values; where `open`, or a new one that is typed.
#[derive(Debug, Clone)]
pub struct Choice {
    options: Vec<String>,
    /// The known value that is chosen; none while a new one is typed.
    at: Option<usize>,
    open: bool,
    typed: TextField,
}

impl Choice {
    /// A choice among `options`; the one equal to `chosen` first, or `chosen` as a new value.
    pub fn new(options: Vec<String>, chosen: &str, open: bool) -> Self {
        let at = options.iter().position(|option| option == chosen);
        let fallback = if open && (!chosen.is_empty() || options.is_empty()) { None } else { Some(0) };
        Self {
            at: at.or(fallback),
            options,
            open,
            typed: TextField::new(if at.is_some() { "" } else { chosen }).with_placeholder("type a value"),
        }
    }

    /// The value.
    pub fn value(&self) -> &str {
        match self.at {
            Some(at) => self.options.get(at).map_or("", String::as_str),
            None => self.typed.text(),
        }
    }

    /// Whether a new value may be typed.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The field of a new value, while there is one.
    pub fn typed(&self) -> Option<&TextField> {
        self.at.is_none().then_some(&self.typed)
    }

    /// Which of how many.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.at.map(|at| (at + 1, self.options.len()))
    }

    /// Goes to the next known value, or the one before; false when there is no other.
    pub fn turn(&mut self, forwards: bool) -> bool {
        let count = self.options.len();
        let Some(at) = self.at.filter(|_| count > 1) else { return false };
        self.at = Some((if forwards { at + 1 } else { at + count - 1 }) % count);
        true
    }

    /// Takes a key: arrows go through the known values, text begins a new one, and emptying that goes back.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        if self.at.is_some() {
            let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
            return match key.code {
                KeyCode::Left => self.turn(false),
                KeyCode::Right => self.turn(true),
                KeyCode::Char(_) if self.open && plain => {
                    self.at = None;
                    self.typed.set("");
                    self.typed.key(key)
                }
                _ => false,
            };
        }
        let changed = self.typed.key(key);
        if changed && self.typed.is_empty() && !self.options.is_empty() {
            self.at = Some(0);
        }
        changed
    }

    /// Chooses a value: a known one, or where it may be, a new one.
    pub fn choose(&mut self, value: &str) {
        *self = Self::new(std::mem::take(&mut self.options), value, self.open);
    }

    /// Takes pasted text as a new value.
    pub fn paste(&mut self, text: &str) -> bool {
        if !self.open {
            return false;
        }
        if self.at.take().is_some() {
            self.typed.set("");
        }
        self.typed.paste(text);
        true
    }

    /// Replaces the known values; what is chosen stays.
    pub fn set_options(&mut self, options: Vec<String>) {
        if self.options != options {
            let chosen = self.value().to_owned();
            *self = Self::new(options, &chosen, self.open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(choice: &mut Choice, code: KeyCode) -> String {
        choice.key(KeyEvent::from(code));
        choice.value().to_owned()
    }

    fn options() -> Vec<String> {
        vec!["demo".to_owned(), "staging".to_owned()]
    }

    #[test]
    fn arrows_choose_and_typing_makes_a_new_value() {
        let mut choice = Choice::new(options(), "demo", true);
        assert_eq!(press(&mut choice, KeyCode::Right), "staging");
        assert_eq!(press(&mut choice, KeyCode::Right), "demo");
        assert_eq!(press(&mut choice, KeyCode::Char('q')), "q");
        assert_eq!(choice.position(), None);
        assert_eq!(press(&mut choice, KeyCode::Backspace), "demo");
    }

    #[test]
    fn a_closed_choice_takes_no_text() {
        let mut choice = Choice::new(options(), "", false);
        assert_eq!(press(&mut choice, KeyCode::Char('q')), "demo");
        assert!(!choice.paste("q"));
    }

    #[test]
    fn what_is_chosen_stays_when_the_options_change() {
        let mut choice = Choice::new(options(), "staging", true);
        choice.set_options(vec!["a".into(), "b".into(), "staging".into()]);
        assert_eq!(choice.value(), "staging");
        choice.set_options(vec!["a".into()]);
        assert_eq!((choice.value(), choice.position()), ("staging", None));
    }
}
