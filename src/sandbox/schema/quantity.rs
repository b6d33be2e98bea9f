//! Resource quantities: parsing, and the canonical form in which a real server stores them (`0.5` is `500m`, `1024Mi` is `1Gi`).

use std::fmt;

/// What a real server says of anything else.
pub const SYNTAX: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// A billionth is the smallest step.
const NANO: i128 = 1_000_000_000;
/// Beyond 2^63-1 units a real server caps.
const LIMIT: i128 = i64::MAX as i128 * NANO;

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Decimal,
    Binary,
    Exponent,
}

/// A fixed-point number with the family of suffixes it was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

impl Quantity {
    /// Parses; `None` when the syntax is wrong. Finer than a nano is rounded up, away from zero.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let split = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(split);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (format, factor) = scale(suffix)?;
        let digits: i128 = format!("{whole}{fraction}")
            .trim_start_matches('0')
            .parse()
            .or_else(
                |error: std::num::ParseIntError| {
                    if *error.kind() == std::num::IntErrorKind::Empty { Ok(0) } else { Err(error) }
                },
            )
            .ok()?;
        let magnitude = scaled(digits, factor, i32::try_from(fraction.len()).ok()?);
        Some(Self { nanos: if negative { -magnitude } else { magnitude }, format })
    }

    /// Of billionths, capped.
    pub fn of_nanos(nanos: i128) -> Self {
        Self { nanos: nanos.clamp(-LIMIT, LIMIT), format: Format::Decimal }
    }

    /// Below zero.
    pub fn is_negative(&self) -> bool {
        self.nanos < 0
    }

    /// In billionths.
    pub fn nanos(&self) -> i128 {
        self.nanos
    }

    /// Has a fraction of a unit.
    pub fn is_fractional(&self) -> bool {
        self.nanos % NANO != 0
    }
}

/// A suffix as `(family, Ok(power of ten) | Err(power of two))`.
fn scale(suffix: &str) -> Option<(Format, Result<i32, u32>)> {
    if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((Format::Decimal, Ok(*power)));
    }
    if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((Format::Binary, Err(*power)));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let power: i32 = exponent.parse().ok()?;
    (power.abs() <= 30).then_some((Format::Exponent, Ok(power)))
}

/// `digits / 10^decimals * factor` in nanos, rounded up and capped.
fn scaled(digits: i128, factor: Result<i32, u32>, decimals: i32) -> i128 {
    let (ten, two) = match factor {
        Ok(power) => (power, 0),
        Err(power) => (0, power),
    };
    let power = ten + 9 - decimals;
    let shifted = digits.checked_mul(1_i128 << two).unwrap_or(LIMIT);
    let nanos = match u32::try_from(power) {
        Ok(up) => 10_i128.checked_pow(up).and_then(|tens| shifted.checked_mul(tens)).unwrap_or(LIMIT),
        Err(_) => match 10_i128.checked_pow(power.unsigned_abs()) {
            Some(tens) => shifted / tens + i128::from(shifted % tens != 0),
            None => i128::from(shifted != 0),
        },
    };
    nanos.min(LIMIT)
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let whole = self.nanos % NANO == 0;
        if self.format == Format::Binary && whole && (self.nanos / NANO).abs() >= 1024 {
            let units = self.nanos / NANO;
            let fits = BINARY.iter().rev().find(|(_, power)| units % (1_i128 << power) == 0);
            return match fits {
                Some((suffix, power)) => write!(f, "{}{suffix}", units >> power),
                None => write!(f, "{units}"),
            };
        }
        let fits = DECIMAL.iter().rev().find(|(_, power)| {
            let step = 10_i128.pow(u32::try_from(power + 9).unwrap_or(0));
            self.nanos % step == 0
        });
        let (suffix, power) = fits.copied().unwrap_or(("n", -9));
        let mantissa = self.nanos / 10_i128.pow(u32::try_from(power + 9).unwrap_or(0));
        match (self.format, power) {
            (Format::Exponent, 0) => write!(f, "{mantissa}"),
            (Format::Exponent, power) => write!(f, "{mantissa}e{power}"),
            _ => write!(f, "{mantissa}{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_forms() {
        let cases = [
            ("0", "0"),
            ("0Gi", "0"),
            ("1", "1"),
            ("0.5", "500m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("100m", "100m"),
            ("1024", "1024"),
            ("1000", "1k"),
            ("1500", "1500"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Gi", "512Mi"),
            ("512Ki", "512Ki"),
            ("1025Ki", "1025Ki"),
            ("0.5Ki", "512"),
            ("1e3", "1e3"),
            ("12e6", "12e6"),
            ("1E", "1E"),
            ("2000k", "2M"),
            ("-1500m", "-1500m"),
            ("+2", "2"),
            (".5", "500m"),
            ("1.", "1"),
            ("0.0000000001", "1n"),
            ("100u", "100u"),
            ("9999999999999999999E", "9223372036854775807"),
        ];
        for (text, canonical) in cases {
            assert_eq!(
                Quantity::parse(text).map(|quantity| quantity.to_string()).as_deref(),
                Some(canonical),
                "{text}"
            );
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "lots", "1.2.3", "1ki", "1 Gi", "Gi", "1e", "--1", "1GB", "."] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }
}
