//! Arithmetic with floats by way of decimals, as sprig does it with the library decimal 1.4.0: `0.1 + 0.2` is `0.3`.

use num_bigint::{BigInt, Sign};

use super::super::format::general;
use super::super::value::Value;
use super::Kind::Any;
use super::arguments::{Answer, at_least, fixed};
use super::cast::to_float64;
use super::{Entry, entry, too_large};

pub(super) const TABLE: &[Entry] = &[
    entry("add1f", &[Any], |_, given| fold(to_float64(&fixed::<1>(given)?[0]), &[Value::Int(1)], add)),
    entry("addf", &[], |_, given| fold(0.0, given, add)).and_more(Any),
    entry("subf", &[Any], |_, given| from_first(given, |one, other| add(one, &negative(other))))
        .and_more(Any),
    entry("mulf", &[Any], |_, given| from_first(given, multiply)).and_more(Any),
    entry("divf", &[Any], |_, given| from_first(given, divide)).and_more(Any),
];

/// Places behind the point to which a division is carried out.
const DIVISION_PLACES: i32 = 16;
/// The most digits of a number: factors of `mulf` make it longer and longer.
const DIGITS_MAX: u64 = 20_000;

/// `digits · 10^exponent`.
struct Decimal {
    digits: BigInt,
    exponent: i32,
}

type Operation = fn(&Decimal, &Decimal) -> Result<Decimal, String>;

fn from_first(arguments: &[Value], operation: Operation) -> Answer {
    let ([first], more) = at_least(arguments)?;
    fold(to_float64(first), more, operation)
}

fn fold(first: f64, more: &[Value], operation: Operation) -> Answer {
    let mut result = decimal(first)?;
    for next in more {
        result = operation(&result, &decimal(to_float64(next))?)?;
        // A bit is less than a third of a digit.
        if result.digits.bits() > 4 * DIGITS_MAX {
            return Err(too_large("the number"));
        }
    }
    // The text is read back to the nearest float.
    let written = format!("{}e{}", result.digits, result.exponent);
    written.parse().map(Value::Float).map_err(|_| format!("{written} is no number"))
}

/// The shortest decimal that reads back as this float.
fn decimal(number: f64) -> Result<Decimal, String> {
    if !number.is_finite() {
        return Err(format!("Cannot create a Decimal from {}", general(number)));
    }
    let written = format!("{number:e}");
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let parts = format!("{whole}{fraction}").parse::<BigInt>().ok().zip(exponent.parse::<i32>().ok());
    let (digits, exponent) = parts.ok_or_else(|| format!("{written} is no number"))?;
    Ok(Decimal { digits, exponent: exponent - i32::try_from(fraction.len()).unwrap_or(0) })
}

/// `10^exponent`; one for a negative exponent.
fn power_of_ten(exponent: i32) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}

impl Decimal {
    /// The digits for a lower exponent.
    fn scaled(&self, exponent: i32) -> BigInt {
        &self.digits * power_of_ten(self.exponent - exponent)
    }
}

fn negative(number: &Decimal) -> Decimal {
    Decimal { digits: -&number.digits, exponent: number.exponent }
}

fn add(one: &Decimal, other: &Decimal) -> Result<Decimal, String> {
    let exponent = one.exponent.min(other.exponent);
    Ok(Decimal { digits: one.scaled(exponent) + other.scaled(exponent), exponent })
}

fn multiply(one: &Decimal, other: &Decimal) -> Result<Decimal, String> {
    Ok(Decimal { digits: &one.digits * &other.digits, exponent: one.exponent.saturating_add(other.exponent) })
}

/// The quotient, half of the last place rounded away from zero.
fn divide(one: &Decimal, other: &Decimal) -> Result<Decimal, String> {
    if other.digits.sign() == Sign::NoSign {
        return Err("decimal division by 0".to_owned());
    }
    let shift = one.exponent - other.exponent + DIVISION_PLACES;
    let (dividend, divisor) = if shift < 0 {
        (one.digits.clone(), &other.digits * power_of_ten(-shift))
    } else {
        (&one.digits * power_of_ten(shift), other.digits.clone())
    };
    let (mut quotient, remainder) = (&dividend / &divisor, &dividend % &divisor);
    if remainder.magnitude() * 2_u32 >= *divisor.magnitude() {
        let same_sign = dividend.sign() == divisor.sign();
        quotient += if same_sign { 1 } else { -1 };
    }
    Ok(Decimal { digits: quotient, exponent: -DIVISION_PLACES })
}
