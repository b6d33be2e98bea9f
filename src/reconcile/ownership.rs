//! Fields of an object by the paths that the API server writes in conflicts: left out of what is applied (`yield`), or made
//! equal to what is there (`share`).
//!
//! ```text
//! .spec.replicas   .spec.template.spec.containers[name="web"].image   .metadata.labels.app.kubernetes.io/name   [0]   [="x"]
//! ```

use serde_json::{Map, Value};

use selector::Selector;

mod selector;

/// Mappings whose keys are free and may hold dots, so that the rest of a path is one key.
const FREE: [&str; 9] = [
    "labels",
    "annotations",
    "data",
    "stringData",
    "binaryData",
    "matchLabels",
    "nodeSelector",
    "limits",
    "requests",
];

/// Without these it would be no object, or another one.
const IDENTITY: [&str; 4] = [".apiVersion", ".kind", ".metadata.name", ".metadata.namespace"];

/// One step from a value to a value inside it.
enum Step {
    Field(String),
    Item(usize),
}

/// The value at a path; none when there is nothing, or the path is no path.
pub fn get<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    resolve(object, path)?.iter().try_fold(object, |value, step| match step {
        Step::Field(name) => value.get(name),
        Step::Item(position) => value.get(position),
    })
}

/// Takes the value at a path away, and every mapping or list around it that becomes empty by that: applied empty, it would
/// still be claimed, and an empty list would empty the other manager's. An item that keeps its key stays. Says whether there
/// was anything; what names the object itself stays.
pub fn remove(object: &mut Value, path: &str) -> bool {
    if IDENTITY.contains(&path) {
        return false;
    }
    match resolve(object, path) {
        Some(steps) if !steps.is_empty() => take(object, &steps),
        _ => false,
    }
}

/// Puts a value at a path, making what is absent on the way. Says whether the path was one that could be walked.
pub fn put(object: &mut Value, path: &str, value: Value) -> bool {
    place(object, path, "", value)
}

/// Leaves the fields out of an object, so that applying it gives them up: another manager has them.
pub fn leave_out(object: &mut Value, fields: &[String]) {
    for field in fields {
        remove(object, field);
        remove_plain_secret(object, field);
    }
}

/// Makes the fields of an object equal to the live ones, so that applying it shares them without changing them. What does not
/// exist any more is left out.
pub fn share(object: &mut Value, live: &Value, fields: &[String]) {
    for field in fields {
        match get(live, field) {
            Some(value) => put(object, field, value.clone()),
            None => remove(object, field),
        };
        remove_plain_secret(object, field);
    }
}

/// The server turns `stringData` of a Secret into `data`, and names only that.
fn remove_plain_secret(object: &mut Value, field: &str) {
    if let Some(key) = field.strip_prefix(".data.").filter(|_| object["kind"] == "Secret") {
        remove(object, &format!(".stringData.{key}"));
    }
}

/// The steps of a path through a value that has all of them. A key that holds dots is recognised because it is there.
fn resolve(value: &Value, path: &str) -> Option<Vec<Step>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    let walk = |step: Step, inside: &Value, rest: &str| {
        let mut steps = vec![step];
        steps.extend(resolve(inside, rest)?);
        Some(steps)
    };
    if path.starts_with('[') {
        let (selector, rest) = Selector::parse(path)?;
        let items = value.as_array()?;
        let position = selector.position(items)?;
        return walk(Step::Item(position), &items[position], rest);
    }
    let candidates = candidates(value.as_object()?, path);
    candidates.into_iter().find_map(|(key, inside, rest)| walk(Step::Field(key.to_owned()), inside, rest))
}

/// The keys with which a path may go on, the longest first, with their values and the rest of the path.
fn candidates<'a, 'p>(fields: &'a Map<String, Value>, path: &'p str) -> Vec<(&'a str, &'a Value, &'p str)> {
    let path = path.strip_prefix('.').unwrap_or(path);
    let mut found: Vec<_> = fields
        .iter()
        .filter_map(|(key, value)| Some((key.as_str(), value, path.strip_prefix(key.as_str())?)))
        .filter(|(_, _, rest)| rest.is_empty() || rest.starts_with(['.', '[']))
        .collect();
    found.sort_by_key(|(key, ..)| std::cmp::Reverse(key.len()));
    found
}

/// Takes away what the steps, at least one, lead to.
fn take(value: &mut Value, steps: &[Step]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return false };
    let inside = match step {
        Step::Field(name) => value.get_mut(name),
        Step::Item(position) => value.get_mut(position),
    };
    let Some(inside) = inside else { return false };
    if !rest.is_empty() {
        if !take(inside, rest) {
            return false;
        }
        let emptied = match inside {
            Value::Object(fields) => fields.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if !emptied {
            return true;
        }
    }
    match (value, step) {
        (Value::Object(fields), Step::Field(name)) => fields.remove(name).is_some(),
        (Value::Array(items), Step::Item(position)) => {
            items.remove(*position);
            true
        }
        _ => false,
    }
}

fn place(at: &mut Value, path: &str, parent: &str, value: Value) -> bool {
    if path.is_empty() {
        *at = value;
        return true;
    }
    if path.starts_with('[') {
        let Some((selector, rest)) = Selector::parse(path) else { return false };
        if at.is_null() {
            *at = Value::Array(Vec::new());
        }
        let Some(items) = at.as_array_mut() else { return false };
        let position = selector.position(items).unwrap_or(items.len());
        if position == items.len() {
            let Some(item) = selector.item() else { return false };
            items.push(item);
        }
        return place(&mut items[position], rest, "", value);
    }
    if at.is_null() {
        *at = Value::Object(Map::new());
    }
    let Some(fields) = at.as_object_mut() else { return false };
    let (key, rest) = next(fields, path, parent);
    place(fields.entry(key.clone()).or_insert(Value::Null), rest, &key, value)
}

/// The next key of a path that may lead where nothing is yet, and the rest of the path.
fn next<'p>(fields: &Map<String, Value>, path: &'p str, parent: &str) -> (String, &'p str) {
    let known = candidates(fields, path);
    let fits =
        known.into_iter().find(|(_, value, rest)| rest.is_empty() || value.is_object() || value.is_array());
    if let Some((key, _, rest)) = fits {
        return (key.to_owned(), rest);
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let ends: &[char] = if FREE.contains(&parent) { &['['] } else { &['.', '['] };
    let end = path.find(ends).unwrap_or(path.len());
    let (key, rest) = path.split_at(end);
    (key.to_owned(), rest)
}

#[cfg(test)]
mod tests;
