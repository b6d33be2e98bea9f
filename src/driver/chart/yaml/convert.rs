//! Turns a YAML document into a value: resolves scalars, follows aliases, merges `<<`.

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::nodes::{Document, Kind, Node, Text};
use super::read::YamlError;
use super::resolve::{Scalar, resolve};
use crate::driver::chart::format::{DEPTH, general};
use crate::driver::chart::json::{self, Numbers};
use crate::driver::chart::value::{Value, lossy};

type Converted<T> = Result<T, YamlError>;
type Entries = BTreeMap<Rc<str>, Value>;

/// The value of a document.
pub(super) fn convert(document: &Document, numbers: Numbers) -> Converted<Value> {
    let mut converter =
        Converter { document, numbers, depth: 0, within: Vec::new(), seen: 0, seen_by_alias: 0 };
    match document.nodes.first() {
        Some(_) => converter.node(0),
        None => Ok(Value::Nil),
    }
}

struct Converter<'d> {
    document: &'d Document,
    numbers: Numbers,
    depth: usize,
    /// The nodes whose aliases are being followed.
    within: Vec<usize>,
    /// How many nodes were converted, and how many of those because of an alias.
    seen: u64,
    seen_by_alias: u64,
}

impl<'d> Converter<'d> {
    fn node(&mut self, index: usize) -> Converted<Value> {
        let Some(node) = self.document.nodes.get(index) else { return Ok(Value::Nil) };
        self.deeper(node, |converter| match &node.kind {
            Kind::Scalar(text) => converter.scalar(node, text),
            Kind::Alias(target) => converter.alias(node, *target, |converter| converter.node(*target)),
            Kind::List(items) => {
                let items: Converted<Vec<Value>> = items.iter().map(|item| converter.node(*item)).collect();
                items.map(Value::list)
            }
            Kind::Mapping(entries) => {
                let mut merged = Entries::new();
                converter.mapping(entries, &mut merged)?;
                Ok(Value::Dict(Rc::new(merged.into())))
            }
        })
    }

    /// Counts the node, and goes one level deeper for it: whatever calls itself goes through here.
    fn deeper<T>(&mut self, node: &Node, work: impl FnOnce(&mut Self) -> Converted<T>) -> Converted<T> {
        self.count(node)?;
        if self.depth >= DEPTH {
            return Err(error(node, format!("nested more than {DEPTH} deep")));
        }
        self.depth += 1;
        let done = work(self);
        self.depth -= 1;
        done
    }

    /// Refuses documents most of which are aliases, by go-yaml's own measure.
    fn count(&mut self, node: &Node) -> Converted<()> {
        self.seen += 1;
        self.seen_by_alias += u64::from(!self.within.is_empty());
        if self.seen_by_alias <= 100 || self.seen <= 1000 {
            return Ok(());
        }
        // 99 of a hundred for small documents, down to a tenth for those of four million nodes.
        let allowed = match self.seen {
            0..=400_000 => 990,
            4_000_000.. => 100,
            seen => 990 - 890 * (seen - 400_000) / 3_600_000,
        };
        if self.seen_by_alias * 1000 > self.seen * allowed {
            return Err(error(node, "document contains excessive aliasing".to_owned()));
        }
        Ok(())
    }

    fn alias<T>(
        &mut self,
        node: &Node,
        target: usize,
        follow: impl FnOnce(&mut Self) -> Converted<T>,
    ) -> Converted<T> {
        if self.within.contains(&target) {
            return Err(error(node, "an anchor's value contains itself".to_owned()));
        }
        self.within.push(target);
        let followed = follow(self);
        self.within.pop();
        followed
    }

    /// Adds entries in their order: of two of the same key the later one counts, also where one of them is merged.
    fn mapping(&mut self, entries: &'d [(usize, usize)], into: &mut Entries) -> Converted<()> {
        for (key, value) in entries {
            if self.is_merge(*key) {
                self.merge(*value, into)?;
                continue;
            }
            let key = self.key(*key)?;
            let value = self.node(*value)?;
            into.insert(key, value);
        }
        Ok(())
    }

    fn is_merge(&self, key: usize) -> bool {
        match self.document.nodes.get(key).map(|node| &node.kind) {
            Some(Kind::Scalar(Text { text, plain, tag })) => {
                **text == *"<<" && ((*plain && tag.is_none()) || tag.as_deref() == Some("merge"))
            }
            _ => false,
        }
    }

