//! Texts in double quotes, as Go writes them.

use std::fmt::Write as _;

/// Go's `strconv.Quote`.
pub fn quote(text: &str) -> String {
    quote_with(text, '"', false)
}

/// Go's `strconv.Quote` of a string whose bytes need not be UTF-8: those that are not stand there by their numbers.
pub fn quote_bytes(bytes: &[u8]) -> String {
    quote_bytes_with(bytes, false)
}

/// The same; with `ascii`, `strconv.QuoteToASCII`.
pub(super) fn quote_bytes_with(bytes: &[u8], ascii: bool) -> String {
    let mut quoted = String::with_capacity(bytes.len() + 2);
    quoted.push('"');
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|character| escape(&mut quoted, character, '"', ascii));
        chunk.invalid().iter().for_each(|byte| written(write!(quoted, "\\x{byte:02x}")));
    }
    quoted.push('"');
    quoted
}

/// Go's `strconv.Quote` in the given quotes; with `ascii`, `strconv.QuoteToASCII`.
pub(super) fn quote_with(text: &str, mark: char, ascii: bool) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(mark);
    for character in text.chars() {
        escape(&mut quoted, character, mark, ascii);
    }
    quoted.push(mark);
    quoted
}

fn escape(quoted: &mut String, character: char, mark: char, ascii: bool) {
    let number = u32::from(character);
    match character {
        '\\' => quoted.push_str("\\\\"),
        _ if character == mark => {
            quoted.push('\\');
            quoted.push(mark);
        }
        _ if character.is_ascii_graphic() || character == ' ' => quoted.push(character),
        _ if !ascii && is_print(character) => quoted.push(character),
        '\x07' => quoted.push_str("\\a"),
        '\x08' => quoted.push_str("\\b"),
        '\x0c' => quoted.push_str("\\f"),
        '\n' => quoted.push_str("\\n"),
        '\r' => quoted.push_str("\\r"),
        '\t' => quoted.push_str("\\t"),
        '\x0b' => quoted.push_str("\\v"),
        _ if number < 0x20 || number == 0x7f => written(write!(quoted, "\\x{number:02x}")),
        _ if number < 0x10000 => written(write!(quoted, "\\u{number:04x}")),
        _ => written(write!(quoted, "\\U{number:08x}")),
    }
}

/// Go's `unicode.IsPrint`, near enough: Rust's own rule for what `{:?}` writes as it is, and no blank but the plain one.
pub fn is_print(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_graphic() || character == ' ';
    }
    if character.is_whitespace() || character.is_control() {
        return false;
    }
    // Marks that join the character before are printable in Go, and escaped by Rust only at the start of a text.
    let mut text = String::from("x");
    text.push(character);
    !format!("{text:?}").contains('\\')
}

/// Writing to a text cannot fail.
fn written(outcome: std::fmt::Result) {
    debug_assert!(outcome.is_ok());
}
