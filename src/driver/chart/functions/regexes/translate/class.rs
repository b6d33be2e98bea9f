//! Classes of letters in brackets.

use super::escape::{letter, named_class};
use super::{between, error, put_literal};

/// The names in `[[:alpha:]]`.
const POSIX: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// The class at the beginning of the text, translated, and what stands behind it.
pub(super) fn class(text: &str) -> Result<(String, &str), String> {
    let mut out = "[".to_owned();
    let mut rest = &text[1..];
    if let Some(behind) = rest.strip_prefix('^') {
        out.push('^');
        rest = behind;
    }
    let mut first = true;
    loop {
        match rest.chars().next() {
            None => return error("missing closing ]", text),
            Some(']') if !first => break,
            Some(_) => {}
        }
        first = false;
        if let Some((name, behind)) = posix(rest)? {
            out.push_str(name);
            rest = behind;
            continue;
        }
        if rest.starts_with('\\')
            && let Some((class, behind)) = named_class(rest)?
        {
            out.push_str(&class);
            rest = behind;
            continue;
        }
        let from = rest;
        let (low, behind) = member(text, rest)?;
        rest = behind;
        put_literal(&mut out, low);
        // A hyphen before the closing bracket is a letter.
        if let Some(behind) =
            rest.strip_prefix('-').filter(|behind| !behind.is_empty() && !behind.starts_with(']'))
        {
            let (high, behind) = member(text, behind)?;
            rest = behind;
            if high < low {
                return error("invalid character class range", between(from, rest));
            }
            out.push('-');
            put_literal(&mut out, high);
        }
    }
    out.push(']');
    Ok((out, &rest[1..]))
}

/// `[:alpha:]` or `[:^alpha:]` at the beginning, and what stands behind.
fn posix(text: &str) -> Result<Option<(&str, &str)>, String> {
    let Some(name) = text.strip_prefix("[:") else { return Ok(None) };
    let Some((name, rest)) = name.split_once(":]") else { return Ok(None) };
    let all = between(text, rest);
    if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
        return error("invalid character class range", all);
    }
    Ok(Some((all, rest)))
}

/// A single letter of a class, and what stands behind it.
fn member<'a>(class: &str, text: &'a str) -> Result<(char, &'a str), String> {
    match text.chars().next() {
        None => error("missing closing ]", class),
        Some('\\') => letter(text),
        Some(letter) => Ok((letter, &text[letter.len_utf8()..])),
    }
}
