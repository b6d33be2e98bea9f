//! One byte sequence per JSON value, so that equal values have equal digests.

use serde_json::Value;

use super::names::digest;

/// The value as JSON without white space, with the keys of every object in the order of their bytes.
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

/// The SHA-256 of [`canonical_json`] as 64 hex digits.
pub fn canonical_digest(value: &Value) -> String {
    digest(canonical_json(value).as_bytes())
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            text.push('{');
            for (position, (key, value)) in entries.into_iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                *text += &Value::from(key.as_str()).to_string();
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        scalar => *text += &scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter_and_that_of_items_does() {
        let first = json!({"b": [1, 2], "a": {"y": null, "x": "ä\n"}});
        let second: Value =
            serde_json::from_str("{\"a\": {\"x\": \"ä\\n\", \"y\": null}, \"b\": [1, 2]}").unwrap();
        assert_eq!(canonical_json(&first), "{\"a\":{\"x\":\"ä\\n\",\"y\":null},\"b\":[1,2]}");
        assert_eq!(canonical_digest(&first), canonical_digest(&second));
        assert_ne!(canonical_digest(&json!([1, 2])), canonical_digest(&json!([2, 1])));
    }
}
