//! What a chart's templates compute with: Go's `any`, as far as templates can tell.
//!
//! Dictionaries are shared, because `set`, `unset` and `merge` change the very one that they are given, and a chart sees the
//! change through every other name of it. Lists are not: no function of Helm or sprig changes one in place.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

/// A dictionary, `map[string]any`, that may have several names.
pub type Dict = Rc<RefCell<BTreeMap<Rc<str>, Value>>>;

/// A value in a template.
#[derive(Clone)]
pub enum Value {
    /// `nil`.
    Nil,
    /// `bool`.
    Bool(bool),
    /// `int` or `int64`: literals of templates and what arithmetic yields.
    Int(i64),
    /// `float64`: every number of a YAML or JSON document that is read as Helm reads the values that a person gives.
    Float(f64),
    /// `json.Number`: a number of a chart's own `values.yaml`, as it is written there. In Go it is a string of its own type.
    Number(Rc<str>),
    /// `string`. Go's strings are bytes; one that is no UTF-8 is [`Value::Raw`].
    Text(Rc<str>),
    /// `string` that is no UTF-8: only [`Value::string`] makes it.
    Raw(Rc<[u8]>),
    /// `[]byte`.
    Bytes(Rc<[u8]>),
    /// `[]any`.
    List(Rc<Vec<Value>>),
    /// `map[string]any`.
    Dict(Dict),
    /// Something with methods: `.Files`, `.Capabilities.APIVersions`, a version, a time, a regular expression's match.
    Object(Rc<dyn Object>),
}

/// A value of a Go type of its own.
pub trait Object {
    /// Go's name of the type, for messages and `typeOf`: `chart.Metadata`.
    fn type_name(&self) -> &'static str;

    /// A field, or a method that takes no argument; none when it has no such thing.
    fn field(&self, name: &str) -> Option<Result<Value, String>>;

    /// A method with arguments; none when it has no such method.
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>>;

    /// What `{{ . }}` prints (`%v`).
    fn print(&self) -> String;

    /// What `toYaml` and `toJson` write; none when Go's encoder writes `{}`.
    fn plain(&self) -> Option<Value> {
        None
    }

    /// The list or the dictionary that it is in Go, which `range`, `len` and `index` see; none for a struct.
    fn items(&self) -> Option<Value> {
        None
    }

    /// How much a function goes through that looks at all of it, in bytes.
    fn weight(&self) -> usize {
        0
    }

    /// Whether `if` takes it for true: structs always are.
    fn truth(&self) -> bool {
        true
    }
}

impl Value {
    /// Go's name of the type, as `%T` writes it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Number(_) => "json.Number",
            Self::Text(_) | Self::Raw(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(_) => "[]interface {}",
            Self::Dict(_) => "map[string]interface {}",
            Self::Object(object) => object.type_name(),
        }
    }

    /// Whether other values may be inside.
    pub fn is_container(&self) -> bool {
        matches!(self, Self::List(_) | Self::Dict(_))
    }

    /// The list or the dictionary that an object is in Go; everything else as it is.
    pub fn opened(&self) -> Self {
        match self {
            Self::Object(object) => object.items().unwrap_or_else(|| self.clone()),
            other => other.clone(),
        }
    }

    /// A text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Rc::from(text.as_ref()))
    }

    /// Go's `string` of these bytes.
    pub fn string(bytes: impl Into<Vec<u8>>) -> Self {
        match String::from_utf8(bytes.into()) {
            Ok(text) => Self::Text(Rc::from(text)),
            Err(error) => Self::Raw(Rc::from(error.into_bytes())),
        }
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(Rc::new(items.into_iter().collect()))
    }

    /// A new dictionary.
    pub fn dict<K: AsRef<str>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (Rc::from(key.as_ref()), value)).collect();
        Self::Dict(Rc::new(RefCell::new(entries)))
    }

    /// The entry of a dictionary; none for everything else, and for an entry that is not there.
    pub fn get(&self, key: &str) -> Option<Self> {
        match self {
            Self::Dict(entries) => entries.borrow().get(key).cloned(),
            _ => None,
        }
    }

    /// Go's truth: not nil, not zero, not empty.
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Number(text) | Self::Text(text) => !text.is_empty(),
            Self::Raw(bytes) | Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Dict(entries) => !entries.borrow().is_empty(),
            Self::Object(object) => object.truth(),
        }
    }
}

/// The text of bytes in which, as in Go, each single byte that is no UTF-8 becomes U+FFFD.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

impl fmt::Debug for Value {
    /// Go's name of the type, and what `{{ . }}` prints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printed = super::format::print(self).unwrap_or_else(|problem| problem);
        write!(f, "{}({printed})", self.type_name())
    }
}

impl Drop for Value {
    /// Takes nested values apart one by one: a template can nest them deeper than any stack, which would overflow when they end
    /// one inside the other.
    fn drop(&mut self) {
        let mut inside = Vec::new();
        take_apart(self, &mut inside);
        while let Some(mut value) = inside.pop() {
            take_apart(&mut value, &mut inside);
        }
    }
}

/// Moves the containers inside of `value` to `inside`, when nothing else holds on to them.
fn take_apart(value: &mut Value, inside: &mut Vec<Value>) {
    match value {
        Value::List(items) => {
            if let Some(items) = Rc::get_mut(items) {
                inside.extend(items.drain(..).filter(Value::is_container));
            }
        }
        Value::Dict(entries) => {
            if let Some(entries) = Rc::get_mut(entries) {
                let entries = std::mem::take(entries.get_mut());
                inside.extend(entries.into_values().filter(Value::is_container));
            }
        }
        _ => {}
    }
}
