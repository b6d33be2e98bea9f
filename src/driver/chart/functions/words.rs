//! Words and letters: cases, initials, wrapping, abbreviating.
//!
//! The rules are those of Go's `strings.Title` and of the libraries xstrings 1.5.0 and goutils 1.1.1, oddities included: some of
//! goutils' functions take bytes for letters.

use std::sync::LazyLock;

use regex::Regex;

use super::super::value::Value;
use super::Kind::{Int, Text};
use super::arguments::{Answer, bytes, fixed, int, string};
use super::strings::map;
use super::{Entry, Surroundings, TEXT_MAX, entry, too_large};

mod cases;

pub(super) const TABLE: &[Entry] = &[
    entry("title", &[Text], |_, given| map(given, title)),
    entry("untitle", &[Text], |_, given| map(given, untitle)),
    entry("swapcase", &[Text], |_, given| map(given, swap_case)),
    entry("camelcase", &[Text], |_, given| map(given, cases::camel)),
    entry("snakecase", &[Text], |_, given| map(given, |text| cases::joined(text, '_'))),
    entry("kebabcase", &[Text], |_, given| map(given, |text| cases::joined(text, '-'))),
    entry("initials", &[Text], initials),
    entry("nospace", &[Text], no_space),
    entry("wrap", &[Int, Text], wrap),
    entry("wrapWith", &[Int, Text, Text], wrap_with),
    entry("abbrev", &[Int, Text], abbrev),
    entry("abbrevboth", &[Int, Int, Text], abbrev_both),
];

/// Go's `unicode.ToUpper`: one letter for one letter.
pub(super) fn upper(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    // What only several letters stand for (ß) stays.
    if upper.len() == 1 { upper.next().unwrap_or(letter) } else { letter }
}

/// Go's `unicode.ToLower`.
pub(super) fn lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

/// Go's `unicode.ToTitle`: for four letters that are two in one, it is not the upper case.
fn title_case(letter: char) -> char {
    match letter {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        other => upper(other),
    }
}

/// Go's `strings.Title`: the first letter of each word, where only what is no letter, digit or underscore ends a word.
fn title(text: &str) -> String {
    let mut before = ' ';
    let mut letters = Vec::new();
    for letter in text.chars() {
        letters.push(if separates(before) { title_case(letter) } else { letter });
        before = letter;
    }
    letters.into_iter().collect()
}

fn separates(letter: char) -> bool {
    match letter {
        letter if letter.is_ascii() => !letter.is_ascii_alphanumeric() && letter != '_',
        letter if letter.is_alphabetic() || is_digit(letter) => false,
        letter => letter.is_whitespace(),
    }
}

/// Go's `unicode.IsDigit`.
fn is_digit(letter: char) -> bool {
    in_category(letter, &DIGIT)
}

static DIGIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{Nd}").ok());

/// Whether the letter is of a category of Unicode.
fn in_category(letter: char, category: &LazyLock<Option<Regex>>) -> bool {
    category.as_ref().is_some_and(|category| category.is_match(letter.encode_utf8(&mut [0; 4])))
}

/// The first letter of each word in lower case.
fn untitle(text: &str) -> String {
    let mut begins = true;
    let change = |letter: char| {
        let was = std::mem::replace(&mut begins, letter.is_whitespace());
        if was && !letter.is_whitespace() { lower(letter) } else { letter }
    };
    text.chars().map(change).collect()
}

/// Upper case to lower and the reverse; a small letter at the beginning of a word becomes a title's.
fn swap_case(text: &str) -> String {
    let mut begins = true;
    let change = |letter: char| {
        let cased = letter.is_uppercase()
            || letter.is_lowercase()
            || title_case(letter) == letter && lower(letter) != letter;
        let was = begins;
        begins = if cased { false } else { letter.is_whitespace() };
        match letter {
            letter if letter.is_lowercase() => {
                if was {
                    title_case(letter)
                } else {
                    upper(letter)
                }
            }
            letter if cased => lower(letter),
            letter => letter,
        }
    };
    text.chars().map(change).collect()
}

/// Whether goutils takes the byte for a blank.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xa0)
}

fn initials(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    let given = bytes(given)?;
    let begins = |at: usize| at == 0 || is_blank(given[at - 1]);
    let firsts = (0..given.len()).filter(|&at| !is_blank(given[at]) && begins(at));
    // A byte beyond ASCII becomes the letter of that number.
    string(firsts.map(|at| char::from(given[at])).collect::<String>())
}

fn no_space(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    let given = bytes(given)?;
    if !given.iter().any(|&byte| is_blank(byte)) {
        return string(given);
    }
    string(given.iter().filter(|&&byte| !is_blank(byte)).map(|&byte| char::from(byte)).collect::<String>())
}

fn wrap(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [width, given] = fixed(arguments)?;
    wrapped(bytes(given)?, int(width)?, b"\n", false)
}

fn wrap_with(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [width, separator, given] = fixed(arguments)?;
    let separator = bytes(separator)?;
    wrapped(bytes(given)?, int(width)?, if separator.is_empty() { b"\n" } else { separator }, true)
}

/// Lines of at most `width` bytes, cut at blanks; a word that is longer is cut only when `cut_words` says so.
fn wrapped(given: &[u8], width: i64, separator: &[u8], cut_words: bool) -> Answer {
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    let mut out = Vec::new();
    let mut rest = given;
    while rest.len() > width {
        if let [b' ', after @ ..] = rest {
            rest = after;
            continue;
        }
        let blank = rest[..=width].iter().rposition(|&byte| byte == b' ');
        let next_blank = || rest[width..].iter().position(|&byte| byte == b' ').map(|at| at + width);
        let (line, skipped) = match blank {
            Some(at) => (at, 1),
            None if cut_words => (width, 0),
            None => match next_blank() {
                Some(at) => (at, 1),
                None => break,
            },
        };
        out.extend_from_slice(&rest[..line]);
        out.extend_from_slice(separator);
        rest = &rest[line + skipped..];
        if out.len() > TEXT_MAX {
            return Err(too_large("the wrapped text"));
        }
    }
    out.extend_from_slice(rest);
    string(out)
}

fn abbrev(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [width, given] = fixed(arguments)?;
    let (width, given) = (int(width)?, bytes(given)?);
    if width < 4 {
        return string(given);
    }
    string(abbreviated(given, 0, width))
}

fn abbrev_both(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [left, width, given] = fixed(arguments)?;
    let (left, width, given) = (int(left)?, int(width)?, bytes(given)?);
    if width < 4 || left > 0 && width < 7 {
        return string(given);
    }
    string(abbreviated(given, left, width))
}

/// At most `width` bytes with `...` for what is left out, at the end or, from an offset above 4, on both sides.
fn abbreviated(given: &[u8], offset: i64, width: i64) -> Vec<u8> {
    let length = given.len() as i64;
    if length <= width {
        return given.to_vec();
    }
    let at = |index: i64| usize::try_from(index).unwrap_or(0).min(given.len());
    let mut offset = offset.min(length);
    // As in Go, an offset that is far below zero wraps around to the end.
    if length.wrapping_sub(offset) < width - 3 {
        offset = length - (width - 3);
    }
    if offset <= 4 {
        return [&given[..at(width - 3)], b"..."].concat();
    }
    if offset + width - 3 < length {
        let rest = abbreviated(&given[at(offset)..], 0, width - 3);
        return [b"...", &*rest].concat();
    }
    [b"...", &given[at(length - (width - 3))..]].concat()
}
