//! The string formats that a schema can demand. Others are ignored, as a real server ignores what it does not know.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a string has a format; `None` when the format is not checked.
pub fn fits(format: &str, text: &str) -> Option<bool> {
    Some(match format {
        "date-time" | "datetime" => text.parse::<jiff::Timestamp>().is_ok() && text.contains(['T', 't']),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "byte" => {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.decode(text).is_ok()
        }
        "duration" => is_duration(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "uuid" | "uuid3" | "uuid4" | "uuid5" => is_uuid(text),
        "email" => text
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@')),
        "uri" => {
            text.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty())
                && !text.contains(' ')
        }
        _ => return None,
    })
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    match (address.parse::<IpAddr>(), bits.parse::<u8>()) {
        (Ok(IpAddr::V4(_)), Ok(bits)) => bits <= 32,
        (Ok(IpAddr::V6(_)), Ok(bits)) => bits <= 128,
        _ => false,
    }
}

fn is_uuid(text: &str) -> bool {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    digits.len() == 32
        && digits.chars().all(|c| c.is_ascii_hexdigit())
        && (groups == [8, 4, 4, 4, 12] || groups == [32])
}

/// A duration as Go writes it: `1h30m`, `1.5s`, `-2ms`, `0`.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let units = ["ns", "us", "µs", "ms", "s", "m", "h", "d", "w"];
        let unit = units.iter().find(|unit| {
            after.strip_prefix(**unit).is_some_and(|left| !left.starts_with(|c: char| c.is_alphabetic()))
        });
        let (Some(unit), true) = (unit, number.parse::<f64>().is_ok()) else { return false };
        rest = &after[unit.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let cases = [
            ("date-time", "2020-01-01T00:00:00Z", true),
            ("date-time", "2020-01-01", false),
            ("date-time", "soon", false),
            ("date", "2020-02-29", true),
            ("date", "2020-02-30", false),
            ("byte", "YQ==", true),
            ("byte", "Y", false),
            ("duration", "1h30m", true),
            ("duration", "1.5s", true),
            ("duration", "5", false),
            ("duration", "1x", false),
            ("duration", "", false),
            ("ipv4", "1.2.3.4", true),
            ("ipv4", "::1", false),
            ("ipv6", "::1", true),
            ("cidr", "10.0.0.0/8", true),
            ("cidr", "10.0.0.0/33", false),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", true),
            ("uuid", "123e4567", false),
            ("email", "a@b", true),
            ("email", "ab", false),
            ("uri", "http://x/y", true),
            ("uri", "x y", false),
        ];
        for (format, text, expected) in cases {
            assert_eq!(fits(format, text), Some(expected), "{format} {text}");
        }
        assert_eq!(fits("color", "x"), None);
    }
}
