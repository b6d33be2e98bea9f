//! Floating-point numbers, as Go's `strconv.FormatFloat` writes them.

/// `%v`: the shortest digits that read back as the same number; as `1e+06` from a million on.
pub fn general(value: f64) -> String {
    general_with(value, None, false)
}

/// `%f` with that many digits after the point; the shortest that read back as the same number where there is none.
pub fn fixed(value: f64, precision: Option<usize>) -> String {
    match (special(value), precision) {
        (Some(text), _) => text.to_owned(),
        (None, Some(precision)) => format!("{value:.precision$}"),
        (None, None) => format!("{value}"),
    }
}

/// `%e` with that many digits after the point; the shortest that read back as the same number where there is none.
pub fn exponent(value: f64, precision: Option<usize>) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let written = match precision {
        Some(precision) => format!("{value:.precision$e}"),
        None => format!("{value:e}"),
    };
    match written.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa}e{}", signed_exponent(exponent)),
        None => written,
    }
}

/// `%g`, by Go's rule: `%e` where the exponent is less than -4 or not less than the precision, which counts as 6 where the digits
/// are the shortest. With `keep_zeros`, the digits are filled up to the precision.
pub(super) fn general_with(value: f64, precision: Option<usize>, keep_zeros: bool) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let significant = precision.map(|precision| precision.max(1));
    let written = match significant {
        Some(significant) => format!("{value:.*e}", significant - 1),
        None => format!("{value:e}"),
    };
    let Some((mantissa, power)) = written.split_once('e') else { return written };
    let power: i32 = power.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let mut digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if !keep_zeros {
        digits.truncate(digits.trim_end_matches('0').len().max(1));
    }
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let threshold = match significant {
        None => 6,
        Some(significant) => {
            let significant = i32::try_from(significant).unwrap_or(i32::MAX);
            if significant > count && count > power { count.max(1) } else { significant }
        }
    };
    if power < -4 || power >= threshold {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}e{}", signed_exponent(&power.to_string()));
    }
    format!("{sign}{}", place_point(&digits, power))
}

/// The digits with the point after the digit of that power of ten.
fn place_point(digits: &str, power: i32) -> String {
    let Ok(whole) = usize::try_from(power.saturating_add(1)) else {
        let zeros = usize::try_from(-power.saturating_add(1)).unwrap_or(0);
        return format!("0.{}{digits}", "0".repeat(zeros));
    };
    match digits.split_at_checked(whole) {
        Some(("", fraction)) => format!("0.{fraction}"),
        Some((whole, "")) => whole.to_owned(),
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => format!("{digits}{}", "0".repeat(whole - digits.len())),
    }
}

/// Go writes at least two digits, and the sign always.
fn signed_exponent(exponent: &str) -> String {
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{sign}{digits:0>2}")
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        return Some("NaN");
    }
    if value.is_infinite() {
        return Some(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
    None
}
