//! Keys of locations: made where none is given, and never overwritten.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::json;

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
    /// namespace, for engines that run elsewhere. A file that is there already has the key: it is never overwritten.
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
        let password = fs::read_to_string(file).map_err(|error| unwritten(file, &error))?;
        let name = names::bounded(&["styrmin-location", location], names::LABEL_MAX);
        let key = ObjectKey {
            api_version: "v1".into(),
            kind: "Secret".into(),
            namespace: SYSTEM_NAMESPACE.into(),
            name: name.clone(),
        };
        if cluster.get(&key).await.map_err(|error| error.problem())?.is_some() {
            return Err(Problem::new(
                format!("Secret/{name} exists already in {SYSTEM_NAMESPACE}"),
                "it may have the key of another repository",
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
            "stringData": {PASSWORD: password.trim_end()},
        });
        cluster.apply(&object, ApplyOptions::default()).await.map_err(|error| error.problem())?;
        Ok(SecretSource::Secret { namespace: SYSTEM_NAMESPACE.into(), name, key: PASSWORD.into() })
    }
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
