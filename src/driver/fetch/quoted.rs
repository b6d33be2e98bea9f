//! Texts in quotes, as headers and `~/.netrc` have them.

/// What stands before the closing quote of a text whose opening one was taken off, and what comes after it; `\\` keeps the
/// letter behind it.
pub(super) fn unquote(text: &str) -> (String, &str) {
    let mut word = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (word, &text[at + 1..]),
            '\\' => word.extend(letters.next().map(|(_, letter)| letter)),
            _ => word.push(letter),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_at_its_quote() {
        assert_eq!(unquote(r#"a \"b\" c" d"#), (r#"a "b" c"#.to_owned(), " d"));
        assert_eq!(unquote("open"), ("open".to_owned(), ""));
        assert_eq!(unquote("open\\"), ("open".to_owned(), ""));
    }
}
