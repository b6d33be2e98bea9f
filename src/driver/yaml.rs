//! YAML as a tree in which every value and every key knows its place.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Location, Options, Spanned};

use super::Diagnostic;

/// A place in a file: line and column from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        let narrow = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self { line: narrow(location.line()), column: narrow(location.column()) }
    }
}

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) tree: Tree,
    /// Where its text stands in the source, in bytes.
    span: Option<(usize, usize)>,
}

/// A value.
#[derive(Debug)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key and where it stands.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) name: String,
}

impl Node {
    /// How the value is written in `source`: `1.10` stays `1.10`, which as a number it would not.
    pub(super) fn written<'a>(&self, source: &'a str) -> Option<&'a str> {
        let (start, length) = self.span?;
        source.get(start..start.checked_add(length)?).filter(|text| !text.is_empty())
    }

    /// What the value is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self.tree {
            Tree::Null => "nothing",
            Tree::Bool(_) => "a boolean",
            Tree::Integer(_) => "an integer",
            Tree::Number(_) => "a number",
            Tree::Text(_) => "a text",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a mapping",
        }
    }

    /// The value without its places.
    pub(super) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.tree {
            Tree::Null => Value::Null,
            Tree::Bool(value) => Value::from(*value),
            Tree::Integer(value) => Value::from(*value),
            Tree::Number(value) => Value::from(*value),
            Tree::Text(value) => Value::from(value.as_str()),
            Tree::List(items) => items.iter().map(Self::to_json).collect(),
            Tree::Map(entries) => {
                entries.iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect()
            }
        }
    }
}

/// Reads the one document of `text`.
pub(super) fn parse(file: &str, text: &str) -> Result<Node, Diagnostic> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| diagnostic(file, &error))
}

/// How deep a driver file may be nested. Each level takes about 30 kB of a thread's stack in a debug build.
const DEPTH: usize = 32;

/// How YAML is read: numbers such as `0644` are octal as Kubernetes' own parser has it; keys that stand twice are let
/// through here, and reported with their places by the reader.
fn options() -> Options {
    let mut options = Options::default();
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    options.legacy_octal_numbers = true;
    options.with_snippet = false;
    options.budget = serde_saphyr::budget! { max_depth: DEPTH };
    options
}

/// A syntax error at its place.
pub(super) fn diagnostic(file: &str, error: &serde_saphyr::Error) -> Diagnostic {
    let place = error.location().map(Place::from).unwrap_or_default();
    let message = format!("this is no valid YAML: {}", bare_message(error));
    Diagnostic { line: place.line, column: place.column, ..Diagnostic::of_file(file, message, "") }
}

/// The parser's words without the place that it appends to them, nor the advice to programmers.
pub(super) fn bare_message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.split(" at line ").next().unwrap_or("");
    text.split(", set DuplicateKeyPolicy").next().unwrap_or("").to_owned()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Tree>::deserialize(deserializer)?;
        let span = spanned.defined.span();
        let narrow = |number| usize::try_from(number).ok();
        let span = span.byte_offset().zip(span.byte_len());
        Ok(Self {
            place: spanned.referenced.into(),
            tree: spanned.value,
            span: span.and_then(|(start, length)| narrow(start).zip(narrow(length))),
        })
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        #[expect(clippy::cast_precision_loss, reason = "a number beyond i64 has no exact form here")]
        Ok(i64::try_from(value).map_or(Tree::Number(value as f64), Tree::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let key = Key { place: key.referenced.into(), name: key.value };
            map.push((key, entries.next_value()?));
        }
        Ok(Tree::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_keys_know_their_places() {
        let text = "a: 1.10\nb:\n  - &x {k: yes}\n  - *x\nmode: 0644\n";
        let node = parse("f", text).unwrap();
        let Tree::Map(entries) = &node.tree else { panic!("{node:?}") };
        assert_eq!(entries[0].1.written(text), Some("1.10"));
        assert_eq!(entries[1].0.place, Place { line: 2, column: 1 });
        let Tree::List(items) = &entries[1].1.tree else { panic!("{node:?}") };
        assert_eq!(items[1].place.line, 4);
        assert_eq!(items[1].to_json(), serde_json::json!({"k": true}));
        assert_eq!(entries[2].1.to_json(), 420);
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let error = parse("driver.styrmin.yml", "a: 1\n b: 2\n").unwrap_err();
        assert_eq!((error.line, error.column), (2, 3));
        assert!(!error.message.contains("at line"), "{error}");
    }
}
