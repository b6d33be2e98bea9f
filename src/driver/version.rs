//! Versions of applications and drivers, their order, and Python-style ranges (`>=1.0,<2.0`, `~=1.4`, `==1.*`).
//!
//! Versions follow PEP 440, and stretch it where images do: any suffix that it does not know (`1.2.0-broken`,
//! `1.26.3-alpine`) makes a version that comes before the plain one. Pre-releases count in ranges like any other version; only
//! `<2.0` does not let `2.0rc1` in, and `>1.0` not `1.0.post1`.

use std::cmp::Ordering;

use crate::domain::Problem;

/// A version, ready to be compared. The order of the fields is the order of comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    epoch: u64,
    /// Without trailing zeros: `1.0` is `1.0.0`.
    release: Vec<u64>,
    phase: Phase,
}

/// Where a version stands around its plain release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// `.dev1`: before everything.
    Development(u64),
    /// `a1`, `b1`.
    Early(char, u64),
    /// A suffix that PEP 440 does not know.
    Named(String),
    /// `rc1`.
    Candidate(u64),
    /// The plain release.
    Release,
    /// `.post1`.
    Post(u64),
}

impl Version {
    /// Reads a version; none when it does not start with a number.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_prefix('v').unwrap_or(&text);
        // A local part (`+build`) never counts.
        let text = text.split('+').next().unwrap_or("");
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '!')) {
            return None;
        }
        let (epoch, rest) = match text.split_once('!') {
            Some((epoch, rest)) => (epoch.parse().ok()?, rest),
            None => (0, text),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (numbers, suffix) = rest.split_at(end);
        let mut release = Vec::new();
        for number in numbers.trim_end_matches('.').split('.') {
            release.push(number.parse().ok()?);
        }
        while release.len() > 1 && release.last() == Some(&0) {
            release.pop();
        }
        Some(Self { epoch, release, phase: Phase::parse(suffix) })
    }

    /// Whether `other` is this release, whatever its phase.
    fn same_release(&self, other: &Self) -> bool {
        (self.epoch, &self.release) == (other.epoch, &other.release)
    }

    /// Whether the first numbers of the release are `prefix`.
    fn starts_with(&self, prefix: &[u64]) -> bool {
        prefix
            .iter()
            .enumerate()
            .all(|(place, number)| self.release.get(place).copied().unwrap_or(0) == *number)
    }
}

impl Phase {
    fn parse(suffix: &str) -> Self {
        let suffix = suffix.trim_matches(['-', '_', '.']);
        if suffix.is_empty() {
            return Self::Release;
        }
        let split = suffix.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(suffix.len());
        let (word, tail) = suffix.split_at(split);
        let tail = tail.trim_start_matches(['-', '_', '.']);
        let number = if tail.is_empty() { Some(0) } else { tail.parse().ok() };
        match (word, number) {
            ("dev", Some(number)) => Self::Development(number),
            ("a" | "alpha", Some(number)) => Self::Early('a', number),
            ("b" | "beta", Some(number)) => Self::Early('b', number),
            ("rc" | "c" | "pre" | "preview", Some(number)) => Self::Candidate(number),
            ("post" | "rev" | "r", Some(number)) => Self::Post(number),
            ("", Some(number)) => Self::Post(number),
            _ => Self::Named(suffix.to_owned()),
        }
    }
}

