//! Cuts a template into tokens, by the rules of Go's `text/template/parse`.

use super::token::{Keyword, Kind, Token};
use crate::driver::chart::format::quote;

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
/// A space and a minus before the right delimiter, a minus and a space after the left one.
const TRIM_MARKER: usize = 2;

/// The tokens of `source`. The last one is [`Kind::End`], or [`Kind::Error`] where the lexer gave up.
pub(super) fn lex(source: &str) -> Vec<Token<'_>> {
    let mut lexer =
        Lexer { source, at: 0, start: 0, line: 1, line_at: 0, parentheses: 0, tokens: Vec::new() };
    if let Err(problem) = lexer.text() {
        let offset = lexer.start;
        let line = lexer.line_of(offset);
        lexer.tokens.push(Token { kind: Kind::Error, offset, line, text: "", problem });
    }
    lexer.tokens
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    /// Where the token under way begins.
    start: usize,
    /// The line of `line_at`, which only moves forward.
    line: usize,
    line_at: usize,
    parentheses: usize,
    tokens: Vec<Token<'s>>,
}

/// A step's outcome; the error is the text of an error token.
type Step = Result<(), String>;

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn accept(&mut self, valid: &str) -> bool {
        let accepted = self.peek().is_some_and(|next| valid.contains(next));
        if accepted {
            self.next();
        }
        accepted
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    /// The line of an offset that is not before the last one asked for.
    fn line_of(&mut self, offset: usize) -> usize {
        if offset > self.line_at {
            let passed = self.source.get(self.line_at..offset).unwrap_or("");
            self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
            self.line_at = offset;
        }
        self.line
    }

    fn emit(&mut self, kind: Kind) {
        let (offset, end) = (self.start, self.at);
        let line = self.line_of(offset);
        let text = self.source.get(offset..end).unwrap_or("");
        self.tokens.push(Token { kind, offset, line, text, problem: String::new() });
        self.start = end;
    }

    /// Text up to the next action, and all that follows.
    fn text(&mut self) -> Step {
        loop {
            let Some(length) = self.rest().find(LEFT) else {
                self.at = self.source.len();
                if self.at > self.start {
                    self.emit(Kind::Text);
                }
                self.emit(Kind::End);
                return Ok(());
            };
            let delimiter = self.at + length;
            let before = self.source.get(self.at..delimiter).unwrap_or("");
            let after = self.source.get(delimiter + LEFT.len()..).unwrap_or("");
            let trims = has_left_trim_marker(after);
            let kept = if trims { before.trim_end_matches(is_space) } else { before };
            if !kept.is_empty() {
                self.at = self.start + kept.len();
                self.emit(Kind::Text);
            }
            self.at = delimiter;
            self.start = delimiter;
            self.left_delimiter(trims)?;
        }
    }

    /// The left delimiter and the action or the comment that it begins.
    fn left_delimiter(&mut self, trims: bool) -> Step {
        let marker = if trims { TRIM_MARKER } else { 0 };
        self.at += LEFT.len();
        let inside = self.source.get(self.at + marker..).unwrap_or("");
        if inside.starts_with("/*") {
            self.at += marker;
            self.start = self.at;
            return self.comment();
        }
        self.emit(Kind::LeftDelim);
        self.at += marker;
        self.start = self.at;
        self.parentheses = 0;
        while !self.inside_action()? {}
        Ok(())
    }

    fn comment(&mut self) -> Step {
        let Some(length) = self.rest().get(2..).and_then(|text| text.find("*/")) else {
            return Err("unclosed comment".to_owned());
        };
        self.at += length + 4;
        let Some(trims) = self.at_right_delimiter() else {
            return Err("comment ends before closing delimiter".to_owned());
        };
        self.skip_right_delimiter(trims);
        self.start = self.at;
        Ok(())
    }

    /// Whether a right delimiter stands here, and if so, whether it trims.
    fn at_right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim_marker(rest) && rest.get(TRIM_MARKER..).is_some_and(|rest| rest.starts_with(RIGHT))
        {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    fn skip_right_delimiter(&mut self, trims: bool) {
        self.at += RIGHT.len();
        if trims {
            self.at += TRIM_MARKER;
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(is_space).len();
        }
    }

    fn right_delimiter(&mut self, trims: bool) {
        if trims {
            self.start = self.at + TRIM_MARKER;
        }
        let offset = self.start;
        let line = self.line_of(offset);
        self.tokens.push(Token { kind: Kind::RightDelim, offset, line, text: RIGHT, problem: String::new() });
        self.skip_right_delimiter(trims);
        self.start = self.at;
    }

    /// One token of an action; whether it was the action's end.
    fn inside_action(&mut self) -> Result<bool, String> {
        if let Some(trims) = self.at_right_delimiter() {
            if self.parentheses > 0 {
                return Err("unclosed left paren".to_owned());
            }
            self.right_delimiter(trims);
            return Ok(true);
        }
        let Some(next) = self.next() else { return Err("unclosed action".to_owned()) };
        match next {
            _ if is_space(next) => return Ok(self.spaces()),
            '=' => self.emit(Kind::Assign),
            ':' => {
                if self.next() != Some('=') {
                    return Err("expected :=".to_owned());
                }
                self.emit(Kind::Declare);
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string")?,
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant")?,
            '`' => {
                let Some(length) = self.rest().find('`') else {
                    return Err("unterminated raw quoted string".to_owned());
                };
                self.at += length + 1;
                self.emit(Kind::RawString);
            }
            '$' => self.field_or_variable(Kind::Variable)?,
            '.' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => {
                self.field_or_variable(Kind::Field)?;
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.at = self.start;
                self.number()?;
            }
            _ if is_alphanumeric(next) => self.identifier()?,
            '(' => {
                self.parentheses += 1;
                self.emit(Kind::LeftParen);
            }
            ')' => {
                if self.parentheses == 0 {
                    return Err("unexpected right paren".to_owned());
                }
                self.parentheses -= 1;
                self.emit(Kind::RightParen);
            }
            ' '..='~' => self.emit(Kind::Char),
            _ => return Err(format!("unrecognized character in action: {}", codepoint(next))),
        }
        Ok(false)
    }

    /// A run of spaces, of which one has been read; whether they led to the action's end.
    ///
    /// The last space before a minus and the right delimiter belongs to the delimiter.
    fn spaces(&mut self) -> bool {
        let run = self.source.get(self.start..).unwrap_or("");
        let mut length = run.len() - run.trim_start_matches(is_space).len();
        if run
            .get(length..)
            .is_some_and(|rest| rest.strip_prefix('-').is_some_and(|rest| rest.starts_with(RIGHT)))
        {
            length -= 1;
        }
        self.at = self.start + length;
        if length == 0 {
            self.right_delimiter(true);
            return true;
        }
        self.emit(Kind::Space);
        false
    }

    fn identifier(&mut self) -> Step {
        let problem = self.word();
        let word = self.source.get(self.start..self.at).unwrap_or("");
        if let Some(problem) = problem {
            return Err(problem);
        }
        self.emit(match (Keyword::find(word), word) {
            (Some(keyword), _) => Kind::Keyword(keyword),
            (None, "true" | "false") => Kind::Bool,
            _ => Kind::Identifier,
        });
        Ok(())
    }

    /// `.name`, `.`, `$name` or `$`, of which the first character has been read.
    fn field_or_variable(&mut self, kind: Kind) -> Step {
        if self.at_terminator() {
            self.emit(if kind == Kind::Variable { kind } else { Kind::Dot });
            return Ok(());
        }
        if let Some(problem) = self.word() {
            return Err(problem);
        }
        self.emit(kind);
        Ok(())
    }

    /// The rest of a word; what is wrong with the character after it.
    fn word(&mut self) -> Option<String> {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        let next = self.peek().filter(|_| !self.at_terminator())?;
        Some(format!("bad character {}", codepoint(next)))
    }

    /// Whether what stands here may follow a word.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(next) => is_space(next) || self.rest().starts_with(RIGHT),
        }
    }

    /// A text or a character in quotes, of which the first has been read.
    fn quoted(&mut self, end: char, kind: Kind, unterminated: &str) -> Step {
        loop {
            match self.next() {
                Some('\\') if self.peek().is_some_and(|next| next != '\n') => {
                    self.next();
                }
                None | Some('\n' | '\\') => return Err(unterminated.to_owned()),
                Some(next) if next == end => break,
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    fn number(&mut self) -> Step {
        let mut fine = self.scan_number();
        let mut complex = self.source.get(self.start..self.at).is_some_and(|text| text.ends_with('i'));
        if fine && matches!(self.peek(), Some('+' | '-')) {
            fine = self.scan_number() && self.source.get(..self.at).is_some_and(|text| text.ends_with('i'));
            complex = true;
        }
        let text = self.source.get(self.start..self.at).unwrap_or("");
        if !fine {
            return Err(format!("bad number syntax: {}", quote(text)));
        }
        if complex {
            return Err(format!("complex numbers are not supported: {}", quote(text)));
        }
        self.emit(Kind::Number);
        Ok(())
    }

    /// The run of a number: generous, since its value is read later.
    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        let (mut decimal, mut hexadecimal) = (true, false);
        if self.accept("0") {
            let prefixes = [("xX", "0123456789abcdefABCDEF_"), ("oO", "01234567_"), ("bB", "01_")];
            if let Some((prefix, valid)) = prefixes.into_iter().find(|(prefix, _)| self.accept(prefix)) {
                (digits, decimal, hexadecimal) = (valid, false, prefix == "xX");
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        if (decimal && self.accept("eE")) || (hexadecimal && self.accept("pP")) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

fn has_left_trim_marker(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next() == Some('-') && characters.next().is_some_and(is_space)
}

fn has_right_trim_marker(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(is_space) && characters.next() == Some('-')
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || character.is_alphabetic() || character.is_numeric()
}

/// Go's `%#U`.
fn codepoint(character: char) -> String {
    let number = u32::from(character);
    if crate::driver::chart::format::is_print(character) {
        return format!("U+{number:04X} '{character}'");
    }
    format!("U+{number:04X}")
}
