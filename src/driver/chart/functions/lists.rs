//! Lists: sprig never changes one, it answers a new one.

use std::rc::Rc;

use super::super::value::{Object, Value};
use super::Kind::{Any, Int};
use super::arguments::{Answer, at_least, fixed, int, list};
use super::cast::to_int64;
use super::print::kind;
use super::values::{Walk, is_empty};
use super::{Entry, ITEMS_MAX, Looks, Surroundings, entry, too_large};

pub(super) const TABLE: &[Entry] = &[
    entry("list", &[], |_, given| list(given.to_vec())).and_more(Any),
    entry("tuple", &[], |_, given| list(given.to_vec())).and_more(Any),
    entry("append", &[Any, Any], push),
    entry("push", &[Any, Any], push),
    entry("mustAppend", &[Any, Any], push),
    entry("mustPush", &[Any, Any], push),
    entry("prepend", &[Any, Any], prepend),
    entry("mustPrepend", &[Any, Any], prepend),
    entry("first", &[Any], first),
    entry("mustFirst", &[Any], first),
    entry("rest", &[Any], rest),
    entry("mustRest", &[Any], rest),
    entry("last", &[Any], last),
    entry("mustLast", &[Any], last),
    entry("initial", &[Any], initial),
    entry("mustInitial", &[Any], initial),
    entry("reverse", &[Any], reverse),
    entry("mustReverse", &[Any], reverse),
    entry("compact", &[Any], compact),
    entry("mustCompact", &[Any], compact),
    entry("uniq", &[Any], uniq).looking(Looks::Deep),
    entry("mustUniq", &[Any], uniq).looking(Looks::Deep),
    entry("without", &[Any], without).looking(Looks::Deep).and_more(Any),
    entry("mustWithout", &[Any], without).looking(Looks::Deep).and_more(Any),
    entry("has", &[Any, Any], has).looking(Looks::Deep),
    entry("mustHas", &[Any, Any], has).looking(Looks::Deep),
    entry("slice", &[Any], slice).and_more(Any),
    entry("mustSlice", &[Any], slice).and_more(Any),
    entry("concat", &[], concat).and_more(Any),
    entry("chunk", &[Int, Any], chunk),
    entry("mustChunk", &[Int, Any], chunk),
];

/// Go's words for a use of a nil pointer, as which sprig's lists take nil.
pub(super) const NIL_POINTER: &str = "runtime error: invalid memory address or nil pointer dereference";

/// The items of a list, or the error that ends in the kind that the value has instead.
fn items(value: &Value, error: &str) -> Result<Rc<Vec<Value>>, String> {
    match &value.opened() {
        Value::List(items) => Ok(Rc::clone(items)),
        Value::Nil => Err(NIL_POINTER.to_owned()),
        _ => Err(format!("{error} {}", kind(value))),
    }
}

/// Go's nil of a type of lists: an empty list that JSON and YAML write as `null`.
struct NilList(&'static str);

impl Object for NilList {
    fn type_name(&self) -> &'static str {
        self.0
    }

    fn field(&self, _: &str) -> Option<Result<Value, String>> {
        None
    }

    fn call(&self, _: &str, _: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    fn print(&self) -> String {
        "[]".to_owned()
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::Nil)
    }

    fn items(&self) -> Option<Value> {
        Some(Value::list([]))
    }

    fn truth(&self) -> bool {
        false
    }
}

/// A list of that type, which is nil when it is empty.
pub(super) fn list_or_nil(type_name: &'static str, items: Vec<Value>) -> Answer {
    if items.is_empty() { Ok(Value::Object(Rc::new(NilList(type_name)))) } else { list(items) }
}

const ANYTHING: &str = "[]interface {}";

fn push(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given, item] = fixed(arguments)?;
    let mut all = items(given, "Cannot push on type")?.to_vec();
    all.push(item.clone());
    list(all)
}

