//! What a plain scalar means: the rules of go-yaml 2, which are those of YAML 1.1 except for a few.

use super::timestamp::is_timestamp;

/// What a scalar stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Beyond `int64`.
    Unsigned(u64),
    Float(f64),
    /// A date: read as a text, but never written as one without quotes.
    Timestamp,
    Text,
}

/// What the plain scalar `text` stands for.
pub(super) fn resolve(text: &str) -> Scalar {
    let Some(first) = text.bytes().next() else { return Scalar::Null };
    if let Some(known) = word(text) {
        return known;
    }
    match first {
        b'.' => text.parse().map_or(Scalar::Text, |number: f64| finite_or_text(number, text)),
        b'+' | b'-' | b'0'..=b'9' if is_timestamp(text) => Scalar::Timestamp,
        b'+' | b'-' | b'0'..=b'9' => number(text),
        _ => Scalar::Text,
    }
}

fn word(text: &str) -> Option<Scalar> {
    Some(match text {
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// Go's `ParseFloat` refuses what is beyond a float64.
fn finite_or_text(number: f64, text: &str) -> Scalar {
    let spelled = text.contains(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E'));
    if number.is_finite() && !spelled { Scalar::Float(number) } else { Scalar::Text }
}

fn number(text: &str) -> Scalar {
    let plain = text.replace('_', "");
    if let Some(value) = integer(&plain) {
        if let Ok(value) = i64::try_from(value) {
            return Scalar::Int(value);
        }
        if let (Ok(value), true) = (u64::try_from(value), !plain.starts_with(['+', '-'])) {
            return Scalar::Unsigned(value);
        }
    }
    if is_float(&plain) {
        return plain.parse().map_or(Scalar::Text, |number: f64| finite_or_text(number, &plain));
    }
    Scalar::Text
}

/// An integer in Go's notation: `0x`, `0o`, `0b`, and octal with a leading zero.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixes = [("0x", 16), ("0o", 8), ("0b", 2)];
    let based = prefixes.iter().find_map(|(prefix, base)| Some((lower.strip_prefix(prefix)?, *base)));
    let (digits, base) = match (based, lower.strip_prefix('0')) {
        (Some(based), _) => based,
        (None, Some(octal)) if !octal.is_empty() => (octal, 8),
        _ => (lower.as_str(), 10),
    };
    if digits.len() > 70 || digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(digits, base).ok()?;
    Some(if negative { -value } else { value })
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    if !exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))) {
        return false;
    }
    match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    }
}

/// `12:30:45`: a number to the base of sixty for YAML 1.1, which go-yaml reads as a text and therefore writes in quotes.
pub(super) fn is_base_sixty(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = text.split(':');
    let Some(first) = parts.next() else { return false };
    let begins = first.starts_with(|c: char| c.is_ascii_digit());
    if !begins || !first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') {
        return false;
    }
    let rest: Vec<&str> = parts.collect();
    let Some((last, middle)) = rest.split_last() else { return false };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    let sixtieth = |part: &str| match part.as_bytes() {
        [unit] => unit.is_ascii_digit(),
        [ten, unit] => (b'0'..=b'5').contains(ten) && unit.is_ascii_digit(),
        _ => false,
    };
    middle.iter().all(|part| sixtieth(part))
        && sixtieth(last)
        && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}
