//! The values that expressions work on, made of JSON by its schema.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use base64::Engine;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::functions::time;
use super::functions::url::Url;
use super::names;
use super::types::Shape;
use crate::sandbox::schema::quantity::Quantity;

mod equal;

pub use equal::{compare, equal};

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It went wrong.
    Error(String),
    /// It cost too much.
    Exhausted,
}

impl Fault {
    /// An error with a text.
    pub fn error(text: impl Into<String>) -> Self {
        Self::Error(text.into())
    }
}

/// A value.
#[derive(Debug, Clone)]
pub enum Cel {
    /// `null`.
    Null,
    /// `true`.
    Bool(bool),
    /// `1`.
    Int(i64),
    /// `1u`.
    Uint(u64),
    /// `1.0`.
    Double(f64),
    /// `'x'`.
    Text(Rc<str>),
    /// `b'x'`.
    Bytes(Rc<[u8]>),
    /// A point in time.
    Time(Timestamp),
    /// A duration.
    Span(SignedDuration),
    /// A list.
    List(List),
    /// A map or an object.
    Map(Rc<BTreeMap<Key, Cel>>),
    /// A value or none.
    Optional(Option<Rc<Cel>>),
    /// A type, by its name.
    Type(&'static str),
    /// A resource quantity.
    Quantity(Quantity),
    /// A parsed URL.
    Url(Rc<Url>),
    /// An IP address.
    Address(IpAddr),
    /// A network and the length of its prefix.
    Network(IpAddr, u8),
    /// What in the object is not what its schema says: an error for whoever reads it.
    Broken(Rc<str>),
}

/// A key of a map. Fields of objects are texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `true`.
    Bool(bool),
    /// Any whole number.
    Int(i128),
    /// A text.
    Text(Rc<str>),
}

impl Key {
    /// The key that a value is, if it can be one.
    pub fn of(value: &Cel) -> Option<Self> {
        Some(match value {
            Cel::Bool(bool) => Self::Bool(*bool),
            Cel::Int(int) => Self::Int(i128::from(*int)),
            Cel::Uint(uint) => Self::Int(i128::from(*uint)),
            Cel::Text(text) => Self::Text(text.clone()),
            _ => return None,
        })
    }

    /// The value that it is.
    pub fn value(&self) -> Cel {
        match self {
            Self::Bool(bool) => Cel::Bool(*bool),
            Self::Int(int) => i64::try_from(*int)
                .map(Cel::Int)
                .unwrap_or_else(|_| Cel::Uint(u64::try_from(*int).unwrap_or(u64::MAX))),
            Self::Text(text) => Cel::Text(text.clone()),
        }
    }
}

/// A list, with what its schema says of equality and addition.
#[derive(Debug, Clone)]
pub struct List {
    /// The elements.
    pub items: Rc<Vec<Cel>>,
    /// The rules of its schema.
    pub kind: ListKind,
}

/// `x-kubernetes-list-type`.
#[derive(Debug, Clone)]
pub enum ListKind {
    /// Order matters.
    Atomic,
    /// Order does not matter.
    Set,
    /// Elements with the same values of these fields are the same.
    Map(Rc<Vec<Key>>),
}

impl List {
    /// A list in which order matters.
    pub fn plain(items: Vec<Cel>) -> Cel {
        Cel::List(Self { items: Rc::new(items), kind: ListKind::Atomic })
    }
}

impl Cel {
    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// An optional that has a value.
    pub fn some(value: Self) -> Self {
        Self::Optional(Some(Rc::new(value)))
    }

    /// Itself, unless it is broken.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn sound(&self) -> Result<Self, Fault> {
        match self {
            Self::Broken(why) => Err(Fault::error(&**why)),
            sound => Ok(sound.clone()),
        }
    }

    /// The name of its type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null | Self::Broken(_) => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Time(_) => "google.protobuf.Timestamp",
            Self::Span(_) => "google.protobuf.Duration",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Url(_) => "kubernetes.URL",
            Self::Address(_) => "net.IP",
            Self::Network(..) => "net.CIDR",
        }
    }
}

/// The value of JSON by its schema. A field that is null is absent.
pub fn of_json(schema: &Value, resource: bool, value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(bool) => Cel::Bool(*bool),
        Value::Number(number) => match number.as_i64() {
            Some(int) if schema["type"] != "number" => Cel::Int(int),
            _ => Cel::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => of_text(schema, text),
        Value::Array(items) => Cel::List(List {
            items: Rc::new(items.iter().map(|item| of_json(&schema["items"], false, item)).collect()),
            kind: list_kind(schema),
        }),
        Value::Object(fields) => {
            let values = &schema["additionalProperties"];
            let shape =
                Shape { schema, resource: resource || schema["x-kubernetes-embedded-resource"] == true };
            let present = fields.iter().filter(|(_, value)| !value.is_null());
            let entries = present.filter_map(|(name, value)| {
                if values.is_object() {
                    return Some((Key::Text(name.as_str().into()), of_json(values, false, value)));
                }
                let property = shape.property(name)?;
                Some((Key::Text(names::escape(name)?.into()), of_json(property, false, value)))
            });
            Cel::Map(Rc::new(entries.collect()))
        }
    }
}

fn list_kind(schema: &Value) -> ListKind {
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => ListKind::Set,
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            let names = keys.filter_map(|key| names::escape(key.as_str()?));
            ListKind::Map(Rc::new(names.map(|name| Key::Text(name.into())).collect()))
        }
        _ => ListKind::Atomic,
    }
}

fn of_text(schema: &Value, text: &str) -> Cel {
    let format = schema["format"].as_str().filter(|_| schema["x-kubernetes-int-or-string"] != true);
    let found = match format {
        Some("byte") => {
            base64::engine::general_purpose::STANDARD.decode(text).ok().map(|bytes| Cel::Bytes(bytes.into()))
        }
        Some("duration") => time::duration(text, true).map(Cel::Span),
        Some("date-time") => text.parse().ok().map(Cel::Time),
        Some("date") => time::date(text).map(Cel::Time),
        _ => Some(Cel::text(text)),
    };
    let broken =
        || Cel::Broken(format!("Invalid {} formatted string {text}", format.unwrap_or_default()).into());
    found.unwrap_or_else(broken)
}
