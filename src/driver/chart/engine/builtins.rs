//! The functions that Go's templates have by themselves.

use std::rc::Rc;

use super::compare::{self, equal};
use super::escape;
use super::held::Held;
use super::types::Parameters;
use crate::driver::chart::format;
use crate::driver::chart::functions::{Kind, Looks};
use crate::driver::chart::value::{Value, lossy};

/// A function and what it takes.
pub(super) struct Known {
    pub(super) parameters: Parameters,
    /// What it goes through of its arguments.
    pub(super) looks: Looks,
    pub(super) function: fn(&[Held]) -> Result<Held, String>,
}

/// The function of that name. `and` and `or` are not among them: they do not evaluate all of their arguments.
pub(super) fn find(name: &str) -> Option<Known> {
    const ONE: Parameters = Parameters::fixed(&[Kind::Any]);
    const TWO: Parameters = Parameters::fixed(&[Kind::Any, Kind::Any]);
    const SOME: Parameters = Parameters::any(&[Kind::Any]);
    const MANY: Parameters = Parameters::any(&[]);
    let known = |parameters, function| {
        // Those that print go through everything; the others through no more than texts.
        let looks = match name {
            "html" | "js" | "print" | "printf" | "println" | "urlquery" => Looks::Deep,
            "call" | "index" | "len" | "not" => Looks::Nowhere,
            _ => Looks::Shallow,
        };
        Some(Known { parameters, looks, function })
    };
    match name {
        "call" => known(SOME, call),
        "eq" => known(SOME, compare::eq),
        "ge" => known(TWO, compare::ge),
        "gt" => known(TWO, compare::gt),
        "html" => known(MANY, |arguments| Ok(text(escape::html(&lossy(&joined(arguments)?))))),
        "index" => known(SOME, index),
        "js" => known(MANY, |arguments| Ok(text(escape::javascript(&lossy(&joined(arguments)?))))),
        "le" => known(TWO, compare::le),
        "len" => known(ONE, length),
        "lt" => known(TWO, compare::lt),
        "ne" => known(TWO, |arguments| match arguments {
            [one, other] => Ok(boolean(!equal(one, other)?)),
            _ => Ok(Held::Nothing),
        }),
        "not" => known(ONE, |arguments| Ok(boolean(!arguments.first().is_some_and(Held::truth)))),
        "print" => known(MANY, |arguments| Ok(text(format::sprint(&values(arguments))?))),
        "printf" => known(Parameters::any(&[Kind::Text]), printf),
        "println" => known(MANY, |arguments| Ok(text(format::sprintln(&values(arguments))?))),
        "urlquery" => known(MANY, |arguments| Ok(text(escape::query(&joined(arguments)?)))),
        _ => None,
    }
}

pub(super) fn boolean(value: bool) -> Held {
    Held::Plain(Value::Bool(value))
}

fn text(text: impl Into<Vec<u8>>) -> Held {
    Held::Plain(Value::string(text))
}

fn values(arguments: &[Held]) -> Vec<Value> {
    arguments.iter().cloned().map(Held::into_value).collect()
}

/// The arguments of an escaping function as one text.
fn joined(arguments: &[Held]) -> Result<Vec<u8>, String> {
    let printable = |argument: &Held| match argument.value() {
        None => Value::text("<no value>"),
        Some(value) => value.clone(),
    };
    let values: Vec<Value> = arguments.iter().map(printable).collect();
    format::sprint(&values)
}

fn printf(arguments: &[Held]) -> Result<Held, String> {
    match values(arguments).split_first() {
        Some((Value::Text(template), rest)) => Ok(text(format::sprintf(template, rest)?)),
        Some((Value::Raw(template), rest)) => Ok(text(format::sprintf(&lossy(template), rest)?)),
        _ => Ok(Held::Nothing),
    }
}

/// Templates have no functions as values.
fn call(arguments: &[Held]) -> Result<Held, String> {
    match arguments.first().and_then(Held::value) {
        None => Err("call of nil".to_owned()),
        Some(value) => Err(format!("non-function of type {}", value.type_name())),
    }
}

fn length(arguments: &[Held]) -> Result<Held, String> {
    let length = match arguments.first() {
        None | Some(Held::Nothing) => {
            return Err("reflect: call of reflect.Value.Type on zero Value".to_owned());
        }
        Some(Held::Boxed(Value::Nil) | Held::Plain(Value::Nil)) => {
            return Err("len of nil pointer".to_owned());
        }
        Some(Held::Boxed(value) | Held::Plain(value)) => match &value.opened() {
            Value::Text(text) | Value::Number(text) => text.len(),
            Value::Raw(bytes) | Value::Bytes(bytes) => bytes.len(),
            Value::List(items) => items.len(),
            Value::Dict(entries) => entries.borrow().len(),
            other => return Err(format!("len of type {}", other.type_name())),
        },
    };
    Ok(Held::Plain(Value::Int(i64::try_from(length).unwrap_or(i64::MAX))))
}

fn index(arguments: &[Held]) -> Result<Held, String> {
    let Some((item, indices)) = arguments.split_first() else { return Ok(Held::Nothing) };
    let Some(first) = item.value() else { return Err("index of untyped nil".to_owned()) };
    let mut item = first.clone();
    for index in indices {
        item = match &item.opened() {
            Value::Nil => return Err("index of nil pointer".to_owned()),
            Value::List(items) => items.get(position(index, items.len())?).cloned().ok_or_else(beyond)?,
            Value::Text(text) | Value::Number(text) => byte(text.as_bytes(), index)?,
            Value::Raw(bytes) | Value::Bytes(bytes) => byte(bytes, index)?,
            Value::Dict(entries) => entries.borrow().get(key(index)?.as_ref()).cloned().unwrap_or(Value::Nil),
            other => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(if indices.is_empty() { Held::Plain(item) } else { Held::Boxed(item) })
}

fn byte(bytes: &[u8], index: &Held) -> Result<Value, String> {
    let byte = bytes.get(position(index, bytes.len())?).ok_or_else(beyond)?;
    Ok(Value::Int(i64::from(*byte)))
}

/// Go's check of an index lets the length itself through; the access then fails.
fn beyond() -> String {
    "reflect: slice index out of range".to_owned()
}

fn position(index: &Held, length: usize) -> Result<usize, String> {
    match index.value() {
        None => Err("cannot index slice/array with nil".to_owned()),
        Some(Value::Int(index)) => usize::try_from(*index)
            .ok()
            .filter(|index| *index <= length)
            .ok_or_else(|| format!("index out of range: {index}")),
        Some(other) => Err(format!("cannot index slice/array with type {}", other.type_name())),
    }
}

fn key(index: &Held) -> Result<Rc<str>, String> {
    match index.value() {
        None => Err("value is nil; should be of type string".to_owned()),
        Some(Value::Text(key)) => Ok(Rc::clone(key)),
        Some(Value::Raw(key)) => Ok(Rc::from(lossy(key))),
        Some(other) => Err(format!("value has type {}; should be string", other.type_name())),
    }
}
