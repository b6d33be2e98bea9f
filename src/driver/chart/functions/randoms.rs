//! Random texts and numbers, which are the same at every rendering: see [`Draw`](super::super::random::Draw).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::random::Stream;
use super::super::value::Value;
use super::Kind::{Int, Text};
use super::arguments::{Answer, fixed, int, string, text};
use super::{Entry, Surroundings, entry, too_large};

pub(super) const TABLE: &[Entry] = &[
    entry("randAlphaNum", &[Int], |around, given| letters(around, "randAlphaNum", given, ALPHANUMERIC))
        .drawing(),
    entry("randAlpha", &[Int], |around, given| letters(around, "randAlpha", given, ALPHABETIC)).drawing(),
    entry("randNumeric", &[Int], |around, given| letters(around, "randNumeric", given, NUMERIC)).drawing(),
    entry("randAscii", &[Int], |around, given| letters(around, "randAscii", given, PRINTABLE)).drawing(),
    entry("randBytes", &[Int], random_bytes).drawing(),
    entry("randInt", &[Int, Int], random_int).drawing(),
    entry("shuffle", &[Text], shuffle).drawing(),
    entry("uuidv4", &[], uuid).drawing(),
];

/// The most random letters or bytes of one call.
const RANDOM_MAX: usize = 1 << 16;

const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ALPHABETIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const NUMERIC: &[u8] = b"0123456789";
const PRINTABLE: &[u8] =
    b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

fn stream(around: &Surroundings, function: &str, arguments: &[&[u8]]) -> Stream {
    around.draw.borrow_mut().stream(function, arguments)
}

/// A place in a list of that length.
fn index(stream: &mut Stream, length: usize) -> usize {
    usize::try_from(stream.below(length as u64)).unwrap_or(0)
}

/// So many of the letters; none for a negative number.
fn letters(around: &Surroundings, function: &str, arguments: &[Value], letters: &[u8]) -> Answer {
    let [count] = fixed(arguments)?;
    let count = usize::try_from(int(count)?).unwrap_or(0);
    if count > RANDOM_MAX {
        return Err(too_large("the random text"));
    }
    let mut stream = stream(around, function, &[count.to_string().as_bytes()]);
    string((0..count).map(|_| letters[index(&mut stream, letters.len())]).collect::<Vec<u8>>())
}

/// So many bytes as base64.
fn random_bytes(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [count] = fixed(arguments)?;
    let count = usize::try_from(int(count)?).map_err(|_| "runtime error: makeslice: len out of range")?;
    if count > RANDOM_MAX {
        return Err(too_large("the random text"));
    }
    string(STANDARD.encode(stream(around, "randBytes", &[count.to_string().as_bytes()]).bytes(count)))
}

/// From the first number to below the second.
fn random_int(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [least, end] = fixed(arguments)?;
    let (least, end) = (int(least)?, int(end)?);
    let width = end.wrapping_sub(least);
    if width <= 0 {
        return Err("invalid argument to Intn".to_owned());
    }
    let mut stream = stream(around, "randInt", &[least.to_string().as_bytes(), end.to_string().as_bytes()]);
    Ok(Value::Int(least.wrapping_add_unsigned(stream.below(width.unsigned_abs()))))
}

/// The letters in another order.
fn shuffle(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    let given = text(given)?;
    let mut stream = stream(around, "shuffle", &[given.as_bytes()]);
    let mut letters: Vec<char> = given.chars().collect();
    for last in (1..letters.len()).rev() {
        letters.swap(last, index(&mut stream, last + 1));
    }
    string(letters.into_iter().collect::<String>())
}

fn uuid(around: &Surroundings, _: &[Value]) -> Answer {
    let number = u128::from_be_bytes(stream(around, "uuidv4", &[]).array());
    // The version 4 and the variant of RFC 9562.
    let number = number & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let digits = format!("{number:032x}");
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    string(parts.join("-"))
}
