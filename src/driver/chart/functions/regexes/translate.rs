//! From Go's syntax of regular expressions (RE2 with Perl's classes) to that of the crate `regex`.
//!
//! What both write differently: `\d`, `\s`, `\w`, `\b` know only ASCII in Go; `\Q…\E`, octal escapes and `\C`; braces that are
//! no repetition and brackets in classes are letters. What Go refuses is refused here, in Go's words.

use std::fmt::Write;

mod class;
mod escape;

/// The most repetitions of a counted one, as in Go.
const REPEAT_MAX: u32 = 1000;
/// The deepest nesting of groups: what the crate takes by default.
const DEPTH_MAX: usize = 200;

/// An expression for the crate `regex`.
pub struct Translated {
    pub pattern: String,
    /// The names of the groups; the first is the whole match and has none.
    pub names: Vec<Option<String>>,
}

struct Translator<'a> {
    whole: &'a str,
    rest: &'a str,
    out: String,
    names: Vec<Option<String>>,
    depth: usize,
    /// Whether something stands before that can be repeated.
    repeatable: bool,
    /// Where the repetition right before begins, as a rest.
    repeated: Option<&'a str>,
}

/// Go's error.
fn error<T>(problem: &str, place: &str) -> Result<T, String> {
    Err(format!("error parsing regexp: {problem}: `{place}`"))
}

/// The part of `from` before `to`, which is its end.
fn between<'a>(from: &'a str, to: &str) -> &'a str {
    &from[..from.len() - to.len()]
}

/// Translates an expression. An error has Go's words.
pub fn translate(expression: &str) -> Result<Translated, String> {
    let mut translator = Translator {
        whole: expression,
        rest: expression,
        out: String::new(),
        names: vec![None],
        depth: 0,
        repeatable: false,
        repeated: None,
    };
    while let Some(letter) = translator.rest.chars().next() {
        translator.step(letter)?;
    }
    if translator.depth > 0 {
        return error("missing closing )", expression);
    }
    Ok(Translated { pattern: translator.out, names: translator.names })
}

impl<'a> Translator<'a> {
    /// Translates what begins with this letter.
    fn step(&mut self, letter: char) -> Result<(), String> {
        let before = self.rest;
        let repeated = self.repeated.take();
        match letter {
            '(' => self.open()?,
            ')' => self.close()?,
            '|' => {
                self.put_operator("|");
                self.repeatable = false;
            }
            '^' | '$' | '.' => self.put_operator(&before[..1]),
            '[' => {
                let (class, rest) = class::class(before)?;
                self.out.push_str(&class);
                self.rest = rest;
                self.repeatable = true;
            }
            '*' | '+' | '?' => self.repeat(&before[..1], &before[1..], repeated)?,
            '{' => match counts(before) {
                Some((least, most, rest)) => {
                    if least > REPEAT_MAX || most.is_some_and(|most| most > REPEAT_MAX || most < least) {
                        return error("invalid repeat count", between(before, rest));
                    }
                    let operator = between(before, rest).to_owned();
                    self.repeat(&operator, rest, repeated)?;
                }
                None => self.put_literal('{'),
            },
            '\\' => self.escape()?,
            letter => self.put_literal(letter),
        }
        Ok(())
    }

    /// Puts an operator of one letter, which is the same in both.
    fn put_operator(&mut self, operator: &str) {
        self.out.push_str(operator);
        self.rest = &self.rest[1..];
        self.repeatable = true;
    }

    /// Puts the letter at the front as itself.
    fn put_literal(&mut self, letter: char) {
        put_literal(&mut self.out, letter);
        self.rest = &self.rest[letter.len_utf8()..];
        self.repeatable = true;
    }

    /// A repetition, and the `?` behind it that makes it lazy.
    fn repeat(&mut self, operator: &str, rest: &'a str, repeated: Option<&'a str>) -> Result<(), String> {
        let before = self.rest;
        let lazy = rest.strip_prefix('?');
        let after = lazy.unwrap_or(rest);
        if let Some(last) = repeated {
            return error("invalid nested repetition operator", between(last, after));
        }
        if !self.repeatable {
            return error("missing argument to repetition operator", between(before, after));
        }
        self.out.push_str(operator);
        self.out.push_str(if lazy.is_some() { "?" } else { "" });
        self.rest = after;
        self.repeated = Some(before);
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return error("expression nests too deeply", self.whole);
        }
        self.repeatable = false;
        match self.rest.strip_prefix("(?") {
            Some(flags) => self.flags(flags),
            None => {
                self.names.push(None);
                self.out.push('(');
                self.rest = &self.rest[1..];
                Ok(())
            }
        }
    }

    fn close(&mut self) -> Result<(), String> {
        if self.depth == 0 {
            return error("unexpected )", self.whole);
        }
        self.depth -= 1;
        self.put_operator(")");
        Ok(())
    }

    /// What stands behind `(?`: a name, or flags up to a colon or the parenthesis.
    fn flags(&mut self, flags: &'a str) -> Result<(), String> {
        let before = self.rest;
        if let Some(name) = flags.strip_prefix("P<").or_else(|| flags.strip_prefix('<')) {
            return self.name(name);
        }
        let (mut negative, mut any, mut taken) = (false, false, String::new());
        for (index, letter) in flags.char_indices() {
            let rest = &flags[index + letter.len_utf8()..];
            match letter {
                'i' | 'm' | 's' | 'U' => any = true,
                '-' if !negative => (negative, any) = (true, false),
                ':' | ')' if !negative || any => {
                    if letter == ')' {
                        // Flags for what follows in the same group; without any, nothing.
                        self.depth -= 1;
                        _ = if taken.is_empty() { Ok(()) } else { write!(self.out, "(?{taken})") };
                    } else {
                        _ = write!(self.out, "(?{taken}:");
                    }
                    self.rest = rest;
                    return Ok(());
                }
                _ => return error("invalid or unsupported Perl syntax", between(before, rest)),
            }
            taken.push(letter);
        }
        error("invalid or unsupported Perl syntax", before)
    }

    fn name(&mut self, name: &'a str) -> Result<(), String> {
        let before = self.rest;
        let Some((name, rest)) = name.split_once('>') else {
            return error("invalid named capture", before);
        };
        let all = between(before, rest);
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if name.is_empty() || !name.chars().all(is_word) {
            return error("invalid named capture", all);
        }
        // Two groups may have the same name, which the crate would not allow: here they have none.
        self.names.push(Some(name.to_owned()));
        self.out.push('(');
        self.rest = rest;
        Ok(())
    }
}

/// Puts a letter so that it means itself, in a class as well.
fn put_literal(out: &mut String, letter: char) {
    if letter.is_alphanumeric() {
        out.push(letter)
    } else {
        _ = write!(out, "\\x{{{:X}}}", u32::from(letter))
    }
}

/// The counts of `{n}`, `{n,}` or `{n,m}`, and what stands behind. None for braces that are letters.
fn counts(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (least, rest) = count(text.strip_prefix('{')?)?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((least, Some(least), rest));
    }
    let rest = rest.strip_prefix(',')?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((least, None, rest));
    }
    let (most, rest) = count(rest)?;
    Some((least, Some(most), rest.strip_prefix('}')?))
}

/// A number without leading zeros; too large a one is the largest.
fn count(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
