//! What the API server knows about a type: its fields, and how lists and maps merge.
//!
//! One type serves server-side apply, strategic merge patch and the check of a request's body. The built-in kinds come from a table
//! (`schema/builtin.txt`), custom resources from the structural schema of their definition.

pub mod causes;
mod check;
mod openapi;
pub mod quantity;
mod table;

pub use check::{Unknown, decode, typed_errors};
pub use openapi::from_crd;
pub use table::builtin;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

/// A type. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Schema {
    /// Nothing is known: objects merge field by field, lists are one value.
    Any,
    /// One value.
    Scalar(Scalar),
    /// A struct: named fields.
    Object(Arc<Object>),
    /// A map from strings to values of one type.
    Map(Arc<MapOf>),
    /// A list of values of one type.
    List(Arc<ListOf>),
}

/// The type of a single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// A string.
    String,
    /// A signed 32-bit integer.
    Int32,
    /// A signed 64-bit integer.
    Int64,
    /// Any number.
    Number,
    /// A boolean.
    Bool,
    /// A quantity: a string such as `100m`, or a number.
    Quantity,
    /// An integer or a string (a port, a percentage).
    IntOrString,
    /// RFC 3339, seconds.
    Time,
    /// RFC 3339, microseconds.
    MicroTime,
    /// Base64.
    Bytes,
    /// Some scalar.
    Untyped,
}

/// A struct type.
#[derive(Debug, Clone)]
pub struct Object {
    /// The type's name, for messages (`DeploymentSpec`); empty for custom resources.
    pub name: String,
    /// The fields by name.
    pub fields: BTreeMap<String, Field>,
    /// Unknown fields are kept (`x-kubernetes-preserve-unknown-fields`).
    pub open: bool,
    /// The whole is one value to server-side apply.
    pub atomic: bool,
}

/// A field of a struct.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its type.
    pub schema: Schema,
    /// A Go value without a pointer: a real server always shows it, as `{}` when it is empty.
    pub always: bool,
    /// Strategic merge heeds `$retainKeys` here.
    pub retain_keys: bool,
}

impl Field {
    /// An ordinary field.
    pub fn new(schema: Schema) -> Self {
        Self { schema, always: false, retain_keys: false }
    }
}

/// A map type.
#[derive(Debug, Clone)]
pub struct MapOf {
    /// The type of the values.
    pub values: Schema,
    /// The whole is one value to server-side apply.
    pub atomic: bool,
}

/// A list type.
#[derive(Debug, Clone)]
pub struct ListOf {
    /// The type of the items.
    pub items: Schema,
    /// How server-side apply sees it.
    pub kind: ListKind,
    /// How strategic merge patch sees it.
    pub strategic: Strategic,
}

/// `x-kubernetes-list-type`.
#[derive(Debug, Clone, PartialEq)]
pub enum ListKind {
    /// One value.
    Atomic,
    /// A set of scalars.
    Set,
    /// A map, by the values of these fields of each item.
    Map(Vec<ListKey>),
}

/// One of `x-kubernetes-list-map-keys`.
#[derive(Debug, Clone, PartialEq)]
pub struct ListKey {
    /// The field.
    pub field: String,
    /// What an item without it has.
    pub default: Option<Value>,
}

/// `x-kubernetes-patch-strategy` of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strategic {
    /// The patch's list replaces the live one.
    Replace,
    /// Items merge by this field.
    MergeBy(String),
    /// A set of scalars: the union.
    Unite,
}

impl Schema {
    /// The type of the field or map entry `name`; `None` when it is not declared.
    pub fn field(&self, name: &str) -> Option<Schema> {
        match self {
            Self::Any => Some(Self::Any),
            Self::Object(object) => match object.fields.get(name) {
                Some(field) => Some(field.schema.clone()),
                None => object.open.then_some(Self::Any),
            },
            Self::Map(map) => Some(map.values.clone()),
            Self::Scalar(_) | Self::List(_) => None,
        }
    }

    /// Whether `name` is a declared field of a struct (and no map entry).
    pub fn declares(&self, name: &str) -> bool {
        matches!(self, Self::Object(object) if object.fields.contains_key(name))
    }

    /// The type of a list's items.
    pub fn items(&self) -> Schema {
        match self {
            Self::List(list) => list.items.clone(),
            _ => Self::Any,
        }
    }

    /// The type at a path of field names, skipping through lists.
    pub fn at(&self, path: &[&str]) -> Option<Schema> {
        let mut schema = self.clone();
        for name in path {
            if matches!(schema, Self::List(_)) {
                schema = schema.items();
            }
            schema = schema.field(name)?;
        }
        Some(schema)
    }

    /// The empty object as a real server's typed code has it: fields that are always present, and nothing else.
    pub fn skeleton(&self) -> Value {
        let Self::Object(object) = self else {
            return if matches!(self, Self::List(_)) {
                Value::Array(Vec::new())
            } else {
                Value::Object(Default::default())
            };
        };
        let always = object.fields.iter().filter(|(_, field)| field.always);
        Value::Object(always.map(|(name, field)| (name.clone(), field.schema.skeleton())).collect())
    }
}
