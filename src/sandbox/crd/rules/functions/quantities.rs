//! Resource quantities.

use std::cmp::Ordering;

use super::Answer;
use crate::sandbox::crd::rules::meter::Meter;
use crate::sandbox::crd::rules::value::{Cel, Fault};
use crate::sandbox::schema::quantity::{Quantity, SYNTAX};

const UNIT: i128 = 1_000_000_000;

pub fn call(name: &str, arguments: &[Cel], meter: &Meter) -> Answer {
    if let [Cel::Text(text)] = arguments
        && matches!(name, "quantity" | "isQuantity")
    {
        meter.charge_text(text.len())?;
        let parsed = Quantity::parse(text).filter(|_| text.trim() == &**text);
        return match (name, parsed) {
            ("isQuantity", parsed) => Ok(Some(Cel::Bool(parsed.is_some()))),
            (_, Some(quantity)) => Ok(Some(Cel::Quantity(quantity))),
            (_, None) => Err(Fault::error(SYNTAX)),
        };
    }
    let Some((Cel::Quantity(quantity), rest)) = arguments.split_first() else { return Ok(None) };
    let whole = i64::try_from(quantity.nanos() / UNIT).ok().filter(|_| !quantity.is_fractional());
    Ok(Some(match (name, rest) {
        ("isInteger", []) => Cel::Bool(whole.is_some()),
        ("asInteger", []) => Cel::Int(whole.ok_or_else(|| Fault::error("cannot convert value to integer"))?),
        #[expect(clippy::cast_precision_loss, reason = "the function says that it is approximate")]
        ("asApproximateFloat", []) => Cel::Double(quantity.nanos() as f64 / 1e9),
        ("sign", []) => Cel::Int(sign(quantity.nanos().cmp(&0))),
        ("compareTo", [Cel::Quantity(other)]) => Cel::Int(sign(quantity.nanos().cmp(&other.nanos()))),
        ("isGreaterThan", [Cel::Quantity(other)]) => Cel::Bool(quantity.nanos() > other.nanos()),
        ("isLessThan", [Cel::Quantity(other)]) => Cel::Bool(quantity.nanos() < other.nanos()),
        ("add", [other]) => return Ok(nanos(other).map(|other| sum(quantity.nanos(), other))),
        ("sub", [other]) => return Ok(nanos(other).map(|other| sum(quantity.nanos(), -other))),
        _ => return Ok(None),
    }))
}

fn nanos(value: &Cel) -> Option<i128> {
    match value {
        Cel::Quantity(quantity) => Some(quantity.nanos()),
        Cel::Int(int) => Some(i128::from(*int) * UNIT),
        _ => None,
    }
}

fn sum(one: i128, other: i128) -> Cel {
    Cel::Quantity(Quantity::of_nanos(one.saturating_add(other)))
}

fn sign(order: Ordering) -> i64 {
    match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}
