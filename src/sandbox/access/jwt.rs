//! JSON Web Tokens in their compact form, signed with HMAC-SHA-256.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::key::{SigningKey, is_same};

/// `header.payload.signature` of some claims.
pub fn encode(key: &SigningKey, claims: &Value) -> String {
    let header = json!({"alg": "HS256", "kid": key_id(key)});
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", text(&header), text(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Names a key without telling it.
fn key_id(key: &SigningKey) -> String {
    URL_SAFE_NO_PAD.encode(key.sign(b"the name of this key"))
}

/// The claims of a token that this key has signed; `None` for anything else. Whether they still hold is not asked.
pub fn decode(key: &SigningKey, token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !is_same(&key.sign(signed.as_bytes()), &signature) {
        return None;
    }
    let (header, claims) = signed.split_once('.')?;
    let read =
        |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    (read(header)?.get("alg")? == "HS256").then_some(())?;
    read(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_by_its_key_alone() {
        let (key, other) = (SigningKey::random().unwrap(), SigningKey::random().unwrap());
        let token = encode(&key, &json!({"sub": "a", "exp": 5}));
        assert_eq!(decode(&key, &token), Some(json!({"sub": "a", "exp": 5})));
        assert_eq!(decode(&other, &token), None);
        assert_eq!(token.split('.').count(), 3);
    }

    #[test]
    fn a_changed_token_is_none() {
        let key = SigningKey::random().unwrap();
        let token = encode(&key, &json!({"sub": "a"}));
        let parts: Vec<&str> = token.split('.').collect();
        let other = URL_SAFE_NO_PAD.encode(json!({"sub": "b"}).to_string());
        let none = URL_SAFE_NO_PAD.encode(json!({"alg": "none"}).to_string());
        for forged in [
            format!("{}.{other}.{}", parts[0], parts[2]),
            format!("{none}.{}.", parts[1]),
            format!("{}.{}", parts[0], parts[1]),
            format!("{token}A"),
            String::new(),
            "..".to_owned(),
        ] {
            assert_eq!(decode(&key, &forged), None, "{forged}");
        }
    }
}
