//! Walks of values along their type: the set of a value's fields, what changed between two values, merging and removing.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::path::PathElement;
use super::set::FieldSet;
use crate::sandbox::schema::{ListKind, ListOf, Schema};

/// How a value is seen at its place: as one value, by its fields, or by its items.
enum Shape<'a> {
    Leaf,
    Fields(&'a Map<String, Value>),
    Items(&'a ListOf, &'a [Value]),
}

fn shape<'a>(schema: &'a Schema, value: &'a Value) -> Shape<'a> {
    match (schema, value) {
        (Schema::Object(object), _) if object.atomic => Shape::Leaf,
        (Schema::Map(map), _) if map.atomic => Shape::Leaf,
        (Schema::Any | Schema::Object(_) | Schema::Map(_), Value::Object(fields)) => Shape::Fields(fields),
        (Schema::List(list), Value::Array(items)) if list.kind != ListKind::Atomic => {
            Shape::Items(list, items)
        }
        _ => Shape::Leaf,
    }
}

/// Whether a value at this place is one value whatever it holds.
fn atomic(schema: &Schema) -> bool {
    match schema {
        Schema::Any | Schema::Scalar(_) => false,
        Schema::Object(object) => object.atomic,
        Schema::Map(map) => map.atomic,
        Schema::List(list) => list.kind == ListKind::Atomic,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn child_schema(schema: &Schema, name: &str) -> Schema {
    schema.field(name).unwrap_or(Schema::Any)
}

/// The items of a list by their path elements, in order; the first of two with the same keys counts.
fn named_items<'a>(list: &ListOf, items: &'a [Value]) -> Vec<(PathElement, &'a Value)> {
    let mut named: Vec<(PathElement, &Value)> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let element = list.key_of(item).ok().flatten().unwrap_or(PathElement::Index(index as u64));
        if !named.iter().any(|(known, _)| *known == element) {
            named.push((element, item));
        }
    }
    named
}

/// The fields that a configuration sets.
pub fn field_set(schema: &Schema, value: &Value) -> FieldSet {
    let mut set = FieldSet::default();
    collect(schema, value, &mut Vec::new(), &mut set);
    set
}

fn collect(schema: &Schema, value: &Value, path: &mut Vec<PathElement>, set: &mut FieldSet) {
    match shape(schema, value) {
        // A null where a list or a map belongs sets nothing itself; the field that holds it does.
        Shape::Leaf
            if value.is_null() && !atomic(schema) && !matches!(schema, Schema::Any | Schema::Scalar(_)) => {}
        Shape::Leaf => set.insert(path),
        Shape::Fields(fields) => {
            for (name, child) in fields {
                path.push(PathElement::field(name));
                collect(&child_schema(schema, name), child, path, set);
                let empty = child.is_null() || child.as_object().is_some_and(Map::is_empty);
                if empty || !schema.declares(name) {
                    set.insert(path);
                }
                path.pop();
            }
        }
        Shape::Items(list, items) => {
            for (element, item) in named_items(list, items) {
                path.push(element);
                collect(&list.items, item, path, set);
                set.insert(path);
                path.pop();
            }
        }
    }
}

/// What differs between two values.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Only in the new one.
    pub added: FieldSet,
    /// In both, with other values.
    pub modified: FieldSet,
    /// Only in the old one.
    pub removed: FieldSet,
}

impl Comparison {
    /// Compares.
    pub fn of(schema: &Schema, old: &Value, new: &Value) -> Self {
        let mut result = Self::default();
        result.compare(schema, (Some(old), Some(new)), &mut Vec::new());
        result
    }

    /// Added or modified.
    pub fn touched(&self) -> FieldSet {
        self.added.union(&self.modified)
    }

    fn compare(
        &mut self,
        schema: &Schema,
        (old, new): (Option<&Value>, Option<&Value>),
        path: &mut Vec<PathElement>,
    ) {
        let null = Value::Null;
        let leaf = match (shape(schema, old.unwrap_or(&null)), shape(schema, new.unwrap_or(&null))) {
            (Shape::Leaf, Shape::Leaf) => true,
            // An empty list or map on both sides is one value: that keeps the difference between empty and absent.
            _ => old.is_none_or(is_empty) && new.is_none_or(is_empty),
        };
        match (old, new) {
            (None, None) => return,
            (None, Some(_)) => self.added.insert(path),
            (Some(_), None) => self.removed.insert(path),
            (Some(old), Some(new)) if leaf && !same(old, new) => self.modified.insert(path),
            (Some(old), Some(new)) if !leaf && changes_kind(old, new) => self.modified.insert(path),
            _ => {}
        }
        if !leaf {
            self.compare_fields(schema, (old, new), path);
            self.compare_items(schema, (old, new), path);
        }
    }

