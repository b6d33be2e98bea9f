//! Ranges of versions, in two notations. The operator of the first part says which one the whole range is read in:
//!
//! - Python's (PEP 440): `>=1.0,<2.0`, `~=1.4`, `!=1.5.1`, `==1.*`, `===latest`;
//! - Cargo's: `^1.2`, `~1.2`, `=1.2.3`, `1.*`, `*`, and a bare `1.2`, which is `^1.2`.
//!
//! `>=`, `<=`, `>` and `<` are in both. They are Python's when they come first; behind one of Cargo's operators they mean what
//! Cargo means: there `<=1.5` has 1.5.7 in it, and `>1.5` begins with 1.6. An operator of the other notation is an error.

use super::{Phase, Version};
use crate::domain::Problem;

/// The operators that begin a range in Python's notation. The longer ones first: `===` begins with `==`.
const PYTHON: [&str; 8] = ["===", "==", "!=", "~=", ">=", "<=", ">", "<"];

/// The operators of Cargo's notation.
const CARGO: [&str; 7] = ["^", "~", "=", ">=", "<=", ">", "<"];

/// Whether `version` is in `range`: parts joined by commas, all of which must hold. An empty range holds every version.
///
/// # Errors
/// The range cannot be read, or the version is none and is not compared with `===`.
pub fn matches(range: &str, version: &str) -> Result<bool, Problem> {
    for part in read(range)? {
        if !part.holds(version)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Checks that a range can be read.
///
/// # Errors
/// It cannot: the problem names the part that is wrong.
pub fn check_range(range: &str) -> Result<(), Problem> {
    read(range).map(drop)
}

/// The first part of a range that is a bare version: it is read as Cargo's caret, which not everybody expects.
pub fn bare_version(range: &str) -> Option<&str> {
    parts(range).find(|part| {
        part.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit()) && !part.contains('*')
    })
}

fn parts(range: &str) -> impl Iterator<Item = &str> {
    range.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn read(range: &str) -> Result<Vec<Part<'_>>, Problem> {
    let python = parts(range).next().is_none_or(|first| {
        // `~1.2` and `=1.2` are Cargo's, `~=1.2` and `==1.2` Python's.
        PYTHON.iter().any(|operator| first.starts_with(operator))
    });
    parts(range).map(|part| if python { Part::python(part) } else { Part::cargo(part) }).collect()
}

/// One part of a range.
enum Part<'a> {
    /// A comparison with one version.
    Ordered(&'static str, Version),
    /// `==1.*`, `!=1.*`, and Cargo's `1.*` and `=1.2`.
    Prefix { negated: bool, epoch: u64, release: Vec<u64> },
    /// `~=1.4.2`, `^1.2`, `~1.2`: at least that, and before the end of its line.
    Line { least: Version, below: Version },
    /// `===`: the text itself.
    Exact(&'a str),
}

impl<'a> Part<'a> {
    fn python(part: &'a str) -> Result<Self, Problem> {
        let Some(operator) = PYTHON.into_iter().find(|operator| part.starts_with(operator)) else {
            let why = if part.starts_with(['^', '~', '=']) {
                "this is Cargo's notation, and the range begins in Python's"
            } else {
                "it does not start with one of >= <= == != ~= === > <"
            };
            return Err(unreadable(part, why));
        };
        let text = part[operator.len()..].trim();
        if operator == "===" {
            return Ok(Self::Exact(text));
        }
        if let Some(prefix) = text.strip_suffix(".*") {
            if operator != "==" && operator != "!=" {
                return Err(unreadable(part, "a wildcard needs == or !="));
            }
            return Self::prefix(part, prefix, operator == "!=");
        }
        let version = version_of(part, text)?;
        if operator != "~=" {
            return Ok(Self::Ordered(operator, version));
        }
        let mut line = numbers_of(part, text)?;
        if line.len() < 2 {
            return Err(unreadable(part, "~= needs at least two numbers, such as ~=1.4"));
        }
        line.pop();
        Ok(Self::Line { below: end_of(version.epoch, line), least: version })
    }

    fn cargo(part: &'a str) -> Result<Self, Problem> {
        let foreign = ["===", "==", "!=", "~="].into_iter().find(|operator| part.starts_with(operator));
        if let Some(operator) = foreign {
            let why = format!("{operator} is Python's notation, and the range begins in Cargo's");
            return Err(unreadable(part, &why));
        }
        let operator = CARGO.into_iter().find(|operator| part.starts_with(operator)).unwrap_or("");
        let text = part[operator.len()..].trim();
        if let Some(prefix) = wildcard(text) {
            if !matches!(operator, "" | "=") {
                return Err(unreadable(part, "a wildcard stands alone, such as 1.*"));
            }
            let every = Self::Prefix { negated: false, epoch: 0, release: Vec::new() };
            return if prefix.is_empty() { Ok(every) } else { Self::prefix(part, prefix, false) };
        }
        let version = version_of(part, text)?;
        let numbers = numbers_of(part, text)?;
        let whole = numbers.len() >= 3;
        let epoch = version.epoch;
        Ok(match operator {
            "" | "^" => Self::Line { below: end_of(epoch, caret(numbers)), least: version },
            "~" => Self::Line { below: end_of(epoch, numbers.into_iter().take(2).collect()), least: version },
            "=" if whole => Self::Ordered("==", version),
            "=" => Self::Prefix { negated: false, epoch, release: numbers },
            ">" if !whole => Self::Ordered(">=", end_of(epoch, numbers)),
            "<=" if !whole => Self::Ordered("<", end_of(epoch, numbers)),
            other => Self::Ordered(other, version),
        })
    }

    fn prefix(part: &str, prefix: &str, negated: bool) -> Result<Self, Problem> {
        let epoch = version_of(part, prefix)?.epoch;
        Ok(Self::Prefix { negated, epoch, release: numbers_of(part, prefix)? })
    }

    fn holds(&self, version: &str) -> Result<bool, Problem> {
        if let Self::Exact(text) = self {
            return Ok(*text == version.trim());
        }
        let found = Version::parse(version).ok_or_else(|| {
            Problem::new(
                format!("'{version}' cannot be compared with a range"),
                "it does not start with a number",
                "use a version such as 1.4.2, or === in the range",
            )
        })?;
        Ok(match self {
            Self::Exact(_) => false,
            Self::Prefix { negated, epoch, release } => {
                (found.epoch == *epoch && found.starts_with(release)) != *negated
            }
            Self::Line { least, below } => found >= *least && ordered("<", &found, below),
            Self::Ordered(operator, bound) => ordered(operator, &found, bound),
        })
    }
}

fn unreadable(part: &str, why: &str) -> Problem {
    Problem::new(
        format!("'{part}' is no version range"),
        why.to_owned(),
        "write parts joined by commas: >=1.0,<2.0 or ~=1.4 or ==1.4.*, or in Cargo's notation ^1.4 or ~1.4.2 or =1.4.2",
    )
}

fn version_of(part: &str, text: &str) -> Result<Version, Problem> {
    Version::parse(text).ok_or_else(|| unreadable(part, &format!("'{text}' is no version")))
}

/// The numbers of a release as they are written, trailing zeros included.
fn numbers_of(part: &str, text: &str) -> Result<Vec<u64>, Problem> {
    let plain = text.trim().trim_start_matches(['v', 'V']);
    let plain = plain.split_once('!').map_or(plain, |(_, rest)| rest);
    let end = plain.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(plain.len());
    let numbers = plain[..end].trim_end_matches('.').split('.').map(|number| number.parse().ok());
    numbers.collect::<Option<_>>().ok_or_else(|| unreadable(part, &format!("'{text}' is no version")))
}

/// What stands before `*`, `.*`, `.x`; none where there is no wildcard.
fn wildcard(text: &str) -> Option<&str> {
    let bare = text.strip_suffix(['*', 'x', 'X'])?;
    if bare.is_empty() { Some(bare) } else { bare.strip_suffix('.').map(|rest| rest.trim_end_matches(".*")) }
}

/// The numbers of the line that a caret stays in: up to the first that is not zero, or all when all are.
fn caret(numbers: Vec<u64>) -> Vec<u64> {
    let kept = numbers.iter().position(|number| *number > 0).map_or(numbers.len().min(3), |place| place + 1);
    numbers.into_iter().take(kept).collect()
}

/// The first version behind a line: 1.4 ends at 1.5.
fn end_of(epoch: u64, mut line: Vec<u64>) -> Version {
    if let Some(last) = line.last_mut() {
        *last = last.saturating_add(1);
    }
    Version { epoch, release: line, phase: Phase::Release }
}

fn ordered(operator: &str, found: &Version, bound: &Version) -> bool {
    match operator {
        ">=" => found >= bound,
        "<=" => found <= bound,
        "==" => found == bound,
        "!=" => found != bound,
        // `<2.0` means "before the 2.0 line": its candidates are not in, unless the bound is one itself.
        "<" => found < bound && !(bound.phase == Phase::Release && found.same_release(bound)),
        _ => {
            found > bound
                && !(matches!(found.phase, Phase::Post(_))
                    && bound.phase == Phase::Release
                    && found.same_release(bound))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(&str, &[&str], &[&str])]) {
        for (range, inside, outside) in cases {
            for version in *inside {
                assert_eq!(matches(range, version), Ok(true), "{range} holds {version}");
            }
            for version in *outside {
                assert_eq!(matches(range, version), Ok(false), "{range} does not hold {version}");
            }
        }
    }

    #[test]
    fn ranges_in_python_s_notation_hold_what_they_say() {
        check(&[
            ("", &["1.0", "0.0.1-x"], &[]),
            (
                ">=1.0,<2.0",
                &["1.0", "1.0.0", "1.9.9", "1.2.0-broken", "1.2.0rc1"],
                &["0.9", "2.0", "2.0rc1", "1.0rc1"],
            ),
            (">= 1.0 , < 2.0", &["1.5"], &["2.1"]),
            ("<2.0rc2", &["2.0rc1"], &["2.0rc2", "2.0"]),
            (">1.0", &["1.0.1", "2"], &["1.0", "1.0.post1", "1.0rc1"]),
            ("<=1.1", &["1.1.0", "1.0"], &["1.1.1"]),
            ("==1.0", &["1.0.0", "1.0+local"], &["1.0.1", "1.0rc1"]),
            ("!=1.1", &["1.0"], &["1.1.0"]),
            ("==1.*", &["1.0", "1.9.1"], &["2.0", "11.0"]),
            ("==1.0.*", &["1", "1.0.7"], &["1.1"]),
            ("!=1.4.*,>=1.0", &["1.5"], &["1.4.2", "0.9"]),
            ("~=1.4", &["1.4", "1.9"], &["1.3", "2.0", "2.0rc1"]),
            ("~=1.4.2", &["1.4.2", "1.4.9"], &["1.4.1", "1.5.0"]),
            ("~=2.0.0", &["2.0.5"], &["2.1.0"]),
            ("===latest", &["latest"], &["1.0"]),
        ]);
    }

    #[test]
    fn ranges_in_cargo_s_notation_hold_what_they_say() {
        check(&[
            ("^1.2", &["1.2.0", "1.9", "1.4.0-alpine"], &["1.1.9", "2.0", "2.0rc1", "1.2.0-rc1"]),
            ("^1.2.3", &["1.2.3", "1.3"], &["1.2.2", "2.0.0"]),
            ("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]),
            ("^0.0.3", &["0.0.3"], &["0.0.4", "0.1"]),
            ("^0.0", &["0.0.9"], &["0.1.0"]),
            ("^0", &["0.9"], &["1.0"]),
            ("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0", "1.2.2"]),
            ("~1.2", &["1.2.0", "1.2.9"], &["1.3"]),
            ("~1", &["1.0", "1.9"], &["2.0"]),
            ("=1.2.3", &["1.2.3"], &["1.2.4", "1.2.3.1"]),
            ("=1.2", &["1.2.0", "1.2.7"], &["1.3"]),
            ("1.*", &["1.0", "1.9"], &["2.0", "0.9"]),
            ("1.2.x", &["1.2.9"], &["1.3"]),
            ("*", &["0.1", "9"], &[]),
            (">=1, <2", &["1.0", "1.9"], &["2.0"]),
        ]);
    }

    #[test]
    fn the_first_operator_says_how_the_rest_is_read() {
        check(&[
            ("1.2", &["1.2", "1.9"], &["1.1", "2.0"]),
            ("1.2.3", &["1.2.3", "1.9"], &["1.2.2", "2.0"]),
            ("^1.2, <=1.5", &["1.5.7"], &["1.6"]),
            (">=1.2, <=1.5", &["1.5.0"], &["1.5.7"]),
            ("^1, >1.2", &["1.3"], &["1.2.9"]),
            (">1.2, <2", &["1.2.9"], &["1.2"]),
            ("*, >1", &["2.0"], &["1.5"]),
        ]);
        for (range, operator) in [("^1.2, !=1.3", "!="), ("1.2, ==1.3", "=="), (">=1.0, ^1.2", "^1.2")] {
            let problem = check_range(range).unwrap_err();
            assert!(problem.to_string().contains(operator), "{problem}");
            assert!(problem.why.contains("notation"), "{problem}");
        }
        assert_eq!(bare_version("1.2"), Some("1.2"));
        assert_eq!(bare_version("^1, 1.2"), Some("1.2"));
        assert_eq!((bare_version("1.*"), bare_version(">=1.0,<2.0")), (None, None));
    }

    #[test]
    fn what_is_no_range_is_told() {
        for range in
            ["=>1.0", ">=", ">=x", "~=1", ">=1.*", "==.*", ">=1.0 <2.0,", "^", "^1.*", "~x", "1..2", "latest"]
        {
            assert!(check_range(range).is_err(), "{range}");
        }
        assert!(matches(">=1.0", "latest").is_err());
    }
}
