//! A set of paths, as FieldsV1 has it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::path::PathElement;
use crate::sandbox::schema::Schema;

/// A set of paths, kept as a tree. A path and paths below it may both be members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    members: BTreeSet<PathElement>,
    /// Never holds an empty set.
    children: BTreeMap<PathElement, FieldSet>,
}

impl FieldSet {
    /// Reads FieldsV1; what is not understood is left out.
    pub fn from_fields_v1(fields: &Value) -> Self {
        let mut set = Self::default();
        for (name, below) in fields.as_object().into_iter().flatten() {
            let Some(element) = PathElement::parse(name) else { continue };
            let child = Self::from_fields_v1(below);
            if child.is_empty() || below.get(".").is_some() {
                set.members.insert(element.clone());
            }
            set.put_child(element, child);
        }
        set
    }

    /// Writes FieldsV1.
    pub fn to_fields_v1(&self) -> Value {
        let mut fields = Map::new();
        for element in &self.members {
            fields.insert(element.to_fields_v1(), Value::Object(Map::new()));
        }
        for (element, child) in &self.children {
            let mut below = child.to_fields_v1();
            if self.members.contains(element) {
                below["."] = Value::Object(Map::new());
            }
            fields.insert(element.to_fields_v1(), below);
        }
        Value::Object(fields)
    }

    /// No path at all.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.is_empty()
    }

    /// Adds a path; the empty path is none.
    pub fn insert(&mut self, path: &[PathElement]) {
        match path {
            [] => {}
            [last] => {
                self.members.insert(last.clone());
            }
            [first, rest @ ..] => self.children.entry(first.clone()).or_default().insert(rest),
        }
    }

    /// Whether the path of this one element is a member.
    pub fn has(&self, element: &PathElement) -> bool {
        self.members.contains(element)
    }

    /// The members below an element.
    pub fn below(&self, element: &PathElement) -> Option<&Self> {
        self.children.get(element)
    }

    fn put_child(&mut self, element: PathElement, child: Self) {
        if !child.is_empty() {
            self.children.insert(element, child);
        }
    }

    /// The paths of either.
    pub fn union(&self, other: &Self) -> Self {
        let mut result = self.clone();
        result.members.extend(other.members.iter().cloned());
        for (element, child) in &other.children {
            let entry = result.children.entry(element.clone()).or_default();
            *entry = entry.union(child);
        }
        result
    }

    /// The paths of both.
    pub fn intersection(&self, other: &Self) -> Self {
        let members = self.members.intersection(&other.members).cloned().collect();
        let mut result = Self { members, children: BTreeMap::new() };
        for (element, child) in &self.children {
            if let Some(theirs) = other.children.get(element) {
                result.put_child(element.clone(), child.intersection(theirs));
            }
        }
        result
    }

    /// The paths of this one that are not in the other.
    pub fn difference(&self, other: &Self) -> Self {
        let members = self.members.difference(&other.members).cloned().collect();
        let mut result = Self { members, children: BTreeMap::new() };
        for (element, child) in &self.children {
            let rest = match other.children.get(element) {
                Some(theirs) => child.difference(theirs),
                None => child.clone(),
            };
            result.put_child(element.clone(), rest);
        }
        result
    }

    /// This set, and every declared struct field on the way to one of its members: so that a struct goes when its last field goes.
    pub fn with_named_fields(&self, schema: &Schema) -> Self {
        let mut result = Self { members: self.members.clone(), children: BTreeMap::new() };
        for (element, child) in &self.children {
            let below = match element {
                PathElement::Field(name) => {
                    if schema.declares(name) {
                        result.members.insert(element.clone());
                    }
                    schema.field(name).unwrap_or(Schema::Any)
                }
                _ => schema.items(),
            };
            result.put_child(element.clone(), child.with_named_fields(&below));
        }
        result
    }

    /// All paths as a conflict names them (`.spec.replicas`), a node's members before what is below them.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, prefix: &str, paths: &mut Vec<String>) {
        paths.extend(self.members.iter().map(|element| format!("{prefix}{element}")));
        for (element, child) in &self.children {
            child.collect(&format!("{prefix}{element}"), paths);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(fields: Value) -> FieldSet {
        FieldSet::from_fields_v1(&fields)
    }

    #[test]
    fn fields_v1_round_trips() {
        let fields = json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}, "f:finalizers": {"v:\"a/b\"": {}}},
            "f:spec": {"f:replicas": {}, "f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}}}},
        });
        assert_eq!(set(fields.clone()).to_fields_v1(), fields);
        assert!(set(json!({})).is_empty());
        assert_eq!(
            set(fields).paths(),
            [
                ".metadata.labels",
                ".metadata.finalizers[=\"a/b\"]",
                ".metadata.labels.app",
                ".spec.replicas",
                ".spec.containers[name=\"c\"]",
                ".spec.containers[name=\"c\"].image",
            ]
        );
    }

    #[test]
    fn set_arithmetic() {
        let a = set(json!({"f:a": {}, "f:b": {".": {}, "f:c": {}, "f:d": {}}}));
        let b = set(json!({"f:b": {"f:c": {}}, "f:e": {}}));
        assert_eq!(
            a.union(&b).to_fields_v1(),
            json!({"f:a": {}, "f:b": {".": {}, "f:c": {}, "f:d": {}}, "f:e": {}})
        );
        assert_eq!(a.intersection(&b).to_fields_v1(), json!({"f:b": {"f:c": {}}}));
        assert_eq!(a.difference(&b).to_fields_v1(), json!({"f:a": {}, "f:b": {".": {}, "f:d": {}}}));
        assert!(a.difference(&a).is_empty());
    }
}
