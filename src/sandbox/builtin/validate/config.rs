//! ConfigMaps and Secrets.

use base64::Engine;
use serde_json::{Value, json};

use super::super::names;
use super::{text, well_formed};
use crate::sandbox::schema::causes::Causes;

/// All values together.
const SIZE_LIMIT: usize = 1024 * 1024;

fn decoded(value: &Value) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text(value)).unwrap_or_default()
}

/// A ConfigMap.
pub fn config_map(object: &Value, causes: &mut Causes) {
    let mut size = 0;
    for (key, value) in object["data"].as_object().into_iter().flatten() {
        let path = format!("data[{key}]");
        well_formed(&json!(key), &path, names::config_key(key), causes);
        if object["binaryData"].get(key).is_some() {
            causes.invalid(&path, &json!(key), "duplicate of key present in binaryData");
        }
        size += text(value).len();
    }
    for (key, value) in object["binaryData"].as_object().into_iter().flatten() {
        well_formed(&json!(key), &format!("binaryData[{key}]"), names::config_key(key), causes);
        size += decoded(value).len();
    }
    if size > SIZE_LIMIT {
        causes.too_long("", SIZE_LIMIT as u64);
    }
}

/// A Secret; its data is never repeated in a message.
pub fn secret(object: &Value, causes: &mut Causes) {
    let data = &object["data"];
    let mut size = 0;
    for (key, value) in data.as_object().into_iter().flatten() {
        well_formed(&json!(key), &format!("data[{key}]"), names::config_key(key), causes);
        size += decoded(value).len();
    }
    if size > SIZE_LIMIT {
        causes.too_long("data", SIZE_LIMIT as u64);
    }
    let needed: &[&str] = match text(&object["type"]) {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/basic-auth" if data.get("username").is_none() && data.get("password").is_none() => {
            &["username", "password"]
        }
        _ => &[],
    };
    for key in needed.iter().filter(|key| data.get(**key).is_none()) {
        causes.required(&format!("data[{key}]"), "");
    }
    for key in [".dockerconfigjson", ".dockercfg"].iter().filter(|key| needed.contains(*key)) {
        let Some(value) = data.get(*key) else { continue };
        if serde_json::from_slice::<Value>(&decoded(value)).is_err() {
            let path = format!("data[{key}]");
            causes.invalid(&path, &json!("<secret contents redacted>"), "must be valid JSON");
        }
    }
}
