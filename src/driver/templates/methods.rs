//! The methods of Python's dictionaries and texts that Jinja2 templates commonly call.

use minijinja::value::{Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

/// Answers `value.method(args)` for a method that the engine does not know.
pub(super) fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    match (value.kind(), method) {
        (ValueKind::Map, "items") => {
            let () = from_args(args)?;
            state.apply_filter("items", std::slice::from_ref(value))
        }
        (ValueKind::Map, "keys") => {
            let () = from_args(args)?;
            Ok(value.try_iter()?.collect())
        }
        (ValueKind::Map, "values") => {
            let () = from_args(args)?;
            value.try_iter()?.map(|key| value.get_item(&key)).collect::<Result<Vec<_>, _>>().map(Value::from)
        }
        (ValueKind::Map, "get") => {
            let (key, default): (&Value, Option<Value>) = from_args(args)?;
            let found = value.get_item(key)?;
            Ok(if found.is_undefined() { default.unwrap_or_else(|| Value::from(())) } else { found })
        }
        (ValueKind::String, _) => text(value.as_str().unwrap_or(""), method, args),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn text(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    match method {
        "upper" | "lower" | "strip" | "lstrip" | "rstrip" => {
            let () = from_args(args)?;
            Ok(match method {
                "upper" => Value::from(text.to_uppercase()),
                "lower" => Value::from(text.to_lowercase()),
                "strip" => Value::from(text.trim()),
                "lstrip" => Value::from(text.trim_start()),
                _ => Value::from(text.trim_end()),
            })
        }
        "startswith" | "endswith" => {
            let (part,): (&str,) = from_args(args)?;
            Ok(Value::from(if method == "startswith" {
                text.starts_with(part)
            } else {
                text.ends_with(part)
            }))
        }
        "split" => {
            let (separator,): (Option<&str>,) = from_args(args)?;
            Ok(match separator {
                Some("") => return Err(Error::new(ErrorKind::InvalidOperation, "the separator is empty")),
                Some(separator) => text.split(separator).map(Value::from).collect(),
                None => text.split_whitespace().map(Value::from).collect(),
            })
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}
