//! Closes a schema: every reference in it leads to a place in it, by a pointer.
//!
//! References to what a schema names by `$id` or an anchor become pointers; references to anything outside demand nothing. Then
//! there is nothing to fetch, and how much work the schema makes can be foreseen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

/// What stands in a schema as a value: it is no schema, whatever it looks like.
const DATA: &[&str] = &["enum", "const", "default", "examples"];

/// What holds schemas by names that are anybody's choice: a property may be called `id` or `enum`.
const BY_NAME: &[&str] =
    &["properties", "patternProperties", "definitions", "$defs", "dependencies", "dependentSchemas"];

/// The keywords that refer to a schema.
const REFERENCES: &[&str] = &["$ref", "$dynamicRef", "$recursiveRef"];

/// The keywords that name a schema, or what it is written in.
const NAMES: &[&str] = &["$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$schema"];

/// The closed schema, and the references that lead outside.
pub(super) fn closed(mut schema: Json) -> (Json, BTreeSet<String>) {
    let mut names = Names::default();
    names.collect(&schema, String::new());
    let mut outside = BTreeSet::new();
    let original = schema.clone();
    names.rewrite(&mut schema, &original, &mut outside);
    (schema, outside)
}

/// Names that schemas have, each with the pointer to its place.
#[derive(Default)]
struct Names {
    /// `$id`, without a fragment.
    ids: BTreeMap<String, String>,
    /// Anchors, and `$id`s that are but a fragment.
    anchors: BTreeMap<String, String>,
}

impl Names {
    fn collect(&mut self, schema: &Json, place: String) {
        match schema {
            Json::Object(entries) => {
                for key in ["$id", "id"] {
                    if let Some(Json::String(id)) = entries.get(key) {
                        let (id, fragment) = id.split_once('#').unwrap_or((id, ""));
                        if !id.is_empty() {
                            self.ids.entry(id.to_owned()).or_insert_with(|| place.clone());
                        } else if !fragment.is_empty() && !fragment.starts_with('/') {
                            self.anchors.entry(fragment.to_owned()).or_insert_with(|| place.clone());
                        }
                    }
                }
                for key in ["$anchor", "$dynamicAnchor"] {
                    if let Some(Json::String(anchor)) = entries.get(key) {
                        self.anchors.entry(anchor.clone()).or_insert_with(|| place.clone());
                    }
                }
                for (key, inner) in entries.iter().filter(|(key, _)| !DATA.contains(&key.as_str())) {
                    let place = format!("{place}/{}", escaped(key));
                    match inner {
                        Json::Object(named) if BY_NAME.contains(&key.as_str()) => {
                            for (name, inner) in named {
                                self.collect(inner, format!("{place}/{}", escaped(name)));
                            }
                        }
                        _ => self.collect(inner, place),
                    }
                }
            }
            Json::Array(items) => {
                for (index, inner) in items.iter().enumerate() {
                    self.collect(inner, format!("{place}/{index}"));
                }
            }
            _ => {}
        }
    }

    fn rewrite(&self, schema: &mut Json, root: &Json, outside: &mut BTreeSet<String>) {
        match schema {
            Json::Object(entries) => {
                self.rewrite_references(entries, root, outside);
                // Within a keyword that is not known here, a schema may have such a name.
                entries.retain(|key, value| !NAMES.contains(&key.as_str()) || value.is_object());
                for (key, inner) in entries.iter_mut().filter(|(key, _)| !DATA.contains(&key.as_str())) {
                    match inner {
                        Json::Object(named) if BY_NAME.contains(&key.as_str()) => {
                            // A text is no schema: it has no business there.
                            self.rewrite_references(named, root, outside);
                            named.retain(|name, inner| !NAMES.contains(&name.as_str()) || !inner.is_string());
                            named.values_mut().for_each(|inner| self.rewrite(inner, root, outside));
                        }
                        _ => self.rewrite(inner, root, outside),
                    }
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|inner| self.rewrite(inner, root, outside)),
            _ => {}
        }
    }

    fn rewrite_references(
        &self,
        entries: &mut Map<String, Json>,
        root: &Json,
        outside: &mut BTreeSet<String>,
    ) {
        for key in REFERENCES {
            let Some(Json::String(reference)) = entries.get(*key) else { continue };
            let target = self.target(reference).filter(|pointer| root.pointer(pointer).is_some());
            if target.is_none() {
                outside.insert(reference.chars().take(200).collect());
            }
            entries.remove(*key);
            if let Some(pointer) = target {
                entries.insert("$ref".to_owned(), Json::from(format!("#{pointer}")));
            }
        }
    }

    /// The pointer that a reference leads to; none when it leads outside.
    fn target(&self, reference: &str) -> Option<String> {
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let base = if document.is_empty() { "" } else { self.ids.get(document)?.as_str() };
        if fragment.is_empty() || fragment.starts_with('/') {
            let pointer = format!("{base}{fragment}");
            // Percent signs in a pointer need decoding, which nobody writes.
            return (!pointer.contains('%')).then_some(pointer);
        }
        self.anchors.get(fragment).cloned()
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
