//! Patterns over paths: those of `.helmignore` (Go's `filepath.Match`) and those of `.Files.Glob` (the library gobwas/glob).
//!
//! Both become regular expressions, which match in linear time whatever the pattern.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// The longest pattern, in bytes.
const PATTERN_LIMIT: usize = 1_000;
/// The largest regular expression that may come of it, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// A pattern that paths are compared with.
pub struct Pattern(Regex);

impl Pattern {
    /// A pattern of `.helmignore`: `*` and `?` stop at `/`, `[…]` is a class, `\` escapes.
    ///
    /// # Errors
    /// It is no pattern: a class that does not end, nothing behind `\`.
    pub fn of_ignore(pattern: &str) -> Result<Self, String> {
        let mut expression = String::new();
        let mut letters = pattern.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '*' => expression.push_str("[^/]*"),
                '?' => expression.push_str("[^/]"),
                '[' => class_of_ignore(&mut letters, &mut expression)?,
                '\\' => push(letters.next().ok_or("syntax error in pattern")?, &mut expression),
                letter => push(letter, &mut expression),
            }
        }
        Self::compile(pattern, &expression)
    }

    /// A pattern of `.Files.Glob`: `*` and `?` stop at `/`, `**` does not, `[…]` and `[!…]` are a class or one range, `{a,b}` are
    /// alternatives. As in Helm, what is no pattern matches every path.
    ///
    /// # Errors
    /// It is too long.
    pub fn of_files(pattern: &str) -> Result<Self, String> {
        let mut translation =
            Translation { letters: pattern.chars().peekable(), expression: String::new(), depth: 0 };
        let expression = match translation.all() {
            Some(()) => translation.expression,
            None => ".*".to_owned(),
        };
        Self::compile(pattern, &expression)
    }

    /// Whether the whole path matches.
    pub fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }

    fn compile(pattern: &str, expression: &str) -> Result<Self, String> {
        if pattern.len() > PATTERN_LIMIT {
            return Err(format!("a pattern is longer than {PATTERN_LIMIT} bytes"));
        }
        RegexBuilder::new(&format!("^(?:{expression})$"))
            .dot_matches_new_line(true)
            .size_limit(SIZE_LIMIT)
            .build()
            .map(Self)
            .map_err(|_| "a pattern is too large".to_owned())
    }
}

fn push(letter: char, expression: &mut String) {
    expression.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
}

fn push_range(low: char, high: char, expression: &mut String) {
    push(low, expression);
    expression.push('-');
    push(high, expression);
}

/// What stands behind `[`: `^`, then letters and ranges up to `]`.
fn class_of_ignore(letters: &mut Peekable<Chars<'_>>, expression: &mut String) -> Result<(), String> {
    const BAD: &str = "syntax error in pattern";
    let single = |letters: &mut Peekable<Chars<'_>>| match letters.next() {
        Some('\\') => letters.next().ok_or(BAD),
        None | Some('-' | ']') => Err(BAD),
        Some(letter) => Ok(letter),
    };
    let negated = letters.next_if_eq(&'^').is_some();
    let mut ranges: Vec<(char, char)> = Vec::new();
    while ranges.is_empty() || letters.next_if_eq(&']').is_none() {
        let low = single(letters)?;
        let high = if letters.next_if_eq(&'-').is_some() { single(letters)? } else { low };
        ranges.push((low, high));
    }
    // A range that is upside down matches nothing in Go, and is no regular expression.
    ranges.retain(|(low, high)| low <= high);
    if ranges.is_empty() {
        expression.push_str(if negated { "." } else { "[^\\s\\S]" });
        return Ok(());
    }
    expression.push_str(if negated { "[^" } else { "[" });
    for (low, high) in ranges {
        push_range(low, high, expression);
    }
    expression.push(']');
    Ok(())
}

/// A pattern of gobwas/glob under way to a regular expression.
struct Translation<'a> {
    letters: Peekable<Chars<'a>>,
    expression: String,
    /// How many `{` are open.
    depth: usize,
}

