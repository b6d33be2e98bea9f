//! `snakecase`, `kebabcase` and `camelcase`: where a word ends inside of a name.

use std::sync::LazyLock;

use regex::Regex;

use super::{in_category, lower, upper};

/// What a run of letters is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    /// Begins with a capital: `Name`, or `HTTP`.
    Upper,
    /// Letters that are no capitals.
    Plain,
    Connector,
    Punctuation,
    Other,
    /// The end.
    None,
}

fn is_connector(letter: char) -> bool {
    letter == '-' || letter == '_' || letter.is_whitespace()
}

fn is_punctuation(letter: char) -> bool {
    static PUNCTUATION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{P}").ok());
    in_category(letter, &PUNCTUATION)
}

/// A letter of a script that has cases. Those without cases are xstrings' "other".
fn is_alphabet(letter: char) -> bool {
    letter.is_alphabetic() && (letter.is_uppercase() || letter.is_lowercase() || !is_wide(letter))
}

fn is_wide(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{3ffff}')
}

/// The next word: its kind, its length in bytes.
fn next_word(text: &str) -> (Kind, usize) {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return (Kind::None, 0) };
    let while_all = |holds: &dyn Fn(char) -> bool| text.find(|letter| !holds(letter)).unwrap_or(text.len());
    match first {
        letter if is_connector(letter) => (Kind::Connector, while_all(&is_connector)),
        letter if is_punctuation(letter) => (Kind::Punctuation, while_all(&is_punctuation)),
        letter if letter.is_uppercase() => (Kind::Upper, capitalized(text, first, letters.next())),
        letter if is_alphabet(letter) => {
            (Kind::Plain, while_all(&|letter| is_alphabet(letter) && !letter.is_uppercase()))
        }
        letter if letter.is_numeric() => (Kind::Number, while_all(&char::is_numeric)),
        _ => {
            let ends = |c: char| is_connector(c) || is_alphabet(c) || c.is_numeric() || is_punctuation(c);
            (Kind::Other, while_all(&|letter| !ends(letter)))
        }
    }
}

/// The length of a word that begins with a capital. Of several capitals the last belongs to the small letters behind it.
fn capitalized(text: &str, first: char, second: Option<char>) -> usize {
    let first = first.len_utf8();
    let after = |from: usize, holds: &dyn Fn(char) -> bool| {
        text[from..].find(|letter| !holds(letter)).map_or(text.len(), |at| from + at)
    };
    match second {
        Some(second) if second.is_uppercase() => {
            let end = after(first, &char::is_uppercase);
            let last = text[..end].chars().next_back().map_or(0, char::len_utf8);
            if text[end..].starts_with(is_alphabet) { end - last } else { end }
        }
        Some(second) if is_alphabet(second) => {
            after(first, &|letter| is_alphabet(letter) && !letter.is_uppercase())
        }
        _ => first,
    }
}

/// Goes through the words of a name and writes them in lower case.
struct Words<'a> {
    rest: &'a str,
    kind: Kind,
    word: &'a str,
    connector: char,
    out: String,
}

impl Words<'_> {
    fn advance(&mut self) {
        let (kind, length) = next_word(self.rest);
        let (word, rest) = self.rest.split_at(length);
        (self.kind, self.word, self.rest) = (kind, word, rest);
    }

    fn put(&mut self, kind: Kind, word: &str) {
        let connector = self.connector;
        match kind {
            Kind::Connector => self.out.extend(word.chars().map(|_| connector)),
            Kind::Upper => self.out.extend(word.chars().map(|c| if c.is_uppercase() { lower(c) } else { c })),
            _ => self.out.push_str(word),
        }
    }

    /// Puts the letters and numbers that follow; then a connector before what is neither end, connector nor punctuation.
    fn put_letters_and_numbers(&mut self) {
        while matches!(self.kind, Kind::Plain | Kind::Number) {
            self.put(self.kind, self.word);
            self.advance();
        }
        self.connect();
    }

    fn connect(&mut self) {
        if !matches!(self.kind, Kind::None | Kind::Connector | Kind::Punctuation) {
            self.out.push(self.connector);
        }
    }
}

/// The words of the name in lower case with the connector between them.
pub fn joined(text: &str, connector: char) -> String {
    let mut words = Words { rest: text, kind: Kind::None, word: "", connector, out: String::new() };
    words.advance();
    while !words.rest.is_empty() {
        let (kind, word) = (words.kind, words.word);
        if kind != Kind::Connector {
            words.put(kind, word);
        }
        words.advance();
        match kind {
            Kind::Number => words.put_letters_and_numbers(),
            Kind::Connector => words.put(kind, word),
            Kind::Punctuation => {}
            _ if words.kind != Kind::Number => words.connect(),
            _ if words.rest.is_empty() => {}
            _ => number_behind_letters(&mut words),
        }
    }
    let (kind, word) = (words.kind, words.word);
    words.put(kind, word);
    words.out
}

/// A number behind letters belongs to them (`Bld4Floor`), but to the small letters that follow it (`HTTP2xx`).
fn number_behind_letters(words: &mut Words<'_>) {
    let number = words.word;
    words.advance();
    if words.kind == Kind::Plain {
        words.out.push(words.connector);
        words.put(Kind::Number, number);
        words.put_letters_and_numbers();
    } else {
        words.put(Kind::Number, number);
        words.connect();
    }
}

/// `some_words` as `SomeWords`. Connectors at the beginning stay, and all but one of several in a row.
pub fn camel(text: &str) -> String {
    let body = text.trim_start_matches(is_connector);
    let mut out = text[..text.len() - body.len()].to_owned();
    let mut letters = body.chars();
    let Some(first) = letters.next() else {
        // Of nothing but connectors the last one comes twice.
        out.extend(text.chars().next_back());
        return out;
    };
    let mut last = upper(first);
    let mut shouting = first.is_uppercase();
    for letter in letters {
        let mut next = letter;
        if is_connector(letter) && is_connector(last) {
            out.push(last);
        } else if is_connector(last) {
            shouting = letter.is_uppercase();
            next = upper(letter);
        } else {
            // Capitals behind the first one of a word become small.
            if shouting && letter.is_uppercase() {
                next = lower(letter);
            } else {
                shouting = false;
            }
            out.push(last);
        }
        last = next;
    }
    out.push(last);
    out
}
