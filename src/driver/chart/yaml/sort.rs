//! The order in which go-yaml writes the keys of a mapping: numbers within names by their value.

use std::cmp::Ordering;

/// Sorts keys as go-yaml does. With `newer`, as its version 3.
///
/// Its order is no order: `2` comes before `10`, that before `1a`, and that before `2`. Rust's own sort may refuse such an order,
/// so this is a plain merge sort, which takes it as it comes.
pub(super) fn sort<T: AsRef<str>>(keys: Vec<T>, newer: bool) -> Vec<T> {
    if keys.len() < 2 {
        return keys;
    }
    let mut left = keys;
    let right = left.split_off(left.len() / 2);
    let mut left = sort(left, newer).into_iter().peekable();
    let mut right = sort(right, newer).into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let from = if less(other.as_ref(), one.as_ref(), newer) { &mut right } else { &mut left };
        merged.extend(from.next());
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

fn less(one: &str, other: &str, newer: bool) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else { return a.len() < b.len() };
    let (Some(&x), Some(&y)) = (a.get(at), b.get(at)) else { return false };
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x < y,
        (false, false) => {}
        (x_is_letter, y_is_letter) => {
            let after_digits = at > 0 && a.get(at - 1).is_some_and(|before| before.is_numeric());
            return if newer && after_digits { x_is_letter } else { y_is_letter };
        }
    }
    let before = a.get(..at).unwrap_or_default();
    let significant = (x == '0' || y == '0')
        && before.iter().rev().take_while(|before| before.is_numeric()).any(|digit| *digit != '0');
    let start = i64::from(significant);
    let (x_number, x_length) = number(a.get(at..).unwrap_or_default(), start);
    let (y_number, y_length) = number(b.get(at..).unwrap_or_default(), start);
    match x_number.cmp(&y_number).then(x_length.cmp(&y_length)) {
        Ordering::Equal => x < y,
        order => order == Ordering::Less,
    }
}

/// The number that the characters begin with, after a leading digit, and its length; it wraps, as Go's does.
fn number(characters: &[char], start: i64) -> (i64, usize) {
    let digits = characters.iter().take_while(|digit| digit.is_numeric());
    digits.fold((start, 0), |(number, length), digit| {
        let value = i64::from(u32::from(*digit)) - i64::from(u32::from('0'));
        (number.wrapping_mul(10).wrapping_add(value), length + 1)
    })
}
