//! How much work a schema makes, before it is done.
//!
//! Schemas can refer to each other such that each level doubles the work. A walk that takes every way counts it, and stops early.

use serde_json::{Map, Value as Json};

/// How many schemas may be compared with values.
const LIMIT: u32 = 1_000_000;
/// How deep they may lead into each other. A schema that leads to itself for the same value goes beyond it.
const DEPTH: u32 = 500;
/// How many patterns it may have: each becomes a machine of its own.
const PATTERNS: usize = 1_000;

/// Keywords with one schema for the same value.
const SAME: &[&str] = &["not", "if", "then", "else"];
/// Keywords with several schemas for the same value.
const SAME_EACH: &[&str] = &["allOf", "anyOf", "oneOf"];
/// Keywords with schemas by name for the same value.
const SAME_NAMED: &[&str] = &["dependencies", "dependentSchemas"];
/// Keywords with one schema for every value inside.
const INSIDE: &[&str] = &[
    "additionalProperties",
    "unevaluatedProperties",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "items",
];

/// Refuses a schema (a closed one) that makes too much work with these values.
pub(super) fn check(schema: &Json, values: &Json) -> Result<(), String> {
    if patterns(schema) > PATTERNS {
        return Err(format!("values.schema.json has more than {PATTERNS} patterns"));
    }
    let mut walk = Walk { root: schema, left: LIMIT };
    walk.visit(schema, values, 0).ok_or_else(|| "values.schema.json is too complex to be checked".to_owned())
}

fn patterns(schema: &Json) -> usize {
    match schema {
        Json::Object(entries) => {
            let named = entries.get("patternProperties").and_then(Json::as_object).map_or(0, Map::len);
            let own = usize::from(entries.get("pattern").is_some_and(Json::is_string));
            named + own + entries.values().map(patterns).sum::<usize>()
        }
        Json::Array(items) => items.iter().map(patterns).sum(),
        _ => 0,
    }
}

struct Walk<'a> {
    root: &'a Json,
    left: u32,
}

impl Walk<'_> {
    fn visit(&mut self, schema: &Json, value: &Json, depth: u32) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        let Json::Object(entries) = schema else { return Some(()) };
        if depth > DEPTH {
            return None;
        }
        self.same(entries, value, depth + 1)?;
        self.inside(entries, value, depth + 1)
    }

    fn same(&mut self, entries: &Map<String, Json>, value: &Json, depth: u32) -> Option<()> {
        let pointer = entries.get("$ref").and_then(Json::as_str).and_then(|text| text.strip_prefix('#'));
        if let Some(target) = pointer.and_then(|pointer| self.root.pointer(pointer)) {
            self.visit(target, value, depth)?;
        }
        for inner in SAME.iter().filter_map(|key| entries.get(*key)) {
            self.visit(inner, value, depth)?;
        }
        for inner in SAME_EACH.iter().filter_map(|key| entries.get(*key)?.as_array()).flatten() {
            self.visit(inner, value, depth)?;
        }
        for inner in SAME_NAMED.iter().filter_map(|key| entries.get(*key)?.as_object()).flatten() {
            self.visit(inner.1, value, depth)?;
        }
        Some(())
    }

    fn inside(&mut self, entries: &Map<String, Json>, value: &Json, depth: u32) -> Option<()> {
        let values: Vec<(&str, &Json)> = match value {
            Json::Object(values) => values.iter().map(|(key, value)| (key.as_str(), value)).collect(),
            Json::Array(values) => values.iter().map(|value| ("", value)).collect(),
            _ => return Some(()),
        };
        if let Some(Json::Object(properties)) = entries.get("properties") {
            for (key, value) in &values {
                properties.get(*key).map_or(Some(()), |inner| self.visit(inner, value, depth))?;
            }
        }
        let lists = ["items", "prefixItems"].iter().filter_map(|key| entries.get(*key)?.as_array()).flatten();
        let patterns = entries.get("patternProperties").and_then(Json::as_object).into_iter().flatten();
        let singles = INSIDE.iter().filter_map(|key| entries.get(*key));
        for inner in singles.chain(lists).chain(patterns.map(|(_, inner)| inner)) {
            for (_, value) in &values {
                self.visit(inner, value, depth)?;
            }
        }
        if let Some(inner) = entries.get("propertyNames") {
            for _ in &values {
                self.visit(inner, &Json::Null, depth)?;
            }
        }
        Some(())
    }
}
