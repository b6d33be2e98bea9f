//! Go's structs in templates: fields by name, some of them methods without arguments.

use std::rc::Rc;

use super::value::{Object, Value};

/// A value with fields, which do not change.
pub(super) struct Record {
    kind: &'static str,
    fields: Vec<Field>,
    printed: String,
}

/// A field of a record.
pub(super) struct Field {
    name: &'static str,
    /// The name in YAML and JSON; none for a method, and for what is not written.
    key: Option<&'static str>,
    value: Value,
    /// It is not written when it is empty.
    optional: bool,
}

impl Field {
    /// A field that is always written.
    pub(super) fn new(name: &'static str, key: &'static str, value: Value) -> Self {
        Self { name, key: Some(key), value, optional: false }
    }

    /// A field that is not written when it is empty.
    pub(super) fn optional(name: &'static str, key: &'static str, value: Value) -> Self {
        Self { optional: true, ..Self::new(name, key, value) }
    }

    /// Something that has a name but is not written: a method.
    pub(super) fn hidden(name: &'static str, value: Value) -> Self {
        Self { name, key: None, value, optional: false }
    }
}

impl Record {
    /// A record; `kind` is Go's name of the type, `printed` what `{{ . }}` prints.
    pub(super) fn value(kind: &'static str, fields: Vec<Field>, printed: String) -> Value {
        Value::Object(Rc::new(Self { kind, fields, printed }))
    }
}

impl Object for Record {
    fn type_name(&self) -> &'static str {
        self.kind
    }

    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        self.fields.iter().find(|field| field.name == name).map(|field| Ok(field.value.clone()))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        if arguments.is_empty() { self.field(name) } else { None }
    }

    fn print(&self) -> String {
        self.printed.clone()
    }

    fn plain(&self) -> Option<Value> {
        let written = self.fields.iter().filter(|field| !field.optional || field.value.truth());
        Some(Value::dict(written.filter_map(|field| Some((field.key?, field.value.clone())))))
    }
}

/// Go's `%v` of the fields of a record, without its braces.
pub(super) fn printed(fields: &[Field]) -> String {
    let words: Vec<String> =
        fields.iter().filter(|field| field.key.is_some()).map(|field| word(&field.value)).collect();
    words.join(" ")
}

fn word(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Text(text) => text.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(word).collect::<Vec<_>>().join(" ")),
        Value::Dict(entries) => {
            let entries = entries.borrow();
            let words: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}:{}", word(value))).collect();
            format!("map[{}]", words.join(" "))
        }
        Value::Object(object) => object.print(),
        _ => String::new(),
    }
}
