//! Strings: cutting, trimming, searching, replacing, quoting, indenting.

use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;

use super::super::format::quote_bytes as quoted;
use super::super::value::Value;
use super::Kind::{Any, Int, Text};
use super::arguments::{Answer, bytes, fixed, int, string, strings, text};
use super::cast::{printed, to_bytes};
use super::words::{lower, upper};
use super::{Entry, ITEMS_MAX, Looks, Surroundings, TEXT_MAX, entry, too_large};

pub(super) const TABLE: &[Entry] = &[
    entry("hello", &[], |_, _| string("Hello!")),
    entry("trim", &[Text], trim),
    entry("upper", &[Text], |_, given| map(given, |text| text.chars().map(upper).collect())),
    entry("lower", &[Text], |_, given| map(given, |text| text.chars().map(lower).collect())),
    entry("trimall", &[Text, Text], trim_all),
    entry("trimAll", &[Text, Text], trim_all),
    entry("trimSuffix", &[Text, Text], trim_suffix),
    entry("trimPrefix", &[Text, Text], trim_prefix),
    entry("substr", &[Int, Int, Text], substr),
    entry("trunc", &[Int, Text], trunc),
    entry("repeat", &[Int, Text], repeat),
    entry("contains", &[Text, Text], contains),
    entry("hasPrefix", &[Text, Text], has_prefix),
    entry("hasSuffix", &[Text, Text], has_suffix),
    entry("quote", &[], quote).looking(Looks::Deep).and_more(Any),
    entry("squote", &[], squote).looking(Looks::Deep).and_more(Any),
    entry("cat", &[], cat).looking(Looks::Deep).and_more(Any),
    entry("indent", &[Int, Text], indent),
    entry("nindent", &[Int, Text], nindent),
    entry("replace", &[Text, Text, Text], replace),
    entry("plural", &[Text, Text, Int], plural),
    entry("toString", &[Any], to_string).looking(Looks::Deep),
    entry("toStrings", &[Any], |_, given| strings(string_slice(&fixed::<1>(given)?[0])?))
        .looking(Looks::Deep),
    entry("join", &[Text, Any], join).looking(Looks::Deep),
    entry("sortAlpha", &[Any], sort_alpha).looking(Looks::Deep),
    entry("split", &[Text, Text], split),
    entry("splitList", &[Text, Text], split_list),
    entry("splitn", &[Text, Int, Text], splitn),
];

/// A function of one text.
pub(super) fn map(arguments: &[Value], change: impl Fn(&str) -> String) -> Answer {
    let [given] = fixed(arguments)?;
    string(change(&text(given)?))
}

fn trim(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    string(text(given)?.trim())
}

fn trim_all(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [cut, given] = fixed(arguments)?;
    let cut = text(cut)?;
    let letters: HashSet<char> = cut.chars().collect();
    string(text(given)?.trim_matches(|letter| letters.contains(&letter)))
}

fn trim_suffix(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [suffix, given] = fixed(arguments)?;
    let given = bytes(given)?;
    string(given.strip_suffix(bytes(suffix)?).unwrap_or(given))
}

fn trim_prefix(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [prefix, given] = fixed(arguments)?;
    let given = bytes(given)?;
    string(given.strip_prefix(bytes(prefix)?).unwrap_or(given))
}

/// `given[start:end]` with sprig's rules for what is negative or too large; what they leave is Go's panic.
fn substr(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [start, end, given] = fixed(arguments)?;
    let (start, end, given) = (int(start)?, int(end)?, bytes(given)?);
    let length = given.len() as i64;
    if start < 0 {
        let with = if end < 0 { String::new() } else { format!(" with length {length}") };
        return string(part(given, 0, end, &format!("[:{end}]{with}"))?);
    }
    if end < 0 || end > length {
        let out_of = format!("[{start}:{length}]");
        return string(part(given, start, length, &out_of)?);
    }
    string(part(given, start, end, &format!("[{start}:{end}]"))?)
}

