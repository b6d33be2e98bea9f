//! `'%s …'.format([…])`.

use super::Answer;
use super::convert::written;
use crate::sandbox::crd::rules::meter::Meter;
use crate::sandbox::crd::rules::value::{Cel, Fault, Key};

/// The most digits behind a point.
const PRECISION: usize = 100;

pub fn call(name: &str, arguments: &[Cel], meter: &Meter) -> Answer {
    let ("format", [Cel::Text(text), Cel::List(list)]) = (name, arguments) else { return Ok(None) };
    let mut made = String::new();
    let mut next = list.items.iter();
    let mut rest = &**text;
    while let Some((before, after)) = rest.split_once('%') {
        meter.charge_text(before.len() + 1)?;
        made.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            made.push('%');
            rest = after;
            continue;
        }
        let (precision, after) = precision(after)?;
        let verb = after.chars().next().ok_or_else(|| Fault::error("unexpected end of string"))?;
        let value =
            next.next().ok_or_else(|| Fault::error(format!("index {} out of range", list.items.len())))?;
        made.push_str(&clause(verb, precision, &value.sound()?, meter)?);
        rest = &after[verb.len_utf8()..];
    }
    meter.charge_text(rest.len())?;
    made.push_str(rest);
    Ok(Some(Cel::text(&made)))
}

/// `.2` before a verb.
fn precision(text: &str) -> Result<(Option<usize>, &str), Fault> {
    let Some(rest) = text.strip_prefix('.') else { return Ok((None, text)) };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(end);
    let precision = digits.parse().ok().filter(|digits| *digits <= PRECISION);
    let wrong = || Fault::error(format!("the sandbox formats at most {PRECISION} digits behind a point"));
    Ok((Some(precision.ok_or_else(wrong)?), rest))
}

fn clause(verb: char, precision: Option<usize>, value: &Cel, meter: &Meter) -> Result<String, Fault> {
    let wrong =
        || Fault::error(format!("error during formatting: a {} is not for %{verb}", value.type_name()));
    meter.charge(1)?;
    let precision = precision.unwrap_or(6);
    match (verb, value) {
        ('s', value) => shown(value, meter),
        ('d', Cel::Int(_) | Cel::Uint(_)) => written(value).ok_or_else(wrong),
        ('f', value) => float(value).map(|double| format!("{double:.precision$}")).ok_or_else(wrong),
        ('e', value) => float(value).map(|double| exponent(double, precision)).ok_or_else(wrong),
        ('b', Cel::Bool(bool)) => Ok(u8::from(*bool).to_string()),
        ('x' | 'X', Cel::Text(text)) => {
            meter.charge_text(text.len().saturating_mul(2))?;
            Ok(hex(text.as_bytes(), verb))
        }
        ('x' | 'X', Cel::Bytes(bytes)) => {
            meter.charge_text(bytes.len().saturating_mul(2))?;
            Ok(hex(bytes, verb))
        }
        (_, value) => {
            let (sign, magnitude) = match value {
                Cel::Int(int) => (if *int < 0 { "-" } else { "" }, int.unsigned_abs()),
                Cel::Uint(uint) => ("", *uint),
                _ => return Err(wrong()),
            };
            match verb {
                'b' => Ok(format!("{sign}{magnitude:b}")),
                'o' => Ok(format!("{sign}{magnitude:o}")),
                'x' => Ok(format!("{sign}{magnitude:x}")),
                'X' => Ok(format!("{sign}{magnitude:X}")),
                _ => Err(Fault::error(format!(
                    "could not parse formatting clause: unrecognized formatting clause {verb:?}"
                ))),
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with few digits")]
fn float(value: &Cel) -> Option<f64> {
    match value {
        Cel::Double(double) => Some(*double),
        Cel::Int(int) => Some(*int as f64),
        Cel::Uint(uint) => Some(*uint as f64),
        _ => None,
    }
}

/// With a sign and two digits, as Go writes exponents.
fn exponent(double: f64, precision: usize) -> String {
    let text = format!("{double:.precision$e}");
    let Some((mantissa, power)) = text.split_once('e') else { return text };
    let (sign, digits) = power.strip_prefix('-').map_or(('+', power), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn hex(bytes: &[u8], verb: char) -> String {
    let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if verb == 'X' { lower.to_ascii_uppercase() } else { lower }
}

fn shown(value: &Cel, meter: &Meter) -> Result<String, Fault> {
    meter.charge(1)?;
    let parts = match value {
        Cel::Null => return Ok("null".to_owned()),
        Cel::Type(name) => return Ok((*name).to_owned()),
        Cel::Text(text) => {
            meter.charge_text(text.len())?;
            return Ok(text.to_string());
        }
        Cel::List(list) => {
            let items: Result<Vec<String>, Fault> =
                list.items.iter().map(|item| shown(&item.sound()?, meter)).collect();
            format!("[{}]", items?.join(", "))
        }
        Cel::Map(map) => {
            let pair = |(key, value): (&Key, &Cel)| {
                Ok(format!("{}: {}", shown(&key.value(), meter)?, shown(&value.sound()?, meter)?))
            };
            let pairs: Result<Vec<String>, Fault> = map.iter().map(pair).collect();
            format!("{{{}}}", pairs?.join(", "))
        }
        other => {
            let wrong = || Fault::error(format!("string clause can not format a {}", other.type_name()));
            written(other).ok_or_else(wrong)?
        }
    };
    // nested lists are written again at each level
    meter.charge_text(parts.len())?;
    Ok(parts)
}
