//! Reads mappings of a known shape, and collects everything that is wrong with them instead of stopping at the first.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::domain::text::plain;

use super::yaml::{Key, Node, Place, Tree};
use super::{Diagnostic, suggest};

/// A day, in seconds.
const DAY: u32 = 24 * 60 * 60;

/// The longest text that a message shows, in characters.
const SHOWN: usize = 40;

/// How many entries a mapping or list may have.
const ENTRIES: usize = 1_000;

/// How many findings of one kind are told.
const FINDINGS: usize = 100;

/// The longest message and the longest hint, in characters.
const MESSAGE: usize = 400;

/// What was found so far in one file.
pub(super) struct Report<'a> {
    file: &'a str,
    source: &'a str,
    pub(super) errors: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a str, source: &'a str) -> Self {
        Self { file, source, errors: Vec::new(), warnings: Vec::new() }
    }

    /// Something that keeps the driver from loading.
    pub(super) fn error(&mut self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        let diagnostic = self.at(place, message.into(), hint.into());
        keep(&mut self.errors, diagnostic);
    }

    /// Something that is worth knowing.
    pub(super) fn warn(&mut self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        let diagnostic = self.at(place, message.into(), hint.into()).into_warning();
        keep(&mut self.warnings, diagnostic);
    }

    /// Whether errors are no longer told, because there are so many.
    pub(super) fn is_full(&self) -> bool {
        self.errors.len() > FINDINGS
    }

    /// The hint of an error about a name that is none of the candidates; looking for the nearest takes its time, and is left when
    /// nobody will be told.
    pub(super) fn hint<'c>(&self, name: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
        if self.is_full() { String::new() } else { suggest::hint(name, candidates) }
    }

    /// Whether there are no more than `most`; an error when there are.
    pub(super) fn has_room(&mut self, place: Place, path: &str, count: usize, most: usize) -> bool {
        if count > most {
            self.error(place, format!("{path} has {count} entries, the limit is {most}"), "");
        }
        count <= most
    }

    fn at(&self, place: Place, message: String, hint: String) -> Diagnostic {
        let found = Diagnostic::of_file(self.file, cut(message), cut(hint));
        Diagnostic { line: place.line, column: place.column, ..found }
    }

    /// The entries of a mapping; something else is an error. `path` names it in messages.
    pub(super) fn entries<'n>(&mut self, node: &'n Node, path: &str) -> Vec<(&'n Key, &'n Node)> {
        let entries: Vec<_> = match &node.tree {
            Tree::Map(entries) => entries.iter().map(|(key, value)| (key, value)).collect(),
            Tree::Null => Vec::new(),
            _ => {
                self.expected(node, path, "a mapping");
                Vec::new()
            }
        };
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (key, _) in &entries {
            if let Some(first) = seen.insert(&key.name, key.place.line) {
                let message = format!("'{}' stands twice in {path}", key.name);
                self.error(key.place, message, format!("the first is in line {first}"));
            }
        }
        if entries.len() > ENTRIES {
            let message = format!("{path} has {} entries, the limit is {ENTRIES}", entries.len());
            self.error(node.place, message, "");
            return Vec::new();
        }
        entries
    }

    /// The items of a list; something else is an error.
    pub(super) fn items<'n>(&mut self, node: &'n Node, path: &str) -> &'n [Node] {
        match &node.tree {
            Tree::List(items) if items.len() > ENTRIES => {
                let message = format!("{path} has {} items, the limit is {ENTRIES}", items.len());
                self.error(node.place, message, "");
                &[]
            }
            Tree::List(items) => items,
            Tree::Null => &[],
            _ => {
                self.expected(node, path, "a list");
                &[]
            }
        }
    }

    /// A text. A number or boolean is taken as it is written, with a warning: `1.10` without quotes is a number.
    pub(super) fn text(&mut self, node: &Node, path: &str) -> Option<String> {
        match &node.tree {
            Tree::Text(text) => Some(text.clone()),
            Tree::Integer(_) | Tree::Number(_) | Tree::Bool(_) => {
                let written = node.written(self.source)?.to_owned();
                let message = format!("{path} is {}, taken as the text \"{written}\"", node.kind());
                self.warn(node.place, message, "put it into quotes");
                Some(written)
            }
            _ => {
                self.expected(node, path, "a text");
                None
            }
        }
    }

    /// A list of texts. A single text counts as a list of one.
    pub(super) fn texts(&mut self, node: &Node, path: &str) -> Vec<String> {
        self.places_of_texts(node, path).into_iter().map(|(_, text)| text).collect()
    }

    /// A list of texts with the place of each. A single text counts as a list of one.
    pub(super) fn places_of_texts(&mut self, node: &Node, path: &str) -> Vec<(Place, String)> {
        if !matches!(node.tree, Tree::List(_) | Tree::Map(_)) {
            return self.text(node, path).map(|text| (node.place, text)).into_iter().collect();
        }
        let mut found = Vec::new();
        for (position, item) in self.items(node, path).iter().enumerate() {
            found.extend(self.text(item, &format!("{path}[{position}]")).map(|text| (item.place, text)));
        }
        found
    }

    /// A length of time in seconds: `90`, `"90s"`, `5m`, `1h30m`; at least one second, at most a day.
    pub(super) fn seconds(&mut self, node: &Node, path: &str) -> Option<u32> {
        let seconds = match &node.tree {
            Tree::Integer(seconds) => Some(*seconds),
            Tree::Text(text) => text.parse::<SignedDuration>().ok().map(|duration| duration.as_secs()),
            _ => None,
        };
        let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok());
        if seconds.is_none_or(|seconds| seconds == 0 || seconds > DAY) {
            self.expected(node, path, "a length of time from 1s to 24h, such as 90s, 5m or 1h30m");
            return None;
        }
        seconds
    }

    /// A whole number from 0 to `most`.
    pub(super) fn count(&mut self, node: &Node, path: &str, most: u32) -> Option<u32> {
        let found = match node.tree {
            Tree::Integer(value) => u32::try_from(value).ok().filter(|value| *value <= most),
            _ => None,
        };
        if found.is_none() {
            self.expected(node, path, &format!("a whole number from 0 to {most}"));
        }
        found
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, node: &Node, path: &str) -> Option<bool> {
        match node.tree {
            Tree::Bool(value) => Some(value),
            _ => {
                self.expected(node, path, "true or false");
                None
            }
        }
    }

    /// A number.
    pub(super) fn number(&mut self, node: &Node, path: &str) -> Option<f64> {
        match node.tree {
            #[expect(clippy::cast_precision_loss, reason = "bounds beyond 2^53 make no difference")]
            Tree::Integer(value) => Some(value as f64),
            Tree::Number(value) => Some(value),
            _ => {
                self.expected(node, path, "a number");
                None
            }
        }
    }

    /// A port, 1 to 65535.
    pub(super) fn port(&mut self, node: &Node, path: &str) -> Option<u16> {
        match node.tree {
            Tree::Integer(value) => match u16::try_from(value) {
                Ok(port) if port > 0 => Some(port),
                _ => {
                    self.error(node.place, format!("{path} is {value}, expected a port from 1 to 65535"), "");
                    None
                }
            },
            _ => {
                self.expected(node, path, "a port from 1 to 65535");
                None
            }
        }
    }

    /// An error that names what stands there and what should.
    pub(super) fn expected(&mut self, node: &Node, path: &str, what: &str) {
        let found = match &node.tree {
            Tree::Integer(number) => number.to_string(),
            Tree::Number(number) => number.to_string(),
            Tree::Text(text) if text.chars().count() <= SHOWN => format!("the text '{text}'"),
            _ => node.kind().to_owned(),
        };
        self.error(node.place, format!("{path} is {found}, expected {what}"), "");
    }
}

