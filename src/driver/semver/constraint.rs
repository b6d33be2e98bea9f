//! Which versions will do: `>=1.2 <3 || ~4.1`.
//!
//! Alternatives are separated by `||`; what must hold together by spaces or commas. Operators are `=` (or none), `!=`, `>`,
//! `<`, `>=`, `<=`, `~` and `^`; `1.2 - 1.4` is a range that holds both ends; `x` and `*`, and numbers left out, stand for any.
//! A pre-release is let in only by a comparison that has one itself.

use std::cmp::Ordering;

use super::{Parts, Version, compare_pre, precedence};

/// The longest constraint, in bytes.
const LENGTH_LIMIT: usize = 1_024;

/// A constraint that versions can be checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint(Vec<Vec<Comparison>>);

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    operator: Operator,
    /// Numbers that are any are 0.
    version: Version,
    open: Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

/// From which number on a version may be any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nowhere,
    Patch,
    Minor,
    Major,
}

/// Longer ones before those that they begin with.
const OPERATORS: [(&str, Operator); 11] = [
    (">=", Operator::AtLeast),
    ("=>", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=<", Operator::AtMost),
    ("!=", Operator::Unequal),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Constraint {
    /// Reads a constraint.
    ///
    /// # Errors
    /// It is none: the text that Helm has for it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let improper =
            |part: &str| format!("improper constraint: {}", part.chars().take(64).collect::<String>());
        if text.len() > LENGTH_LIMIT {
            return Err(improper(text));
        }
        let alternatives = text.split("||").map(|part| group(part).ok_or_else(|| improper(part)));
        alternatives.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a version will do.
    pub fn holds(&self, version: &Version) -> bool {
        self.0.iter().any(|all| all.iter().all(|comparison| comparison.holds(version)))
    }
}

/// Comparisons that must hold together.
fn group(text: &str) -> Option<Vec<Comparison>> {
    let mut comparisons = Vec::new();
    let mut rest = skip(text);
    loop {
        let found = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign));
        let (parts, after) = Parts::read(found.map_or(rest, |(sign, _)| skip(&rest[sign.len()..])))?;
        let trimmed = skip(after);
        let spaced = trimmed.len() < after.len();
        if let Some(upper) = trimmed.strip_prefix('-').filter(|_| spaced && found.is_none()) {
            let (end, after) = Parts::read(skip(upper)).filter(|_| skip(upper).len() < upper.len())?;
            comparisons.push(Comparison::new(Operator::AtLeast, parts)?);
            comparisons.push(Comparison::new(Operator::AtMost, end)?);
            rest = after;
        } else {
            comparisons
                .push(Comparison::new(found.map_or(Operator::Equal, |(_, operator)| *operator), parts)?);
            rest = after;
        }
        let trimmed = skip(rest);
        if trimmed.is_empty() {
            return Some(comparisons);
        }
        rest = match trimmed.strip_prefix(',') {
            Some(after) => skip(after),
            None if trimmed.len() < rest.len() => trimmed,
            None => return None,
        };
    }
}

/// The text without the white space that it begins with.
fn skip(text: &str) -> &str {
    text.trim_start_matches(|letter: char| letter.is_ascii_whitespace())
}

impl Comparison {
    fn new(operator: Operator, mut parts: Parts<'_>) -> Option<Self> {
        let any = |number: &str| matches!(number, "x" | "X" | "*");
        let known = parts.numbers.iter().position(|number| any(number)).unwrap_or(parts.numbers.len());
        let open = match known {
            0 => Open::Major,
            1 => Open::Minor,
            2 => Open::Patch,
            _ => Open::Nowhere,
        };
        parts.numbers.truncate(known);
        if parts.numbers.is_empty() {
            parts.numbers.push("0");
        }
        Some(Self { operator, version: parts.version()?, open })
    }

    fn holds(&self, found: &Version) -> bool {
        let bound = &self.version;
        let order = precedence(found, bound);
        let excluded = !found.pre.is_empty() && bound.pre.is_empty();
        match self.operator {
            // a whole version is unequal to every other one, pre-releases too
            Operator::Unequal if self.open == Open::Nowhere => order.is_ne(),
            _ if excluded => false,
            Operator::Unequal => self.unequal(found),
            Operator::Greater => self.greater(found, order),
            Operator::Less => order.is_lt(),
            Operator::AtLeast => order.is_ge(),
            Operator::AtMost => self.at_most(found, order),
            Operator::Equal if self.open == Open::Nowhere => order.is_eq(),
            Operator::Equal | Operator::Tilde => order.is_ge() && self.tilde(found),
            Operator::Caret => order.is_ge() && self.caret(found),
        }
    }

    fn unequal(&self, found: &Version) -> bool {
        let bound = &self.version;
        match self.open {
            _ if found.major != bound.major => true,
            Open::Minor => false,
            _ if found.minor != bound.minor => true,
            Open::Patch => compare_pre(&found.pre, &bound.pre).is_ne(),
            // `!=x` excludes 0.0.0 alone, as the library has it
            _ => precedence(found, bound).is_ne(),
        }
    }

    /// `>11` begins at 12, `>11.1` at 11.2.
    fn greater(&self, found: &Version, order: Ordering) -> bool {
        let bound = &self.version;
        match self.open {
            Open::Nowhere => order.is_gt(),
            _ if found.major != bound.major => found.major > bound.major,
            Open::Minor => false,
            Open::Patch => found.minor > bound.minor,
            Open::Major => order.is_gt(),
        }
    }

    /// `<=11` ends before 12, `<=11.1` before 11.2.
    fn at_most(&self, found: &Version, order: Ordering) -> bool {
        let bound = &self.version;
        match self.open {
            Open::Nowhere => order.is_le(),
            Open::Minor => found.major <= bound.major,
            _ => (found.major, found.minor) <= (bound.major, bound.minor),
        }
    }

    /// Not before the bound, and the same up to the minor number; up to the major one where the minor is any.
    fn tilde(&self, found: &Version) -> bool {
        let bound = &self.version;
        // `~0.0.0` is any version, as `*` is
        if bound.numbers() == [0, 0, 0] && !matches!(self.open, Open::Minor | Open::Patch) {
            return true;
        }
        found.major == bound.major && (found.minor == bound.minor || self.open == Open::Minor)
    }

    /// Not before the bound, and the first number that is not 0 is the same.
    fn caret(&self, found: &Version) -> bool {
        let bound = &self.version;
        if bound.major > 0 || self.open == Open::Minor {
            return found.major == bound.major;
        }
        if found.major > 0 {
            return false;
        }
        if bound.minor > 0 || self.open == Open::Patch {
            return found.minor == bound.minor;
        }
        found.minor == 0 && found.patch == bound.patch
    }
}

#[cfg(test)]
mod tests;
