//! The built-in types, read once from their table.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::{Field, ListKey, ListKind, ListOf, MapOf, Object, Scalar, Schema, Strategic};

const TABLE: &str = include_str!("builtin.txt");

/// The type of a built-in kind (`group` is empty for the core group), or `None` when the sandbox does not know it.
pub fn builtin(group: &str, version: &str, kind: &str) -> Option<Schema> {
    static KINDS: OnceLock<BTreeMap<(String, String), Schema>> = OnceLock::new();
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    KINDS.get_or_init(|| read(TABLE)).get(&(api_version, kind.to_owned())).cloned()
}

/// Reads the table: kinds by `(apiVersion, kind)`.
fn read(text: &str) -> BTreeMap<(String, String), Schema> {
    let mut reader = Reader::default();
    let mut kinds = Vec::new();
    let mut current = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match (line.starts_with(' '), words.as_slice()) {
            (true, [field, of, options @ ..]) => {
                let row = Row { field, of, options: options.to_vec() };
                reader.types.entry(current).or_default().rows.push(row);
            }
            (false, ["kind", api_version, kind, name]) => kinds.push((*api_version, *kind, *name)),
            (false, ["type", name, options @ ..]) => {
                current = name;
                reader.types.entry(name).or_default().atomic = options.contains(&"atomic");
            }
            _ => {}
        }
    }
    kinds
        .into_iter()
        .map(|(api_version, kind, name)| ((api_version.to_owned(), kind.to_owned()), reader.named(name)))
        .collect()
}

#[derive(Default)]
struct Definition<'a> {
    atomic: bool,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    field: &'a str,
    of: &'a str,
    options: Vec<&'a str>,
}

#[derive(Default)]
struct Reader<'a> {
    types: BTreeMap<&'a str, Definition<'a>>,
    built: BTreeMap<&'a str, Schema>,
}

impl<'a> Reader<'a> {
    /// A named struct type; types are shared, and none contains itself.
    fn named(&mut self, name: &'a str) -> Schema {
        if let Some(schema) = self.built.get(name) {
            return schema.clone();
        }
        let Some(definition) = self.types.remove(name) else { return Schema::Any };
        let fields = definition.rows.iter().map(|row| self.field(row)).collect();
        // `Event_events` is Event of another group.
        let plain = name.split('_').next().unwrap_or(name).to_owned();
        let object = Object { name: plain, fields, open: false, atomic: definition.atomic };
        let schema = Schema::Object(Arc::new(object));
        self.built.insert(name, schema.clone());
        schema
    }

    fn field(&mut self, row: &Row<'a>) -> (String, Field) {
        let name = row.field.trim_end_matches('*');
        let field = Field {
            schema: self.of(row.of, &row.options),
            always: row.field.ends_with('*'),
            retain_keys: row.options.contains(&"+retain"),
        };
        (name.to_owned(), field)
    }

    fn of(&mut self, text: &'a str, options: &[&str]) -> Schema {
        if let Some(items) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return Schema::List(Arc::new(list(self.of(items, &[]), options)));
        }
        let atomic = text.starts_with('!');
        let map = text.trim_start_matches('!');
        if let Some(values) = map.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return Schema::Map(Arc::new(MapOf { values: self.of(values, &[]), atomic }));
        }
        match scalar(text) {
            Some(scalar) => Schema::Scalar(scalar),
            None => self.named(text),
        }
    }
}

fn list(items: Schema, options: &[&str]) -> ListOf {
    let keys = options.iter().position(|option| *option == "by").and_then(|at| options.get(at + 1));
    let kind = match keys {
        Some(keys) => ListKind::Map(keys.split(',').map(|key| list_key(key, &items)).collect()),
        None if options.contains(&"set") => ListKind::Set,
        None => ListKind::Atomic,
    };
    let strategic = match options.iter().find_map(|option| option.strip_prefix('~')) {
        Some("") => Strategic::Unite,
        Some("-") => Strategic::Replace,
        Some(key) => Strategic::MergeBy(key.to_owned()),
        None => match &kind {
            ListKind::Map(keys) if keys.len() == 1 => Strategic::MergeBy(keys[0].field.clone()),
            _ => Strategic::Replace,
        },
    };
    ListOf { items, kind, strategic }
}

/// A key; an item without it has the zero value of its type, as Go has.
fn list_key(text: &str, items: &Schema) -> ListKey {
    let (field, default) = match text.split_once('=') {
        Some((field, default)) => (field, Value::from(default)),
        None => match items.field(text) {
            Some(Schema::Scalar(Scalar::Int32 | Scalar::Int64)) => (text, Value::from(0)),
            _ => (text, Value::from("")),
        },
    };
    ListKey { field: field.to_owned(), default: Some(default) }
}

