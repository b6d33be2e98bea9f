//! How two versions of a driver differ, file by file.

use std::collections::{BTreeMap, BTreeSet};

use super::{ChartPin, DriverVersion};
use crate::domain::diff::{self, Change, DiffLine};
use crate::domain::names::digest;
use crate::domain::text::plain;

/// The most lines of both sides of one file that are compared: the time grows with their square.
const FILE_LINES_MAX: usize = 10_000;
/// The most lines of all files together that are compared.
const LINES_MAX: usize = 40_000;

/// How one version of a driver differs from another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// What differs, the pulled chart first, then the files by path.
    pub files: Vec<FileChange>,
    /// Their digests differ and none of their texts and charts does: then what differs is no text.
    pub unseen: bool,
}

/// How one file differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Its path inside the driver.
    pub path: String,
    /// Whether it came, went or stayed.
    pub fate: Fate,
    /// Its lines, with a few unchanged ones around each change.
    pub lines: Vec<DiffLine>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another content.
    Changed,
}

impl Changes {
    /// How `new` differs from `old`. Time and size are bounded, whatever the files hold.
    pub fn between(old: &DriverVersion, new: &DriverVersion) -> Self {
        let mut left = LINES_MAX;
        let mut files = Vec::new();
        let chart = (old.chart.as_ref().map(pinned), new.chart.as_ref().map(pinned));
        files.extend(change(
            "the chart that was pulled",
            (chart.0.as_deref(), chart.1.as_deref()),
            &mut left,
        ));
        for path in paths(&old.files, &new.files) {
            let texts = (old.files.get(path).map(String::as_str), new.files.get(path).map(String::as_str));
            files.extend(change(path, texts, &mut left));
        }
        for path in paths(&old.binaries, &new.binaries) {
            let of = |version: &DriverVersion| {
                version.binaries.get(path).map(|bytes| format!("no text, sha256:{}\n", digest(bytes)))
            };
            let (before, after) = (of(old), of(new));
            files.extend(change(path, (before.as_deref(), after.as_deref()), &mut left));
        }
        let unseen = files.is_empty() && old.digest != new.digest;
        Self { files, unseen }
    }

    /// How many lines come, and how many go.
    pub fn counts(&self) -> (usize, usize) {
        let counts = self.files.iter().map(|file| diff::counts(&file.lines));
        counts.fold((0, 0), |sum, file| (sum.0 + file.0, sum.1 + file.1))
    }
}

fn pinned(pin: &ChartPin) -> String {
    format!("origin: {}\nversion: {}\ndigest: {}\n", pin.origin, pin.version, pin.digest)
}

fn paths<'a, T>(old: &'a BTreeMap<String, T>, new: &'a BTreeMap<String, T>) -> BTreeSet<&'a str> {
    old.keys().chain(new.keys()).map(String::as_str).collect()
}

/// How a text differs; none when it does not. `left` is how many lines may still be compared.
fn change(path: &str, (old, new): (Option<&str>, Option<&str>), left: &mut usize) -> Option<FileChange> {
    let fate = match (old, new) {
        (old, new) if old == new => return None,
        (None, _) => Fate::Added,
        (_, None) => Fate::Removed,
        _ => Fate::Changed,
    };
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let (before, after) = (old.lines().count(), new.lines().count());
    let lines = if before + after > FILE_LINES_MAX.min(*left) {
        let text = format!("too long to be compared here: {before} lines before, {after} now");
        vec![DiffLine { change: Change::Gap, text }]
    } else {
        *left -= before + after;
        compare(old, new)
    };
    Some(FileChange { path: path.to_owned(), fate, lines })
}

/// The lines of both, fit to be shown.
fn compare(old: &str, new: &str) -> Vec<DiffLine> {
    let mut lines = diff::lines(old, new);
    for line in &mut lines {
        line.text = plain(&line.text);
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn version(files: &[(&str, &str)]) -> DriverVersion {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let mut version = DriverVersion { files, ..DriverVersion::default() };
        version.digest = version.content_digest();
        version
    }

    fn fates(changes: &Changes) -> Vec<(&str, Fate)> {
        changes.files.iter().map(|file| (file.path.as_str(), file.fate)).collect()
    }

    #[test]
    fn files_come_go_and_change() {
        let old = version(&[("a", "1\n"), ("b", "1\n2\n"), ("same", "x\n")]);
        let new = version(&[("b", "1\n3\n"), ("c", "\tn\u{1b}[31mo\n"), ("same", "x\n")]);
        let changes = Changes::between(&old, &new);
        assert_eq!(fates(&changes), [("a", Fate::Removed), ("b", Fate::Changed), ("c", Fate::Added)]);
        assert_eq!(changes.counts(), (2, 2));
        assert_eq!(changes.files[2].lines[0].text, "    no", "no control characters reach the screen");
        assert_eq!(Changes::between(&old, &old), Changes::default());
    }

    #[test]
    fn what_is_no_text_is_told_apart_by_its_digest() {
        let (old, mut new) = (version(&[("a", "1\n")]), version(&[("a", "1\n")]));
        new.binaries.insert("logo.png".to_owned(), Arc::from([1_u8, 2]));
        new.digest = new.content_digest();
        let changes = Changes::between(&old, &new);
        assert_eq!(fates(&changes), [("logo.png", Fate::Added)]);
        assert!(changes.files[0].lines[0].text.starts_with("no text, sha256:"));
        // as lists of drivers have them: the bytes are left out, the digest tells
        new.binaries.clear();
        assert_eq!(Changes::between(&old, &new), Changes { files: Vec::new(), unseen: true });
    }

    #[test]
    fn another_chart_is_a_change() {
        let (mut old, mut new) = (version(&[]), version(&[]));
        let pin = |version: &str| ChartPin { version: version.to_owned(), ..ChartPin::default() };
        (old.chart, new.chart) = (Some(pin("4.1.0")), Some(pin("4.2.0")));
        let changes = Changes::between(&old, &new);
        assert_eq!(fates(&changes), [("the chart that was pulled", Fate::Changed)]);
        assert_eq!(changes.counts(), (1, 1));
    }

    #[test]
    fn files_that_are_too_long_are_named_and_not_compared() {
        let numbers = |from: usize| (from..from + 6_000).map(|n| format!("{n}\n")).collect::<String>();
        let changes = Changes::between(&version(&[("a", &numbers(0))]), &version(&[("a", &numbers(9_000))]));
        assert_eq!(fates(&changes), [("a", Fate::Changed)]);
        assert_eq!(changes.files[0].lines.len(), 1);
        assert!(changes.files[0].lines[0].text.contains("6000 lines before, 6000 now"));
    }
}