    fn compare_fields(
        &mut self,
        schema: &Schema,
        (old, new): (Option<&Value>, Option<&Value>),
        path: &mut Vec<PathElement>,
    ) {
        let (old, new) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
        let (old, new) = (old.into_iter().flatten(), new.into_iter().flatten());
        let mut pairs: BTreeMap<&String, (Option<&Value>, Option<&Value>)> = BTreeMap::new();
        old.for_each(|(name, value)| pairs.entry(name).or_default().0 = Some(value));
        new.for_each(|(name, value)| pairs.entry(name).or_default().1 = Some(value));
        for (name, pair) in pairs {
            path.push(PathElement::field(name));
            self.compare(&child_schema(schema, name), pair, path);
            path.pop();
        }
    }

    fn compare_items(
        &mut self,
        schema: &Schema,
        (old, new): (Option<&Value>, Option<&Value>),
        path: &mut Vec<PathElement>,
    ) {
        let Schema::List(list) = schema else { return };
        let items = |value: Option<&'_ Value>| {
            value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice).to_vec()
        };
        let (old, new) = (items(old), items(new));
        let mut pairs: BTreeMap<PathElement, (Option<&Value>, Option<&Value>)> = BTreeMap::new();
        named_items(list, &old)
            .into_iter()
            .for_each(|(key, value)| pairs.entry(key).or_default().0 = Some(value));
        named_items(list, &new)
            .into_iter()
            .for_each(|(key, value)| pairs.entry(key).or_default().1 = Some(value));
        for (element, pair) in pairs {
            path.push(element);
            self.compare(&list.items, pair, path);
            path.pop();
        }
    }
}

/// A scalar became an object or the like (possible only where the type says nothing).
fn changes_kind(old: &Value, new: &Value) -> bool {
    old.is_object() != new.is_object()
        && !old.is_null()
        && !new.is_null()
        && !old.is_array()
        && !new.is_array()
}

/// Equal, where 1 and 1.0 are the same number.
fn same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| same(value, other)))
        }
        _ => old == new,
    }
}

/// Merges a configuration into the live value: what the configuration has wins, all else stays.
pub fn merge(schema: &Schema, live: &Value, config: &Value) -> Value {
    match (shape(schema, live), shape(schema, config)) {
        (Shape::Fields(ours), Shape::Fields(theirs)) => {
            let mut merged = ours.clone();
            for (name, value) in theirs {
                let value = match ours.get(name) {
                    Some(live) => merge(&child_schema(schema, name), live, value),
                    None => value.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (Shape::Items(list, ours), Shape::Items(_, theirs)) => Value::Array(merge_items(list, ours, theirs)),
        _ => config.clone(),
    }
}

/// The configuration's items keep their order among themselves, the live ones stay where they were between them.
fn merge_items(list: &ListOf, live: &[Value], config: &[Value]) -> Vec<Value> {
    let ours = named_items(list, live);
    let theirs = named_items(list, config);
    let in_theirs = |element: &PathElement| theirs.iter().any(|(known, _)| known == element);
    let mut merged = Vec::with_capacity(ours.len() + theirs.len());
    let mut rest = theirs.iter().peekable();
    for (element, item) in &ours {
        if !in_theirs(element) {
            merged.push((*item).clone());
            continue;
        }
        // Up to and including the item that both have; none if an earlier round took it along.
        if rest.clone().any(|(known, _)| known == element) {
            for (known, value) in rest.by_ref() {
                merged.push(merge_item(list, &ours, known, value));
                if known == element {
                    break;
                }
            }
        }
    }
    merged.extend(rest.map(|(known, value)| merge_item(list, &ours, known, value)));
    merged
}

fn merge_item(list: &ListOf, live: &[(PathElement, &Value)], element: &PathElement, value: &Value) -> Value {
    match live.iter().find(|(known, _)| known == element) {
        Some((_, item)) => merge(&list.items, item, value),
        None => value.clone(),
    }
}

/// Removes the members of a set from a value; `None` when nothing is left of it.
pub fn remove(schema: &Schema, value: &Value, set: &FieldSet) -> Option<Value> {
    match shape(schema, value) {
        Shape::Leaf => (!atomic(schema)).then(|| value.clone()),
        Shape::Fields(fields) => {
            let mut kept = Map::new();
            for (name, child) in fields {
                let element = PathElement::field(name);
                if set.has(&element) {
                    continue;
                }
                let left = match set.below(&element) {
                    Some(below) => remove(&child_schema(schema, name), child, below),
                    None => Some(child.clone()),
                };
                if let Some(left) = left {
                    kept.insert(name.clone(), left);
                }
            }
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Shape::Items(list, items) => {
            let mut kept = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let element = list.key_of(item).ok().flatten().unwrap_or(PathElement::Index(index as u64));
                if set.has(&element) {
                    continue;
                }
                match set.below(&element) {
                    Some(below) => kept.extend(remove(&list.items, item, below)),
                    None => kept.push(item.clone()),
                }
            }
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
    }
}
