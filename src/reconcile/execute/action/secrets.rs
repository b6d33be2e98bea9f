//! The secrets of an action: read when its run begins, handed to nothing but the requests that need them, and masked wherever
//! they come back.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::failed;
use crate::cluster::Cluster;
use crate::domain::{ObjectKey, Problem, SecretReference, SecretText};
use crate::operate::StepError;

/// Shorter texts are not masked: they stand everywhere.
const LEAST: usize = 4;

/// The values behind the handles that a function has.
pub(super) struct Secrets(BTreeMap<(String, String), SecretText>);

/// Covers secrets in what is printed.
#[derive(Clone)]
pub(super) struct Mask(Vec<SecretText>);

impl Secrets {
    /// Reads every secret that `context` has a handle of.
    ///
    /// # Errors
    /// A Secret cannot be read.
    pub async fn of(cluster: &Cluster, namespace: &str, context: &Value) -> Result<Self, StepError> {
        let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        collect(context, &mut wanted);
        let mut values = BTreeMap::new();
        for (secret, keys) in wanted {
            let key = ObjectKey {
                api_version: "v1".to_owned(),
                kind: "Secret".to_owned(),
                namespace: namespace.to_owned(),
                name: secret.clone(),
            };
            let live = cluster.get(&key).await.map_err(failed)?.unwrap_or_default();
            for name in keys {
                let bytes = live["data"][&name].as_str().and_then(|text| STANDARD.decode(text).ok());
                if let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
                    values.insert((secret.clone(), name), SecretText::new(text));
                }
            }
        }
        Ok(Self(values))
    }

    /// The value that a handle stands for.
    ///
    /// # Errors
    /// It is not where it should be.
    pub fn get(&self, reference: &SecretReference) -> Result<&SecretText, Problem> {
        self.0.get(&(reference.secret.clone(), reference.key.clone())).ok_or_else(|| {
            Problem::new(
                "A secret is not there",
                format!("Secret/{} has no text under {}", reference.secret, reference.key),
                "type it again",
            )
        })
    }

    /// What covers them.
    pub fn mask(&self) -> Mask {
        let mut parts: Vec<SecretText> = Vec::new();
        for value in self.0.values() {
            let lines = value.reveal().lines().map(str::trim);
            let whole = std::iter::once(value.reveal());
            parts.extend(whole.chain(lines).filter(|part| part.len() >= LEAST).map(SecretText::new));
        }
        // the longest first: a part of one is not shown beside what covers another
        parts.sort_by_key(|part| std::cmp::Reverse(part.reveal().len()));
        parts.dedup();
        Mask(parts)
    }
}

impl Mask {
    /// The text with its secrets covered.
    pub fn cover(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.reveal(), "(secret)"))
    }
}

/// The handles in a context, by Secret.
fn collect(value: &Value, found: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(map) => {
            if let Some(reference) = map.get("$secret").and_then(SecretReference::read) {
                let keys = found.entry(reference.secret).or_default();
                if !keys.contains(&reference.key) {
                    keys.push(reference.key);
                }
            }
            map.values().for_each(|value| collect(value, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_covered_whole_and_line_by_line() {
        let key = |name: &str| ("s".to_owned(), name.to_owned());
        let secrets = Secrets(BTreeMap::from([
            (key("a"), SecretText::new("hunter2")),
            (key("b"), SecretText::new("first line\nsecond line")),
            (key("c"), SecretText::new("abc")),
        ]));
        let mask = secrets.mask();
        assert_eq!(mask.cover("it is hunter2, hunter2!"), "it is (secret), (secret)!");
        assert_eq!(mask.cover("x second line y"), "x (secret) y");
        assert_eq!(mask.cover("abc stays: it is too short"), "abc stays: it is too short");
    }
}
