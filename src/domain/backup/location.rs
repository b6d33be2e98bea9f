//! Backup storage locations: a repository in restic's format, in a directory or a bucket; or what Velero keeps.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::Problem;

/// A place that backups are kept in, and how its repository is opened. Holds references to secrets, never their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Its name, a DNS label, unique per state directory.
    pub name: String,
    /// Where.
    pub kind: LocationKind,
    /// Where the key of the repository is; [`SecretSource::Unneeded`] where Velero has its own.
    pub key: KeySource,
    /// The repository's own identifier, once it was made or opened: another one under the same path is another repository.
    pub repository: Option<String>,
    /// When it was added.
    pub created: Timestamp,
}

/// Where a location is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum LocationKind {
    /// A directory of the machine that the engine runs on.
    Directory {
        /// Absolute.
        path: PathBuf,
    },
    /// A bucket of any S3-compatible service.
    S3 {
        /// `https://s3.example.com`; with its port, without the bucket.
        endpoint: String,
        /// The bucket; it must exist.
        bucket: String,
        /// What the keys of its objects begin with; empty for the whole bucket. No slash at either end.
        prefix: String,
        /// The region that requests are signed for.
        region: String,
        /// The bucket in the path, not in the host name.
        path_style: bool,
        /// A PEM file with the authorities to trust besides the system's.
        ca: Option<PathBuf>,
        /// Who asks.
        credentials: S3Credentials,
    },
    /// Velero makes the backups, and keeps them where its own storage location says.
    Velero {
        /// The namespace that Velero runs in.
        namespace: String,
        /// The name of its BackupStorageLocation; none: its default one.
        storage_location: Option<String>,
    },
}

/// Where the access key of a bucket comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum S3Credentials {
    /// A Kubernetes Secret with the keys `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where there is one, `AWS_SESSION_TOKEN`.
    Secret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` of the engine's process.
    Environment,
    /// A profile of the usual AWS files (`~/.aws/credentials`, `~/.aws/config`, or what `AWS_SHARED_CREDENTIALS_FILE` names).
    Profile {
        /// `default` unless another one is named.
        profile: String,
    },
}

/// Where the password of a repository comes from: the one that the public `restic` asks for.
pub type KeySource = SecretSource;

/// Where one secret text comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum SecretSource {
    /// A key of a Kubernetes Secret.
    Secret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The key in its data.
        key: String,
    },
    /// A variable of the engine's process.
    Environment {
        /// The variable.
        variable: String,
    },
    /// A file on the engine's machine, without a trailing line feed.
    File {
        /// Absolute.
        path: PathBuf,
    },
    /// There is none: others look after the data, and how it is encrypted.
    Unneeded,
}

/// A location, and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationView {
    /// The location.
    pub location: Location,
    /// The last check: when, and what was wrong.
    pub checked: Option<(Timestamp, Option<Problem>)>,
    /// What its files take, in bytes, as last counted.
    pub size: Option<u64>,
    /// How many backups the catalogue has in it.
    pub backups: usize,
}

impl Location {
    /// Whether Velero makes and keeps what lies in it.
    pub fn is_velero(&self) -> bool {
        matches!(self.kind, LocationKind::Velero { .. })
    }

    /// Where it is, as people and `restic -r` write it: a path, or `s3:https://host/bucket/prefix`. Of Velero's:
    /// `velero:<namespace>/<storage location>`.
    pub fn address(&self) -> String {
        match &self.kind {
            LocationKind::Directory { path } => path.display().to_string(),
            LocationKind::S3 { endpoint, bucket, prefix, .. } if prefix.is_empty() => {
                format!("s3:{endpoint}/{bucket}")
            }
            LocationKind::S3 { endpoint, bucket, prefix, .. } => format!("s3:{endpoint}/{bucket}/{prefix}"),
            LocationKind::Velero { namespace, storage_location } => {
                format!("velero:{namespace}/{}", storage_location.as_deref().unwrap_or("(default)"))
            }
        }
    }
}
