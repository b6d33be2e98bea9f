//! Arguments as Rust values, and Rust values as results.
//!
//! [`Entry::check`](super::Entry::check) has seen the types before, so what fails here is the caller's mistake, not the chart's.

use std::borrow::Cow;
use std::rc::Rc;

use super::super::value::{Dict, Object, Value, lossy};
use super::{ITEMS_MAX, Kind, TEXT_MAX, mismatch, too_large};

/// What a function answers.
pub type Answer = Result<Value, String>;

/// The arguments of a function that takes `N` of them.
pub fn fixed<const N: usize>(arguments: &[Value]) -> Result<&[Value; N], String> {
    arguments.try_into().map_err(|_| format!("wrong number of args: want {N} got {}", arguments.len()))
}

/// The arguments of a function that takes at least `N` of them, and the further ones.
pub fn at_least<const N: usize>(arguments: &[Value]) -> Result<(&[Value; N], &[Value]), String> {
    let few = || format!("wrong number of args: want at least {N} got {}", arguments.len());
    arguments.split_first_chunk::<N>().ok_or_else(few)
}

/// A `string`, whose bytes need not be UTF-8.
pub fn bytes(value: &Value) -> Result<&[u8], String> {
    match value {
        Value::Text(text) => Ok(text.as_bytes()),
        Value::Raw(bytes) => Ok(bytes),
        other => Err(mismatch(Kind::Text, other)),
    }
}

/// A `string`; each byte that is not UTF-8 becomes U+FFFD.
pub fn text(value: &Value) -> Result<Cow<'_, str>, String> {
    bytes(value).map(lossy)
}

/// An `int`.
pub fn int(value: &Value) -> Result<i64, String> {
    match value {
        Value::Int(number) => Ok(*number),
        other => Err(mismatch(Kind::Int, other)),
    }
}

/// A `float64`.
pub fn float(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        other => Err(mismatch(Kind::Float, other)),
    }
}

/// A `bool`.
pub fn boolean(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(value) => Ok(*value),
        other => Err(mismatch(Kind::Bool, other)),
    }
}

/// A `map[string]interface {}`.
pub fn dict(value: &Value) -> Result<&Dict, String> {
    match value {
        Value::Dict(entries) => Ok(entries),
        other => Err(mismatch(Kind::Dict, other)),
    }
}

/// A value of a type of its own.
pub fn object(value: &Value, kind: Kind) -> Result<&dyn Object, String> {
    match value {
        Value::Object(object) if object.type_name() == kind.name() => Ok(&**object),
        other => Err(mismatch(kind, other)),
    }
}

/// A Go `string` of these bytes.
pub fn string(bytes: impl Into<Vec<u8>>) -> Answer {
    let bytes = bytes.into();
    if bytes.len() > TEXT_MAX {
        return Err(too_large("the text"));
    }
    Ok(Value::string(bytes))
}

/// An `int64`, as `add` and its like answer.
///
/// Go tells it from an `int` in `kindOf`, `deepEqual` and where an `int` is asked for; [`Value`] does not.
pub fn int64(number: i64) -> Answer {
    Ok(Value::Int(number))
}

/// A list of these items.
pub fn list(items: Vec<Value>) -> Answer {
    if items.len() > ITEMS_MAX {
        return Err(too_large("the list"));
    }
    Ok(Value::List(Rc::new(items)))
}

/// A list of texts.
pub fn strings<T: Into<Vec<u8>>>(items: impl IntoIterator<Item = T>) -> Answer {
    let items = items.into_iter().take(ITEMS_MAX + 1).map(string).collect::<Result<Vec<_>, _>>()?;
    list(items)
}
