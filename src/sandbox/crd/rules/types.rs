//! Static types: of expressions, and of what a structural schema describes.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use super::names;

/// The type of an expression.
#[derive(Debug, Clone)]
pub enum Type<'s> {
    /// A type without parts, by its name: `int`, `string`, `dyn` …
    Plain(&'static str),
    /// `list(T)`.
    List(Arc<Type<'s>>),
    /// `map(K, V)`.
    Map(Arc<Type<'s>>, Arc<Type<'s>>),
    /// `optional_type(T)`.
    Optional(Arc<Type<'s>>),
    /// An object with the fields of a schema.
    Object(Shape<'s>),
    /// `A`, `B` in a declaration.
    Parameter(usize),
}

/// Whatever it is: known only when the rule runs.
pub const DYN: Type<'static> = Type::Plain("dyn");
/// The type `bool`.
pub const BOOL: Type<'static> = Type::Plain("bool");
/// The type `string`.
pub const STRING: Type<'static> = Type::Plain("string");
/// The type `int`.
pub const INT: Type<'static> = Type::Plain("int");

/// The fields of an object.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'s> {
    /// Its schema.
    pub schema: &'s Value,
    /// Whether it is a whole resource, which has its type and its name besides.
    pub resource: bool,
}

fn implicit(name: &str) -> Option<&'static Value> {
    static SCHEMAS: OnceLock<(Value, Value)> = OnceLock::new();
    let (text, metadata) = SCHEMAS.get_or_init(|| {
        let text = json!({"type": "string"});
        let metadata = json!({"type": "object", "properties": {"name": text, "generateName": text}});
        (text, metadata)
    });
    match name {
        "apiVersion" | "kind" => Some(text),
        "metadata" => Some(metadata),
        _ => None,
    }
}

impl<'s> Shape<'s> {
    /// The schema of a field, by the name that the field has in JSON.
    pub fn property(&self, name: &str) -> Option<&'s Value> {
        implicit(name).filter(|_| self.resource).or_else(|| self.schema["properties"].get(name))
    }

    /// The schema of a field, by the name that it has in expressions.
    pub fn field(&self, escaped: &str) -> Option<&'s Value> {
        if let Some(found) = implicit(escaped).filter(|_| self.resource) {
            return Some(found);
        }
        let properties = self.schema["properties"].as_object()?;
        let plain = properties.get(escaped).filter(|_| names::escape(escaped).as_deref() == Some(escaped));
        plain.or_else(|| {
            let mut all = properties.iter();
            all.find(|(name, _)| names::escape(name).as_deref() == Some(escaped)).map(|(_, schema)| schema)
        })
    }
}

/// The type of what a schema describes; `None` where it does not say enough for expressions.
pub fn of_schema(schema: &Value, resource: bool) -> Option<Type<'_>> {
    if schema["x-kubernetes-int-or-string"] == true {
        return Some(DYN);
    }
    let format = schema["format"].as_str().unwrap_or_default();
    Some(match schema["type"].as_str()? {
        "boolean" => BOOL,
        "integer" => INT,
        "number" => Type::Plain("double"),
        "string" => match format {
            "byte" => Type::Plain("bytes"),
            "duration" => Type::Plain("duration"),
            "date" | "date-time" => Type::Plain("timestamp"),
            _ => STRING,
        },
        "array" => Type::List(Arc::new(of_schema(&schema["items"], false)?)),
        "object" if schema["additionalProperties"].is_object() => {
            let values = of_schema(&schema["additionalProperties"], false)?;
            Type::Map(Arc::new(STRING), Arc::new(values))
        }
        "object" => {
            let resource = resource || schema["x-kubernetes-embedded-resource"] == true;
            Type::Object(Shape { schema, resource })
        }
        _ => return None,
    })
}

impl<'s> Type<'s> {
    /// Whether nothing is known of it.
    pub fn is_dyn(&self) -> bool {
        self.is("dyn")
    }

    /// Whether it is this type without parts.
    pub fn is(&self, plain: &str) -> bool {
        matches!(self, Self::Plain(name) if *name == plain)
    }

    /// Whether a value of another type can be where this one is expected.
    pub fn takes(&self, other: &Type<'_>) -> bool {
        match (self, other) {
            (Self::Plain("dyn"), _) | (_, Type::Plain("dyn")) => true,
            (
                Self::Plain("timestamp" | "duration") | Self::Object(_) | Self::Optional(_),
                Type::Plain("null"),
            )
            | (
                Self::Plain("null"),
                Type::Plain("timestamp" | "duration") | Type::Object(_) | Type::Optional(_),
            ) => true,
            (Self::Plain(a), Type::Plain(b)) => a == b,
            (Self::List(a), Type::List(b)) | (Self::Optional(a), Type::Optional(b)) => a.takes(b),
            (Self::Map(a, b), Type::Map(c, d)) => a.takes(c) && b.takes(d),
            (Self::Object(a), Type::Object(b)) => {
                std::ptr::eq(a.schema, b.schema) || (a.schema == b.schema && a.resource == b.resource)
            }
            _ => false,
        }
    }

    /// Whether an argument fits this type of a declaration; binds its parameters.
    pub fn fits(&self, actual: &Type<'s>, bound: &mut [Option<Type<'s>>; 2]) -> bool {
        match (self, actual) {
            (Self::Parameter(index), _) => {
                let Some(slot) = bound.get_mut(*index) else { return false };
                match slot {
                    None => {
                        *slot = Some(actual.clone());
                        true
                    }
                    Some(before) if before.is_dyn() => {
                        *slot = Some(actual.clone());
                        true
                    }
                    Some(before) => before.takes(actual),
                }
            }
            (Self::List(a), Self::List(b)) | (Self::Optional(a), Self::Optional(b)) => a.fits(b, bound),
            (Self::Map(a, b), Self::Map(c, d)) => a.fits(c, bound) && b.fits(d, bound),
            (Self::List(a), Type::Plain("dyn")) | (Self::Optional(a), Type::Plain("dyn")) => {
                a.fits(actual, bound)
            }
            (Self::Map(a, b), Type::Plain("dyn")) => a.fits(actual, bound) && b.fits(actual, bound),
            _ => self.takes(actual),
        }
    }

    /// With its parameters replaced.
    pub fn resolved(&self, bound: &[Option<Type<'s>>; 2]) -> Type<'s> {
        match self {
            Self::Parameter(index) => bound.get(*index).cloned().flatten().unwrap_or(DYN),
            Self::List(of) => Self::List(Arc::new(of.resolved(bound))),
            Self::Optional(of) => Self::Optional(Arc::new(of.resolved(bound))),
            Self::Map(key, value) => {
                Self::Map(Arc::new(key.resolved(bound)), Arc::new(value.resolved(bound)))
            }
            Self::Plain(_) | Self::Object(_) => self.clone(),
        }
    }
}

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain("quantity") => f.write_str("kubernetes.Quantity"),
            Self::Plain("url") => f.write_str("kubernetes.URL"),
            Self::Plain("ip") => f.write_str("net.IP"),
            Self::Plain("cidr") => f.write_str("net.CIDR"),
            Self::Plain(name) => f.write_str(name),
            Self::List(of) => write!(f, "list({of})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Optional(of) => write!(f, "optional_type({of})"),
            Self::Object(_) => f.write_str("object"),
            Self::Parameter(_) => f.write_str("dyn"),
        }
    }
}
