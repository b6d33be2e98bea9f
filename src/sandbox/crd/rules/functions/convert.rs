//! Conversions between types.

use jiff::Timestamp;

use super::{Answer, net, time};
use crate::sandbox::crd::rules::meter::Meter;
use crate::sandbox::crd::rules::value::{Cel, Fault};

pub fn call(name: &str, arguments: &[Cel], meter: &Meter) -> Answer {
    let [value] = arguments else { return Ok(None) };
    if let Cel::Text(text) = value {
        meter.charge_text(text.len())?;
    }
    match name {
        "dyn" => Ok(Some(value.clone())),
        "type" => Ok(Some(Cel::Type(value.type_name()))),
        "int" => to_int(value),
        "uint" => to_uint(value),
        "double" => to_double(value),
        "string" => to_text(value),
        "bytes" => Ok(match value {
            Cel::Text(text) => Some(Cel::Bytes(text.as_bytes().into())),
            Cel::Bytes(_) => Some(value.clone()),
            _ => None,
        }),
        "bool" => to_bool(value),
        "timestamp" => to_time(value),
        "duration" => match value {
            Cel::Text(text) => {
                let wrong = || Fault::error(format!("time: invalid duration {text:?}"));
                time::duration(text, false).map(|span| Some(Cel::Span(span))).ok_or_else(wrong)
            }
            Cel::Span(_) => Ok(Some(value.clone())),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
fn to_int(value: &Cel) -> Answer {
    Ok(Some(Cel::Int(match value {
        Cel::Int(int) => *int,
        Cel::Uint(uint) => i64::try_from(*uint).map_err(|_| Fault::error("integer overflow"))?,
        Cel::Double(double) if double.abs() < 9.2e18 => *double as i64,
        Cel::Double(_) => return Err(Fault::error("integer overflow")),
        Cel::Text(text) => text.parse().map_err(|_| syntax("ParseInt", text))?,
        Cel::Time(time) => time.as_second(),
        Cel::Span(span) => i64::try_from(span.as_nanos()).map_err(|_| Fault::error("integer overflow"))?,
        _ => return Ok(None),
    })))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
fn to_uint(value: &Cel) -> Answer {
    let overflow = || Fault::error("unsigned integer overflow");
    Ok(Some(Cel::Uint(match value {
        Cel::Uint(uint) => *uint,
        Cel::Int(int) => u64::try_from(*int).map_err(|_| overflow())?,
        Cel::Double(double) if (0.0..1.8e19).contains(double) => *double as u64,
        Cel::Double(_) => return Err(overflow()),
        Cel::Text(text) => text.parse().map_err(|_| syntax("ParseUint", text))?,
        _ => return Ok(None),
    })))
}

#[expect(clippy::cast_precision_loss, reason = "as the language converts")]
fn to_double(value: &Cel) -> Answer {
    Ok(Some(Cel::Double(match value {
        Cel::Double(double) => *double,
        Cel::Int(int) => *int as f64,
        Cel::Uint(uint) => *uint as f64,
        Cel::Text(text) => text.parse().map_err(|_| syntax("ParseFloat", text))?,
        _ => return Ok(None),
    })))
}

fn to_bool(value: &Cel) -> Answer {
    Ok(Some(Cel::Bool(match value {
        Cel::Bool(bool) => *bool,
        Cel::Text(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
            "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
            _ => return Err(syntax("ParseBool", text)),
        },
        _ => return Ok(None),
    })))
}

fn to_time(value: &Cel) -> Answer {
    Ok(match value {
        Cel::Time(_) => Some(value.clone()),
        Cel::Int(seconds) => {
            let time = Timestamp::from_second(*seconds).map_err(|_| Fault::error("timestamp overflow"))?;
            Some(Cel::Time(time))
        }
        Cel::Text(text) => {
            let wrong = || Fault::error(format!("parsing time {text:?} as RFC 3339: it is none"));
            let time = text.parse::<Timestamp>().ok().filter(|_| text.contains(['T', 't']));
            Some(Cel::Time(time.ok_or_else(wrong)?))
        }
        _ => None,
    })
}

fn syntax(function: &str, text: &str) -> Fault {
    Fault::error(format!("strconv.{function}: parsing {text:?}: invalid syntax"))
}

fn to_text(value: &Cel) -> Answer {
    if let Cel::Bytes(bytes) = value {
        let text = String::from_utf8(bytes.to_vec());
        let text = text.map_err(|_| Fault::error("invalid UTF-8 in bytes, cannot convert to string"))?;
        return Ok(Some(Cel::text(&text)));
    }
    Ok(written(value).map(|text| Cel::text(&text)))
}

/// A value without parts as a text.
pub fn written(value: &Cel) -> Option<String> {
    Some(match value {
        Cel::Bool(bool) => bool.to_string(),
        Cel::Int(int) => int.to_string(),
        Cel::Uint(uint) => uint.to_string(),
        Cel::Double(double) => double.to_string(),
        Cel::Text(text) => text.to_string(),
        Cel::Time(time) => time.to_string(),
        Cel::Span(span) => {
            let seconds = format!("{}.{:09}", span.as_secs().abs(), span.subsec_nanos().abs());
            let sign = if span.is_negative() { "-" } else { "" };
            format!("{sign}{}s", seconds.trim_end_matches('0').trim_end_matches('.'))
        }
        Cel::Address(address) => address.to_string(),
        Cel::Network(address, bits) => net::written(*address, *bits),
        _ => return None,
    })
}
