//! Go's comparisons in templates.

use std::cmp::Ordering;

use super::builtins::boolean;
use super::held::Held;
use crate::driver::chart::format::{print, sprintf};
use crate::driver::chart::value::{Value, lossy};

const INCOMPATIBLE: &str = "incompatible types for comparison";
const INVALID: &str = "invalid type for comparison";

/// `eq`: whether the first equals any of the others.
pub(super) fn eq(arguments: &[Held]) -> Result<Held, String> {
    match arguments.split_first() {
        Some((first, others)) if !others.is_empty() => {
            for other in others {
                if equal(first, other)? {
                    return Ok(boolean(true));
                }
            }
            Ok(boolean(false))
        }
        _ => Err("missing argument for comparison".to_owned()),
    }
}

pub(super) fn lt(arguments: &[Held]) -> Result<Held, String> {
    Ok(boolean(less(arguments)?))
}

pub(super) fn le(arguments: &[Held]) -> Result<Held, String> {
    Ok(boolean(less_or_equal(arguments)?))
}

pub(super) fn gt(arguments: &[Held]) -> Result<Held, String> {
    Ok(boolean(!less_or_equal(arguments)?))
}

pub(super) fn ge(arguments: &[Held]) -> Result<Held, String> {
    Ok(boolean(!less(arguments)?))
}

/// Whether two values are equal. Different kinds of values cannot be compared, except with `nil`.
pub(super) fn equal(one: &Held, other: &Held) -> Result<bool, String> {
    let (Some(one), Some(other)) = (one.value(), other.value()) else {
        return Ok(one.value().is_none() && other.value().is_none());
    };
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => Ok(one == other),
        (Value::Int(one), Value::Int(other)) => Ok(one == other),
        (Value::Float(one), Value::Float(other)) => Ok(one == other),
        (Value::Text(one) | Value::Number(one), Value::Text(other) | Value::Number(other)) => {
            Ok(one == other)
        }
        (Value::Raw(one), Value::Raw(other)) => Ok(one == other),
        (Value::Raw(_), Value::Text(_) | Value::Number(_))
        | (Value::Text(_) | Value::Number(_), Value::Raw(_)) => Ok(false),
        _ if is_basic(one) || is_basic(other) => Err(INCOMPATIBLE.to_owned()),
        _ if one.type_name() == other.type_name() => {
            Err(format!("non-comparable type {}: {}", shown(other)?, other.type_name()))
        }
        _ => Err(format!(
            "non-comparable types {}: {}, {}: {}",
            shown(one)?,
            one.type_name(),
            other.type_name(),
            print(other)?
        )),
    }
}

/// As Go shows it here: by `%s`, whether it is a text or not.
fn shown(value: &Value) -> Result<String, String> {
    sprintf("%s", std::slice::from_ref(value)).map(|text| lossy(&text).into_owned())
}

fn is_basic(value: &Value) -> bool {
    use Value::{Bool, Float, Int, Number, Raw, Text};
    matches!(value, Bool(_) | Int(_) | Float(_) | Text(_) | Raw(_) | Number(_))
}

fn less(arguments: &[Held]) -> Result<bool, String> {
    let [one, other] = arguments else { return Err(INVALID.to_owned()) };
    let (Some(one), Some(other)) = (one.value(), other.value()) else { return Err(INVALID.to_owned()) };
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => Ok(one < other),
        (Value::Float(one), Value::Float(other)) => Ok(one.partial_cmp(other) == Some(Ordering::Less)),
        (Value::Text(one) | Value::Number(one), Value::Text(other) | Value::Number(other)) => Ok(one < other),
        (Value::Raw(one), Value::Raw(other)) => Ok(one < other),
        (Value::Raw(one), Value::Text(other) | Value::Number(other)) => Ok(**one < *other.as_bytes()),
        (Value::Text(one) | Value::Number(one), Value::Raw(other)) => Ok(*one.as_bytes() < **other),
        (Value::Bool(_), Value::Bool(_)) => Err(INVALID.to_owned()),
        _ if is_basic(one) && is_basic(other) => Err(INCOMPATIBLE.to_owned()),
        _ => Err(INVALID.to_owned()),
    }
}

fn less_or_equal(arguments: &[Held]) -> Result<bool, String> {
    if less(arguments)? {
        return Ok(true);
    }
    let [one, other] = arguments else { return Err(INVALID.to_owned()) };
    equal(one, other)
}
