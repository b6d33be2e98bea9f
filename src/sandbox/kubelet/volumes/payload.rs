//! Which files a volume of kind configMap, secret, downwardAPI or projected holds.

use serde_json::Value;

use super::atomic::{File, Payload};
use crate::sandbox::kubelet::environment::{Sources, data};
use crate::sandbox::object;

/// The permissions of files where nothing says otherwise.
const DEFAULT_MODE: u32 = 0o644;

/// The kinds of volume that are made of files.
const KINDS: [&str; 4] = ["configMap", "secret", "downwardAPI", "projected"];

/// Whether a volume is made of files that follow what they were made from.
pub(in crate::sandbox::kubelet) fn is_made_of_files(volume: &Value) -> bool {
    KINDS.iter().any(|kind| volume[*kind].is_object())
}

/// The files of a volume; `None` when it is of another kind. The error is the end of a sentence for `FailedMount`.
pub(super) fn read(sources: &Sources<'_>, volume: &Value) -> Result<Option<Payload>, String> {
    let Some((kind, source)) =
        KINDS.iter().map(|kind| (*kind, &volume[*kind])).find(|(_, source)| source.is_object())
    else {
        return Ok(None);
    };
    let mode = mode(&source["defaultMode"]).unwrap_or(DEFAULT_MODE);
    if kind != "projected" {
        return one(sources, volume, "secretName", mode).map(Some);
    }
    let mut payload = Payload::new();
    for source in object::list(source, "/sources") {
        payload.extend(one(sources, source, "name", mode)?);
    }
    Ok(Some(payload))
}

fn mode(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|mode| u32::try_from(mode).ok())
}

/// The files of one source.
fn one(
    sources: &Sources<'_>,
    source: &Value,
    secret_field: &str,
    default_mode: u32,
) -> Result<Payload, String> {
    for (kind, resource, field) in [("configMap", "configmaps", "name"), ("secret", "secrets", secret_field)]
    {
        if source[kind].is_object() {
            let name = source[kind][field].as_str().unwrap_or_default();
            return keys(sources, &source[kind], (resource, name), default_mode);
        }
    }
    if source["downwardAPI"].is_object() {
        return downward(sources, &source["downwardAPI"], default_mode);
    }
    if source["serviceAccountToken"].is_object() {
        let token = &source["serviceAccountToken"];
        let content = sources.tokens.get(sources.api, sources.pod, token)?.into_bytes();
        let file = File { content, mode: default_mode };
        return Ok(Payload::from([(object::text(token, "/path").to_owned(), file)]));
    }
    let kind = source.as_object().and_then(|map| map.keys().find(|key| *key != "name").cloned());
    Err(format!("the sandbox does not implement projected volumes from {}", kind.unwrap_or_default()))
}

/// The keys of a ConfigMap or a Secret.
fn keys(
    sources: &Sources<'_>,
    reference: &Value,
    (resource, name): (&str, &str),
    default_mode: u32,
) -> Result<Payload, String> {
    let optional = reference["optional"] == true;
    let Some(found) = sources.api.get(resource, object::namespace(sources.pod), name) else {
        let kind = resource.trim_end_matches('s');
        return if optional { Ok(Payload::new()) } else { Err(format!("{kind} \"{name}\" not found")) };
    };
    let mut all = data(&found, resource)?;
    let items = object::list(reference, "/items");
    if items.is_empty() {
        let file = |content| File { content, mode: default_mode };
        return Ok(all.into_iter().map(|(key, content)| (key, file(content))).collect());
    }
    let mut payload = Payload::new();
    for item in items {
        let key = item["key"].as_str().unwrap_or_default();
        match all.remove(key) {
            Some(content) => {
                let mode = mode(&item["mode"]).unwrap_or(default_mode);
                payload.insert(object::text(item, "/path").to_owned(), File { content, mode });
            }
            None if optional => {}
            None => return Err(format!("references non-existent {}: {key}", noun(resource))),
        }
    }
    Ok(payload)
}

/// What a real kubelet calls a key.
fn noun(resource: &str) -> &'static str {
    if resource == "secrets" { "secret key" } else { "config key" }
}

fn downward(sources: &Sources<'_>, source: &Value, default_mode: u32) -> Result<Payload, String> {
    let mut payload = Payload::new();
    for item in object::list(source, "/items") {
        let content = if item["resourceFieldRef"].is_object() {
            sources.resource(&item["resourceFieldRef"], None)?
        } else {
            sources.field(object::text(item, "/fieldRef/fieldPath"))?
        };
        let mode = mode(&item["mode"]).unwrap_or(default_mode);
        payload.insert(object::text(item, "/path").to_owned(), File { content: content.into_bytes(), mode });
    }
    Ok(payload)
}