    fn merge(&mut self, value: usize, into: &mut Entries) -> Converted<()> {
        let document = self.document;
        let Some(node) = document.nodes.get(value) else { return Ok(()) };
        self.deeper(node, |converter| match &node.kind {
            Kind::Mapping(entries) => converter.mapping(entries, into),
            Kind::Alias(target) => converter.alias(node, *target, |converter| {
                match document.nodes.get(*target).map(|target| &target.kind) {
                    Some(Kind::Mapping(entries)) => converter.mapping(entries, into),
                    _ => Err(cannot_merge(node)),
                }
            }),
            // Earlier mappings of the list count before later ones.
            Kind::List(items) => items.iter().rev().try_for_each(|item| {
                match document.nodes.get(*item).map(|item| &item.kind) {
                    Some(Kind::Mapping(_) | Kind::Alias(_)) => converter.merge(*item, into),
                    _ => Err(cannot_merge(node)),
                }
            }),
            Kind::Scalar(_) => Err(cannot_merge(node)),
        })
    }

    /// A key as JSON has it: a text.
    fn key(&mut self, index: usize) -> Converted<Rc<str>> {
        let Some(node) = self.document.nodes.get(index) else { return Ok(Rc::from("")) };
        self.count(node)?;
        let text = match &node.kind {
            Kind::Scalar(text) => text,
            // What an alias stands for is no alias, so this goes no deeper.
            Kind::Alias(target) => return self.alias(node, *target, |converter| converter.key(*target)),
            Kind::List(_) | Kind::Mapping(_) => {
                return Err(error(
                    node,
                    "invalid map key: neither a list nor a mapping can be one".to_owned(),
                ));
            }
        };
        Ok(match resolve_tagged(node, text)? {
            Scalar::Text | Scalar::Timestamp => Rc::clone(&text.text),
            Scalar::Bool(value) => Rc::from(if value { "true" } else { "false" }),
            Scalar::Int(value) => Rc::from(value.to_string()),
            Scalar::Float(value) => Rc::from(float_key(value)),
            Scalar::Null | Scalar::Unsigned(_) => {
                return Err(error(node, format!("unsupported map key: {}", text.text)));
            }
        })
    }

    fn scalar(&self, node: &Node, text: &Text) -> Converted<Value> {
        if text.tag.as_deref() == Some("binary") {
            let bytes = STANDARD
                .decode(text.text.replace(['\n', '\r'], ""))
                .map_err(|_error| error(node, "!!binary value contains invalid base64 data".to_owned()))?;
            return Ok(Value::text(lossy(&bytes)));
        }
        let number = |written: String| self.numbers.value(&written).map_err(|problem| error(node, problem));
        Ok(match resolve_tagged(node, text)? {
            Scalar::Null => Value::Nil,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Int(value) => number(value.to_string())?,
            Scalar::Unsigned(value) => number(value.to_string())?,
            Scalar::Float(value) => number(json::number(value).map_err(|problem| error(node, problem))?)?,
            Scalar::Timestamp | Scalar::Text => Value::Text(Rc::clone(&text.text)),
        })
    }
}

fn error(node: &Node, message: String) -> YamlError {
    YamlError { line: node.line, column: node.column, message }
}

fn cannot_merge(node: &Node) -> YamlError {
    error(node, "map merge requires map or sequence of maps as the value".to_owned())
}

/// What a scalar stands for, and whether its tag agrees.
fn resolve_tagged(node: &Node, text: &Text) -> Converted<Scalar> {
    let resolved = match (&text.tag, text.plain) {
        (None, true) => return Ok(resolve(&text.text)),
        (None, false) => return Ok(Scalar::Text),
        (Some(tag), _) => match (tag.as_str(), resolve(&text.text)) {
            ("bool", value @ Scalar::Bool(_))
            | ("int", value @ (Scalar::Int(_) | Scalar::Unsigned(_)))
            | ("float", value @ Scalar::Float(_))
            | ("null", value @ Scalar::Null)
            | ("timestamp", value @ Scalar::Timestamp) => Some(value),
            #[expect(clippy::cast_precision_loss, reason = "a float is what the tag asks for")]
            ("float", Scalar::Int(value)) => Some(Scalar::Float(value as f64)),
            ("bool" | "int" | "float" | "null" | "timestamp", _) => None,
            _ => Some(Scalar::Text),
        },
    };
    resolved.ok_or_else(|| {
        let tag = text.tag.as_deref().unwrap_or("");
        error(node, format!("cannot decode `{}` as a !!{tag}", text.text))
    })
}

/// Go writes keys that are floats with the digits of a float32.
fn float_key(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "as sigs.k8s.io/yaml does")]
    let narrow = value as f32;
    match general(value).as_str() {
        "+Inf" => ".inf".to_owned(),
        "-Inf" => "-.inf".to_owned(),
        "NaN" => ".nan".to_owned(),
        _ => narrow.to_string().parse().map_or_else(|_error| narrow.to_string(), general),
    }
}
