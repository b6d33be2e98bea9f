//! A semantic version, read as leniently as Masterminds' `NewVersion`: `v1.2` is `1.2.0`.

use std::cmp::Ordering;
use std::fmt;

/// A version.
#[derive(Clone, Debug)]
pub struct Version {
    pub major: u64,
    pub minor: u64,
    pub patch: u64,
    /// What stands behind the hyphen; empty for a release.
    pub prerelease: String,
    /// What stands behind the plus sign.
    pub metadata: String,
    /// The version as it was written.
    pub original: String,
}

pub(super) const INVALID: &str = "Invalid Semantic Version";
const LEADING_ZERO: &str = "Version segment starts with 0";

/// The parts of a written version: up to three numbers (or wildcards), a pre-release, metadata.
pub(super) struct Written<'a> {
    pub numbers: [&'a str; 3],
    pub prerelease: &'a str,
    pub metadata: &'a str,
    /// What stands behind the version.
    pub rest: &'a str,
}

/// Reads as much of the text as makes a version whose numbers consist of such letters.
pub(super) fn read(text: &str, is_number: fn(char) -> bool) -> Option<Written<'_>> {
    let mut numbers = [""; 3];
    let mut rest = text.strip_prefix('v').unwrap_or(text);
    for (index, number) in numbers.iter_mut().enumerate() {
        let Some(behind) = (if index == 0 { Some(rest) } else { rest.strip_prefix('.') }) else { break };
        let (found, behind) = split_while(behind, is_number);
        match found {
            "" if index == 0 => return None,
            "" => break,
            found => (*number, rest) = (found, behind),
        }
    }
    let (prerelease, rest) = identifiers(rest, '-');
    let (metadata, rest) = identifiers(rest, '+');
    Some(Written { numbers, prerelease, metadata, rest })
}

fn split_while(text: &str, holds: fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|letter| !holds(letter)).unwrap_or(text.len()))
}

fn is_identifier(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-'
}

/// The identifiers with dots between them behind the mark; empty when there are none.
fn identifiers(text: &str, mark: char) -> (&str, &str) {
    let Some(all) = text.strip_prefix(mark) else { return ("", text) };
    let mut end = split_while(all, is_identifier).0.len();
    if end == 0 {
        return ("", text);
    }
    while let Some(more) = all[end..].strip_prefix('.') {
        match split_while(more, is_identifier).0.len() {
            0 => break,
            length => end += 1 + length,
        }
    }
    all.split_at(end)
}

impl Version {
    /// Reads a version. An error has the library's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written = read(text, |letter| letter.is_ascii_digit()).filter(|written| written.rest.is_empty());
        let written = written.ok_or(INVALID)?;
        let [major, minor, patch] = written.numbers.map(|number| match number {
            "" => Ok(0),
            number => number.parse::<u64>().map_err(|_| {
                format!("Error parsing version segment: strconv.ParseUint: parsing \"{number}\": value out of range")
            }),
        });
        let version = Self {
            major: major?,
            minor: minor?,
            patch: patch?,
            prerelease: written.prerelease.to_owned(),
            metadata: written.metadata.to_owned(),
            original: text.to_owned(),
        };
        check_prerelease(&version.prerelease)?;
        Ok(version)
    }

    /// The next version by the name of the method: `IncMajor`, `IncMinor`, or `IncPatch`, which a pre-release only ends.
    pub(super) fn increased(&self, name: &str) -> Self {
        let (major, minor, patch) = match name {
            "IncMajor" => (self.major.wrapping_add(1), 0, 0),
            "IncMinor" => (self.major, self.minor.wrapping_add(1), 0),
            _ if self.prerelease.is_empty() => (self.major, self.minor, self.patch.wrapping_add(1)),
            _ => (self.major, self.minor, self.patch),
        };
        self.rewritten(Self {
            major,
            minor,
            patch,
            prerelease: String::new(),
            metadata: String::new(),
            original: String::new(),
        })
    }

    /// The changed version, written with a `v` when this one is.
    fn rewritten(&self, mut changed: Self) -> Self {
        let prefix = if self.original.starts_with('v') { "v" } else { "" };
        changed.original = format!("{prefix}{changed}");
        changed
    }

    pub(super) fn with_prerelease(&self, prerelease: &str) -> Result<Self, String> {
        if !prerelease.split('.').all(|part| part.chars().all(is_identifier)) {
            return Err("Invalid Prerelease string".to_owned());
        }
        check_prerelease(prerelease)?;
        Ok(self.rewritten(Self { prerelease: prerelease.to_owned(), ..self.clone() }))
    }

    pub(super) fn with_metadata(&self, metadata: &str) -> Result<Self, String> {
        if !metadata.split('.').all(|part| part.chars().all(is_identifier)) {
            return Err("Invalid Metadata string".to_owned());
        }
        Ok(self.rewritten(Self { metadata: metadata.to_owned(), ..self.clone() }))
    }
}

fn check_prerelease(prerelease: &str) -> Result<(), String> {
    let is_wrong =
        |part: &str| part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit());
    if prerelease.split('.').any(is_wrong) { Err(LEADING_ZERO.to_owned()) } else { Ok(()) }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl Ord for Version {
    /// By the numbers, then a pre-release before the release; metadata does not count.
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| {
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
            }
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// Part by part: numbers by value and before words, words by their letters, fewer parts first.
pub(super) fn compare_prereleases(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    loop {
        let order = match (one.next(), other.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(other)) => match (one.parse::<u64>(), other.parse::<u64>()) {
                (Ok(one), Ok(other)) => one.cmp(&other),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => one.cmp(other),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}
