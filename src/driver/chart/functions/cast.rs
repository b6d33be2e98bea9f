//! Conversions that never fail: the rules of the library cast 1.7.0, and sprig's `strval`.

use std::borrow::Cow;

use super::super::format::sprint;
use super::super::value::Value;

/// An integer of whatever is given; zero for what is none.
pub fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::Bool(value) => i64::from(*value),
        Value::Float(number) => truncate(*number),
        Value::Text(text) | Value::Number(text) => parse_int(without_zero_decimals(text), 0).unwrap_or(0),
        Value::Nil | Value::Raw(_) | Value::Bytes(_) | Value::List(_) | Value::Dict(_) | Value::Object(_) => {
            0
        }
    }
}

/// A float of whatever is given; zero for what is none.
pub fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Int(number) => *number as f64,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Float(number) => *number,
        Value::Text(text) | Value::Number(text) => parse_float(text).unwrap_or(0.0),
        Value::Nil | Value::Raw(_) | Value::Bytes(_) | Value::List(_) | Value::Dict(_) | Value::Object(_) => {
            0.0
        }
    }
}

/// The bytes of `toString`.
pub fn to_bytes(value: &Value) -> Result<Cow<'_, [u8]>, String> {
    match value {
        Value::Text(text) | Value::Number(text) => Ok(Cow::Borrowed(text.as_bytes())),
        Value::Raw(bytes) | Value::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
        other => printed(other),
    }
}

/// The bytes that `%v` prints: a `[]byte` is a list of numbers.
pub fn printed(value: &Value) -> Result<Cow<'_, [u8]>, String> {
    match value {
        Value::Bytes(_) => sprint(std::slice::from_ref(value)).map(Cow::Owned),
        Value::Text(_) | Value::Number(_) | Value::Raw(_) => to_bytes(value),
        _ => sprint(std::slice::from_ref(value)).map(Cow::Owned),
    }
}

/// A float without its fraction. What an `int64` cannot hold is its smallest value, as on the processors that run Helm.
pub fn truncate(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

/// `1.00` as `1`.
fn without_zero_decimals(text: &str) -> &str {
    let rest = text.trim_end_matches('0');
    match rest.strip_suffix('.') {
        Some(whole) if rest.len() < text.len() => whole,
        _ => text,
    }
}

/// Go's `strconv.ParseInt` for 64 bits: base 0 goes by the prefix and allows underscores. None for an error.
pub fn parse_int(text: &str, base: u32) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let (digits, base) = match base {
        0 if !underscores_are_right(digits) => return None,
        0 => by_prefix(digits),
        _ => (Cow::Borrowed(digits), base),
    };
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from_str_radix(&digits, base).ok()?;
    i64::try_from(if negative { -number } else { number }).ok()
}

/// The digits behind `0x`, `0b`, `0o` or `0`, without underscores, and their base.
fn by_prefix(digits: &str) -> (Cow<'_, str>, u32) {
    let (rest, base) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (&digits[2..], 16),
        [b'0', b'b' | b'B', _, ..] => (&digits[2..], 2),
        [b'0', b'o' | b'O', _, ..] => (&digits[2..], 8),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    if rest.contains('_') { (Cow::Owned(rest.replace('_', "")), base) } else { (Cow::Borrowed(rest), base) }
}

/// Whether each underscore stands between digits, or behind the prefix of a base.
fn underscores_are_right(number: &str) -> bool {
    if !number.contains('_') {
        return true;
    }
    let (prefixed, rest) = match number.as_bytes() {
        [b'0', letter, rest @ ..] if b"xXbBoO".contains(letter) => (true, rest),
        all => (false, all),
    };
    let is_hexadecimal = number.starts_with("0x") || number.starts_with("0X");
    let is_digit = |byte: u8| byte.is_ascii_digit() || is_hexadecimal && byte.is_ascii_hexdigit();
    (0..rest.len()).filter(|&at| rest[at] == b'_').all(|at| {
        let before = if at == 0 { prefixed } else { is_digit(rest[at - 1]) };
        before && rest.get(at + 1).is_some_and(|&byte| is_digit(byte))
    })
}

/// Go's `strconv.ParseFloat`: decimal, hexadecimal with a binary exponent, `inf`, `nan`. None for an error.
pub fn parse_float(text: &str) -> Option<f64> {
    let (negative, number) = match text.strip_prefix(['+', '-']) {
        Some(number) => (text.starts_with('-'), number),
        None => (false, text),
    };
    if !number.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.') || !underscores_are_right(number)
    {
        return None;
    }
    let plain = number.replace('_', "");
    let value = match plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        Some(hexadecimal) => parse_hexadecimal(hexadecimal)?,
        None => plain.parse().ok()?,
    };
    // A number that is written with digits and too large is an error, which is not so of `inf`.
    if value.is_infinite() && plain.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(if negative { -value } else { value })
}

/// `1.8p3`: digits of base 16 and a decimal exponent of base 2, which is required.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut exponent = exponent.parse::<i64>().ok()?.clamp(-100_000, 100_000);
    let (mut bits, mut any) = (0_u64, false);
    for (digit, is_fraction) in
        whole.chars().map(|digit| (digit, false)).chain(fraction.chars().map(|digit| (digit, true)))
    {
        let digit = u64::from(digit.to_digit(16)?);
        any = true;
        if bits >> 60 == 0 {
            bits = bits << 4 | digit;
            exponent -= if is_fraction { 4 } else { 0 };
        } else {
            // Past 60 bits a digit only tells that the value lies above what the bits say.
            bits |= u64::from(digit != 0);
            exponent += if is_fraction { 0 } else { 4 };
        }
    }
    // In two steps, so that the power itself neither overflows nor vanishes.
    let half = exponent / 2;
    let power = |exponent: i64| 2_f64.powi(i32::try_from(exponent).unwrap_or(0));
    any.then(|| bits as f64 * power(half) * power(exponent - half))
}