impl Translation<'_> {
    /// The whole pattern; none when it is none.
    fn all(&mut self) -> Option<()> {
        while let Some(letter) = self.letters.next() {
            match letter {
                '*' if self.letters.next_if_eq(&'*').is_some() => self.expression.push_str(".*"),
                '*' => self.expression.push_str("[^/]*"),
                '?' => self.expression.push_str("[^/]"),
                '[' => self.class()?,
                '{' => {
                    self.depth += 1;
                    self.expression.push_str("(?:");
                }
                ',' if self.depth > 0 => self.expression.push('|'),
                '}' if self.depth > 0 => {
                    self.depth -= 1;
                    self.expression.push(')');
                }
                // Nothing behind `\` at the very end: it is dropped.
                '\\' => self.letters.next().into_iter().for_each(|letter| push(letter, &mut self.expression)),
                letter => push(letter, &mut self.expression),
            }
        }
        // An alternative may be left open.
        self.expression.push_str(&")".repeat(self.depth));
        Some(())
    }

    /// What stands behind `[`: `!`, then either one range or letters, up to `]`.
    fn class(&mut self) -> Option<()> {
        let negated = self.letters.next_if_eq(&'!').is_some();
        self.expression.push_str(if negated { "[^" } else { "[" });
        let first = *self.letters.peek()?;
        let mut behind = self.letters.clone();
        behind.next();
        if behind.next_if_eq(&'-').is_some() {
            let high = behind.next()?;
            self.letters = behind;
            if high < first || self.letters.next() != Some(']') {
                return None;
            }
            push_range(first, high, &mut self.expression);
        } else {
            let mut count = 0;
            loop {
                let letter = match self.letters.next()? {
                    ']' => break,
                    '\\' => self.letters.next()?,
                    letter => letter,
                };
                push(letter, &mut self.expression);
                count += 1;
            }
            if count == 0 {
                return None;
            }
        }
        self.expression.push(']');
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_ignore_files_stop_at_slashes() {
        let matches = |pattern: &str, path: &str| Pattern::of_ignore(pattern).unwrap().matches(path);
        assert!(matches("*.txt", "a.txt") && !matches("*.txt", "b/a.txt"));
        assert!(matches("templates/.?*", "templates/.hidden") && !matches("templates/.?*", "templates/."));
        assert!(matches("a[b-d]e", "ace") && !matches("a[^b-d]e", "ace") && matches("a[^b-d]e", "a/e"));
        assert!(matches(r"a\*b", "a*b") && !matches(r"a\*b", "acb"));
        assert!(!matches("[d-b]", "c") && matches("[^d-b]", "c"));
        assert!(matches("a.b", "a.b") && !matches("a.b", "axb"));
        for bad in ["[", "[]", "[]a]", "[a-", "\\", "a[", "[-a]"] {
            assert!(Pattern::of_ignore(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn patterns_of_files_know_two_stars_and_alternatives() {
        let matches = |pattern: &str, path: &str| Pattern::of_files(pattern).unwrap().matches(path);
        assert!(
            matches("conf/*", "conf/a") && !matches("conf/*", "conf/a/b") && matches("conf/**", "conf/a/b")
        );
        assert!(matches("**.yaml", "a/b/c.yaml") && matches("**", ""));
        assert!(
            matches("{a,b*}.ini", "b1.ini")
                && matches("{a,{b,c}}.ini", "c.ini")
                && !matches("{a,b}.ini", "c.ini")
        );
        assert!(matches("{a,b", "b"), "an open alternative closes itself");
        assert!(matches("[a-c]1", "b1") && !matches("[!a-c]1", "b1") && matches("[abx]", "x"));
        assert!(matches("a,b}", "a,b}") && matches(r"a\*", "a*") && matches("a\\", "a"));
        for bad in ["[", "[]", "[c-a]", "[a-cx]", "[!"] {
            assert!(matches(bad, "anything/at all"), "{bad} is no pattern: Helm takes every file");
        }
        assert!(Pattern::of_files(&"*".repeat(5_000)).is_err());
        assert!(!matches(&"*a".repeat(400), &"a".repeat(399)));
    }
}