/// The bytes from `start` to `end`, or Go's panic.
fn part<'a>(given: &'a [u8], start: i64, end: i64, named: &str) -> Result<&'a [u8], String> {
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range
        .and_then(|(start, end)| given.get(start..end))
        .ok_or_else(|| format!("runtime error: slice bounds out of range {named}"))
}

fn trunc(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [length, given] = fixed(arguments)?;
    let (length, given) = (int(length)?, bytes(given)?);
    let size = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    match given.len() {
        // A cut that leaves nothing leaves everything: sprig's `len(s)+c > 0`.
        all if length < 0 && size < all => string(&given[all - size..]),
        all if length >= 0 && size < all => string(&given[..size]),
        _ => string(given),
    }
}

fn repeat(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [count, given] = fixed(arguments)?;
    let given = bytes(given)?;
    let count = usize::try_from(int(count)?).map_err(|_| "strings: negative Repeat count".to_owned())?;
    if given.len().saturating_mul(count) > TEXT_MAX {
        return Err(too_large("the repeated text"));
    }
    string(if given.is_empty() { Vec::new() } else { given.repeat(count) })
}

fn contains(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [part, given] = fixed(arguments)?;
    if let (Value::Text(part), Value::Text(given)) = (part, given) {
        return Ok(Value::Bool(given.contains(&**part)));
    }
    let (part, given) = (bytes(part)?, bytes(given)?);
    Ok(Value::Bool(is_within(part, given)))
}

/// Whether the bytes stand in the others, found by Knuth, Morris and Pratt's way, whose time grows only with both lengths.
fn is_within(part: &[u8], given: &[u8]) -> bool {
    let mut matched = 0;
    // How many bytes of the beginning match the end of each beginning.
    let mut borders: Vec<usize> = Vec::with_capacity(part.len());
    let longer = |borders: &[usize], mut matched: usize, byte: u8| loop {
        match (part.get(matched) == Some(&byte), matched.checked_sub(1)) {
            (true, _) => return matched + 1,
            (false, Some(last)) => matched = borders.get(last).copied().unwrap_or(0),
            (false, None) => return 0,
        }
    };
    for (index, byte) in part.iter().enumerate() {
        matched = if index == 0 { 0 } else { longer(&borders, matched, *byte) };
        borders.push(matched);
    }
    matched = 0;
    part.is_empty()
        || given.iter().any(|byte| {
            matched = longer(&borders, matched, *byte);
            matched == part.len()
        })
}

fn has_prefix(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [prefix, given] = fixed(arguments)?;
    Ok(Value::Bool(bytes(given)?.starts_with(bytes(prefix)?)))
}

fn has_suffix(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [suffix, given] = fixed(arguments)?;
    Ok(Value::Bool(bytes(given)?.ends_with(bytes(suffix)?)))
}

fn quote(_: &Surroundings, arguments: &[Value]) -> Answer {
    let given = arguments.iter().filter(|value| !matches!(value, Value::Nil));
    let quoted = given.map(|value| Ok(quoted(&to_bytes(value)?))).collect::<Result<Vec<_>, String>>()?;
    string(quoted.join(" "))
}

fn squote(_: &Surroundings, arguments: &[Value]) -> Answer {
    let given = arguments.iter().filter(|value| !matches!(value, Value::Nil));
    let quoted = given
        .map(|value| Ok([b"'", &*printed(value)?, b"'"].concat()))
        .collect::<Result<Vec<_>, String>>()?;
    string(quoted.join(&b' '))
}

fn cat(_: &Surroundings, arguments: &[Value]) -> Answer {
    let given = arguments.iter().filter(|value| !matches!(value, Value::Nil));
    // Not as `toString`: a `[]byte` is printed as a list of numbers.
    string(given.map(printed).collect::<Result<Vec<_>, _>>()?.join(&b' '))
}

