//! Numbers by the verbs of `printf`.

use super::quote::quote_with;
use super::verb::Flags;
use super::{Bounded, exponent, fixed, is_print};
use crate::driver::chart::value::Value;

type Written = Result<(), String>;

impl Flags {
    pub(super) fn integer(&self, text: &mut Bounded, value: i64, verb: char) -> Written {
        match verb {
            'v' | 'd' => self.based(text, value, 10, ""),
            'b' => self.based(text, value, 2, if self.sharp { "0b" } else { "" }),
            'o' => self.based(text, value, 8, if self.sharp { "0" } else { "" }),
            'O' => self.based(text, value, 8, "0o"),
            'x' => self.based(text, value, 16, if self.sharp { "0x" } else { "" }),
            'X' => self.based(text, value, 17, if self.sharp { "0X" } else { "" }),
            'c' => self.padded(text, &character(value).to_string()),
            'q' => self.padded(text, &quote_with(&character(value).to_string(), '\'', self.plus)),
            'U' => self.codepoint(text, value),
            _ => self.bad_verb(text, &Value::Int(value), verb),
        }
    }

    /// An integer in a base; 17 stands for 16 in capitals.
    fn based(&self, text: &mut Bounded, value: i64, base: u32, prefix: &str) -> Written {
        let magnitude = value.unsigned_abs();
        let mut digits = match base {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            16 => format!("{magnitude:x}"),
            17 => format!("{magnitude:X}"),
            _ => magnitude.to_string(),
        };
        if self.precision == Some(0) && value == 0 {
            return text.repeat(" ", self.width.unwrap_or(0));
        }
        let signed = value < 0 || self.plus || self.space;
        let mut least = self.precision.unwrap_or(0);
        if self.zero && !self.minus && self.precision.is_none() {
            least = self.width.unwrap_or(0).saturating_sub(usize::from(signed));
        }
        let missing = least.saturating_sub(digits.len());
        let mut written = Bounded::default();
        written.push(self.sign(value < 0))?;
        if !(prefix == "0" && missing > 0) {
            written.push(prefix)?;
        }
        written.repeat("0", missing)?;
        written.push(&std::mem::take(&mut digits))?;
        let blanks = Self { zero: false, ..self.clone() };
        blanks.padded_bytes(text, &written.into_bytes())
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        }
    }

    fn codepoint(&self, text: &mut Bounded, value: i64) -> Written {
        let least = self.precision.unwrap_or(4).clamp(4, 64);
        let mut written = format!("U+{value:0least$X}");
        if self.sharp && is_print(character(value)) {
            written.push_str(&format!(" '{}'", character(value)));
        }
        Self { zero: false, ..self.clone() }.padded(text, &written)
    }

    pub(super) fn float(&self, text: &mut Bounded, value: f64, verb: char) -> Written {
        let magnitude = value.abs();
        // More digits than a float64 has say nothing, and Rust refuses precisions beyond 16 bits.
        let precision = self.precision.map(|precision| precision.min(1100));
        let digits = match verb {
            'v' => super::float::general_with(magnitude, precision, false),
            'g' | 'G' => super::float::general_with(magnitude, self.sharp_precision(precision), self.sharp),
            'f' | 'F' => self.sharp_point(fixed(magnitude, Some(precision.unwrap_or(6)))),
            'e' | 'E' => self.sharp_point(exponent(magnitude, Some(precision.unwrap_or(6)))),
            'x' | 'X' => hexadecimal(magnitude),
            'b' => binary(magnitude),
            _ => return self.bad_verb(text, &Value::Float(value), verb),
        };
        let digits = if matches!(verb, 'G' | 'E' | 'X') { digits.to_uppercase() } else { digits };
        let digits = digits.strip_prefix('+').unwrap_or(&digits);
        let sign = match value.is_infinite() && !value.is_sign_negative() {
            true if !self.space => "+",
            _ => self.sign(value.is_sign_negative() && !value.is_nan()),
        };
        if self.zero && !self.minus && value.is_finite() && !sign.is_empty() {
            text.push(sign)?;
            let width = self.width.map(|width| width.saturating_sub(sign.len()));
            return Self { width, ..self.clone() }.padded(text, digits);
        }
        let zero = self.zero && value.is_finite();
        Self { zero, ..self.clone() }.padded(text, &format!("{sign}{digits}"))
    }

    /// `%#g` keeps the zeros, of six digits where nothing else is said.
    fn sharp_precision(&self, precision: Option<usize>) -> Option<usize> {
        if self.sharp { Some(precision.unwrap_or(6)) } else { precision }
    }

    /// `%#.0f` keeps the point.
    fn sharp_point(&self, digits: String) -> String {
        if !self.sharp || digits.contains('.') {
            return digits;
        }
        match digits.split_once('e') {
            Some((mantissa, exponent)) => format!("{mantissa}.e{exponent}"),
            None => format!("{digits}."),
        }
    }
}

/// The character of that number, as Go converts it.
fn character(value: i64) -> char {
    u32::try_from(value).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The mantissa, 53 bits of it with the leading one, and the exponent of two of its last bit.
fn parts(magnitude: f64) -> (u64, i64) {
    let bits = magnitude.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = i64::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    if exponent == 0 { (fraction, -1074) } else { (fraction | (1 << 52), exponent - 1075) }
}

/// `%b`.
fn binary(magnitude: f64) -> String {
    let (mantissa, exponent) = parts(magnitude);
    format!("{mantissa}p{exponent:+}")
}

/// `%x`, with the shortest digits.
fn hexadecimal(magnitude: f64) -> String {
    if magnitude == 0.0 {
        return "0x0p+00".to_owned();
    }
    let (mut mantissa, mut exponent) = parts(magnitude);
    while mantissa < (1 << 52) {
        mantissa <<= 1;
        exponent -= 1;
    }
    let digits = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    let exponent = exponent + 52;
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("0x1{point}{digits}p{sign}{:02}", exponent.abs())
}
