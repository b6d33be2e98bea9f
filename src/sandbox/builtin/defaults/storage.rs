//! Defaults of volumes, claims, classes and Secrets.

use base64::Engine;
use serde_json::{Value, json};

use super::{put, put_text, within, within_new};

/// A PersistentVolumeClaim's spec.
pub fn claim(spec: &mut Value) {
    put_text(spec, "volumeMode", "Filesystem");
}

/// A PersistentVolume's spec.
pub fn volume(spec: &mut Value) {
    put_text(spec, "volumeMode", "Filesystem");
    put_text(spec, "persistentVolumeReclaimPolicy", "Retain");
    within(spec, "hostPath", |path| put(path, "type", json!("")));
}

/// A StorageClass.
pub fn class(object: &mut Value) {
    put_text(object, "reclaimPolicy", "Delete");
    put_text(object, "volumeBindingMode", "Immediate");
}

/// A Secret: `stringData` is written into `data` and never shown.
pub fn secret(object: &mut Value) {
    put_text(object, "type", "Opaque");
    let plain = object.as_object_mut().and_then(|fields| fields.remove("stringData"));
    let Some(Value::Object(plain)) = plain else { return };
    within_new(object, "data", |data| {
        for (key, text) in plain {
            let encoded = base64::engine::general_purpose::STANDARD.encode(text.as_str().unwrap_or_default());
            data[key] = json!(encoded);
        }
    });
}
