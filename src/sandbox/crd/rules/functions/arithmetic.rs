//! Operators.

use std::cmp::Ordering;

use super::{Answer, lists};
use crate::sandbox::crd::rules::meter::Meter;
use crate::sandbox::crd::rules::value::{Cel, Fault, compare, equal};

pub fn call(name: &str, arguments: &[Cel], meter: &Meter) -> Answer {
    match (name, arguments) {
        ("_==_", [a, b]) => equal(a, b, meter).map(|equal| Some(Cel::Bool(equal))),
        ("_!=_", [a, b]) => equal(a, b, meter).map(|equal| Some(Cel::Bool(!equal))),
        ("_<_" | "_<=_" | "_>_" | "_>=_", [a, b]) => order(name, a, b, meter),
        ("!_", [Cel::Bool(bool)]) => Ok(Some(Cel::Bool(!bool))),
        ("-_", [Cel::Int(int)]) => whole(int.checked_neg().map(Cel::Int)),
        ("-_", [Cel::Double(double)]) => Ok(Some(Cel::Double(-double))),
        ("_+_", [Cel::Text(a), Cel::Text(b)]) => {
            meter.charge_text(a.len() + b.len())?;
            Ok(Some(Cel::Text(format!("{a}{b}").into())))
        }
        ("_+_", [Cel::Bytes(a), Cel::Bytes(b)]) => {
            meter.charge_text(a.len() + b.len())?;
            Ok(Some(Cel::Bytes([&**a, &**b].concat().into())))
        }
        ("_+_", [Cel::List(a), Cel::List(b)]) => lists::add(a, b, meter).map(Some),
        (_, [Cel::Int(a), Cel::Int(b)]) => ints(name, *a, *b),
        (_, [Cel::Uint(a), Cel::Uint(b)]) => uints(name, *a, *b),
        (_, [Cel::Double(a), Cel::Double(b)]) => Ok(match name {
            "_+_" => Some(Cel::Double(a + b)),
            "_-_" => Some(Cel::Double(a - b)),
            "_*_" => Some(Cel::Double(a * b)),
            "_/_" => Some(Cel::Double(a / b)),
            _ => None,
        }),
        _ => Ok(None),
    }
}

fn order(name: &str, a: &Cel, b: &Cel, meter: &Meter) -> Answer {
    if matches!((a, b), (Cel::Quantity(_), _)) {
        return Ok(None);
    }
    if let (Cel::Text(a), Cel::Text(b)) = (a, b) {
        meter.charge_text(a.len().min(b.len()))?;
    }
    if matches!((a, b), (Cel::Double(double), _) | (_, Cel::Double(double)) if double.is_nan()) {
        return Ok(Some(Cel::Bool(false)));
    }
    let Some(order) = compare(a, b) else { return Ok(None) };
    Ok(Some(Cel::Bool(match name {
        "_<_" => order == Ordering::Less,
        "_<=_" => order != Ordering::Greater,
        "_>_" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })))
}

fn whole(found: Option<Cel>) -> Answer {
    found.map(Some).ok_or_else(|| Fault::error("integer overflow"))
}

fn ints(name: &str, a: i64, b: i64) -> Answer {
    let found = match name {
        "_+_" => a.checked_add(b),
        "_-_" => a.checked_sub(b),
        "_*_" => a.checked_mul(b),
        "_/_" if b == 0 => return Err(Fault::error("division by zero")),
        "_/_" => a.checked_div(b),
        "_%_" if b == 0 => return Err(Fault::error("modulus by zero")),
        "_%_" => a.checked_rem(b),
        _ => return Ok(None),
    };
    whole(found.map(Cel::Int))
}

fn uints(name: &str, a: u64, b: u64) -> Answer {
    let found = match name {
        "_+_" => a.checked_add(b),
        "_-_" => a.checked_sub(b),
        "_*_" => a.checked_mul(b),
        "_/_" => Some(a.checked_div(b).ok_or_else(|| Fault::error("division by zero"))?),
        "_%_" => Some(a.checked_rem(b).ok_or_else(|| Fault::error("modulus by zero"))?),
        _ => return Ok(None),
    };
    found.map(|found| Some(Cel::Uint(found))).ok_or_else(|| Fault::error("unsigned integer overflow"))
}
