//! Between what templates compute with and plain JSON, which may cross threads and be kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value as Json};

use super::value::{Value, lossy};

/// JSON as templates see it: whole numbers are `int64`, all others `float64`.
pub fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::text(text),
        Json::Array(items) => Value::list(items.iter().map(to_value)),
        Json::Object(entries) => Value::dict(entries.iter().map(|(key, value)| (key, to_value(value)))),
    }
}

/// The JSON of a value that [`to_value`] gives the same value for: floats stay floats, also without a fraction.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::Number(text) => text.parse().map_or_else(|_| Json::from(&**text), Json::Number),
        Value::Text(text) => Json::from(&**text),
        Value::Raw(bytes) => Json::from(lossy(bytes)),
        Value::Bytes(bytes) => Json::from(STANDARD.encode(bytes)),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Dict(entries) => {
            let entries = entries.borrow();
            Json::Object(entries.iter().map(|(key, value)| (key.to_string(), to_json(value))).collect())
        }
        Value::Object(object) => {
            object.plain().map_or_else(|| Json::Object(Map::new()), |value| to_json(&value))
        }
    }
}

/// JSON in which a number without a fraction is a whole number, as it is when it is written and read again.
pub fn to_whole(json: Json) -> Json {
    match json {
        Json::Number(number) => Json::Number(whole(&number).map_or(number, Number::from)),
        Json::Array(items) => items.into_iter().map(to_whole).collect(),
        Json::Object(entries) => {
            Json::Object(entries.into_iter().map(|(key, value)| (key, to_whole(value))).collect())
        }
        other => other,
    }
}

/// The whole number that a float is; floats are whole beyond 2^53 too, where they are exact up to 2^63.
fn whole(number: &Number) -> Option<i64> {
    let value = number.as_f64().filter(|value| number.is_f64() && value.fract() == 0.0)?;
    // -2^63 ..= 2^63 - 1 as floats
    #[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
    (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn floats_stay_floats_until_they_are_made_whole() {
        let json = json!({"a": [1, 1.0, 1.5, null, true, "x"], "b": {"c": 1e300}});
        assert_eq!(to_json(&to_value(&json)), json);
        assert_eq!(to_whole(json), json!({"a": [1, 1, 1.5, null, true, "x"], "b": {"c": 1e300}}));
        assert_eq!(to_whole(json!(-9_223_372_036_854_775_808.0)), json!(i64::MIN));
        assert_eq!(to_whole(json!(9_223_372_036_854_775_808.0)), json!(9_223_372_036_854_775_808.0));
    }
}
