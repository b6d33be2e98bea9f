//! Constraints on versions: `>=1.2, <2 || ^3.x`, `1.2 - 1.4`, `~1.2`, `*`.
//!
//! A pre-release satisfies only a constraint that itself names a pre-release (`>=1.2-0`).

use super::version::{Version, Written, read};

/// Alternatives, each of constraints that must all hold.
pub struct Constraints {
    alternatives: Vec<Vec<Constraint>>,
}

struct Constraint {
    operator: Operator,
    version: Version,
    /// The first part that is a wildcard or left out; none for a whole version.
    open: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Major,
    Minor,
    Patch,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// The longer ones first, since others begin them.
const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("=", Operator::Equal),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    ("", Operator::Equal),
];

/// The longest constraints that are read, in bytes: the library's rewriting of ranges takes time that grows with the square.
const LENGTH_MAX: usize = 4 << 10;

/// Letters of a number or wildcard. The bar is the library's slip: it makes a number that is none.
fn is_number(letter: char) -> bool {
    matches!(letter, '0'..='9' | '|' | 'x' | 'X' | '*')
}

fn is_wildcard(number: &str) -> bool {
    matches!(number, "" | "x" | "X" | "*")
}

impl Constraints {
    /// Reads constraints. An error has the library's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LENGTH_MAX {
            return Err(format!("improper constraint: it has more than {} KiB", LENGTH_MAX >> 10));
        }
        let text = rewrite_ranges(text);
        let alternatives = text.split("||").map(parse_all).collect::<Result<_, _>>()?;
        Ok(Self { alternatives })
    }

    /// Whether the version satisfies an alternative.
    pub fn allow(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|all| all.iter().all(|constraint| constraint.allows(version)))
    }
}

/// Go's `\s`.
fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches(['\t', '\n', '\u{c}', '\r', ' '])
}

/// Replaces `1.2 - 1.4` by two comparisons.
fn rewrite_ranges(text: &str) -> String {
    let mut out = text.to_owned();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        match range(rest) {
            Some((from, to, behind)) => {
                let whole = &rest[..rest.len() - behind.len()];
                out = out.replacen(whole, &format!(">= {from}, <= {to} "), 1);
                rest = behind;
            }
            None => rest = &rest[letter.len_utf8()..],
        }
    }
    out
}

/// A range at the beginning of the text: both ends, and what stands behind it.
fn range(text: &str) -> Option<(&str, &str, &str)> {
    let begin = skip_blanks(text);
    let behind = read(begin, is_number)?.rest;
    let from = &begin[..begin.len() - behind.len()];
    let hyphen =
        skip_blanks(behind).strip_prefix('-').filter(|_| skip_blanks(behind).len() < behind.len())?;
    let begin = skip_blanks(hyphen);
    let end = read(begin, is_number).filter(|_| begin.len() < hyphen.len())?.rest;
    Some((from, &begin[..begin.len() - end.len()], skip_blanks(end)))
}

/// Constraints with blanks or commas between them.
fn parse_all(text: &str) -> Result<Vec<Constraint>, String> {
    let improper = || format!("improper constraint: {text}");
    let mut constraints = Vec::new();
    let mut rest = text;
    while constraints.is_empty() || !skip_blanks(rest).is_empty() {
        let trimmed = skip_blanks(rest);
        let begin = match trimmed.strip_prefix(',') {
            Some(behind) if !constraints.is_empty() => skip_blanks(behind),
            // Without a comma, a blank must stand between two.
            _ if !constraints.is_empty() && trimmed.len() == rest.len() => return Err(improper()),
            _ => trimmed,
        };
        let starts = OPERATORS
            .iter()
            .filter_map(|(written, operator)| Some((*operator, begin.strip_prefix(written)?)));
        let mut read =
            starts.filter_map(|(operator, behind)| Some((operator, read(skip_blanks(behind), is_number)?)));
        let (operator, written) = read.next().ok_or_else(improper)?;
        rest = written.rest;
        constraints.push(Constraint::new(operator, &written)?);
    }
    Ok(constraints)
}

impl Constraint {
    fn new(operator: Operator, written: &Written<'_>) -> Result<Self, String> {
        let [major, minor, patch] = written.numbers;
        let (open, numbers) = match () {
            () if is_wildcard(major) => (Some(Part::Major), ["0"; 3]),
            () if is_wildcard(minor) => (Some(Part::Minor), [major, "0", "0"]),
            () if is_wildcard(patch) => (Some(Part::Patch), [major, minor, "0"]),
            () => (None, [major, minor, patch]),
        };
        let hyphen = if written.prerelease.is_empty() { "" } else { "-" };
        let version = format!("{}{hyphen}{}", numbers.join("."), written.prerelease);
        let version = Version::parse(&version).map_err(|_| "constraint Parser Error")?;
        Ok(Self { operator, version, open })
    }

    fn allows(&self, version: &Version) -> bool {
        let unwanted = !version.prerelease.is_empty() && self.version.prerelease.is_empty();
        if unwanted && !(self.operator == Operator::NotEqual && self.open.is_none()) {
            return false;
        }
        match self.operator {
            Operator::Equal if self.open.is_some() => self.tilde(version),
            Operator::Equal => *version == self.version,
            Operator::NotEqual => self.differs(version),
            Operator::Greater => self.is_below(version),
            Operator::Less => *version < self.version,
            Operator::GreaterOrEqual => *version >= self.version,
            Operator::LessOrEqual => self.reaches(version),
            Operator::Tilde => self.tilde(version),
            Operator::Caret => self.caret(version),
        }
    }

    /// `!=1.2.x`: the parts that are named differ.
    fn differs(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            // `!=*` excludes 0.0.0 alone, as the library has it
            None | Some(Part::Major) => version != own,
            Some(Part::Minor) => version.major != own.major,
            Some(Part::Patch) => {
                let same = version.major == own.major && version.minor == own.minor;
                !same || version.prerelease != own.prerelease
            }
        }
    }

    /// `>1.2`: above all that begins with these parts.
    fn is_below(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            Some(Part::Minor) => version.major > own.major,
            Some(Part::Patch) => (version.major, version.minor) > (own.major, own.minor),
            None | Some(Part::Major) => version > own,
        }
    }

    /// `<=1.2`: up to all that begins with these parts.
    fn reaches(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            None => version <= own,
            Some(Part::Minor) => version.major <= own.major,
            Some(Part::Major | Part::Patch) => (version.major, version.minor) <= (own.major, own.minor),
        }
    }

    /// `~1.2.3`: the patch may be higher; `~1`: the minor too; `~*` and `~0.0.0`: anything.
    fn tilde(&self, version: &Version) -> bool {
        let own = &self.version;
        if version < own {
            return false;
        }
        let is_zero = (own.major, own.minor, own.patch) == (0, 0, 0);
        if is_zero && !matches!(self.open, Some(Part::Minor | Part::Patch)) {
            return true;
        }
        version.major == own.major && (version.minor == own.minor || self.open == Some(Part::Minor))
    }

    /// `^1.2.3`: the first part that is not zero stays.
    fn caret(&self, version: &Version) -> bool {
        let own = &self.version;
        if version < own {
            return false;
        }
        if own.major > 0 || self.open == Some(Part::Minor) {
            return version.major == own.major;
        }
        if version.major > 0 {
            return false;
        }
        if own.minor > 0 || self.open == Some(Part::Patch) {
            return version.minor == own.minor;
        }
        version.minor == 0 && version.patch == own.patch
    }
}
