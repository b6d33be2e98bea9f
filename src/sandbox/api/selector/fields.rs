//! Field selectors: `metadata.name=a,status.phase!=Running`.

use serde_json::Value;

use crate::sandbox::kinds::ResourceType;
use crate::sandbox::status::Status;

/// One condition on one field of the stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRequirement {
    pointer: String,
    value: String,
    equal: bool,
    /// How the field reads when it is absent.
    absent: &'static str,
}

/// `(field, where it stands when not there, what it is when absent)`.
type Field = (&'static str, &'static str, &'static str);

const POD: &[Field] = &[
    ("spec.nodeName", "", ""),
    ("spec.restartPolicy", "", ""),
    ("spec.schedulerName", "", ""),
    ("spec.serviceAccountName", "", ""),
    ("spec.hostNetwork", "", "false"),
    ("status.phase", "", ""),
    ("status.podIP", "", ""),
    ("status.podIPs", "/status/podIP", ""),
    ("status.nominatedNodeName", "", ""),
];

const EVENT: &[Field] = &[
    ("involvedObject.kind", "", ""),
    ("involvedObject.namespace", "", ""),
    ("involvedObject.name", "", ""),
    ("involvedObject.uid", "", ""),
    ("involvedObject.apiVersion", "", ""),
    ("involvedObject.resourceVersion", "", ""),
    ("involvedObject.fieldPath", "", ""),
    ("reason", "", ""),
    ("reportingComponent", "", ""),
    ("source", "/source/component", ""),
    ("type", "", ""),
];

/// The fields, besides name and namespace, by which a built-in resource can be selected.
fn known(storage: &str) -> &'static [Field] {
    match storage {
        "pods" => POD,
        "events" => EVENT,
        "secrets" => &[("type", "", "")],
        "namespaces" => &[("status.phase", "", "")],
        "nodes" => &[("spec.unschedulable", "", "false")],
        "services" => &[("spec.clusterIP", "", ""), ("spec.type", "", "")],
        "replicasets.apps" | "replicationcontrollers" => &[("status.replicas", "", "0")],
        "jobs.batch" => &[("status.successful", "/status/succeeded", "0")],
        _ => &[],
    }
}

impl FieldRequirement {
    /// `metadata.name=…`.
    pub fn name(name: &str) -> Self {
        Self { pointer: "/metadata/name".to_owned(), value: name.to_owned(), equal: true, absent: "" }
    }

    /// Whether an object, in its stored form, is wanted.
    pub fn holds(&self, value: &Value) -> bool {
        let same = match value.pointer(&self.pointer) {
            Some(Value::String(text)) => *text == self.value,
            None | Some(Value::Null) => self.absent == self.value,
            Some(Value::Bool(flag)) => self.value.parse() == Ok(*flag),
            Some(Value::Number(number)) => self.value == number.to_string(),
            Some(_) => false,
        };
        same == self.equal
    }
}

/// Reads a field selector.
///
/// # Errors
/// 400 when it is malformed or names a field that the resource cannot be selected by.
pub fn parse(kind: &ResourceType, text: &str) -> Result<Vec<FieldRequirement>, Status> {
    let mut requirements = Vec::new();
    for part in split(text) {
        let (field, value, equal) = if let Some((field, value)) = part.split_once("!=") {
            (field, value, false)
        } else if let Some((field, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            (field, value, true)
        } else {
            let text = format!("invalid selector: '{text}'; can't understand '{part}'");
            return Err(Status::bad_request(text));
        };
        let value = unescape(value)?;
        let (pointer, absent) = place(kind, field)?;
        requirements.push(FieldRequirement { pointer, value, equal, absent });
    }
    Ok(requirements)
}

/// Splits at the commas that no backslash precedes.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (index, letter) in text.char_indices() {
        if letter == ',' && !escaped {
            parts.push(&text[start..index]);
            start = index + 1;
        }
        escaped = letter == '\\' && !escaped;
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// A value with `\\`, `\,` and `\=` as what they stand for.
fn unescape(value: &str) -> Result<String, Status> {
    let bad = |what: &str, letter: char| {
        Status::bad_request(format!(
            "invalid field selector: {what}: {}",
            if what.starts_with("unescaped") { u32::from(letter).to_string() } else { letter.to_string() }
        ))
    };
    let mut plain = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(next @ ('\\' | ',' | '=')) => plain.push(next),
                next => return Err(bad("invalid escape sequence", next.unwrap_or('\\'))),
            },
            ',' | '=' => return Err(bad("unescaped character in value", letter)),
            _ => plain.push(letter),
        }
    }
    Ok(plain)
}

/// Where a field stands in the stored object, and what it is when it is absent there.
fn place(kind: &ResourceType, field: &str) -> Result<(String, &'static str), Status> {
    let pointer = |field: &str| format!("/{}", field.replace('.', "/"));
    if matches!(field, "metadata.name" | "metadata.namespace") {
        return Ok((pointer(field), ""));
    }
    let path = format!(".{field}");
    if kind.selectable.contains(&path) {
        return Ok((pointer(field), ""));
    }
    let stored = match field {
        _ if !kind.is_new_event() => field.to_owned(),
        "reportingController" => "reportingComponent".to_owned(),
        _ => field.replacen("regarding.", "involvedObject.", 1),
    };
    let fields = known(&kind.storage());
    if let Some((name, at, absent)) = fields.iter().find(|(name, ..)| *name == stored) {
        let at = if at.is_empty() { pointer(name) } else { (*at).to_owned() };
        return Ok((at, absent));
    }
    let text = if fields.is_empty() && !kind.custom {
        format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    } else {
        format!("field label not supported: {field}")
    };
    Err(Status::bad_request(text))
}
