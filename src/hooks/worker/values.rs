//! JSON to the function's values and back.

use serde_json::{Map, Number, Value as Json};
use starlark::environment::Module;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::float::UnpackFloat;
use starlark::values::list::{AllocList, ListRef};
use starlark::values::structs::{AllocStruct, StructRef};
use starlark::values::tuple::TupleRef;
use starlark::values::{Heap, UnpackValue, Value};

use super::secret::Secrets;
use crate::hooks::protocol::{LINE_MAX, SECRET};

/// How deep values may be nested: lists can contain themselves.
const DEPTH: usize = 64;

/// The argument of a function: a struct of structs, so that it is read as `ctx.deployment.name`; what is under `context` and
/// further down are dictionaries.
pub fn context<'v>(context: &Json, module: &'v Module) -> Value<'v> {
    let (heap, secrets) = (module.heap(), Secrets::of(module));
    let inner = |value: &Json| plain(value, heap, &secrets);
    let Json::Object(fields) = context else { return inner(context) };
    heap.alloc(AllocStruct(fields.iter().map(|(name, value)| {
        let value = if name == "context" { inner(value) } else { outer(value, heap, &inner) };
        (name.as_str(), value)
    })))
}

/// What a call gave: objects are structs. Secrets do not come this way.
pub fn answer<'v>(value: &Json, heap: &'v Heap) -> Value<'v> {
    outer(value, heap, &|value| heap.alloc(value))
}

/// The value with the outermost objects as structs.
fn outer<'v>(value: &Json, heap: &'v Heap, inner: &dyn Fn(&Json) -> Value<'v>) -> Value<'v> {
    let fields = |map: &Map<String, Json>| {
        heap.alloc(AllocStruct(map.iter().map(|(name, value)| (name.as_str(), inner(value)))))
    };
    match value {
        Json::Object(map) if !map.contains_key(SECRET) => fields(map),
        Json::Array(items) => heap.alloc(AllocList(items.iter().map(|item| match item {
            Json::Object(map) if !map.contains_key(SECRET) => fields(map),
            other => inner(other),
        }))),
        other => inner(other),
    }
}

/// Objects are dictionaries, or secrets.
fn plain<'v>(value: &Json, heap: &'v Heap, secrets: &Secrets<'v>) -> Value<'v> {
    if let Some(secret) = secrets.read(value) {
        return secret;
    }
    match value {
        Json::Array(items) => heap.alloc(AllocList(items.iter().map(|item| plain(item, heap, secrets)))),
        Json::Object(map) => {
            heap.alloc(AllocDict(map.iter().map(|(key, value)| (key.as_str(), plain(value, heap, secrets)))))
        }
        scalar => heap.alloc(scalar),
    }
}

/// What a value is in JSON, or why it is nothing there. Secrets may be in it where they are given.
pub fn to_json<'v>(value: Value<'v>, secrets: &Secrets<'v>, keep: bool) -> Result<Json, String> {
    Writer { left: LINE_MAX, secrets, keep }.write(value, 0)
}

struct Writer<'a, 'v> {
    /// Bytes: a list that is in another a thousand times is written a thousand times.
    left: usize,
    secrets: &'a Secrets<'v>,
    /// Whether secrets may be in it.
    keep: bool,
}

impl<'v> Writer<'_, 'v> {
    fn take(&mut self, bytes: usize) -> Result<(), String> {
        self.left = self.left.checked_sub(bytes + 2).ok_or_else(|| crate::hooks::child::too_long("it"))?;
        Ok(())
    }

    fn write(&mut self, value: Value<'v>, depth: usize) -> Result<Json, String> {
        if depth > DEPTH {
            return Err("it is nested too deeply, or contains itself".to_owned());
        }
        self.take(0)?;
        if value.is_none() {
            return Ok(Json::Null);
        }
        if let Some(flag) = value.unpack_bool() {
            return Ok(Json::Bool(flag));
        }
        if let Some(text) = value.unpack_str() {
            self.take(text.len())?;
            return Ok(Json::String(text.to_owned()));
        }
        if let Some(list) = ListRef::from_value(value) {
            return self.items(list.iter(), depth);
        }
        if let Some(tuple) = TupleRef::from_value(value) {
            return self.items(tuple.iter(), depth);
        }
        if let Some(dict) = DictRef::from_value(value) {
            let entries = dict.iter().map(|(key, value)| (key.unpack_str().map(str::to_owned), value));
            return self.fields(entries, depth);
        }
        if let Some(fields) = StructRef::from_value(value) {
            let entries = fields.iter().map(|(key, value)| (Some(key.as_str().to_owned()), value));
            return self.fields(entries, depth);
        }
        if let Some(secret) = self.secrets.to_json(value) {
            return match self.keep {
                true => Ok(secret),
                false => Err("it has a secret in it".to_owned()),
            };
        }
        number(value).unwrap_or_else(|| Err(format!("it has a value of type {} in it", value.get_type())))
    }

    fn items(&mut self, items: impl Iterator<Item = Value<'v>>, depth: usize) -> Result<Json, String> {
        items.map(|item| self.write(item, depth + 1)).collect::<Result<Vec<_>, _>>().map(Json::Array)
    }

    fn fields(
        &mut self,
        entries: impl Iterator<Item = (Option<String>, Value<'v>)>,
        depth: usize,
    ) -> Result<Json, String> {
        let mut map = Map::new();
        for (key, value) in entries {
            let key = key.ok_or("it has a dictionary with a key that is not a text")?;
            if key == SECRET {
                return Err(format!(
                    "it has a dictionary with the key '{SECRET}', which stands for a secret"
                ));
            }
            self.take(key.len())?;
            map.insert(key, self.write(value, depth + 1)?);
        }
        Ok(Json::Object(map))
    }
}

fn number(value: Value<'_>) -> Option<Result<Json, String>> {
    if value.get_type() == "int" {
        let whole = i64::unpack_value(value).ok().flatten();
        return Some(whole.map(Json::from).ok_or_else(|| "it has a number of more than 64 bits".to_owned()));
    }
    let float = UnpackFloat::unpack_value(value).ok().flatten()?.0;
    let number = Number::from_f64(float).map(Json::Number);
    Some(number.ok_or_else(|| format!("it has the number {float}")))
}
