//! Rendered text as objects.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_saphyr::Options;

use super::Parts;
use crate::driver::yaml;

/// The longest name of an object (a DNS subdomain).
const NAME_MAX: usize = crate::domain::names::SUBDOMAIN_MAX;

pub(super) fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or("")
}

pub(super) fn name(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("")
}

/// The group of an object's kind; empty for the core.
fn group(object: &Value) -> &str {
    let version = object.get("apiVersion").and_then(Value::as_str).unwrap_or("");
    version.split_once('/').map_or("", |(group, _)| group)
}

/// Adds the objects of a rendered template to `parts`, each with the place that it comes from. A `List` is taken apart. It ends
/// early where there are too many objects, or errors.
pub(super) fn parse(path: &str, text: &str, parts: &mut Parts) {
    for (number, (first_line, document)) in documents(text).into_iter().enumerate() {
        if parts.is_over() {
            return;
        }
        let origin = format!("{path}: document {}", number + 1);
        let value: Value = match serde_saphyr::from_str_with_options(document, options()) {
            Ok(value) => value,
            Err(error) => {
                let line = error.location().map_or(0, |place| usize::try_from(place.line()).unwrap_or(0));
                let line = first_line + line.max(1) - 1;
                parts.errors.add(format!(
                    "{origin}, line {line} of what is rendered: {}",
                    yaml::bare_message(&error)
                ));
                continue;
            }
        };
        match value {
            Value::Null => {}
            Value::Object(mut list) if list.get("kind").is_some_and(|kind| kind == "List") => {
                let items = list.remove("items").and_then(|items| match items {
                    Value::Array(items) => Some(items),
                    _ => None,
                });
                for item in items.unwrap_or_default() {
                    add(&origin, first_line, item, parts);
                }
            }
            object => add(&origin, first_line, object, parts),
        }
    }
}

fn add(origin: &str, line: usize, object: Value, parts: &mut Parts) {
    if parts.is_over() {
        return;
    }
    match check(&object) {
        Ok(()) => parts.objects.push((origin.to_owned(), object)),
        Err(why) => parts.errors.add(format!("{origin}, from line {line} of what is rendered: {why}")),
    }
}

/// What every object must have.
pub(super) fn check(object: &Value) -> Result<(), String> {
    if !object.is_object() {
        return Err("it is no mapping, expected a Kubernetes object".to_owned());
    }
    for field in ["apiVersion", "kind"] {
        if object.get(field).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(format!("it has no {field}"));
        }
    }
    let name = name(object);
    // the names of roles are free but for what would break a path
    if group(object) == "rbac.authorization.k8s.io" && !name.is_empty() && !name.contains(['/', '%']) {
        return Ok(());
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let valid = name.len() <= NAME_MAX
        && name.chars().all(|c| plain(c) || c == '-' || c == '.')
        && name.starts_with(plain)
        && name.ends_with(plain);
    if name.is_empty() {
        Err(format!("the {} has no metadata.name", kind(object)))
    } else if !valid {
        Err(format!("'{name}' cannot name a {}: use lower-case letters, digits, '-' and '.'", kind(object)))
    } else {
        Ok(())
    }
}

/// Two objects of one group, kind and name: the second would silently overwrite the first.
pub(super) fn refuse_duplicates(parts: &mut Parts) {
    let mut seen: BTreeMap<(&str, &str, &str), &str> = BTreeMap::new();
    for (origin, object) in &parts.objects {
        if let Some(first) = seen.insert((group(object), kind(object), name(object)), origin) {
            parts.errors.add(format!(
                "{origin}: the {} '{}' is rendered twice, first by {first}",
                kind(object),
                name(object)
            ));
        }
        if parts.errors.more {
            return;
        }
    }
}

/// The documents of a text with the numbers of their first lines, so that errors name both. A separator is a line that starts
/// with `---` and has white space or nothing behind it; inside a block scalar, text is indented and never looks like one.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let mut documents = Vec::new();
    let (mut start, mut first_line, mut position) = (0, 1, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let separates = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if separates {
            documents.push((first_line, &text[start..position]));
            // What stands behind the dashes belongs to the document: a comment, or even its first value.
            start = position + 3;
            first_line = number + 1;
        }
        position += line.len();
    }
    documents.push((first_line, &text[start..]));
    documents.retain(|(_, document)| !is_blank(document));
    documents
}

/// Whether a document has nothing but comments and white space.
fn is_blank(document: &str) -> bool {
    document.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#') || line == "...")
}

/// As Kubernetes' own tools read YAML: `0644` is octal, and a key that stands twice is an error.
fn options() -> Options {
    let mut options = Options::default();
    options.legacy_octal_numbers = true;
    options.with_snippet = false;
    options
}
