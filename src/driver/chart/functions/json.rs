//! sprig's JSON. Helm has its own `toJson` and `fromJson`, which stand before these.

use super::super::format::is_limit;
use super::super::json::{Numbers, read, write, write_indented, write_unescaped};
use super::super::value::Value;
use super::Kind::{Any, Text};
use super::arguments::{Answer, fixed, string, text};
use super::{Entry, Looks, entry};

pub(super) const TABLE: &[Entry] = &[
    entry("fromJson", &[Text], |_, given| Ok(from_json(given).unwrap_or(Value::Nil))),
    entry("mustFromJson", &[Text], |_, given| from_json(given)),
    entry("toJson", &[Any], |_, given| or_nothing(given, write)).looking(Looks::Deep),
    entry("mustToJson", &[Any], |_, given| string(write(&fixed::<1>(given)?[0])?)),
    entry("toPrettyJson", &[Any], |_, given| or_nothing(given, write_indented)).looking(Looks::Deep),
    entry("mustToPrettyJson", &[Any], |_, given| string(write_indented(&fixed::<1>(given)?[0])?)),
    entry("toRawJson", &[Any], |_, given| string(write_unescaped(&fixed::<1>(given)?[0])?)),
    entry("mustToRawJson", &[Any], |_, given| string(write_unescaped(&fixed::<1>(given)?[0])?)),
];

fn from_json(arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    read(&text(given)?, Numbers::Float)
}

/// The JSON of a value; nothing for a value that has none. What a limit forbids is an error.
fn or_nothing(arguments: &[Value], write: fn(&Value) -> Result<String, String>) -> Answer {
    let [given] = fixed(arguments)?;
    match write(given) {
        Ok(text) => string(text),
        Err(problem) if is_limit(&problem) => Err(problem),
        Err(_) => string(""),
    }
}
