//! The functions of a file, found without running or parsing it: a driver's file may be anything.

/// A function at the top level of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its line, from 1.
    pub line: usize,
}

/// The functions that are defined at the top level of a Starlark or Python file, in their order.
pub fn functions(text: &str) -> Vec<Function> {
    let mut found = Vec::new();
    // The quotes that close the text that the line is in, and whether it is in brackets: nothing begins there.
    let mut scanner = Scanner::default();
    for (index, line) in text.lines().enumerate() {
        if scanner.is_outside() {
            found.extend(defined(line).map(|name| Function { name: name.to_owned(), line: index + 1 }));
        }
        scanner.line(line);
    }
    found
}

/// How deep brackets are nested in a file, at the deepest.
pub fn nesting(text: &str) -> usize {
    let mut scanner = Scanner::default();
    text.lines().for_each(|line| scanner.line(line));
    scanner.deepest
}

fn defined(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async").map_or(line, str::trim_start);
    let rest = line.strip_prefix("def")?;
    let name = rest.strip_prefix([' ', '\t'])?.trim_start();
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    (end > 0 && name[end..].trim_start().starts_with('(')).then(|| &name[..end])
}

/// Follows texts and brackets over lines.
#[derive(Default)]
struct Scanner {
    quotes: Option<&'static str>,
    depth: usize,
    deepest: usize,
    continued: bool,
}

const QUOTES: &[&str] = &["\"\"\"", "'''", "\"", "'"];

impl Scanner {
    fn is_outside(&self) -> bool {
        self.quotes.is_none() && self.depth == 0 && !self.continued
    }

    fn line(&mut self, line: &str) {
        let mut rest = line;
        self.continued = false;
        while let Some(c) = rest.chars().next() {
            let opening = QUOTES.iter().find(|quotes| rest.starts_with(**quotes));
            match (self.quotes, c) {
                (_, '\\') => {
                    let after = rest.chars().nth(1);
                    self.continued = after.is_none();
                    rest = &rest[1 + after.map_or(0, char::len_utf8)..];
                    continue;
                }
                (Some(quotes), _) if rest.starts_with(quotes) => {
                    self.quotes = None;
                    rest = &rest[quotes.len()..];
                    continue;
                }
                (Some(_), _) => {}
                (None, '#') => break,
                (None, '(' | '[' | '{') => {
                    self.depth += 1;
                    self.deepest = self.deepest.max(self.depth);
                }
                (None, ')' | ']' | '}') => self.depth = self.depth.saturating_sub(1),
                (None, _) => {
                    if let Some(quotes) = opening {
                        self.quotes = Some(quotes);
                        rest = &rest[quotes.len()..];
                        continue;
                    }
                }
            }
            rest = &rest[c.len_utf8()..];
        }
        // A text in single quotes ends with its line, whether it is closed or not.
        if self.quotes.is_some_and(|quotes| quotes.len() == 1) && !self.continued {
            self.quotes = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_at_the_top_level_are_found() {
        let text = r#"
"""
def in_a_text(ctx):
"""
load("x.star", "y")  # def in_a_comment():
def upgrade(ctx):
    def inside(x):
        pass
    return '"""'

async  def flow (ctx):
    pass
TEXT = "it's \
def not_this(): "
LIST = [
def nor_this(a):
]
def _private(a, *, b = "("):
    pass
define(1)
def broken
def last(): return 1"#;
        let found: Vec<(String, usize)> = functions(text).into_iter().map(|f| (f.name, f.line)).collect();
        let expected = [("upgrade", 6), ("flow", 11), ("_private", 18), ("last", 22)];
        assert_eq!(found, expected.map(|(name, line)| (name.to_owned(), line)));
        assert_eq!(functions(&"(".repeat(1 << 20)), []);
    }

    #[test]
    fn the_deepest_brackets_are_found() {
        let text = "a = [(1), {2: [\n    3]}]\nb = \"((((((\"  # ((((((\nc = f(')))', ((0)))\n";
        assert_eq!(nesting(text), 3);
        assert_eq!(nesting(&format!("x = {}1{}", "(".repeat(1 << 20), ")".repeat(1 << 20))), 1 << 20);
        assert_eq!(nesting("x = 1"), 0);
    }
}
