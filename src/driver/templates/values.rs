//! JSON values as template values, and back.

use minijinja::value::{Value as TemplateValue, ValueKind};
use minijinja::{Error, ErrorKind};
use serde_json::{Number, Value};

use super::secrets::SecretParameter;
use crate::domain::SecretReference;

/// A context as templates see it: its secret parameters are objects that cannot be printed.
pub(super) fn of_context(context: &Value) -> TemplateValue {
    let Some(map) = context.as_object() else { return to_template(context) };
    TemplateValue::from_pairs(map.iter().map(|(key, value)| {
        let value = match value.as_object().filter(|_| key == "parameters") {
            Some(parameters) => {
                let values = parameters.iter().map(|(name, value)| (name.as_str(), parameter(name, value)));
                TemplateValue::from_pairs(values)
            }
            None => to_template(value),
        };
        (key.as_str(), value)
    }))
}

fn parameter(name: &str, value: &Value) -> TemplateValue {
    match SecretReference::read(value) {
        Some(reference) => SecretParameter::value(name, reference),
        None => to_template(value),
    }
}

/// A JSON value as templates see it.
fn to_template(value: &Value) -> TemplateValue {
    match value {
        Value::Null => TemplateValue::from(()),
        Value::Bool(value) => TemplateValue::from(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => TemplateValue::from(number),
            (None, Some(number)) => TemplateValue::from(number),
            (None, None) => TemplateValue::from(number.as_f64().unwrap_or(0.0)),
        },
        Value::String(text) => TemplateValue::from(text.as_str()),
        Value::Array(items) => items.iter().map(to_template).collect(),
        Value::Object(map) => {
            TemplateValue::from_pairs(map.iter().map(|(key, value)| (key.as_str(), to_template(value))))
        }
    }
}

/// A template value as JSON.
pub(super) fn to_json(value: &TemplateValue) -> Result<Value, Error> {
    Ok(match value.kind() {
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::from(value.is_true()),
        ValueKind::Number => number(value)?,
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter()?.map(|item| to_json(&item)).collect::<Result<_, _>>()?
        }
        ValueKind::Map => {
            let pairs = value.try_iter()?.map(|key| {
                let item = to_json(&value.get_item(&key)?)?;
                Ok((key.to_string(), item))
            });
            Value::Object(pairs.collect::<Result<_, Error>>()?)
        }
        _ => Value::from(value.to_string()),
    })
}

fn number(value: &TemplateValue) -> Result<Value, Error> {
    if let Some(number) = value.as_i64().filter(|_| value.is_integer()) {
        return Ok(Value::from(number));
    }
    let number = f64::try_from(value.clone())?;
    Number::from_f64(number)
        .map(Value::Number)
        .ok_or_else(|| Error::new(ErrorKind::BadSerialization, "it is no finite number"))
}
