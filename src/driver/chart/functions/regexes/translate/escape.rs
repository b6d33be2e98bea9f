//! What stands behind a backslash.

use std::cell::RefCell;
use std::collections::HashMap;

use super::{Translator, between, error, put_literal};

/// No name of a category or script is longer.
const CLASS_MAX: usize = 64;
/// How many answers about names are kept.
const CLASSES_KEPT: usize = 1000;

impl Translator<'_> {
    /// An escape outside of a class.
    pub(super) fn escape(&mut self) -> Result<(), String> {
        let before = self.rest;
        self.repeatable = true;
        if let Some(literal) = before.strip_prefix("\\Q") {
            let (literal, rest) = literal.split_once("\\E").unwrap_or((literal, ""));
            literal.chars().for_each(|letter| put_literal(&mut self.out, letter));
            self.rest = rest;
            self.repeatable = !literal.is_empty();
            return Ok(());
        }
        let same = match before.as_bytes().get(1) {
            Some(b'A') => r"\A",
            Some(b'z') => r"\z",
            Some(b'b') => r"(?-u:\b)",
            Some(b'B') => r"(?-u:\B)",
            Some(b'C') => r"(?s-u:.)",
            _ => "",
        };
        if !same.is_empty() {
            self.out.push_str(same);
            self.rest = &before[2..];
            return Ok(());
        }
        if let Some((class, rest)) = named_class(before)? {
            self.out.push_str(&class);
            self.rest = rest;
            return Ok(());
        }
        let (letter, rest) = letter(before)?;
        put_literal(&mut self.out, letter);
        self.rest = rest;
        Ok(())
    }
}

/// `\d` and its like, or `\pL`, as a class of its own, and what stands behind. None when the escape is another one.
pub(super) fn named_class(text: &str) -> Result<Option<(String, &str)>, String> {
    let class = match text.as_bytes().get(1) {
        Some(b'd') => "[0-9]",
        Some(b'D') => "[^0-9]",
        Some(b's') => r"[\t\n\x0C\r ]",
        Some(b'S') => r"[^\t\n\x0C\r ]",
        Some(b'w') => "[0-9A-Za-z_]",
        Some(b'W') => "[^0-9A-Za-z_]",
        Some(b'p' | b'P') => return unicode_class(text).map(Some),
        _ => return Ok(None),
    };
    Ok(Some((class.to_owned(), &text[2..])))
}

/// `\pL`, `\p{Greek}`, `\P{^Lu}`: a category or a script of Unicode.
fn unicode_class(text: &str) -> Result<(String, &str), String> {
    let behind = &text[2..];
    let (name, rest) = match behind.strip_prefix('{') {
        Some(name) => match name.split_once('}') {
            Some(parts) => parts,
            None => return error("invalid character class range", text),
        },
        None => behind.split_at(behind.chars().next().map_or(0, char::len_utf8)),
    };
    let (negative, name) = match name.strip_prefix('^') {
        Some(name) => (!text.starts_with("\\P"), name),
        None => (text.starts_with("\\P"), name),
    };
    let class = format!("\\{}{{{name}}}", if negative { 'P' } else { 'p' });
    let is_name =
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '_');
    // Go's names begin with a capital; the crate knows them in other spellings too.
    if !is_name
        || !name.starts_with(|letter: char| letter.is_ascii_uppercase())
        || regex_syntax_refuses(&class)
    {
        return error("invalid character class range", between(text, rest));
    }
    Ok((class, rest))
}

/// Whether the crate knows no such class. It is asked once for each: to compile one takes long.
fn regex_syntax_refuses(class: &str) -> bool {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, bool>> = RefCell::default();
    }
    if class.len() > CLASS_MAX {
        return true;
    }
    KNOWN.with_borrow_mut(|known| match known.get(class) {
        Some(refused) => *refused,
        None => {
            let refused = regex::Regex::new(class).is_err();
            if known.len() < CLASSES_KEPT {
                known.insert(class.to_owned(), refused);
            }
            refused
        }
    })
}

/// The letter that an escape stands for, and what stands behind it.
pub(super) fn letter(text: &str) -> Result<(char, &str), String> {
    let behind = &text[1..];
    let Some(first) = behind.chars().next() else {
        return error("trailing backslash at end of expression", "");
    };
    let rest = &behind[first.len_utf8()..];
    let found = match first {
        'a' => Some(('\u{7}', rest)),
        'f' => Some(('\u{c}', rest)),
        'n' => Some(('\n', rest)),
        'r' => Some(('\r', rest)),
        't' => Some(('\t', rest)),
        'v' => Some(('\u{b}', rest)),
        '0'..='7' => octal(behind),
        'x' => match hexadecimal(rest) {
            Ok(found) => Some(found),
            Err(rest) => return error("invalid escape sequence", between(text, rest)),
        },
        letter if letter.is_ascii() && !letter.is_ascii_alphanumeric() => Some((letter, rest)),
        _ => None,
    };
    match found {
        Some(found) => Ok(found),
        None => error("invalid escape sequence", between(text, rest)),
    }
}

/// Up to three octal digits; a single one that is not zero would be a reference to a group, which Go has not.
fn octal(text: &str) -> Option<(char, &str)> {
    let digits = text.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    if digits == 1 && !text.starts_with('0') {
        return None;
    }
    let (digits, rest) = text.split_at(digits);
    char::from_u32(u32::from_str_radix(digits, 8).ok()?).map(|letter| (letter, rest))
}

/// `7F`, or `{10FFFF}`. An error is what stands behind the letter that is wrong.
fn hexadecimal(text: &str) -> Result<(char, &str), &str> {
    let mut rest = text.strip_prefix('{').unwrap_or(text);
    let in_braces = rest.len() < text.len();
    let (mut value, mut digits) = (0, 0);
    while in_braces || digits < 2 {
        let Some(letter) = rest.chars().next() else { return Err(rest) };
        rest = &rest[letter.len_utf8()..];
        match letter.to_digit(16) {
            Some(digit) => value = value * 16 + digit,
            None if in_braces && letter == '}' && digits > 0 => break,
            // Go reads both digits before it looks at them.
            None if !in_braces && digits == 0 => {
                return Err(&rest[rest.chars().next().map_or(0, char::len_utf8)..]);
            }
            None => return Err(rest),
        }
        digits += 1;
        if value > u32::from(char::MAX) {
            return Err(rest);
        }
    }
    char::from_u32(value).map(|letter| (letter, rest)).ok_or(rest)
}
