//! Several lines of text that are edited, each a [`TextField`].

use crossterm::event::{KeyCode, KeyEvent};

use super::text_field::TextField;

/// The most lines that are typed or pasted: a certificate with its chain has less. What a parameter has already is shown whole, it
/// is no longer than values may be.
pub const LINES_MAX: usize = 1_000;

/// Several lines of text; there is always one at least.
#[derive(Debug, Clone)]
pub struct TextLines {
    lines: Vec<TextField>,
    row: usize,
    masked: bool,
    placeholder: &'static str,
}

impl TextLines {
    /// A field that holds `text`, with the cursor at its end.
    pub fn new(text: &str) -> Self {
        Self::of(text, false)
    }

    /// A field that never shows what it holds.
    pub fn masked() -> Self {
        Self::of("", true)
    }

    fn of(text: &str, masked: bool) -> Self {
        let mut field = Self { lines: Vec::new(), row: 0, masked, placeholder: "" };
        field.set(text);
        field
    }

    /// Replaces what stands in it while it is empty.
    pub fn set_placeholder(&mut self, placeholder: &'static str) {
        self.placeholder = placeholder;
    }

    /// What it holds.
    pub fn text(&self) -> String {
        self.lines.iter().map(TextField::text).collect::<Vec<_>>().join("\n")
    }

    /// Replaces what it holds.
    pub fn set(&mut self, text: &str) {
        self.lines = text.split('\n').map(|line| self.line(line)).collect();
        self.row = self.lines.len().saturating_sub(1);
    }

    fn line(&self, text: &str) -> TextField {
        let mut line = if self.masked { TextField::masked() } else { TextField::default().with_tabs() };
        line.set(text.trim_end_matches('\r'));
        line
    }

    /// How many lines there are.
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// The line that has the cursor.
    pub fn row(&self) -> usize {
        self.row
    }

    /// Goes a line up or down; false when there is none.
    pub fn step(&mut self, down: bool) -> bool {
        let next = if down { self.row + 1 } else { self.row.wrapping_sub(1) };
        let exists = next < self.lines.len();
        if exists {
            self.row = next;
        }
        exists
    }

    /// Breaks the line at the cursor; false when there is no room for one more.
    pub fn break_line(&mut self) -> bool {
        if self.lines.len() >= LINES_MAX {
            return false;
        }
        let rest = self.lines.get_mut(self.row).map(TextField::split_off).unwrap_or_default();
        let mut line = self.line(&rest);
        line.home();
        self.row += 1;
        self.lines.insert(self.row.min(self.lines.len()), line);
        true
    }

    /// Handles a key; true when the text changed. Backspace at the beginning of a line, and delete at its end, join two.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let last = self.row + 1 >= self.lines.len();
        let Some(line) = self.lines.get_mut(self.row) else { return false };
        match key.code {
            KeyCode::Backspace if line.is_at_home() && self.row > 0 => self.join(self.row - 1),
            KeyCode::Delete if line.is_at_end() && !last => self.join(self.row),
            _ => line.key(key),
        }
    }

    /// Appends the line behind `row` to it.
    fn join(&mut self, row: usize) -> bool {
        let behind = self.lines.remove(row + 1);
        self.row = row;
        if let Some(line) = self.lines.get_mut(row) {
            line.append(behind.text());
        }
        true
    }

    /// Inserts pasted text with its line breaks; false when it has too many of them: then nothing is.
    pub fn paste(&mut self, text: &str) -> bool {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let breaks = text.matches('\n').count();
        if breaks > 0 && self.lines.len() + breaks > LINES_MAX {
            return false;
        }
        for (number, part) in text.split('\n').enumerate() {
            if number > 0 {
                self.break_line();
            }
            if let Some(line) = self.lines.get_mut(self.row) {
                line.paste(part);
            }
        }
        true
    }

    /// One of its lines, to be drawn.
    pub fn line_at(&self, row: usize) -> Option<TextField> {
        let mut line = self.lines.get(row)?.clone();
        line.set_placeholder(if self.lines.len() == 1 { self.placeholder } else { "" });
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(field: &mut TextLines, code: KeyCode) {
        field.key(KeyEvent::from(code));
    }

    #[test]
    fn lines_are_broken_joined_and_pasted() {
        let mut field = TextLines::new("one\ntwo");
        assert_eq!((field.count(), field.row()), (2, 1));
        press(&mut field, KeyCode::Left);
        assert!(field.break_line());
        assert_eq!(field.text(), "one\ntw\no");
        press(&mut field, KeyCode::Backspace);
        assert_eq!((field.text().as_str(), field.row()), ("one\ntwo", 1));
        press(&mut field, KeyCode::Char('X'));
        assert_eq!(field.text(), "one\ntwXo", "the cursor stands where the lines met");
        assert!(field.step(false) && !field.step(false));
        field.paste("a\r\nb\nc");
        assert_eq!(field.text(), "onea\nb\nc\ntwXo");
        press(&mut field, KeyCode::Delete);
        assert_eq!(field.text(), "onea\nb\nctwXo");
    }

    #[test]
    fn lines_have_a_bound() {
        let mut field = TextLines::new(&"x\n".repeat(LINES_MAX - 1));
        assert_eq!(field.count(), LINES_MAX);
        assert!(!field.break_line());
        let before = field.text();
        assert!(!field.paste("a\nb"));
        assert_eq!(field.text(), before, "all of it or nothing");
        assert!(field.paste("a"));
        assert_eq!(field.count(), LINES_MAX);
        assert_eq!(TextLines::masked().text(), "");
    }

    #[test]
    fn what_is_there_is_shown_whole_with_its_tabs() {
        let text = "\tx\ty\n".repeat(3 * LINES_MAX);
        assert_eq!(TextLines::new(&text).text(), text);
        for mut field in [TextLines::new(""), TextLines::masked()] {
            assert!(field.paste("all:\r\n\tmake\t-k"));
            assert_eq!(field.text(), "all:\n\tmake\t-k");
            press(&mut field, KeyCode::Home);
            assert!(field.break_line());
            press(&mut field, KeyCode::Backspace);
            assert_eq!(field.text(), "all:\n\tmake\t-k");
        }
    }
}
