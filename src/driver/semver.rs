//! Semantic versions as Helm reads them, for charts: loosely (`v1`, `1.2`), with constraints in the notation of its library
//! (Masterminds' semver 3.3). The versions of applications and drivers follow other rules: see [`super::version`].

mod constraint;

use std::cmp::Ordering;
use std::fmt;

pub use constraint::Constraint;

/// A semantic version. Two that differ in their build metadata alone are equal in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
    /// The third number.
    pub patch: u64,
    /// What stands after `-`; empty for a release.
    pub pre: String,
    /// What stands after `+`.
    pub metadata: String,
}

/// The text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no semantic version")]
pub struct NoVersion(String);

impl Version {
    /// Reads a version that may begin with `v`, lack its second and third number, and have zeros before them.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, NoVersion> {
        let refused = || NoVersion(text.chars().take(64).collect());
        let parts = Parts::read(text).filter(|(_, rest)| rest.is_empty()).map(|(parts, _)| parts);
        parts.and_then(Parts::version).ok_or_else(refused)
    }

    /// Reads a version that is written as the specification of semantic versions demands.
    ///
    /// # Errors
    /// It is none.
    pub fn strict(text: &str) -> Result<Self, NoVersion> {
        let found = Self::parse(text)?;
        if found.to_string() == text { Ok(found) } else { Err(NoVersion(text.chars().take(64).collect())) }
    }

    /// The numbers.
    fn numbers(&self) -> [u64; 3] {
        [self.major, self.minor, self.patch]
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.pre)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// The order of precedence (semver.org, §11).
pub fn precedence(left: &Version, right: &Version) -> Ordering {
    left.numbers().cmp(&right.numbers()).then_with(|| compare_pre(&left.pre, &right.pre))
}

/// A pre-release comes before its release; identifiers are compared one by one, numbers as numbers and before words.
fn compare_pre(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let key = |part: &str| part.parse::<u64>().map_err(|_| part.to_owned());
    let compare = |(left, right): (&str, &str)| match (key(left), key(right)) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(left), Err(right)) => left.cmp(&right),
    };
    let (left, right): (Vec<_>, Vec<_>) = (left.split('.').collect(), right.split('.').collect());
    let differing = left.iter().copied().zip(right.iter().copied()).map(compare).find(|order| order.is_ne());
    differing.unwrap_or_else(|| left.len().cmp(&right.len()))
}

/// A version as it is written, wildcards included.
#[derive(Debug, Default)]
struct Parts<'a> {
    /// One to three.
    numbers: Vec<&'a str>,
    pre: &'a str,
    metadata: &'a str,
}

impl<'a> Parts<'a> {
    /// Reads a version at the beginning of the text; with what comes after it.
    fn read(text: &'a str) -> Option<(Self, &'a str)> {
        let number = |text: &'a str| take(text, |c| c.is_ascii_digit() || matches!(c, 'x' | 'X' | '*' | '|'));
        let (first, mut rest) = number(text.strip_prefix('v').unwrap_or(text))?;
        let mut parts = Self { numbers: vec![first], ..Self::default() };
        while parts.numbers.len() < 3 {
            let Some((next, after)) = rest.strip_prefix('.').and_then(number) else { break };
            parts.numbers.push(next);
            rest = after;
        }
        if let Some((pre, after)) = rest.strip_prefix('-').and_then(identifiers) {
            (parts.pre, rest) = (pre, after);
        }
        if let Some((metadata, after)) = rest.strip_prefix('+').and_then(identifiers) {
            (parts.metadata, rest) = (metadata, after);
        }
        Some((parts, rest))
    }

    /// The version; none when there are wildcards in it, or numbers of a pre-release that begin with 0.
    fn version(self) -> Option<Version> {
        let number = |place: usize| self.numbers.get(place).map_or(Some(0), |text| text.parse().ok());
        let padded = |part: &str| {
            part.len() > 1 && part.starts_with('0') && part.chars().all(|letter| letter.is_ascii_digit())
        };
        if self.pre.split('.').any(padded) {
            return None;
        }
        Some(Version {
            major: number(0)?,
            minor: number(1)?,
            patch: number(2)?,
            pre: self.pre.to_owned(),
            metadata: self.metadata.to_owned(),
        })
    }
}

/// The longest beginning of such letters, when there is any, and the rest.
fn take(text: &str, allowed: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let end = text.find(|letter| !allowed(letter)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Identifiers joined by points.
fn identifiers(text: &str) -> Option<(&str, &str)> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let (_, mut rest) = take(text, allowed)?;
    while let Some((_, after)) = rest.strip_prefix('.').and_then(|rest| take(rest, allowed)) {
        rest = after;
    }
    Some(text.split_at(text.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_loosely_and_strictly() {
        for (text, expected) in [
            ("1", "1.0.0"),
            ("v1.2", "1.2.0"),
            ("01.002.3", "1.2.3"),
            ("1.2.3-rc.1+build.5", "1.2.3-rc.1+build.5"),
            ("1-beta", "1.0.0-beta"),
            ("1.2.3--x", "1.2.3--x"),
        ] {
            assert_eq!(Version::parse(text).unwrap().to_string(), expected, "{text}");
        }
        for text in [
            "", "v", "x", "1.x", "1.2.3.4", "1.2.3-", "1.2.3-01", "1.2.3+", " 1", "1.2.3-é", "1..2", "1|2",
            "V1",
        ] {
            assert!(Version::parse(text).is_err(), "{text}");
        }
        assert!(Version::parse("99999999999999999999.0.0").is_err());
        assert!(Version::strict("1.2.3-a+b").is_ok());
        assert!(["1.2", "v1.2.3", "1.02.3"].iter().all(|text| Version::strict(text).is_err()));
    }

    #[test]
    fn versions_have_an_order() {
        let sorted = [
            "0.9.9",
            "1.0.0-0",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-rc1",
            "1.0.0",
            "1.0.1",
            "1.10.0",
            "2.0.0",
        ];
        let versions: Vec<_> = sorted.iter().map(|text| Version::parse(text).unwrap()).collect();
        for pair in versions.windows(2) {
            assert_eq!(precedence(&pair[0], &pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(precedence(&pair[1], &pair[0]), Ordering::Greater, "{pair:?}");
        }
        let parse = |text| Version::parse(text).unwrap();
        assert_eq!(precedence(&parse("1.0.0+a"), &parse("1.0.0+b")), Ordering::Equal);
    }
}
