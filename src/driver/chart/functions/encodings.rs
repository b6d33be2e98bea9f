//! Encodings and checksums: base64, base32, SHA, Adler-32.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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

/// Go's `base64.StdEncoding.DecodeString`: line breaks do not count, nor do bits behind the last byte. An error has Go's words.
pub(super) fn decode_base64(given: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |place: usize| format!("illegal base64 data at input byte {place}");
    let mut letters = (0..given.len()).filter(|&at| !matches!(given[at], b'\n' | b'\r')).peekable();
    let mut out = Vec::with_capacity(given.len() / 4 * 3);
    loop {
        let (mut bits, mut count) = (0_u32, 0_usize);
        while count < 4 {
            let Some(at) = letters.next() else {
                return if count == 0 { Ok(out) } else { Err(corrupt(given.len() - count)) };
            };
            match six_bits(given[at]) {
                Some(six) => bits |= u32::from(six) << (18 - 6 * count),
                None if given[at] != b'=' || count < 2 => return Err(corrupt(at)),
                None => {
                    let second = if count == 2 { letters.next() } else { Some(at) };
                    match (second, letters.next()) {
                        (None, _) => return Err(corrupt(given.len())),
                        (Some(second), _) if given[second] != b'=' => return Err(corrupt(second - 1)),
                        (_, Some(garbage)) => return Err(corrupt(garbage)),
                        (_, None) => break,
                    }
                }
            }
            count += 1;
        }
        out.extend_from_slice(&bits.to_be_bytes()[1..count.max(1)]);
    }
}

/// What a letter of base64 stands for.
fn six_bits(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
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
        let bits =
            group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - group.len()));
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
    let given: Vec<u8> = given.iter().copied().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let mut out = Vec::new();
    for (index, group) in given.chunks(8).enumerate() {
        let start = index * 8;
        let mut letters = group.len();
        let mut bits = 0_u64;
        for (at, byte) in group.iter().enumerate() {
            let behind = given.len() - start - at - 1;
            if *byte == b'=' && at >= 2 && behind < 8 {
                check_padding(&given, start, at)?;
                letters = at;
                break;
            }
            let five = BASE32.iter().position(|letter| letter == byte).ok_or(start + at)?;
            bits |= (five as u64) << (35 - 5 * at);
        }
        if letters == group.len() && letters < 8 {
            return Err(start);
        }
        out.extend_from_slice(&bits.to_be_bytes()[3..3 + letters * 5 / 8]);
        if letters < 8 {
            break;
        }
    }
    Ok(out)
}

/// Whether the last group, which has so many letters, is filled up to eight as it must be.
fn check_padding(given: &[u8], start: usize, letters: usize) -> Result<(), usize> {
    let behind = &given[start + letters + 1..];
    if behind.len() + letters < 7 {
        return Err(given.len());
    }
    if let Some(wrong) = behind.iter().take(7 - letters).position(|byte| *byte != b'=') {
        return Err(start + letters + wrong);
    }
    // Whole bytes make 2, 4, 5 or 7 letters.
    if matches!(letters, 3 | 6) { Err(start + letters) } else { Ok(()) }
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
