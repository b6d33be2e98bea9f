//! Paths, and the keys by which items of lists are told apart.

use serde_json::{Map, Value};

/// A step of a path.
pub(super) enum Step {
    /// A field of a mapping.
    Field(String),
    /// The item of a list with these keys.
    Keyed(Map<String, Value>),
    /// The item of a set.
    Itself(Value),
    /// The item at that place.
    Item(usize),
}

/// How the items of a list are told apart.
pub(super) enum Keys {
    /// By the values of these fields.
    Fields(&'static [&'static str]),
    /// By themselves.
    Itself,
    /// Not at all: the list is one value.
    None,
}

/// The path as the API server writes it: `.spec.template.spec.containers[name="web"].image`.
pub(super) fn path(steps: &[Step]) -> String {
    let one = |step: &Step| match step {
        Step::Field(name) => format!(".{name}"),
        Step::Keyed(keys) => {
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        Step::Itself(value) => format!("[={value}]"),
        Step::Item(position) => format!("[{position}]"),
    };
    steps.iter().map(one).collect()
}

/// How Kubernetes tells the items of this list of a built-in kind apart.
pub(super) fn keys(steps: &[Step], items: &[Value]) -> Keys {
    let Some(Step::Field(field)) = steps.last() else { return Keys::None };
    let inside_pod = steps
        .iter()
        .any(|step| matches!(step, Step::Field(name) if name == "containers" || name == "initContainers"));
    let fields: &[&str] = match field.as_str() {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "resourceClaims"
        | "secrets" => &["name"],
        "ports" if inside_pod => &["containerPort", "protocol"],
        // the ports of a service; a network policy's have no keys
        "ports" if steps.len() == 2 => &["port", "protocol"],
        "volumeMounts" => &["mountPath"],
        "volumeDevices" => &["devicePath"],
        "hostAliases" => &["ip"],
        "topologySpreadConstraints" => &["topologyKey", "whenUnsatisfiable"],
        "ownerReferences" => &["uid"],
        "finalizers" => return Keys::Itself,
        _ => return Keys::None,
    };
    match items.iter().all(|item| item.get(fields[0]).is_some()) {
        true => Keys::Fields(fields),
        false => Keys::None,
    }
}

/// Whether two items are the same one.
pub(super) fn same_item(left: &Value, right: &Value, keys: &[&str]) -> bool {
    keys.iter().all(|key| key_of(left, key) == key_of(right, key))
}

/// The keys of an item.
pub(super) fn named(item: &Value, keys: &[&str]) -> Map<String, Value> {
    keys.iter().map(|key| ((*key).to_owned(), key_of(item, key))).collect()
}

/// A key with its default: ports are TCP unless they say otherwise.
fn key_of(item: &Value, key: &str) -> Value {
    match item.get(key) {
        Some(value) => value.clone(),
        None if key == "protocol" => "TCP".into(),
        None => Value::Null,
    }
}
