//! The values of the secrets that a location names: read when they are needed, kept in memory only, and forgotten there.

mod aws;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::cluster::{Cluster, ClusterError};
use crate::domain::backup::{Location, LocationKind, S3Credentials, SecretSource};
use crate::domain::{ObjectKey, Problem};

/// How many random bytes a new password has.
const PASSWORD_BYTES: usize = 32;

/// What opens a location: its values, never written anywhere. The debug text has none of them.
#[derive(Clone)]
pub struct Secrets {
    /// The password of the repository.
    pub password: Zeroizing<String>,
    /// The keys of the bucket, for one.
    pub s3: Option<S3Keys>,
}

/// The access keys of a bucket.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Keys {
    /// The one that is no secret, but nobody's business either.
    pub access_key_id: String,
    /// The one that signs.
    pub secret_access_key: Zeroizing<String>,
    /// Of temporary keys.
    pub session_token: Option<Zeroizing<String>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("s3", &self.s3).finish_non_exhaustive()
    }
}

impl fmt::Debug for S3Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3Keys")
    }
}

/// A new password for a repository: 32 random bytes in base64url.
///
/// # Errors
/// The system has no random numbers.
pub fn new_password() -> Result<Zeroizing<String>, Problem> {
    let mut bytes = Zeroizing::new([0; PASSWORD_BYTES]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| {
        Problem::new("No password can be made", error.to_string(), "look what is wrong with /dev/urandom")
    })?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// Reads the secrets of a location: from Secrets of `cluster`, the environment of this process, and files.
///
/// # Errors
/// One of them is not there, cannot be read, or is empty; which one, without its value.
pub async fn resolve(location: &Location, cluster: Option<&Cluster>) -> Result<Secrets, Problem> {
    Surroundings::of_process(cluster).resolve(location).await
}

/// Where secrets come from.
struct Surroundings<'a> {
    cluster: Option<&'a Cluster>,
    variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
    home: Option<PathBuf>,
}

impl<'a> Surroundings<'a> {
    fn of_process(cluster: Option<&'a Cluster>) -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        Self { cluster, variable: &|name| std::env::var(name).ok(), home }
    }

    async fn resolve(&self, location: &Location) -> Result<Secrets, Problem> {
        let what = |thing: &str| format!("The {thing} of the location '{}' cannot be read", location.name);
        let next = "correct where the location says that it is";
        if location.is_velero() {
            let why = "Velero keeps it, with keys of its own";
            return Err(Problem::new(what("password"), why, "look into it with Velero's own tools"));
        }
        let failed = |thing: &str, why: String| Problem::new(what(thing), why, next);
        let password = self.text(&location.key).await.map_err(|why| failed("password", why))?;
        let s3 = match &location.kind {
            LocationKind::Directory { .. } | LocationKind::Velero { .. } => None,
            LocationKind::S3 { credentials, .. } => {
                let keys = self.keys(credentials).await;
                Some(keys.map_err(|why| failed("access keys", why))?)
            }
        };
        Ok(Secrets { password, s3 })
    }

    async fn text(&self, source: &SecretSource) -> Result<Zeroizing<String>, String> {
        let (text, place) = match source {
            SecretSource::Secret { namespace, name, key } => {
                let data = self.secret(namespace, name).await?;
                let value = value(&data, key)?
                    .ok_or_else(|| format!("Secret/{name} in {namespace} has no key '{key}'"))?;
                (value, format!("Secret/{name} in {namespace}, key '{key}'"))
            }
            SecretSource::Environment { variable } => {
                let value = (self.variable)(variable)
                    .ok_or_else(|| format!("the variable {variable} is not set where the engine runs"))?;
                (Zeroizing::new(value), format!("the variable {variable}"))
            }
            SecretSource::File { path } => {
                let text = file(path).await?.ok_or_else(|| format!("{} is not there", path.display()))?;
                let length = text.trim_end_matches(['\n', '\r']).len();
                (Zeroizing::new(text[..length].to_owned()), path.display().to_string())
            }
            SecretSource::Unneeded => return Err("the location says that there is none".to_owned()),
        };
        if text.is_empty() { Err(format!("{place} is empty")) } else { Ok(text) }
    }

    async fn keys(&self, credentials: &S3Credentials) -> Result<S3Keys, String> {
        match credentials {
            S3Credentials::Secret { namespace, name } => {
                let data = self.secret(namespace, name).await?;
                let place = format!("Secret/{name} in {namespace}");
                keys_of(&place, |name| value(&data, name))
            }
            S3Credentials::Environment => {
                keys_of("the environment of the engine", |name| Ok((self.variable)(name).map(Zeroizing::new)))
            }
            S3Credentials::Profile { profile } => {
                let named =
                    (self.variable)("AWS_PROFILE").filter(|_| profile == "default" || profile.is_empty());
                let profile =
                    named.as_deref().unwrap_or(if profile.is_empty() { "default" } else { profile });
                let mut found = aws::Profile::default();
                let files = [("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")];
                for (variable, name) in files {
                    let at = (self.variable)(variable).map(PathBuf::from);
                    let at = at.or_else(|| Some(self.home.as_ref()?.join(".aws").join(name)));
                    let Some(at) = at else { continue };
                    if let Some(text) = file(&at).await? {
                        found.add(&text, profile);
                    }
                }
                keys_of(&format!("the profile '{profile}' of the AWS files"), |name| Ok(found.get(name)))
            }
        }
    }

    /// The data of a Secret.
    async fn secret(&self, namespace: &str, name: &str) -> Result<Value, String> {
        let cluster = self
            .cluster
            .ok_or_else(|| format!("Secret/{name} in {namespace} is on a cluster, and none is connected"))?;
        let key = ObjectKey {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let found = cluster.get(&key).await.map_err(|error: ClusterError| error.to_string())?;
        let mut found = found.ok_or_else(|| format!("there is no Secret/{name} in {namespace}"))?;
        Ok(found.get_mut("data").map(Value::take).unwrap_or_default())
    }
}

/// A value in the data of a Secret; none when it has none of that name.
///
/// # Errors
/// It is no text.
pub fn value(data: &Value, key: &str) -> Result<Option<Zeroizing<String>>, String> {
    let Some(encoded) = data.get(key).and_then(Value::as_str) else { return Ok(None) };
    let unreadable = || format!("the value of '{key}' is no text");
    let bytes = STANDARD.decode(encoded).map_err(|_| unreadable())?;
    String::from_utf8(bytes).map(|text| Some(Zeroizing::new(text))).map_err(|_| unreadable())
}

/// The keys of a bucket, by their usual names.
fn keys_of(
    place: &str,
    get: impl Fn(&str) -> Result<Option<Zeroizing<String>>, String>,
) -> Result<S3Keys, String> {
    let optional = |name: &str| {
        let value = get(name)?.map(|value| Zeroizing::new(value.trim().to_owned()));
        Ok::<_, String>(value.filter(|value| !value.is_empty()))
    };
    let needed = |name: &str| optional(name)?.ok_or_else(|| format!("{place} has no {name}"));
    Ok(S3Keys {
        access_key_id: needed("AWS_ACCESS_KEY_ID")?.to_string(),
        secret_access_key: needed("AWS_SECRET_ACCESS_KEY")?,
        session_token: optional("AWS_SESSION_TOKEN")?,
    })
}

/// The text of a file; none when it is not there.
async fn file(path: &Path) -> Result<Option<Zeroizing<String>>, String> {
    match tokio::fs::read_to_string(path).await {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}