/// The order of two versions. What is no version at all comes before everything that is, by its text.
pub fn compare(left: &str, right: &str) -> Ordering {
    match (Version::parse(left), Version::parse(right)) {
        (Some(a), Some(b)) => a.cmp(&b).then_with(|| left.cmp(right)),
        (None, None) => left.cmp(right),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Whether `version` is in `range`: specifiers joined by commas, all of which must hold. An empty range holds every version.
///
/// # Errors
/// The range cannot be read, or the version is none and is not compared with `===`.
pub fn matches(range: &str, version: &str) -> Result<bool, Problem> {
    for part in range.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        if !Specifier::parse(part)?.holds(version)? {
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
    range
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .try_for_each(|part| Specifier::parse(part).map(drop))
}

/// Whether `version` can be read as a version.
pub fn is_version(version: &str) -> bool {
    Version::parse(version).is_some()
}

enum Specifier<'a> {
    Ordered(&'a str, Version),
    /// `==1.*`, `!=1.*`.
    Prefix {
        negated: bool,
        epoch: u64,
        release: Vec<u64>,
    },
    /// `~=1.4.2`: at least that, and the numbers but the last are the same.
    Compatible {
        least: Version,
        prefix: Vec<u64>,
    },
    /// `===`: the text itself.
    Exact(&'a str),
}

impl<'a> Specifier<'a> {
    fn parse(part: &'a str) -> Result<Self, Problem> {
        let unreadable = |why: &str| {
            Problem::new(
                format!("'{part}' is no version range"),
                why.to_owned(),
                "write specifiers joined by commas, such as >=1.0,<2.0 or ==1.4.* or ~=1.4",
            )
        };
        if let Some(text) = part.strip_prefix("===") {
            return Ok(Self::Exact(text.trim()));
        }
        let operator = [">=", "<=", "==", "!=", "~=", ">", "<"]
            .into_iter()
            .find(|operator| part.starts_with(operator))
            .ok_or_else(|| unreadable("it does not start with one of >= <= == != ~= === > <"))?;
        let text = part[operator.len()..].trim();
        let broken = || unreadable(&format!("'{text}' is no version"));
        if let Some(prefix) = text.strip_suffix(".*") {
            if operator != "==" && operator != "!=" {
                return Err(unreadable("a wildcard needs == or !="));
            }
            let version = Version::parse(prefix).ok_or_else(broken)?;
            let release = release_numbers(prefix).ok_or_else(broken)?;
            return Ok(Self::Prefix { negated: operator == "!=", epoch: version.epoch, release });
        }
        let version = Version::parse(text).ok_or_else(broken)?;
        if operator == "~=" {
            let mut prefix = release_numbers(text).ok_or_else(broken)?;
            if prefix.len() < 2 {
                return Err(unreadable("~= needs at least two numbers, such as ~=1.4"));
            }
            prefix.pop();
            return Ok(Self::Compatible { least: version, prefix });
        }
        Ok(Self::Ordered(operator, version))
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
            Self::Compatible { least, prefix } => {
                found >= *least && found.epoch == least.epoch && found.starts_with(prefix)
            }
            Self::Ordered(operator, bound) => ordered(operator, &found, bound),
        })
    }
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

/// The numbers of a release as they are written, trailing zeros included.
fn release_numbers(text: &str) -> Option<Vec<u64>> {
    let text = text.trim().trim_start_matches(['v', 'V']);
    let text = text.split_once('!').map_or(text, |(_, rest)| rest);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches('.').split('.').map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_an_order() {
        let sorted = [
            "latest",
            "0.9",
            "1.0.dev1",
            "1.0a1",
            "1.0b2",
            "1.0-alpine",
            "1.0rc1",
            "1.0",
            "1.0.post1",
            "1.1.0",
            "1.2.0-broken",
            "1.2.0",
            "1.10.0",
            "2!0.1",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert!(Version::parse("v1.0") == Version::parse("1.0.0"));
        assert!(Version::parse("1.0+build") == Version::parse("1.0"));
    }

    #[test]
    fn ranges_hold_what_they_say() {
        for (range, inside, outside) in [
            ("", vec!["1.0", "0.0.1-x"], vec![]),
            (
                ">=1.0,<2.0",
                vec!["1.0", "1.0.0", "1.9.9", "1.2.0-broken", "1.2.0rc1"],
                vec!["0.9", "2.0", "2.0rc1", "1.0rc1"],
            ),
            (">= 1.0 , < 2.0", vec!["1.5"], vec!["2.1"]),
            ("<2.0rc2", vec!["2.0rc1"], vec!["2.0rc2", "2.0"]),
            (">1.0", vec!["1.0.1", "2"], vec!["1.0", "1.0.post1", "1.0rc1"]),
            ("<=1.1", vec!["1.1.0", "1.0"], vec!["1.1.1"]),
            ("==1.0", vec!["1.0.0", "1.0+local"], vec!["1.0.1", "1.0rc1"]),
            ("!=1.1", vec!["1.0"], vec!["1.1.0"]),
            ("==1.*", vec!["1.0", "1.9.1"], vec!["2.0", "11.0"]),
            ("==1.0.*", vec!["1", "1.0.7"], vec!["1.1"]),
            ("!=1.4.*,>=1.0", vec!["1.5"], vec!["1.4.2", "0.9"]),
            ("~=1.4", vec!["1.4", "1.9"], vec!["1.3", "2.0"]),
            ("~=1.4.2", vec!["1.4.2", "1.4.9"], vec!["1.4.1", "1.5.0"]),
            ("~=2.0.0", vec!["2.0.5"], vec!["2.1.0"]),
            ("===latest", vec!["latest"], vec!["1.0"]),
        ] {
            for version in inside {
                assert_eq!(matches(range, version), Ok(true), "{range} holds {version}");
            }
            for version in outside {
                assert_eq!(matches(range, version), Ok(false), "{range} does not hold {version}");
            }
        }
    }

    #[test]
    fn what_is_no_range_is_told() {
        for range in ["1.0", "=>1.0", ">=", ">=x", "~=1", ">=1.*", "==.*", ">=1.0 <2.0,"] {
            assert!(check_range(range).is_err(), "{range}");
        }
        assert!(matches(">=1.0", "latest").is_err());
    }
}
