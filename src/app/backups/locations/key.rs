//! Keys of locations: made where none is given, and never overwritten.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Ground;
use crate::backup::secrets;
use crate::cluster::{ApplyOptions, SYSTEM_NAMESPACE};
use crate::domain::backup::SecretSource;
use crate::domain::{ObjectKey, Problem, labels, names};

/// The key in the data of a Secret with a location's key.
const PASSWORD: &str = "password";

/// A key that was made for a location, or lay there from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Where the engine reads it.
    pub source: SecretSource,
    /// The file that it lies in.
    pub file: PathBuf,
    /// Whether it was made now.
    pub made: bool,
}

impl Ground {
    /// Makes the key of a new location in a file that only its owner can read; with `in_cluster`, also in a Secret of Styrmin's
    /// namespace, for engines that run elsewhere. A file that is there already has the key: it is never overwritten. A Secret that
    /// is there already is used when it has the same one.
    ///
    /// # Errors
    /// It cannot be written; or, for the Secret, there is no cluster or no namespace of Styrmin's, or another key lies there.
    pub async fn new_key(&self, location: &str, in_cluster: bool) -> Result<NewKey, Problem> {
        let Some(directory) = self.keys.clone() else {
            let why = "nobody said where the configuration is";
            return Err(Problem::new("No key can be made", why, "give one with --key-file"));
        };
        let file = directory.join(format!("{location}.key"));
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|error| unwritten(&directory, &error))?;
        let made = match write_secretly(&file, &secrets::new_password()?) {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
            Err(error) => return Err(unwritten(&file, &error)),
        };
        let source = match in_cluster {
            true => self.copy_to_cluster(location, &file).await?,
            false => SecretSource::File { path: file.clone() },
        };
        Ok(NewKey { source, file, made })
    }

    async fn copy_to_cluster(&self, location: &str, file: &Path) -> Result<SecretSource, Problem> {
        let Some(cluster) = self.cluster() else {
            let what = "The key cannot be kept on the cluster";
            return Err(Problem::new(what, "no cluster is connected", "name one with --context"));
        };
        let text = fs::read_to_string(file).map_err(|error| unwritten(file, &error))?;
        let text = Zeroizing::new(text);
        let password = text.trim_end();
        let name = names::bounded(&["styrmin-location", location], names::LABEL_MAX);
        let key = ObjectKey {
            api_version: "v1".into(),
            kind: "Secret".into(),
            namespace: SYSTEM_NAMESPACE.into(),
            name: name.clone(),
        };
        let source = SecretSource::Secret {
            namespace: SYSTEM_NAMESPACE.into(),
            name: name.clone(),
            key: PASSWORD.into(),
        };
        if let Some(there) = cluster.get(&key).await.map_err(|error| error.problem())? {
            // an earlier try may have got as far as this
            if has(&there, password) {
                return Ok(source);
            }
            return Err(Problem::new(
                format!("Secret/{name} exists already in {SYSTEM_NAMESPACE}"),
                format!("it has another key than {}; it may be that of another repository", file.display()),
                format!("use it: --key-secret {SYSTEM_NAMESPACE}/{name}/{PASSWORD}"),
            ));
        }
        let object = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "namespace": SYSTEM_NAMESPACE,
                "labels": {labels::MANAGED_BY: labels::MANAGER},
            },
            "stringData": {PASSWORD: password},
        });
        cluster.apply(&object, ApplyOptions::default()).await.map_err(|error| error.problem())?;
        Ok(source)
    }
}

/// Whether a Secret has this password.
fn has(secret: &Value, password: &str) -> bool {
    matches!(secrets::value(&secret["data"], PASSWORD), Ok(Some(known)) if *known == *password)
}

/// Writes a secret into a new file that only its owner can read, and makes sure that it is on the disk.
///
/// # Errors
/// There is a file already, or it cannot be written.
pub fn write_secretly(path: &Path, secret: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(secret.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn unwritten(path: &Path, error: &std::io::Error) -> Problem {
    let next = "make it writable for you, or give a key of your own with --key-file";
    Problem::new(format!("The key cannot be kept at {}", path.display()), error.to_string(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_a_password_only_when_it_is_the_same() {
        let secret = json!({"data": {"password": "c2VjcmV0"}});
        assert!(has(&secret, "secret"));
        for other in [json!({"data": {"password": "b3RoZXI="}}), json!({"data": {"password": 7}}), json!({})]
        {
            assert!(!has(&other, "secret"), "{other}");
        }
    }
}
