//! Functions of optional values.

use super::Answer;
use crate::sandbox::crd::rules::meter::Meter;
use crate::sandbox::crd::rules::value::{Cel, Fault};

pub fn call(name: &str, arguments: &[Cel], _meter: &Meter) -> Answer {
    Ok(Some(match (name, arguments) {
        ("optional.none", []) => Cel::Optional(None),
        ("optional.of", [value]) => Cel::some(value.clone()),
        ("optional.ofNonZeroValue", [value]) if is_zero(value) => Cel::Optional(None),
        ("optional.ofNonZeroValue", [value]) => Cel::some(value.clone()),
        ("hasValue", [Cel::Optional(optional)]) => Cel::Bool(optional.is_some()),
        ("value", [Cel::Optional(optional)]) => {
            let value = optional.as_deref().ok_or_else(|| Fault::error("optional.none() dereference"))?;
            value.clone()
        }
        ("or", [Cel::Optional(one), other @ Cel::Optional(_)]) => match one {
            Some(_) => Cel::Optional(one.clone()),
            None => other.clone(),
        },
        ("orValue", [Cel::Optional(optional), other]) => match optional {
            Some(value) => (**value).clone(),
            None => other.clone(),
        },
        _ => return Ok(None),
    }))
}

fn is_zero(value: &Cel) -> bool {
    match value {
        Cel::Null | Cel::Bool(false) | Cel::Int(0) | Cel::Uint(0) | Cel::Optional(None) => true,
        Cel::Double(double) => *double == 0.0,
        Cel::Text(text) => text.is_empty(),
        Cel::Bytes(bytes) => bytes.is_empty(),
        Cel::List(list) => list.items.is_empty(),
        Cel::Map(map) => map.is_empty(),
        Cel::Span(span) => span.is_zero(),
        _ => false,
    }
}
