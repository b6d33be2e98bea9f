//! One line of text that is edited, on top of tui-textarea.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use tui_textarea::{CursorMove, TextArea};

use super::look::Look;
use super::theme::Role;

/// One line of text that is edited.
#[derive(Clone, Default)]
pub struct TextField {
    area: TextArea<'static>,
    masked: bool,
    /// Tabs stay tabs.
    tabs: bool,
    placeholder: &'static str,
}

impl fmt::Debug for TextField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.masked {
            f.write_str("(secret)")
        } else {
            f.debug_tuple("TextField").field(&self.text()).finish()
        }
    }
}

impl TextField {
    /// A field that holds `text`, with the cursor at its end.
    pub fn new(text: &str) -> Self {
        let mut field = Self::default();
        field.set(text);
        field
    }

    /// A field that never shows what it holds.
    pub fn masked() -> Self {
        Self { masked: true, tabs: true, ..Self::default() }
    }

    /// The same field; it keeps tabs.
    pub fn with_tabs(mut self) -> Self {
        self.tabs = true;
        self
    }

    /// The same field; `placeholder` stands in it while it is empty.
    pub fn with_placeholder(mut self, placeholder: &'static str) -> Self {
        self.placeholder = placeholder;
        self
    }

    /// Replaces what stands in it while it is empty.
    pub fn set_placeholder(&mut self, placeholder: &'static str) {
        self.placeholder = placeholder;
    }

    /// What it holds.
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// Replaces what it holds.
    pub fn set(&mut self, text: &str) {
        self.area = TextArea::new(vec![self.one_line(text)]);
        self.area.move_cursor(CursorMove::End);
    }

    /// Handles a key; true when the text changed. Keys that would make a second line do nothing.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter | KeyCode::Tab | KeyCode::BackTab => false,
            KeyCode::Char('m' | 'j') if ctrl => false,
            KeyCode::Char('u') if ctrl => self.area.delete_line_by_head(),
            KeyCode::Char('y') if ctrl => self.area.paste() && self.keep_one_line(),
            _ => self.area.input(key) && self.keep_one_line(),
        }
    }

    /// Inserts pasted text, its line breaks as spaces.
    pub fn paste(&mut self, text: &str) {
        self.area.insert_str(self.one_line(text));
    }

    fn one_line(&self, text: &str) -> String {
        text.chars().map(|c| if c.is_control() && !(self.tabs && c == '\t') { ' ' } else { c }).collect()
    }

    fn keep_one_line(&mut self) -> bool {
        if self.area.lines().len() > 1 {
            let joined = self.area.lines().join(" ");
            self.set(&joined);
        }
        true
    }

    fn column(&self) -> usize {
        self.area.cursor().1
    }

    /// Whether the cursor stands at the beginning.
    pub fn is_at_home(&self) -> bool {
        self.column() == 0
    }

    /// Whether the cursor stands behind the last character.
    pub fn is_at_end(&self) -> bool {
        self.column() >= self.text().chars().count()
    }

    /// Puts the cursor at the beginning.
    pub fn home(&mut self) {
        self.area.move_cursor(CursorMove::Head);
    }

    /// Takes away what stands behind the cursor.
    pub fn split_off(&mut self) -> String {
        let (before, behind): (String, String) = {
            let at = self.text().char_indices().nth(self.column()).map_or(self.text().len(), |(at, _)| at);
            let (before, behind) = self.text().split_at(at);
            (before.to_owned(), behind.to_owned())
        };
        self.set(&before);
        behind
    }

    /// Adds text at the end; the cursor stays before it.
    pub fn append(&mut self, text: &str) {
        let at = self.text().chars().count();
        self.set(&format!("{}{text}", self.text()));
        self.home();
        (0..at).for_each(|_| self.area.move_cursor(CursorMove::Forward));
    }

    /// Draws it.
    pub fn draw(&self, buffer: &mut Buffer, area: Rect, look: &Look<'_>, focused: bool) {
        let mut shown = self.area.clone();
        let role = if focused { Role::InputFocus } else { Role::Input };
        shown.set_style(look.style(role));
        shown.set_cursor_line_style(look.style(role));
        shown.set_cursor_style(look.style(if focused { Role::Cursor } else { role }));
        shown.set_placeholder_text(self.placeholder);
        shown.set_placeholder_style(look.style(role).patch(look.style(Role::Placeholder)));
        if self.masked {
            shown.set_mask_char('•');
        }
        let area = area.intersection(buffer.area);
        if !area.is_empty() {
            buffer.set_style(area, look.style(role));
            (&shown).render(area, buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_one_line() {
        let mut field = TextField::new("a\nb");
        assert_eq!(field.text(), "a b");
        field.paste("c\r\nd");
        assert!(!field.key(KeyEvent::from(KeyCode::Enter)));
        assert!(!field.key(KeyEvent::new(KeyCode::Char('m'), KeyModifiers::CONTROL)));
        assert!(field.key(KeyEvent::from(KeyCode::Char('e'))));
        assert_eq!(field.text(), "a bc  de");
        field.key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        assert!(field.is_empty());
    }

    #[test]
    fn what_is_masked_keeps_its_tabs_and_is_in_no_debug_text() {
        let mut field = TextField::masked();
        field.paste("hun\tter\n2");
        assert_eq!(field.text(), "hun\tter 2");
        assert_eq!(format!("{field:?}"), "(secret)");
        assert_eq!(format!("{:?}", TextField::new("a\tb")), "TextField(\"a b\")");
        assert_eq!(TextField::default().with_tabs().one_line("a\tb"), "a\tb");
    }
}
