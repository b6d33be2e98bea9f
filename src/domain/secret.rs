//! Secret parameters: the typed value, which goes nowhere but into a Kubernetes Secret, and the reference that stands for it in
//! drafts, records, contexts and plans.

use std::collections::BTreeMap;
use std::fmt;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::names::{LABEL_MAX, bounded};

/// How many bytes of a keyed digest are kept: two values of one parameter do not share them by chance.
const DIGEST_LENGTH: usize = 16;

/// A text that a person typed. It is never shown, written or kept: `Debug` masks it, it has no `Serialize`, and its memory is
/// overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes a typed text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for the one request that writes it into its Secret and for the checks before it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Typed values by the name of their parameter.
pub type TypedSecrets = BTreeMap<String, SecretText>;

/// Where the value of a secret parameter lies, in the namespace of its environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretReference {
    /// The name of the Secret.
    pub secret: String,
    /// The key in it.
    pub key: String,
    /// The keyed digest of the value: another value has another one. None for a Secret that is not ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl SecretReference {
    /// The reference in the Secret of a deployment.
    pub fn new(deployment: &str, parameter: &str, digest: String) -> Self {
        Self { secret: secret_name(deployment), key: format!("{parameter}.{digest}"), digest: Some(digest) }
    }

    /// The reference that a value of a parameter is, if it is one.
    pub fn read(value: &Value) -> Option<Self> {
        // Serde would take the items of a list for the fields.
        let object = Some(value).filter(|value| value.is_object())?;
        let found = Self::deserialize(object).ok()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let valid = |text: &str| !text.is_empty() && text.len() <= 253 && text.chars().all(plain);
        (valid(&found.secret) && valid(&found.key)).then_some(found)
    }

    /// The reference as a value of a parameter.
    pub fn to_value(&self) -> Value {
        match &self.digest {
            Some(digest) => json!({ "secret": self.secret, "key": self.key, "digest": digest }),
            None => json!({ "secret": self.secret, "key": self.key }),
        }
    }
}

/// The name of the Secret that holds the values of a deployment's secret parameters.
pub fn secret_name(deployment: &str) -> String {
    bounded(&[deployment, "parameters"], LABEL_MAX)
}

/// The name of the Secret that holds the seed of a deployment's chart.
pub fn seed_name(deployment: &str) -> String {
    bounded(&[deployment, "seed"], LABEL_MAX)
}

/// The references among the values of parameters, by parameter.
pub fn references(parameters: &BTreeMap<String, Value>) -> BTreeMap<String, SecretReference> {
    let found =
        parameters.iter().filter_map(|(name, value)| Some((name.clone(), SecretReference::read(value)?)));
    found.collect()
}

/// The digest of a parameter's value under a key that lies beside it: from the digest alone nobody can try out values.
pub fn keyed_digest(key: &[u8], parameter: &str, value: &SecretText) -> String {
    // An HMAC takes keys of every length.
    let Ok(mut hmac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else { return String::new() };
    hmac.update(parameter.as_bytes());
    hmac.update(&[0]);
    hmac.update(value.reveal().as_bytes());
    let bytes = hmac.finalize().into_bytes();
    bytes.iter().take(DIGEST_LENGTH).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_secret_is_never_shown() {
        let text = SecretText::new("hunter2");
        assert_eq!(format!("{text:?}"), "(secret)");
        let typed = TypedSecrets::from([("password".to_owned(), text)]);
        assert!(!format!("{typed:?}").contains("hunter2"));
    }

    #[test]
    fn a_digest_depends_on_the_key_the_parameter_and_the_value() {
        let (one, two) = (SecretText::new("hunter2"), SecretText::new("hunter3"));
        let digest = keyed_digest(b"k", "password", &one);
        assert_eq!(digest.len(), 32);
        assert_eq!(digest, keyed_digest(b"k", "password", &one));
        for other in [
            keyed_digest(b"l", "password", &one),
            keyed_digest(b"k", "token", &one),
            keyed_digest(b"k", "password", &two),
        ] {
            assert_ne!(digest, other);
        }
        // printf 'password\0hunter2' | openssl dgst -sha256 -hmac k
        assert_eq!(digest, "38e7bb81b83e34f9c65867a6236d9e12");
    }

    #[test]
    fn references_are_told_from_everything_else() {
        let reference = SecretReference::new("notes", "password", "ab12".to_owned());
        assert_eq!(
            (reference.secret.as_str(), reference.key.as_str()),
            ("notes-parameters", "password.ab12")
        );
        assert_eq!(SecretReference::read(&reference.to_value()), Some(reference));
        let foreign = json!({"secret": "mine", "key": "password"});
        assert_eq!(SecretReference::read(&foreign).unwrap().to_value(), foreign);
        for other in [
            json!("hunter2"),
            json!({"secret": "a"}),
            json!({"secret": "a", "key": "b", "value": "hunter2"}),
            json!({"secret": "", "key": "b"}),
            json!({"secret": "a", "key": "b/c"}),
            json!(["a"]),
            json!(["a", "b"]),
            json!(["a", "b", "c"]),
            json!(["a.example.org", "b.example.org"]),
        ] {
            assert_eq!(SecretReference::read(&other), None, "{other}");
        }
        assert!(secret_name(&"x".repeat(60)).len() <= LABEL_MAX);
    }
}
