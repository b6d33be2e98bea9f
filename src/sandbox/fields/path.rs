//! Path elements of FieldsV1: `f:name`, `k:{"name":"c"}`, `v:"x"`, `i:0`.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::sandbox::schema::{ListKind, ListOf};

/// One step from a value to a value inside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathElement {
    /// A field of a struct or an entry of a map.
    Field(String),
    /// An item of a list by its keys: a JSON object, keys sorted.
    Key(String),
    /// An item of a set: a JSON scalar.
    Value(String),
    /// An item of a list by its position.
    Index(u64),
}

impl PathElement {
    /// A field.
    pub fn field(name: &str) -> Self {
        Self::Field(name.to_owned())
    }

    /// Reads an element as FieldsV1 writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        Some(match kind {
            "f" => Self::Field(rest.to_owned()),
            "k" => Self::Key(canonical(&serde_json::from_str(rest).ok()?)),
            "v" => Self::Value(serde_json::from_str::<Value>(rest).ok()?.to_string()),
            "i" => Self::Index(rest.parse().ok()?),
            _ => return None,
        })
    }

    /// As FieldsV1 writes it.
    pub fn to_fields_v1(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => format!("k:{keys}"),
            Self::Value(value) => format!("v:{value}"),
            Self::Index(index) => format!("i:{index}"),
        }
    }
}

fn canonical(keys: &BTreeMap<String, Value>) -> String {
    serde_json::to_string(keys).unwrap_or_default()
}

/// As a conflict names it: `.spec`, `[name="c"]`, `[="x"]`, `[0]`.
impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(keys) => {
                let keys: BTreeMap<String, Value> = serde_json::from_str(keys).unwrap_or_default();
                let parts: Vec<String> = keys.iter().map(|(name, value)| format!("{name}={value}")).collect();
                write!(f, "[{}]", parts.join(","))
            }
            Self::Value(value) => write!(f, "[={value}]"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

impl ListOf {
    /// How an item of this list is named: by its keys, by its value; `None` in an atomic list.
    ///
    /// # Errors
    /// An item without a key, or a set's item that is no scalar.
    pub fn key_of(&self, item: &Value) -> Result<Option<PathElement>, String> {
        match &self.kind {
            ListKind::Atomic => Ok(None),
            ListKind::Set if item.is_object() || item.is_array() => {
                Err("associative list without keys has an element that's a map or a list".to_owned())
            }
            ListKind::Set => Ok(Some(PathElement::Value(item.to_string()))),
            ListKind::Map(keys) => {
                if !item.is_object() {
                    return Err("associative list with keys may not have non-map elements".to_owned());
                }
                let mut values = BTreeMap::new();
                for key in keys {
                    let present = item.get(&key.field).filter(|value| !value.is_null());
                    let Some(value) = present.or(key.default.as_ref()) else {
                        return Err(format!(
                            "associative list with keys has an element that omits key field {:?} (and doesn't have default value)",
                            key.field
                        ));
                    };
                    values.insert(key.field.clone(), value.clone());
                }
                Ok(Some(PathElement::Key(canonical(&values))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_and_written() {
        for (text, shown) in [
            ("f:spec", ".spec"),
            ("f:app.kubernetes.io/name", ".app.kubernetes.io/name"),
            (r#"k:{"name":"c"}"#, r#"[name="c"]"#),
            (r#"k:{"containerPort":80,"protocol":"TCP"}"#, r#"[containerPort=80,protocol="TCP"]"#),
            (r#"v:"kubernetes.io/pvc-protection""#, r#"[="kubernetes.io/pvc-protection"]"#),
            ("i:3", "[3]"),
        ] {
            let element = PathElement::parse(text).unwrap();
            assert_eq!(element.to_fields_v1(), text);
            assert_eq!(element.to_string(), shown);
        }
        let sorted = PathElement::parse(r#"k:{"protocol":"TCP","containerPort":80}"#).unwrap();
        assert_eq!(sorted.to_fields_v1(), r#"k:{"containerPort":80,"protocol":"TCP"}"#);
        for text in ["", "x:1", "i:-1", "k:[]", "v:", "spec"] {
            assert_eq!(PathElement::parse(text), None, "{text}");
        }
    }
}
