//! Integers: conversions, arithmetic that wraps around as Go's does, ranges.

use std::fmt::Write;

use super::super::format::print;
use super::super::value::Value;
use super::Kind::{Any, Float, Int, Text};
use super::arguments::{Answer, at_least, fixed, float, int, int64, list, string, text};
use super::cast::{parse_int, to_float64, to_int64};
use super::{Entry, ITEMS_MAX, Looks, Surroundings, entry, too_large};

pub(super) const TABLE: &[Entry] = &[
    entry("atoi", &[Text], atoi),
    entry("int", &[Any], |_, given| Ok(Value::Int(to_int64(&fixed::<1>(given)?[0])))),
    entry("int64", &[Any], |_, given| int64(to_int64(&fixed::<1>(given)?[0]))),
    entry("float64", &[Any], |_, given| Ok(Value::Float(to_float64(&fixed::<1>(given)?[0])))),
    entry("toDecimal", &[Any], to_decimal).looking(Looks::Deep),
    entry("add1", &[Any], |_, given| int64(to_int64(&fixed::<1>(given)?[0]).wrapping_add(1))),
    entry("add", &[], |_, given| int64(given.iter().map(to_int64).fold(0, i64::wrapping_add))).and_more(Any),
    entry("sub", &[Any, Any], |_, given| two(given, |a, b| Ok(a.wrapping_sub(b)))),
    entry("div", &[Any, Any], |_, given| two(given, |a, b| nonzero(b).map(|b| a.wrapping_div(b)))),
    entry("mod", &[Any, Any], |_, given| two(given, |a, b| nonzero(b).map(|b| a.wrapping_rem(b)))),
    entry("mul", &[Any], |_, given| int64(given.iter().map(to_int64).fold(1, i64::wrapping_mul)))
        .and_more(Any),
    entry("max", &[Any], |_, given| extreme(given, i64::max)).and_more(Any),
    entry("biggest", &[Any], |_, given| extreme(given, i64::max)).and_more(Any),
    entry("min", &[Any], |_, given| extreme(given, i64::min)).and_more(Any),
    entry("maxf", &[Any], |_, given| extreme_float(given, true)).and_more(Any),
    entry("minf", &[Any], |_, given| extreme_float(given, false)).and_more(Any),
    entry("ceil", &[Any], |_, given| Ok(Value::Float(to_float64(&fixed::<1>(given)?[0]).ceil()))),
    entry("floor", &[Any], |_, given| Ok(Value::Float(to_float64(&fixed::<1>(given)?[0]).floor()))),
    entry("round", &[Any, Int], round).and_more(Float),
    entry("until", &[Int], until),
    entry("untilStep", &[Int, Int, Int], until_step),
    entry("seq", &[], sequence).and_more(Int),
];

fn atoi(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    Ok(Value::Int(parse_int(&text(given)?, 10).unwrap_or(0)))
}

/// A number of octal digits.
fn to_decimal(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    int64(parse_int(&print(given)?, 8).unwrap_or(0))
}

fn two(arguments: &[Value], operation: impl Fn(i64, i64) -> Result<i64, String>) -> Answer {
    let [one, other] = fixed(arguments)?;
    int64(operation(to_int64(one), to_int64(other))?)
}

fn nonzero(divisor: i64) -> Result<i64, String> {
    if divisor == 0 { Err("runtime error: integer divide by zero".to_owned()) } else { Ok(divisor) }
}

fn extreme(arguments: &[Value], better: fn(i64, i64) -> i64) -> Answer {
    let ([first], more) = at_least(arguments)?;
    int64(more.iter().map(to_int64).fold(to_int64(first), better))
}

/// Go's `math.Max` and `math.Min`: an infinity of the better sign wins even over NaN, NaN over the rest.
fn extreme_float(arguments: &[Value], greatest: bool) -> Answer {
    let ([first], more) = at_least(arguments)?;
    let best = if greatest { f64::INFINITY } else { f64::NEG_INFINITY };
    let better = |one: f64, other: f64| match (one, other) {
        _ if one == best || other == best => best,
        _ if one.is_nan() || other.is_nan() => f64::NAN,
        _ if (one > other) == greatest => one,
        _ => other,
    };
    Ok(Value::Float(more.iter().map(to_float64).fold(to_float64(first), better)))
}

/// To so many places; a fraction from the third argument on (else from one half) rounds up.
fn round(_: &Surroundings, arguments: &[Value]) -> Answer {
    let ([number, places], up_from) = at_least(arguments)?;
    let up_from = up_from.first().map_or(Ok(0.5), float)?;
    let power = 10_f64.powf(int(places)? as f64);
    let digits = power * to_float64(number);
    let rounded = if digits.fract() >= up_from { digits.ceil() } else { digits.floor() };
    Ok(Value::Float(rounded / power))
}

/// The numbers from `start` to before `stop`; none for a step that leads away. An error when they are too many.
fn steps(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, String> {
    let leads = if stop < start { step < 0 } else { step > 0 };
    if !leads {
        return Ok(Vec::new());
    }
    let distance = (i128::from(stop) - i128::from(start)).unsigned_abs();
    if distance.div_ceil(u128::from(step.unsigned_abs())) > ITEMS_MAX as u128 {
        return Err(too_large("the list of numbers"));
    }
    let inside = |number: &i64| if step > 0 { *number < stop } else { *number > stop };
    let next = |number: &i64| number.checked_add(step);
    Ok(std::iter::successors(Some(start), next).take_while(inside).collect())
}

fn until(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [stop] = fixed(arguments)?;
    let stop = int(stop)?;
    list(steps(0, stop, if stop < 0 { -1 } else { 1 })?.into_iter().map(Value::Int).collect())
}

fn until_step(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [start, stop, step] = fixed(arguments)?;
    list(steps(int(start)?, int(stop)?, int(step)?)?.into_iter().map(Value::Int).collect())
}

/// The numbers as the shell's `seq` prints them, in one line.
fn sequence(_: &Surroundings, arguments: &[Value]) -> Answer {
    let numbers = arguments.iter().map(int).collect::<Result<Vec<_>, _>>()?;
    let (start, step, end) = match numbers[..] {
        [end] => (1, None, end),
        [start, end] => (start, None, end),
        [start, step, end] => (start, Some(step), end),
        _ => return string(""),
    };
    let one = if end < start { -1 } else { 1 };
    if one < 0 && step.is_some_and(|step| step > 0) {
        return string("");
    }
    let mut out = String::new();
    for number in steps(start, end.saturating_add(one), step.unwrap_or(one))? {
        let blank = if out.is_empty() { "" } else { " " };
        _ = write!(out, "{blank}{number}");
    }
    string(out)
}