/// The text with as many blanks at the beginning of each line, behind `lead`.
fn indented(lead: &str, arguments: &[Value]) -> Answer {
    let [spaces, given] = fixed(arguments)?;
    let given = bytes(given)?;
    let spaces = usize::try_from(int(spaces)?).map_err(|_| "strings: negative Repeat count".to_owned())?;
    let lines = given.iter().filter(|&&byte| byte == b'\n').count() + 1;
    if lines.saturating_mul(spaces).saturating_add(given.len()) > TEXT_MAX {
        return Err(too_large("the indented text"));
    }
    let pad = " ".repeat(spaces);
    let mut out = Vec::with_capacity(lead.len() + lines * spaces + given.len());
    out.extend_from_slice(lead.as_bytes());
    for (index, line) in given.split(|&byte| byte == b'\n').enumerate() {
        if index > 0 {
            out.push(b'\n');
        }
        out.extend_from_slice(pad.as_bytes());
        out.extend_from_slice(line);
    }
    string(out)
}

fn indent(_: &Surroundings, arguments: &[Value]) -> Answer {
    indented("", arguments)
}

fn nindent(_: &Surroundings, arguments: &[Value]) -> Answer {
    indented("\n", arguments)
}

fn replace(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [old, new, given] = fixed(arguments)?;
    let (old, new, given) = (text(old)?, text(new)?, text(given)?);
    let places = given.matches(&*old).count();
    if places.saturating_mul(new.len()).saturating_add(given.len()) > TEXT_MAX {
        return Err(too_large("the replaced text"));
    }
    string(given.replace(&*old, &new))
}

fn plural(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [one, many, count] = fixed(arguments)?;
    Ok(if int(count)? == 1 { one.clone() } else { many.clone() })
}

fn to_string(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    string(to_bytes(given)?)
}

/// The texts of a list's items without those that are nil; a list of one for everything that is none.
pub(super) fn string_slice(value: &Value) -> Result<Vec<Vec<u8>>, String> {
    let owned = |value: &Value| to_bytes(value).map(Cow::into_owned);
    match &value.opened() {
        Value::Nil => Ok(Vec::new()),
        Value::List(items) => items.iter().filter(|item| !matches!(item, Value::Nil)).map(owned).collect(),
        _ => Ok(vec![owned(value)?]),
    }
}

fn join(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [separator, given] = fixed(arguments)?;
    let (separator, parts) = (bytes(separator)?, string_slice(given)?);
    let size: usize = parts.iter().map(|part| part.len() + separator.len()).sum();
    if size > TEXT_MAX.saturating_add(separator.len()) {
        return Err(too_large("the joined text"));
    }
    string(parts.join(separator))
}

fn sort_alpha(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    if matches!(given, Value::Nil) {
        return strings(["<nil>"]);
    }
    let mut items = string_slice(given)?;
    items.sort();
    strings(items)
}

/// Go's `strings.SplitN`: all parts for a negative count; letters for an empty separator.
fn pieces<'a>(given: &'a str, separator: &str, count: i64) -> Vec<&'a str> {
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    if most == 0 {
        return Vec::new();
    }
    if !separator.is_empty() {
        return given.splitn(most, separator).collect();
    }
    let mut letters = Vec::new();
    let mut rest = given;
    while let Some(letter) = rest.chars().next() {
        let end = if letters.len() + 1 == most { rest.len() } else { letter.len_utf8() };
        letters.push(&rest[..end]);
        rest = &rest[end..];
    }
    letters
}

/// The parts under `_0`, `_1`, …
fn numbered(parts: &[&str]) -> Answer {
    if parts.len() > ITEMS_MAX {
        return Err(too_large("the dictionary"));
    }
    let entries =
        parts.iter().enumerate().map(|(index, part)| (format!("_{index}"), Value::Text(Rc::from(*part))));
    Ok(Value::dict(entries))
}

fn split(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [separator, given] = fixed(arguments)?;
    numbered(&pieces(&text(given)?, &text(separator)?, -1))
}

fn splitn(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [separator, count, given] = fixed(arguments)?;
    numbered(&pieces(&text(given)?, &text(separator)?, int(count)?))
}

fn split_list(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [separator, given] = fixed(arguments)?;
    strings(pieces(&text(given)?, &text(separator)?, -1))
}
