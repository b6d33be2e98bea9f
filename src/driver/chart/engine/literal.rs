//! Reads the literals of templates: texts, characters and numbers as Go writes them.

use super::tree::Number;
use crate::driver::chart::format::quote;
use crate::driver::chart::value::Value;

/// What a text in double quotes or backquotes stands for.
pub(super) fn unquote(written: &str) -> Result<Value, String> {
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or("");
    if written.starts_with('`') {
        // A raw string in Go loses its carriage returns.
        return Ok(Value::text(inner.replace('\r', "")));
    }
    if !inner.contains('\\') {
        return Ok(Value::text(inner));
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (unit, after) = unquote_unit(rest, '"').ok_or("invalid syntax")?;
        match unit {
            Unit::Byte(byte) => bytes.push(byte),
            Unit::Character(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        rest = after;
    }
    Ok(Value::string(bytes))
}

/// The value of a number or of a character in single quotes.
pub(super) fn number(written: &str) -> Result<Number, String> {
    if let Some(quoted) = written.strip_prefix('\'') {
        let (unit, rest) = unquote_unit(quoted, '\'').ok_or("invalid syntax")?;
        if rest != "'" {
            return Err(format!("malformed character constant: {written}"));
        }
        return Ok(Number::Int(match unit {
            Unit::Byte(byte) => i64::from(byte),
            Unit::Character(character) => i64::from(u32::from(character)),
        }));
    }
    let has_point = written.contains(['.', 'e', 'E', 'p', 'P']);
    if let Some(value) = integer(written) {
        return Ok(i64::try_from(value).map_or(Number::Overflow, Number::Int));
    }
    match float(written) {
        Some(_) if !has_point => Err(format!("integer overflow: {}", quote(written))),
        Some(value) => Ok(Number::Float(value)),
        None => Err(format!("illegal number syntax: {}", quote(written))),
    }
}

/// An integer in any of Go's bases; none when it is none, or too big for 64 bits with or without a sign.
fn integer(written: &str) -> Option<i128> {
    let (negative, digits) = match written.strip_prefix(['+', '-']) {
        Some(digits) => (written.starts_with('-'), digits),
        None => (false, written),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixes = [("0x", 16), ("0o", 8), ("0b", 2)];
    let based = prefixes.iter().find_map(|(prefix, base)| Some((lower.strip_prefix(prefix)?, *base)));
    let (digits, base) = match (based, lower.strip_prefix('0')) {
        (Some((digits, base)), _) => (digits.strip_prefix('_').unwrap_or(digits), base),
        (None, Some(octal)) if !octal.is_empty() => (octal.strip_prefix('_').unwrap_or(octal), 8),
        _ => (lower.as_str(), 10),
    };
    let value =
        i128::from_str_radix(&without_underscores(digits)?, base).ok().filter(|_| digits.len() < 80)?;
    let value = if negative { -value } else { value };
    let least = if negative { i128::from(i64::MIN) } else { 0 };
    (least..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

/// A floating-point number, decimal or hexadecimal.
fn float(written: &str) -> Option<f64> {
    let lower = written.to_ascii_lowercase();
    let (negative, digits) = match lower.strip_prefix(['+', '-']) {
        Some(digits) => (lower.starts_with('-'), digits),
        None => (false, lower.as_str()),
    };
    let value = match digits.strip_prefix("0x") {
        Some(digits) => hexadecimal_float(&without_underscores(digits)?)?,
        None if digits.contains('_') => return None,
        None => digits.parse::<f64>().ok()?,
    };
    value.is_finite().then_some(if negative { -value } else { value })
}

/// `1.8p3`: the exponent is of two.
fn hexadecimal_float(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = digits.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    Some(value * 2.0_f64.powi(exponent.checked_sub(shift)?))
}

/// Underscores may stand only between digits.
fn without_underscores(digits: &str) -> Option<String> {
    if digits.is_empty() || digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    Some(digits.replace('_', ""))
}

/// What one unit of a quoted text stands for.
enum Unit {
    Byte(u8),
    Character(char),
}

/// Takes one character or escape off the front of `text`; none when it is malformed.
fn unquote_unit(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut characters = text.chars();
    let first = characters.next()?;
    if first == quote {
        return None;
    }
    if first != '\\' {
        return Some((Unit::Character(first), characters.as_str()));
    }
    let escape = characters.next()?;
    let rest = characters.as_str();
    let simple = |character| Some((Unit::Character(character), rest));
    match escape {
        'a' => simple('\x07'),
        'b' => simple('\x08'),
        'f' => simple('\x0c'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\x0b'),
        '\\' => simple('\\'),
        '\'' | '"' if escape == quote => simple(escape),
        'x' | 'u' | 'U' => {
            let length = match escape {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            let (value, rest) = digits(rest, length, 16)?;
            let unit = match u8::try_from(value) {
                Ok(byte) if escape == 'x' => Unit::Byte(byte),
                _ => Unit::Character(char::from_u32(value)?),
            };
            Some((unit, rest))
        }
        '0'..='7' => {
            let (value, rest) = digits(text.get(1..)?, 3, 8)?;
            Some((Unit::Byte(u8::try_from(value).ok()?), rest))
        }
        _ => None,
    }
}

fn digits(text: &str, length: usize, base: u32) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(length)?;
    let valid = digits.chars().all(|digit| digit.is_digit(base));
    valid.then(|| u32::from_str_radix(digits, base).ok()).flatten().map(|value| (value, rest))
}
