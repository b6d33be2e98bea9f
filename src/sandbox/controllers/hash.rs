//! Hashes of templates, as they appear in names: short, stable, and free of vowels.

use serde_json::Value;

const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// The hash of a template: FNV-1a over its canonical form and the number of collisions so far, in Kubernetes' safe alphabet.
pub fn template_hash(template: &Value, collisions: i64) -> String {
    let mut hash = Fnv(0x811c_9dc5);
    hash.value(template);
    if collisions > 0 {
        hash.bytes(&collisions.to_le_bytes());
    }
    hash.0.to_string().bytes().map(|digit| ALPHABET[usize::from(digit) % ALPHABET.len()] as char).collect()
}

struct Fnv(u32);

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    /// Feeds a value with its keys in order, whatever order the map keeps them in.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                let mut keys: Vec<&String> = fields.keys().collect();
                keys.sort_unstable();
                self.bytes(b"{");
                for key in keys {
                    self.bytes(key.as_bytes());
                    self.bytes(b":");
                    self.value(&fields[key]);
                }
                self.bytes(b"}");
            }
            Value::Array(items) => {
                self.bytes(b"[");
                for item in items {
                    self.value(item);
                    self.bytes(b",");
                }
                self.bytes(b"]");
            }
            scalar => self.bytes(scalar.to_string().as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_hash_depends_on_content_and_collisions_only() {
        let one: Value = serde_json::from_str(r#"{"a": 1, "b": {"c": [1, 2]}}"#).expect("JSON");
        let same: Value = serde_json::from_str(r#"{"b": {"c": [1, 2]}, "a": 1}"#).expect("JSON");
        assert_eq!(template_hash(&one, 0), template_hash(&same, 0));
        assert_ne!(template_hash(&one, 0), template_hash(&one, 1));
        assert_ne!(template_hash(&one, 0), template_hash(&json!({"a": 1, "b": {"c": [2, 1]}}), 0));
        assert!(template_hash(&one, 0).bytes().all(|letter| ALPHABET.contains(&letter)));
    }
}
