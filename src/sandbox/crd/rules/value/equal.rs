//! Equality and order.

use std::cmp::Ordering;

use super::{Cel, Fault, List, ListKind};
use crate::sandbox::crd::rules::meter::Meter;

/// Whether two values are equal. Values of different kinds are not; numbers are compared by their values.
///
/// # Errors
/// When it costs too much.
pub fn equal(one: &Cel, other: &Cel, meter: &Meter) -> Result<bool, Fault> {
    meter.charge(1)?;
    Ok(match (one, other) {
        (Cel::Null, Cel::Null) => true,
        (Cel::Bool(a), Cel::Bool(b)) => a == b,
        (Cel::Text(a), Cel::Text(b)) => {
            meter.charge_text(a.len().min(b.len()))?;
            a == b
        }
        (Cel::Bytes(a), Cel::Bytes(b)) => {
            meter.charge_text(a.len().min(b.len()))?;
            a == b
        }
        (Cel::Time(a), Cel::Time(b)) => a == b,
        (Cel::Span(a), Cel::Span(b)) => a == b,
        (Cel::Type(a), Cel::Type(b)) => a == b,
        (Cel::Quantity(a), Cel::Quantity(b)) => a.nanos() == b.nanos(),
        (Cel::Url(a), Cel::Url(b)) => a == b,
        (Cel::Address(a), Cel::Address(b)) => a == b,
        (Cel::Network(a, c), Cel::Network(b, d)) => a == b && c == d,
        (Cel::Optional(a), Cel::Optional(b)) => match (a, b) {
            (Some(a), Some(b)) => equal(a, b, meter)?,
            (a, b) => a.is_none() && b.is_none(),
        },
        (Cel::List(a), Cel::List(b)) => lists_equal(a, b, meter)?,
        (Cel::Map(a), Cel::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, value) in a.iter() {
                match b.get(key) {
                    Some(other) if equal(value, other, meter)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        _ => numbers(one, other) == Some(Ordering::Equal),
    })
}

fn lists_equal(one: &List, other: &List, meter: &Meter) -> Result<bool, Fault> {
    if one.items.len() != other.items.len() {
        return Ok(false);
    }
    if !matches!((&one.kind, &other.kind), (ListKind::Atomic, _)) {
        for item in one.items.iter() {
            if !holds(&other.items, item, meter)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    for (a, b) in one.items.iter().zip(other.items.iter()) {
        if !equal(a, b, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn holds(items: &[Cel], wanted: &Cel, meter: &Meter) -> Result<bool, Fault> {
    for item in items {
        if equal(item, wanted, meter)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The order of two values of one kind; `None` where there is none.
pub fn compare(one: &Cel, other: &Cel) -> Option<Ordering> {
    match (one, other) {
        (Cel::Bool(a), Cel::Bool(b)) => Some(a.cmp(b)),
        (Cel::Text(a), Cel::Text(b)) => Some(a.cmp(b)),
        (Cel::Bytes(a), Cel::Bytes(b)) => Some(a.cmp(b)),
        (Cel::Time(a), Cel::Time(b)) => Some(a.cmp(b)),
        (Cel::Span(a), Cel::Span(b)) => Some(a.cmp(b)),
        (Cel::Quantity(a), Cel::Quantity(b)) => Some(a.nanos().cmp(&b.nanos())),
        _ => numbers(one, other),
    }
}

fn numbers(one: &Cel, other: &Cel) -> Option<Ordering> {
    let whole = |value: &Cel| match value {
        Cel::Int(int) => Some(i128::from(*int)),
        Cel::Uint(uint) => Some(i128::from(*uint)),
        _ => None,
    };
    if let (Some(a), Some(b)) = (whole(one), whole(other)) {
        return Some(a.cmp(&b));
    }
    let float = |value: &Cel| match value {
        Cel::Double(double) => Some(*double),
        #[expect(clippy::cast_precision_loss, reason = "as the language compares numbers of different kinds")]
        other => whole(other).map(|whole| whole as f64),
    };
    float(one)?.partial_cmp(&float(other)?)
}