/// Adds a finding; behind the last one that is told stands that there are more.
fn keep(findings: &mut Vec<Diagnostic>, diagnostic: Diagnostic) {
    match findings.len() {
        count if count < FINDINGS => findings.push(diagnostic),
        FINDINGS => findings.push(Diagnostic {
            message: "there is more to say, which is left out".to_owned(),
            hint: "correct the rest first".to_owned(),
            ..diagnostic
        }),
        _ => {}
    }
}

/// A text that is no longer than a message may be, and that no terminal obeys: names in a driver are what their author likes.
pub(super) fn cut(text: String) -> String {
    let text = if text.contains(char::is_control) { plain(&text) } else { text };
    match text.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The fields of one mapping.
pub(super) struct Fields<'n> {
    pub(super) place: Place,
    pub(super) path: String,
    entries: Vec<(&'n Key, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// Opens a mapping with the fields `known`. Others are warned about, with the nearest known one.
    pub(super) fn open(node: &'n Node, path: &str, known: &[&str], report: &mut Report<'_>) -> Self {
        let entries = report.entries(node, path);
        for (key, _) in &entries {
            if !known.contains(&key.name.as_str()) {
                let hint = suggest::hint(&key.name, known.iter().copied());
                report.warn(key.place, format!("{path} has no field '{}', it is ignored", key.name), hint);
            }
        }
        Self { place: node.place, path: path.to_owned(), entries }
    }

    /// The value of a field; a null counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        let found = self.entries.iter().find(|(key, _)| key.name == name)?;
        Some(found.1).filter(|node| !matches!(node.tree, Tree::Null))
    }

    /// The value of a field that must be there.
    pub(super) fn require(&self, name: &str, report: &mut Report<'_>) -> Option<&'n Node> {
        let found = self.get(name);
        if found.is_none() {
            // A field that stands there without a value is the better place to point at.
            let key = self.entries.iter().find(|(key, _)| key.name == name).map(|(key, _)| key.place);
            report.error(key.unwrap_or(self.place), format!("{} has no {name}", self.path), "it is required");
        }
        found
    }

    /// The path of a field for messages.
    pub(super) fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// A text, empty when absent.
    pub(super) fn text(&self, name: &str, report: &mut Report<'_>) -> String {
        self.get(name).and_then(|node| report.text(node, &self.path_of(name))).unwrap_or_default()
    }

    /// A text, none when absent or empty.
    pub(super) fn optional_text(&self, name: &str, report: &mut Report<'_>) -> Option<String> {
        Some(self.text(name, report)).filter(|text| !text.is_empty())
    }

    /// A text that must be there and not be empty.
    pub(super) fn required_text(&self, name: &str, report: &mut Report<'_>) -> Option<String> {
        let node = self.require(name, report)?;
        let text = report.text(node, &self.path_of(name))?;
        if text.trim().is_empty() {
            report.error(node.place, format!("{} is empty", self.path_of(name)), "it is required");
            return None;
        }
        Some(text)
    }

    /// A list of texts, empty when absent.
    pub(super) fn texts(&self, name: &str, report: &mut Report<'_>) -> Vec<String> {
        self.get(name).map(|node| report.texts(node, &self.path_of(name))).unwrap_or_default()
    }

    /// The items of a list, none when absent.
    pub(super) fn items(&self, name: &str, report: &mut Report<'_>) -> &'n [Node] {
        self.get(name).map(|node| report.items(node, &self.path_of(name))).unwrap_or_default()
    }

    /// A boolean, false when absent.
    pub(super) fn flag(&self, name: &str, report: &mut Report<'_>) -> bool {
        self.get(name).and_then(|node| report.flag(node, &self.path_of(name))).unwrap_or_default()
    }

    /// Where a field stands, or the mapping when it is absent.
    pub(super) fn place_of(&self, name: &str) -> Place {
        self.get(name).map_or(self.place, |node| node.place)
    }
}
