//! Reading JSON with an eye on fields that are there twice: the last one counts, the others are told.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads JSON; what is there twice comes back beside it, as paths (`spec.ports[0].name`).
///
/// # Errors
/// It is no JSON, or nested too deeply.
pub fn read(bytes: &[u8]) -> serde_json::Result<(Value, Vec<String>)> {
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Reading { place: None, found: &mut found }.deserialize(&mut reader)?;
    reader.end()?;
    Ok((value, found))
}

/// Where a value is: a field or an item of what is around it.
#[derive(Clone, Copy)]
struct Place<'a> {
    outer: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            outer.fmt(f)?;
        }
        match (self.step, self.outer) {
            (Step::Field(name), None) => f.write_str(name),
            (Step::Field(name), Some(_)) => write!(f, ".{name}"),
            (Step::Item(index), _) => write!(f, "[{index}]"),
        }
    }
}

struct Reading<'a> {
    place: Option<&'a Place<'a>>,
    found: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("the number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let place = Place { outer: self.place, step: Step::Item(list.len()) };
            let item = Reading { place: Some(&place), found: &mut *self.found };
            match items.next_element_seed(item)? {
                Some(value) => list.push(value),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let place = Place { outer: self.place, step: Step::Field(&name) };
            if map.contains_key(&name) {
                self.found.push(place.to_string());
            }
            let value = entries.next_value_seed(Reading { place: Some(&place), found: &mut *self.found })?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_of_two_counts_and_both_are_told() {
        let text = br#"{"a": 1, "b": [{"c": "x", "c": "y"}], "a": -2, "d": {"e": {"f": null, "f": 1.5}}}"#;
        let (value, found) = read(text).unwrap();
        assert_eq!(value, json!({"a": -2, "b": [{"c": "y"}], "d": {"e": {"f": 1.5}}}));
        assert_eq!(found, ["b[0].c", "a", "d.e.f"]);
    }

    #[test]
    fn it_reads_what_the_library_reads() {
        for text in ["[]", "1e3", "18446744073709551615", "\"\\u00e4\"", "true", "{\"a\":{}}"] {
            let plain: Value = serde_json::from_str(text).unwrap();
            assert_eq!(read(text.as_bytes()).unwrap(), (plain, Vec::new()), "{text}");
        }
        for text in ["", "{", "[1,]", "1 2", "{\"a\":1}}", "nul"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read("[".repeat(10_000).as_bytes()).is_err());
    }
}
