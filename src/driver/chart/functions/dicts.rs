//! Dictionaries: those that change one (`set`, `unset`), and those that answer a new one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::value::{Value, lossy};
use super::Kind::{Any, Dict, Text};
use super::arguments::{Answer, at_least, dict, fixed, list, strings, text};
use super::cast::to_bytes;
use super::values::Walk;
use super::{Entry, Looks, Surroundings, entry};

pub(super) const TABLE: &[Entry] = &[
    entry("dict", &[], new).looking(Looks::Keys).and_more(Any),
    entry("get", &[Dict, Text], get),
    entry("set", &[Dict, Text, Any], set),
    entry("unset", &[Dict, Text], unset),
    entry("hasKey", &[Dict, Text], has_key),
    entry("pluck", &[Text], pluck).and_more(Dict),
    entry("keys", &[], keys).and_more(Dict),
    entry("values", &[Dict], values),
    entry("pick", &[Dict], pick).and_more(Text),
    entry("omit", &[Dict], omit).and_more(Text),
    entry("dig", &[], dig).and_more(Any),
    entry("deepCopy", &[Any], |_, given| deep_copy(given)).looking(Looks::Deep),
    entry("mustDeepCopy", &[Any], |_, given| deep_copy(given)).looking(Looks::Deep),
];

/// The text of a key.
fn key(value: &Value) -> Result<Rc<str>, String> {
    Ok(Rc::from(&*text(value)?))
}

/// The entries of a dictionary; Go's nil for one has none.
fn entries(value: &Value) -> super::super::value::Dict {
    match value {
        Value::Dict(entries) => Rc::clone(entries),
        _ => Rc::default(),
    }
}

fn new(_: &Surroundings, arguments: &[Value]) -> Answer {
    let mut entries = BTreeMap::new();
    for pair in arguments.chunks(2) {
        let key = lossy(&to_bytes(&pair[0])?).into();
        // A key without a value has the empty text.
        entries.insert(key, pair.get(1).cloned().unwrap_or_else(|| Value::text("")));
    }
    Ok(Value::Dict(Rc::new(RefCell::new(entries))))
}

fn get(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given, key] = fixed(arguments)?;
    Ok(given.get(&text(key)?).unwrap_or_else(|| Value::text("")))
}

fn set(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [given, name, value] = fixed(arguments)?;
    if matches!(given, Value::Nil) {
        return Err("assignment to entry in nil map".to_owned());
    }
    let entries = dict(given)?;
    around.changes(entries);
    entries.borrow_mut().insert(key(name)?, value.clone());
    Ok(given.clone())
}

fn unset(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given, key] = fixed(arguments)?;
    if let Value::Dict(entries) = given {
        entries.borrow_mut().remove(&*text(key)?);
    }
    Ok(given.clone())
}

fn has_key(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given, key] = fixed(arguments)?;
    Ok(Value::Bool(given.get(&text(key)?).is_some()))
}

fn pluck(_: &Surroundings, arguments: &[Value]) -> Answer {
    let ([key], dicts) = at_least(arguments)?;
    let key = text(key)?;
    list(dicts.iter().filter_map(|given| given.get(&key)).collect())
}

/// The keys in the order of the alphabet. Go's order changes with every run, so no chart can depend on another one.
fn keys(_: &Surroundings, arguments: &[Value]) -> Answer {
    let mut all = Vec::new();
    for given in arguments {
        all.extend(entries(given).borrow().keys().map(|key| key.as_bytes().to_vec()));
    }
    strings(all)
}

/// The values in the order of their keys, which Go leaves open.
fn values(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    list(entries(given).borrow().values().cloned().collect())
}

/// The entries whose keys are, or are not, among those that are named.
fn filtered(arguments: &[Value], named: bool) -> Answer {
    let ([given], keys) = at_least(arguments)?;
    let keys = keys.iter().map(text).collect::<Result<std::collections::BTreeSet<_>, _>>()?;
    let entries = entries(given);
    let entries = entries.borrow();
    let kept = entries.iter().filter(|(key, _)| keys.contains(&***key) == named);
    let kept = kept.map(|(key, value)| (Rc::clone(key), value.clone())).collect();
    Ok(Value::Dict(Rc::new(RefCell::new(kept))))
}

fn pick(_: &Surroundings, arguments: &[Value]) -> Answer {
    filtered(arguments, true)
}

fn omit(_: &Surroundings, arguments: &[Value]) -> Answer {
    filtered(arguments, false)
}

/// The value along a path of keys; what stands in the way and is no dictionary is Go's panic.
fn dig(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [path @ .., default, start] = arguments else {
        return Err("dig needs at least three arguments".to_owned());
    };
    if path.is_empty() {
        return Err("dig needs at least three arguments".to_owned());
    }
    // Go converts the dictionary and all keys before it looks.
    let mut at = conversion(start, "map[string]interface {}", matches!(start, Value::Dict(_)))?.clone();
    for key in path {
        conversion(key, "string", matches!(key, Value::Text(_) | Value::Raw(_)))?;
    }
    for (index, key) in path.iter().enumerate() {
        if index > 0 {
            conversion(&at, "map[string]interface {}", matches!(at, Value::Dict(_)))?;
        }
        match at.get(&text(key)?) {
            Some(next) => at = next,
            None => return Ok(default.clone()),
        }
    }
    Ok(at)
}

/// The value when Go's conversion of it holds, or Go's panic.
fn conversion<'a>(value: &'a Value, wanted: &str, holds: bool) -> Result<&'a Value, String> {
    let found = match value {
        _ if holds => return Ok(value),
        Value::Nil => "nil",
        other => other.type_name(),
    };
    Err(format!("interface conversion: interface {{}} is {found}, not {wanted}"))
}

fn deep_copy(arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    if matches!(given, Value::Nil) {
        return Err("reflect: call of reflect.Value.Type on zero Value".to_owned());
    }
    Walk::new().copy(given, 0)
}
