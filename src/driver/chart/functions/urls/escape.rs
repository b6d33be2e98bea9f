//! Percent-escapes, by the part of an address.

use super::super::super::format::quote_bytes as quoted;

/// A part of an address, which has its own letters that need no escape.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Path,
    User,
    Host,
    /// The zone of an IPv6 address.
    HostZone,
    Fragment,
}

fn needs_escape(byte: u8, place: Place) -> bool {
    let is_host = matches!(place, Place::Host | Place::HostZone);
    match byte {
        byte if byte.is_ascii_alphanumeric() => false,
        b'-' | b'_' | b'.' | b'~' => false,
        byte if is_host && b"!$&'()*+,;=:[]<>\"".contains(&byte) => false,
        b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' => match place {
            Place::Path => byte == b'?',
            Place::User => b"@/?:".contains(&byte),
            Place::Fragment => false,
            Place::Host | Place::HostZone => true,
        },
        byte => !(place == Place::Fragment && b"!()*".contains(&byte)),
    }
}

/// The bytes with escapes where the part needs them.
pub fn escape(bytes: &[u8], place: Place) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if needs_escape(byte, place) { out += &format!("%{byte:02X}") } else { out.push(char::from(byte)) }
    }
    out
}

/// The bytes without escapes. An error has Go's words.
pub fn unescape(text: &str, place: Place) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    let is_host = matches!(place, Place::Host | Place::HostZone);
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b'%' {
            let shown = &bytes[at..bytes.len().min(at + 3)];
            let wrong = || format!("invalid URL escape {}", quoted(shown));
            let digits = std::str::from_utf8(&shown[1..]).ok().filter(|digits| digits.len() == 2);
            let is_hexadecimal = |digits: &&str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            let value = digits.filter(is_hexadecimal).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let value = value.ok_or_else(wrong)?;
            let is_percent = shown == b"%25";
            // In a host, only what is not ASCII may be escaped; in a zone, what may stand there anyway, and a blank.
            let is_refused = match place {
                Place::Host => value < 0x80,
                Place::HostZone => value != b' ' && needs_escape(value, Place::Host),
                _ => false,
            };
            if is_refused && !is_percent {
                return Err(wrong());
            }
            out.push(value);
            at += 3;
            continue;
        }
        if is_host && byte < 0x80 && needs_escape(byte, place) {
            return Err(format!("invalid character {} in host name", quoted(&[byte])));
        }
        out.push(byte);
        at += 1;
    }
    Ok(out)
}