fn scalar(name: &str) -> Option<Scalar> {
    Some(match name {
        "string" => Scalar::String,
        "int32" => Scalar::Int32,
        "int64" => Scalar::Int64,
        "number" => Scalar::Number,
        "bool" => Scalar::Bool,
        "quantity" => Scalar::Quantity,
        "intstr" => Scalar::IntOrString,
        "time" => Scalar::Time,
        "microtime" => Scalar::MicroTime,
        "bytes" => Scalar::Bytes,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(api: (&str, &str, &str), path: &str) -> Schema {
        let schema = builtin(api.0, api.1, api.2).unwrap();
        schema.at(&path.split('.').collect::<Vec<_>>()).unwrap_or_else(|| panic!("no {path}"))
    }

    /// The keys (none: atomic, `*`: a set), with a default that is not the zero value, and the strategic strategy.
    fn lists(schema: &Schema) -> (String, Strategic) {
        let Schema::List(list) = schema else { panic!("no list: {schema:?}") };
        let kind = match &list.kind {
            ListKind::Atomic => String::new(),
            ListKind::Set => "*".to_owned(),
            ListKind::Map(keys) => {
                let shown = |key: &ListKey| match key.default.as_ref().and_then(Value::as_str) {
                    None | Some("") => key.field.clone(),
                    Some(default) => format!("{}={default}", key.field),
                };
                keys.iter().map(shown).collect::<Vec<_>>().join(",")
            }
        };
        (kind, list.strategic.clone())
    }

    fn keys(names: &[&str]) -> String {
        names.join(",")
    }

    #[test]
    fn every_type_that_is_named_exists() {
        let names: Vec<&str> = TABLE
            .lines()
            .filter_map(|line| line.strip_prefix("type "))
            .filter_map(|rest| rest.split(' ').next())
            .collect();
        for line in TABLE.lines().filter(|line| line.starts_with(' ')) {
            let of = line.split_whitespace().nth(1).unwrap().trim_matches(|c| "[]{}!".contains(c));
            assert!(of == "any" || scalar(of).is_some() || names.contains(&of), "{line}");
        }
    }

    #[test]
    fn lists_merge_as_the_real_server_says() {
        let deployment = ("apps", "v1", "Deployment");
        let pod = "spec.template.spec";
        let by = |key: &str| Strategic::MergeBy(key.to_owned());
        let cases = [
            (format!("{pod}.containers"), keys(&["name"]), by("name")),
            (format!("{pod}.initContainers"), keys(&["name"]), by("name")),
            (format!("{pod}.volumes"), keys(&["name"]), by("name")),
            (format!("{pod}.hostAliases"), keys(&["ip"]), by("ip")),
            (format!("{pod}.imagePullSecrets"), keys(&["name"]), by("name")),
            (format!("{pod}.tolerations"), String::new(), Strategic::Replace),
            (
                format!("{pod}.topologySpreadConstraints"),
                keys(&["topologyKey", "whenUnsatisfiable"]),
                by("topologyKey"),
            ),
            (
                format!("{pod}.containers.ports"),
                keys(&["containerPort", "protocol=TCP"]),
                by("containerPort"),
            ),
            (format!("{pod}.containers.env"), keys(&["name"]), by("name")),
            (format!("{pod}.containers.envFrom"), String::new(), Strategic::Replace),
            (format!("{pod}.containers.args"), String::new(), Strategic::Replace),
            (format!("{pod}.containers.command"), String::new(), Strategic::Replace),
            (format!("{pod}.containers.volumeMounts"), keys(&["mountPath"]), by("mountPath")),
            ("metadata.ownerReferences".to_owned(), keys(&["uid"]), by("uid")),
            ("metadata.finalizers".to_owned(), "*".to_owned(), Strategic::Unite),
            ("status.conditions".to_owned(), keys(&["type"]), by("type")),
        ];
        for (path, kind, strategic) in cases {
            assert_eq!(lists(&at(deployment, &path)), (kind, strategic), "{path}");
        }
        let service = at(("", "v1", "Service"), "spec.ports");
        assert_eq!(lists(&service), (keys(&["port", "protocol=TCP"]), by("port")));
        let job = at(("batch", "v1", "Job"), "status.conditions");
        assert_eq!(lists(&job), (String::new(), by("type")));
        let ingress = at(("networking.k8s.io", "v1", "Ingress"), "spec.rules");
        assert_eq!(lists(&ingress), (String::new(), Strategic::Replace));
    }

    #[test]
    fn selectors_are_one_value_and_labels_are_not() {
        assert!(
            matches!(at(("apps", "v1", "Deployment"), "spec.selector"), Schema::Object(object) if object.atomic)
        );
        assert!(matches!(at(("", "v1", "Service"), "spec.selector"), Schema::Map(map) if map.atomic));
        assert!(matches!(at(("", "v1", "Pod"), "spec.nodeSelector"), Schema::Map(map) if map.atomic));
        assert!(matches!(at(("", "v1", "Pod"), "metadata.labels"), Schema::Map(map) if !map.atomic));
        assert!(matches!(at(("", "v1", "ConfigMap"), "data"), Schema::Map(map) if !map.atomic));
    }

    #[test]
    fn the_skeleton_holds_what_is_always_there() {
        let skeleton = builtin("apps", "v1", "Deployment").unwrap().skeleton();
        assert_eq!(
            skeleton,
            json!({"metadata": {}, "status": {}, "spec": {"strategy": {}, "template": {"metadata": {}, "spec": {"containers": []}}}})
        );
    }

    #[test]
    fn unknown_kinds_are_unknown() {
        assert!(builtin("apps", "v1beta1", "Deployment").is_none());
        assert!(builtin("example.org", "v1", "Widget").is_none());
    }
}
