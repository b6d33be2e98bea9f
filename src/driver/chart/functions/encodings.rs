//! Encodings and checksums: base64, base32, SHA, Adler-32.

use std::fmt::Write;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};
use ring::digest::{self, Algorithm};

use super::super::value::Value;
use super::Kind::Text;
use super::arguments::{Answer, bytes, fixed, string};
use super::{Entry, Surroundings, TEXT_MAX, entry, too_large};

pub(super) const TABLE: &[Entry] = &[
    entry("b64enc", &[Text], base64_encode),
    entry("b64dec", &[Text], base64_decode),
    entry("b32enc", &[Text], base32_encode),
    entry("b32dec", &[Text], base32_decode),
    entry("sha1sum", &[Text], |_, given| hash(given, &digest::SHA1_FOR_LEGACY_USE_ONLY)),
    entry("sha256sum", &[Text], |_, given| hash(given, &digest::SHA256)),
    entry("sha512sum", &[Text], |_, given| hash(given, &digest::SHA512)),
    entry("adler32sum", &[Text], adler32),
];

fn base64_encode(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    string(STANDARD.encode(bytes(given)?))
}

/// What does not decode is answered with the text of the error, as sprig does.
fn base64_decode(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    match decode_base64(bytes(given)?) {
        Ok(decoded) => string(decoded),
        Err(error) => string(error),
    }
}

/// Go's `base64.StdEncoding.DecodeString`: line breaks do not count. An error has Go's words.
pub(super) fn decode_base64(given: &[u8]) -> Result<Vec<u8>, String> {
    // Go forgives bits behind the last byte.
    const LENIENT: base64::engine::GeneralPurpose = base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    let counts = |byte: u8| byte != b'\n' && byte != b'\r';
    let places: Vec<usize> = (0..given.len()).filter(|&at| counts(given[at])).collect();
    let letters: Vec<u8> = places.iter().map(|&at| given[at]).collect();
    LENIENT.decode(&letters).map_err(|error| {
        let place = match error {
            DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol { offset: at, .. } => at,
            _ => letters.len() - letters.len() % 4,
        };
        format!("illegal base64 data at input byte {}", places.get(place).copied().unwrap_or(given.len()))
    })
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32_encode(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    let given = bytes(given)?;
    if given.len() > TEXT_MAX / 2 {
        return Err(too_large("the encoded text"));
    }
    let mut out = Vec::with_capacity(given.len().div_ceil(5) * 8);
    for group in given.chunks(5) {
        let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - group.len()));
        let letters = (group.len() * 8).div_ceil(5);
        for index in 0..8 {
            let five = usize::try_from(bits >> (35 - 5 * index) & 31).unwrap_or(0);
            out.push(if index < letters { BASE32[five] } else { b'=' });
        }
    }
    string(out)
}

fn base32_decode(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    match decode_base32(bytes(given)?) {
        Ok(decoded) => string(decoded),
        Err(place) => string(format!("illegal base32 data at input byte {place}")),
    }
}

/// Go's `base32.StdEncoding.DecodeString`. An error is the place that it names.
fn decode_base32(given: &[u8]) -> Result<Vec<u8>, usize> {
    let given: Vec<u8> = given.iter().copied().filter(|byte| *byte != b'\n' && *byte != b'\r').collect();
    let mut out = Vec::new();
    for (index, group) in given.chunks(8).enumerate() {
        let start = index * 8;
        let letters = group.iter().position(|byte| *byte == b'=').unwrap_or(group.len());
        let mut bits = 0_u64;
        for (at, byte) in group[..letters].iter().enumerate() {
            let five = BASE32.iter().position(|letter| letter == byte).ok_or(start + at)?;
            bits |= (five as u64) << (35 - 5 * at);
        }
        if group.len() < 8 {
            return Err(given.len());
        }
        let last = start + 8 == given.len();
        if letters < 8 && !(last && group[letters..].iter().all(|byte| *byte == b'=')) {
            return Err(start + letters + 1);
        }
        // Of the five bits each, whole bytes count; 1, 3 and 6 letters make none more than one letter less does.
        if matches!(letters, 1 | 3 | 6) {
            return Err(start + letters);
        }
        out.extend_from_slice(&bits.to_be_bytes()[3..3 + letters * 5 / 8]);
    }
    Ok(out)
}

fn hash(arguments: &[Value], algorithm: &'static Algorithm) -> Answer {
    let [given] = fixed(arguments)?;
    let mut out = String::new();
    for byte in digest::digest(algorithm, bytes(given)?).as_ref() {
        _ = write!(out, "{byte:02x}");
    }
    string(out)
}

fn adler32(_: &Surroundings, arguments: &[Value]) -> Answer {
    const MODULUS: u32 = 65_521;
    let [given] = fixed(arguments)?;
    let (low, high) = bytes(given)?.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % MODULUS;
        (low, (high + low) % MODULUS)
    });
    string((high << 16 | low).to_string())
}
