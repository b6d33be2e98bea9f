//! Whole documents: one for each group version in v3, one for everything in v2.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::types::{REFERENCE, Types};
use super::{built_in, custom, operations, render};
use crate::sandbox::kinds::ResourceType;

/// What a server serves: everything that a document is made of.
#[derive(Debug, Clone, Default)]
pub struct Served {
    /// The version in `info`: the server's.
    pub version: String,
    /// The kinds with what discovery says of each.
    pub kinds: Vec<(Arc<ResourceType>, Vec<Value>)>,
    /// The definitions of the custom ones.
    pub definitions: Vec<Arc<Value>>,
}

impl Served {
    /// The group versions, in the order of discovery.
    pub fn group_versions(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (kind, _) in &self.kinds {
            let pair = (kind.group.clone(), kind.version.clone());
            if !found.contains(&pair) {
                found.push(pair);
            }
        }
        found
    }
}

/// The types of everything that is served. Making it takes some milliseconds and some megabytes: it is not kept.
pub struct Library<'a> {
    served: &'a Served,
    types: Types,
}

impl<'a> Library<'a> {
    /// Makes the types.
    pub fn new(served: &'a Served) -> Self {
        let mut types = built_in::built_in();
        let common = custom::common(&types);
        for (kind, _) in &served.kinds {
            let known = types.kind(&kind.group, &kind.version, &kind.kind).filter(|_| !kind.custom);
            let name = known.map_or_else(|| custom::name(kind), str::to_owned);
            if !types.schemas.contains_key(&name) || kind.custom {
                let qualified = kind.qualified();
                let definition = served
                    .definitions
                    .iter()
                    .find(|definition| definition["metadata"]["name"] == qualified.as_str());
                let schema = match definition {
                    Some(definition) => custom::schema(definition, kind, &common),
                    None => custom::open(kind, &common),
                };
                types.schemas.insert(name.clone(), schema);
                let key = (kind.group.clone(), kind.version.clone(), kind.kind.clone());
                types.kinds.insert(key, name.clone());
            }
            if !kind.is_review() {
                types.schemas.insert(format!("{name}List"), custom::list(kind, &name, &common));
            }
        }
        Self { served, types }
    }

    fn paths(&self, wanted: impl Fn(&ResourceType) -> bool) -> Map<String, Value> {
        let kinds = self.served.kinds.iter().filter(|(kind, _)| wanted(kind));
        kinds.flat_map(|(kind, entries)| operations::paths(kind, entries, &self.types)).collect()
    }

    /// The types that these paths need, with the types that those need.
    fn needed(&self, paths: &Map<String, Value>) -> BTreeMap<&str, &Value> {
        let mut names = BTreeSet::new();
        paths.values().for_each(|path| references(path, &mut names));
        let mut needed = BTreeMap::new();
        while let Some(name) = names.pop_first() {
            let Some((name, schema)) = self.types.schemas.get_key_value(name) else { continue };
            if needed.insert(name.as_str(), schema).is_none() {
                references(schema, &mut names);
                names.retain(|name| !needed.contains_key(name));
            }
        }
        needed
    }

    /// The v3 document of a group version.
    pub fn version_3(&self, group: &str, version: &str) -> Value {
        let paths = self.paths(|kind| kind.group == group && kind.version == version);
        let needed = self.needed(&paths).into_iter();
        let schemas: Map<String, Value> =
            needed.map(|(name, schema)| (name.to_owned(), render::schema_3(name, schema.clone()))).collect();
        json!({
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": self.served.version},
            "paths": paths,
            "components": {"schemas": schemas},
        })
    }

    /// The v2 document.
    pub fn version_2(&self) -> Value {
        let paths = self.paths(|_| true);
        let needed = self.needed(&paths).into_iter();
        let definitions: Map<String, Value> =
            needed.map(|(name, schema)| (name.to_owned(), render::schema_2(name, schema))).collect();
        let paths: Map<String, Value> =
            paths.iter().map(|(path, item)| (path.clone(), render::path_2(item))).collect();
        json!({
            "swagger": "2.0",
            "info": {"title": "Kubernetes", "version": self.served.version},
            "paths": paths,
            "definitions": definitions,
            "securityDefinitions": {"BearerToken": {"type": "apiKey", "in": "header", "name": "authorization",
                "description": "Bearer Token authentication"}},
            "security": [{"BearerToken": []}],
        })
    }
}

/// Collects the names of the types to which a value refers.
fn references<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "$ref" => {
                        names.extend(text.strip_prefix(REFERENCE));
                    }
                    value => references(value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        _ => {}
    }
}
