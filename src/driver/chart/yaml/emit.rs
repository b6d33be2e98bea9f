//! Puts characters where go-yaml's emitter puts them.

use super::analyze::{analyze, is_break, is_printable};
use crate::driver::chart::format::Bounded;

type Emitted = Result<(), String>;

/// How many blanks a level is indented by.
const INDENT: usize = 2;

/// The style that a text would like to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// The output, and where in it the next character goes.
pub(super) struct Emitter {
    pub(super) out: Bounded,
    column: usize,
    /// Whether a blank precedes.
    whitespace: bool,
    /// Whether only indentation precedes on this line.
    pub(super) indention: bool,
    /// The column from which on long texts are folded at their blanks.
    pub(super) width: usize,
    /// Whether the rules are those of go-yaml 3.
    pub(super) newer: bool,
}

impl Emitter {
    pub(super) fn new(newer: bool) -> Self {
        let width = if newer { usize::MAX } else { 80 };
        Self { out: Bounded::default(), column: 0, whitespace: true, indention: true, width, newer }
    }

    fn put(&mut self, character: char) -> Emitted {
        self.column += 1;
        self.out.push(character.encode_utf8(&mut [0; 4]))
    }

    fn line(&mut self) -> Emitted {
        self.column = 0;
        self.out.push("\n")
    }

    /// A line break of the text itself.
    fn line_break(&mut self, character: char) -> Emitted {
        if character == '\n' {
            return self.line();
        }
        self.put(character)?;
        self.column = 0;
        Ok(())
    }

    /// Goes to a fresh line's column `indent`, if it is not there.
    pub(super) fn indent(&mut self, indent: usize) -> Emitted {
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line()?;
        }
        if self.column < indent {
            self.out.repeat(" ", indent - self.column)?;
            self.column = indent;
        }
        self.whitespace = true;
        self.indention = true;
        Ok(())
    }

    /// `-`, `?`, `:` and the like. `needs_blank`: one before it; `is_blank`: it counts as one itself; `is_indention`: as indentation.
    pub(super) fn indicator(
        &mut self,
        indicator: &str,
        needs_blank: bool,
        is_blank: bool,
        is_indention: bool,
    ) -> Emitted {
        if needs_blank && !self.whitespace {
            self.put(' ')?;
        }
        for character in indicator.chars() {
            self.put(character)?;
        }
        self.whitespace = is_blank;
        self.indention = self.indention && is_indention;
        Ok(())
    }

    /// A text, in the style that comes nearest to the wanted one. `indent` is the column of what contains it.
    pub(super) fn scalar(&mut self, text: &str, wanted: Style, indent: usize, is_key: bool) -> Emitted {
        let analysis = analyze(text, self.newer);
        let mut style = if is_key && analysis.multiline { Style::DoubleQuoted } else { wanted };
        if style == Style::Plain && (!analysis.plain || (is_key && text.is_empty())) {
            style = Style::SingleQuoted;
        }
        if style == Style::SingleQuoted && !analysis.single_quoted {
            style = Style::DoubleQuoted;
        }
        if style == Style::Literal && (!analysis.block || is_key) {
            style = Style::DoubleQuoted;
        }
        let indent = indent + INDENT;
        match style {
            Style::Plain => self.plain(text, indent, !is_key),
            Style::SingleQuoted => self.single_quoted(text, indent, !is_key),
            Style::DoubleQuoted => self.double_quoted(text, indent, !is_key),
            Style::Literal => self.literal(text, indent),
        }
    }

    /// Whether a text is folded at the blank that comes next, before `next`.
    fn folds(&self, may_fold: bool, after_blank: bool, next: Option<char>) -> bool {
        may_fold && !after_blank && self.column > self.width && next.is_some_and(|next| next != ' ')
    }

    fn plain(&mut self, text: &str, indent: usize, may_fold: bool) -> Emitted {
        if !self.whitespace {
            self.put(' ')?;
        }
        let mut after_blank = false;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            if character == ' ' && self.folds(may_fold, after_blank, characters.peek().copied()) {
                self.indent(indent)?;
            } else {
                self.put(character)?;
                self.indention = false;
            }
            after_blank = character == ' ';
        }
        self.whitespace = false;
        self.indention = false;
        Ok(())
    }

    fn single_quoted(&mut self, text: &str, indent: usize, may_fold: bool) -> Emitted {
        self.indicator("'", true, false, false)?;
        let (mut first, mut after_blank, mut after_break) = (true, false, false);
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            if character == ' ' {
                if !first && self.folds(may_fold, after_blank, characters.peek().copied()) {
                    self.indent(indent)?;
                } else {
                    self.put(' ')?;
                }
            } else if is_break(character) {
                if !after_break && character == '\n' {
                    self.line()?;
                }
                self.line_break(character)?;
                self.indention = true;
            } else {
                if after_break {
                    self.indent(indent)?;
                }
                if character == '\'' {
                    self.put('\'')?;
                }
                self.put(character)?;
                self.indention = false;
            }
            after_break = is_break(character) || (after_break && character == ' ');
            after_blank = character == ' ';
            first = false;
        }
        self.indicator("'", false, false, false)
    }

    fn double_quoted(&mut self, text: &str, indent: usize, may_fold: bool) -> Emitted {
        self.indicator("\"", true, false, false)?;
        let (mut first, mut after_blank) = (true, false);
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let next = characters.peek().copied();
            if character == ' ' {
                if may_fold && !after_blank && !first && next.is_some() && self.column > self.width {
                    self.indent(indent)?;
                    if next == Some(' ') {
                        self.put('\\')?;
                    }
                } else {
                    self.put(' ')?;
                }
            } else if !is_printable(character) || is_break(character) || matches!(character, '"' | '\\') {
                for escaped in escape(character).chars() {
                    self.put(escaped)?;
                }
            } else {
                self.put(character)?;
            }
            after_blank = character == ' ';
            first = false;
        }
        self.indicator("\"", false, false, false)
    }

    fn literal(&mut self, text: &str, indent: usize) -> Emitted {
        self.indicator("|", true, false, false)?;
        if text.starts_with(|first| first == ' ' || is_break(first)) {
            self.indicator(&INDENT.to_string(), false, false, false)?;
        }
        let mut from_the_end = text.chars().rev();
        match (from_the_end.next().is_some_and(is_break), from_the_end.next()) {
            (false, _) => self.indicator("-", false, false, false)?,
            (true, None) => self.indicator("+", false, false, false)?,
            (true, Some(before)) if is_break(before) => self.indicator("+", false, false, false)?,
            (true, Some(_)) => {}
        }
        self.line()?;
        self.indention = true;
        self.whitespace = true;
        let mut after_break = true;
        for character in text.chars() {
            if is_break(character) {
                self.line_break(character)?;
                self.indention = true;
            } else {
                if after_break {
                    self.indent(indent)?;
                }
                self.put(character)?;
                self.indention = false;
            }
            after_break = is_break(character);
        }
        Ok(())
    }
}

fn escape(character: char) -> String {
    let number = u32::from(character);
    let short = match character {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ if number <= 0xff => return format!("\\x{number:02X}"),
        _ if number <= 0xffff => return format!("\\u{number:04X}"),
        _ => return format!("\\U{number:08X}"),
    };
    format!("\\{short}")
}