fn prepend(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given, item] = fixed(arguments)?;
    let rest = items(given, "Cannot prepend on type")?;
    list(std::iter::once(item).chain(rest.iter()).cloned().collect())
}

fn first(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    Ok(items(given, "Cannot find first on type")?.first().cloned().unwrap_or(Value::Nil))
}

fn last(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    Ok(items(given, "Cannot find last on type")?.last().cloned().unwrap_or(Value::Nil))
}

fn rest(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    match items(given, "Cannot find rest on type")?.split_first() {
        Some((_, rest)) => list(rest.to_vec()),
        None => list_or_nil(ANYTHING, Vec::new()),
    }
}

fn initial(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    match items(given, "Cannot find initial on type")?.split_last() {
        Some((_, initial)) => list(initial.to_vec()),
        None => list_or_nil(ANYTHING, Vec::new()),
    }
}

fn reverse(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    list(items(given, "Cannot find reverse on type")?.iter().rev().cloned().collect())
}

fn compact(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    let all = items(given, "Cannot compact on type")?;
    list(all.iter().filter(|item| !is_empty(item)).cloned().collect())
}

/// Whether the list has an equal item.
fn contains(walk: &mut Walk<'_>, list: &[Value], item: &Value) -> Result<bool, String> {
    for other in list {
        if walk.equal(item, other, 0)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [given] = fixed(arguments)?;
    let mut walk = Walk::thorough(around);
    let mut kept: Vec<Value> = Vec::new();
    for item in items(given, "Cannot find uniq on type")?.iter() {
        if !contains(&mut walk, &kept, item)? {
            kept.push(item.clone());
        }
    }
    list(kept)
}

fn without(around: &Surroundings, arguments: &[Value]) -> Answer {
    let ([given], omitted) = at_least(arguments)?;
    let mut walk = Walk::thorough(around);
    let mut kept = Vec::new();
    for item in items(given, "Cannot find without on type")?.iter() {
        if !contains(&mut walk, omitted, item)? {
            kept.push(item.clone());
        }
    }
    list(kept)
}

fn has(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [needle, haystack] = fixed(arguments)?;
    if matches!(haystack, Value::Nil) {
        return Ok(Value::Bool(false));
    }
    let haystack = items(haystack, "Cannot find has on type")?;
    contains(&mut Walk::thorough(around), &haystack, needle).map(Value::Bool)
}

fn slice(_: &Surroundings, arguments: &[Value]) -> Answer {
    let ([given], indices) = at_least(arguments)?;
    let all = items(given, "list should be type of slice or array but")?;
    if all.is_empty() {
        return Ok(Value::Nil);
    }
    let start = indices.first().map_or(0, to_int64);
    let end = indices.get(1).map_or(all.len() as i64, to_int64);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = range.and_then(|(start, end)| all.get(start..end));
    list(part.ok_or("reflect.Value.Slice: slice index out of bounds")?.to_vec())
}

fn concat(_: &Surroundings, arguments: &[Value]) -> Answer {
    let mut all = Vec::new();
    for given in arguments {
        match &given.opened() {
            Value::List(items) => all.extend(items.iter().cloned()),
            Value::Nil => return Err(NIL_POINTER.to_owned()),
            _ => return Err(format!("Cannot concat type {} as list", kind(given))),
        }
        if all.len() > ITEMS_MAX {
            return Err(too_large("the list"));
        }
    }
    list_or_nil(ANYTHING, all)
}

fn chunk(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [size, given] = fixed(arguments)?;
    let all = items(given, "Cannot chunk type")?;
    let size = int(size)?;
    // Go makes a list of as many chunks as the division as floats says, which a negative size can make zero.
    if size < 0 && (all.len() as i64 - 1).div_euclid(size) == -1 {
        return list(Vec::new());
    }
    let size = usize::try_from(size).ok().filter(|size| *size > 0);
    let size = size.ok_or("runtime error: makeslice: len out of range")?;
    list(all.chunks(size).map(|part| Value::List(Rc::new(part.to_vec()))).collect())
}
