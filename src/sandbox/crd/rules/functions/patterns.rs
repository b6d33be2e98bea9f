//! Regular expressions.

use std::rc::Rc;

use regex::{Regex, RegexBuilder};

use super::Answer;
use crate::sandbox::crd::rules::meter::Meter;
use crate::sandbox::crd::rules::value::{Cel, Fault, List};

/// Sizes of compiled patterns in bytes, and how much more it costs to look for one of that size: the small ones cost what a
/// real server counts, those of many repetitions more. Larger ones are refused.
const SIZES: [(usize, usize); 3] = [(32 << 10, 1), (256 << 10, 32), (2 << 20, 256)];
/// What it costs to compile a pattern, once for an object.
const COMPILING: usize = 5_000;
/// The longest pattern, in bytes: compiling is paid by no one else.
const LONGEST: usize = 10_000;

pub fn call(name: &str, arguments: &[Cel], meter: &Meter) -> Answer {
    let [Cel::Text(text), Cel::Text(pattern), rest @ ..] = arguments else { return Ok(None) };
    if !matches!(name, "matches" | "find" | "findAll") {
        return Ok(None);
    }
    // a real server charges the product of a tenth of the text and a quarter of the pattern
    let steps = text.len().div_ceil(10).max(1).saturating_mul(pattern.len().div_ceil(4).max(1));
    let Pattern { regex, weight } = compiled(pattern, meter)?;
    meter.charge(steps.saturating_mul(weight))?;
    let found = match (name, rest) {
        ("matches", []) => Cel::Bool(regex.is_match(text)),
        ("find", []) => Cel::text(regex.find(text).map_or("", |found| found.as_str())),
        ("findAll", []) => find_all(&regex, text, usize::MAX),
        ("findAll", [Cel::Int(most)]) => find_all(&regex, text, usize::try_from(*most).unwrap_or(usize::MAX)),
        _ => return Ok(None),
    };
    Ok(Some(found))
}

fn find_all(regex: &Regex, text: &str, most: usize) -> Cel {
    List::plain(regex.find_iter(text).take(most).map(|found| Cel::text(found.as_str())).collect())
}

/// A compiled pattern, and how much more than usual it costs to look for it.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Rc<Regex>,
    weight: usize,
}

fn compiled(pattern: &str, meter: &Meter) -> Result<Pattern, Fault> {
    let mut patterns = meter.patterns.borrow_mut();
    let compiled = match patterns.get(pattern) {
        Some(found) => found.clone(),
        None => {
            meter.charge(COMPILING)?;
            let mut sizes = SIZES.into_iter();
            let made = sizes.find_map(|(size, weight)| {
                Some(Pattern { regex: Rc::new(compile_within(pattern, size)?), weight })
            });
            patterns.insert(pattern.to_owned(), made.clone());
            made
        }
    };
    compiled.ok_or_else(|| Fault::error(format!("error parsing regexp: `{pattern}`")))
}

/// Compiles a pattern of Go's syntax; `None` when it is none, or too large.
pub fn compile(pattern: &str) -> Option<Regex> {
    compile_within(pattern, SIZES.last().map_or(0, |(size, _)| *size))
}

fn compile_within(pattern: &str, size: usize) -> Option<Regex> {
    if pattern.len() > LONGEST {
        return None;
    }
    RegexBuilder::new(&from_go(pattern)).size_limit(size).build().ok()
}

/// Writes a pattern of Go's syntax as one of Rust's: classes like `\d` are of ASCII there, and a bracket or an ampersand in a
/// class is nothing special.
fn from_go(pattern: &str) -> String {
    let mut made = String::new();
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    let mut first_in_class = false;
    while let Some(c) = chars.next() {
        let first = std::mem::take(&mut first_in_class);
        match c {
            '\\' => match chars.next() {
                Some('d') => made.push_str("[0-9]"),
                Some('D') => made.push_str("[^0-9]"),
                Some('w') => made.push_str("[0-9A-Za-z_]"),
                Some('W') => made.push_str("[^0-9A-Za-z_]"),
                Some('s') => made.push_str(r"[\t\n\f\r ]"),
                Some('S') => made.push_str(r"[^\t\n\f\r ]"),
                Some(boundary @ ('b' | 'B')) if !in_class => made.push_str(&format!(r"(?-u:\{boundary})")),
                Some(escaped) => made.extend(['\\', escaped]),
                None => made.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                first_in_class = true;
                made.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    made.push('^');
                }
            }
            '[' if chars.peek() == Some(&':') => {
                made.push('[');
                for c in chars.by_ref() {
                    made.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            ']' if in_class && first => made.push_str(r"\]"),
            ']' => {
                in_class = false;
                made.push(']');
            }
            '[' | '&' | '~' if in_class => made.extend(['\\', c]),
            _ => made.push(c),
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        let cases = [
            (r"^\d+$", "12", true),
            (r"^\d+$", "١٢", false),
            (r"^[\w.]+$", "a_1.b", true),
            (r"^[\w.]+$", "é", false),
            (r"^[^]a]$", "b", true),
            (r"^[[&&]$", "&", true),
            (r"^[[:alpha:]-]+$", "a-b", true),
            (r"\bfoo\b", "a foo b", true),
            (r"^[^\s]$", " ", false),
            (r"^(?i)abc$", "ABC", true),
        ];
        for (pattern, text, expected) in cases {
            let regex = compile(pattern).unwrap_or_else(|| panic!("{pattern}: {}", from_go(pattern)));
            assert_eq!(regex.is_match(text), expected, "{pattern} {text}");
        }
        assert!(compile("(").is_none());
        assert!(compile("((a{1000}){1000}){1000}").is_none(), "too large");
    }
}
