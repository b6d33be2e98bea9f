//! Go's escaping functions: `html`, `js` and `urlquery`.

use std::fmt::Write as _;

use crate::driver::chart::format::is_print;

/// For HTML.
pub(super) fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\0' => escaped.push(char::REPLACEMENT_CHARACTER),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// For a text within JavaScript.
pub(super) fn javascript(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '\'' | '"' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '<' | '>' | '&' | '=' => written(write!(escaped, "\\u{:04X}", u32::from(character))),
            _ if character < ' ' || !is_print(character) => {
                written(write!(escaped, "\\u{:04X}", u32::from(character)));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// For the query of a URL.
pub(super) fn query(text: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte))
            }
            b' ' => escaped.push('+'),
            _ => written(write!(escaped, "%{byte:02X}")),
        }
    }
    escaped
}

/// Writing to a text cannot fail.
fn written(outcome: std::fmt::Result) {
    debug_assert!(outcome.is_ok());
}
