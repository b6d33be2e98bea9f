//! Versions of applications and drivers, their order, and ranges of them.
//!
//! Versions follow PEP 440, and stretch it where images do: any suffix that it does not know (`1.2.0-broken`,
//! `1.26.3-alpine`) makes a version that comes before the plain one. Pre-releases count in ranges like any other version; only
//! `<2.0` does not let `2.0rc1` in, and `>1.0` not `1.0.post1`.

mod range;

use std::cmp::Ordering;

pub use range::{bare_version, check_range, matches};

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

/// The order of two versions, by their text where they are the same version. What is no version at all comes before everything
/// that is, by its text.
pub fn compare(left: &str, right: &str) -> Ordering {
    precedence(left, right).then_with(|| left.cmp(right))
}

/// The order of two versions: `1.0` and `1.0.0` are equal.
pub fn precedence(left: &str, right: &str) -> Ordering {
    match (Version::parse(left), Version::parse(right)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (None, None) => left.cmp(right),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Whether `version` can be read as a version.
pub fn is_version(version: &str) -> bool {
    Version::parse(version).is_some()
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
}
