//! Takes fields out of a YAML document as Go's decoder puts them into a struct: numbers and booleans become texts where a text is
//! wanted, names match whatever their case, null leaves a field empty.

use std::collections::BTreeMap;

use super::value::{Value, lossy};

/// The fields of one struct.
pub(super) struct Fields<'a> {
    /// Go's name of the struct.
    of: &'static str,
    /// What stands before a field's name in messages.
    path: &'static str,
    value: &'a Value,
}

impl<'a> Fields<'a> {
    /// The fields of `value`, which is a mapping or null.
    pub(super) fn of(of: &'static str, path: &'static str, value: &'a Value) -> Result<Self, String> {
        match value {
            Value::Dict(_) | Value::Nil => Ok(Self { of, path, value }),
            other => Err(mismatch(other, &format!("Go value of type {of}"))),
        }
    }

    /// The field as it is; nil when it is not there.
    pub(super) fn get(&self, name: &str) -> Value {
        let Value::Dict(entries) = self.value else { return Value::Nil };
        let entries = entries.borrow();
        let near = || entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        entries.get(name).or_else(near).cloned().unwrap_or(Value::Nil)
    }

    fn mismatch(&self, value: &Value, name: &str, kind: &str) -> String {
        let of = self.of.rsplit('.').next().unwrap_or(self.of);
        mismatch(value, &format!("Go struct field {of}.{}{name} of type {kind}", self.path))
    }

    /// A text, empty when it is not there.
    pub(super) fn text(&self, name: &str) -> Result<String, String> {
        let value = self.get(name);
        text(&value).ok_or_else(|| self.mismatch(&value, name, "string"))
    }

    /// A boolean, false when it is not there.
    pub(super) fn boolean(&self, name: &str) -> Result<bool, String> {
        match self.get(name) {
            Value::Bool(value) => Ok(value),
            Value::Nil => Ok(false),
            other => Err(self.mismatch(&other, name, "bool")),
        }
    }

    /// A list, empty when it is not there.
    pub(super) fn items(&self, name: &str, kind: &str) -> Result<Vec<Value>, String> {
        match &self.get(name) {
            Value::List(items) => Ok(items.to_vec()),
            Value::Nil => Ok(Vec::new()),
            other => Err(self.mismatch(other, name, kind)),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let items = self.items(name, "[]string")?;
        items.iter().map(|item| text(item).ok_or_else(|| self.mismatch(item, name, "string"))).collect()
    }

    /// A mapping of texts.
    pub(super) fn texts_by_name(&self, name: &str) -> Result<BTreeMap<String, String>, String> {
        match &self.get(name) {
            Value::Nil => Ok(BTreeMap::new()),
            Value::Dict(entries) => entries
                .borrow()
                .iter()
                .map(|(key, value)| {
                    let value = text(value).ok_or_else(|| self.mismatch(value, name, "string"))?;
                    Ok((key.to_string(), value))
                })
                .collect(),
            other => Err(self.mismatch(other, name, "map[string]string")),
        }
    }
}

/// The text that a value becomes where a text is wanted; none for lists and mappings.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Nil => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Number(text) | Value::Text(text) => text.to_string(),
        Value::Raw(bytes) => lossy(bytes).into_owned(),
        Value::Bytes(_) | Value::List(_) | Value::Dict(_) | Value::Object(_) => return None,
    };
    Some(text)
}

/// Go's complaint about a value of another kind than `target`.
fn mismatch(value: &Value, target: &str) -> String {
    let kind = match value {
        Value::Nil => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) | Value::Number(_) => "number",
        Value::Text(_) | Value::Raw(_) | Value::Bytes(_) => "string",
        Value::List(_) => "array",
        Value::Dict(_) | Value::Object(_) => "object",
    };
    format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into {target}")
}
