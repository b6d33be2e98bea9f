//! Writing Velero's resources and waiting for what becomes of them. Everything is watched, nothing asked twice.

use futures::{Stream, StreamExt};
use serde_json::{Value, json};

use crate::cluster::{ApplyOptions, Cluster, ClusterError, key};
use crate::domain::backup::{Backup, BackupId, BackupState};
use crate::domain::{ObjectKey, Problem};

use super::read::{Report, catalogued, report};
use super::{API_VERSION, NAMESPACE};

/// Why Velero could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VeleroError {
    /// Its resources are not there.
    #[error("Velero is not installed on this cluster")]
    NotInstalled,
    /// The object was deleted while it was followed.
    #[error("{0} was deleted")]
    Gone(String),
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl VeleroError {
    /// The same for people.
    pub fn problem(&self) -> Problem {
        match self {
            Self::NotInstalled => Problem::new(
                "Velero is not installed on this cluster",
                format!("{API_VERSION} is not served"),
                "install it (velero install), or assign another location to the environment",
            ),
            Self::Gone(name) => Problem::new(
                format!("{name} was deleted"),
                "somebody took it away before it ended",
                "begin again",
            ),
            Self::Cluster(error) => error.problem(),
        }
    }

    /// Whether it may be otherwise the next time.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_transient())
    }
}

/// How a `Backup` or `Restore` ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What it said at last.
    pub report: Report,
    /// The object, whole.
    pub object: Value,
}

/// Whether Velero's resources are served.
///
/// # Errors
/// The cluster does not answer.
pub async fn installed(cluster: &Cluster) -> Result<bool, ClusterError> {
    match cluster.is_namespaced(&named("Backup", NAMESPACE, "any")).await {
        Ok(_) => Ok(true),
        Err(ClusterError::Unserved { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the object, or takes the one that a crash left: its name says that it is the same.
///
/// # Errors
/// Velero is not installed, or the cluster refuses it.
pub async fn write(cluster: &Cluster, object: &Value) -> Result<(), VeleroError> {
    match cluster.apply(object, ApplyOptions::default()).await {
        Ok(_) => Ok(()),
        Err(ClusterError::Unserved { .. }) => Err(VeleroError::NotInstalled),
        Err(error) => Err(error.into()),
    }
}

/// Waits until a `Backup` or `Restore` has ended; every report on the way is told.
///
/// # Errors
/// It is deleted meanwhile, or the cluster denies to watch it.
pub async fn follow(
    cluster: &Cluster,
    object: &ObjectKey,
    mut tell: impl FnMut(&Report) + Send,
) -> Result<Ended, VeleroError> {
    let events = cluster.follow(object).await?;
    until_ended(Box::pin(events), object, &mut tell).await
}

async fn until_ended(
    mut events: impl Stream<Item = Result<Option<Value>, ClusterError>> + Send + Unpin,
    key: &ObjectKey,
    tell: &mut (impl FnMut(&Report) + Send),
) -> Result<Ended, VeleroError> {
    let mut last = None;
    while let Some(event) = events.next().await {
        let object = match event {
            Ok(Some(object)) => object,
            Ok(None) => return Err(VeleroError::Gone(key.to_string())),
            // the watch begins anew by itself
            Err(error) => {
                tracing::debug!(%error, "a watch on Velero was lost");
                continue;
            }
        };
        let found = report(&object);
        if last.as_ref() != Some(&found) {
            tell(&found);
        }
        if found.state.is_final() {
            return Ok(Ended { report: found, object });
        }
        last = Some(found);
    }
    Err(VeleroError::Gone(key.to_string()))
}

/// Asks what moves data for a backup to stop. Velero has no way to cancel the backup as a whole (velero#2098): it ends by itself then,
/// partially failed.
///
/// # Errors
/// The cluster does not answer.
pub async fn cancel(cluster: &Cluster, home: &str, backup: &BackupId) -> Result<usize, ClusterError> {
    let mut asked = 0;
    for (api_version, kind) in [(API_VERSION, "PodVolumeBackup"), ("velero.io/v2alpha1", "DataUpload")] {
        let probe = ObjectKey { api_version: api_version.to_owned(), ..named(kind, home, "any") };
        let all = match cluster.list(&probe).await {
            Err(ClusterError::Unserved { .. } | ClusterError::Forbidden { .. }) => continue,
            found => found?,
        };
        let its =
            all.iter().filter(|object| object["metadata"]["labels"]["velero.io/backup-name"] == backup.0);
        for object in its {
            cluster.merge(&key(object), &json!({ "spec": { "cancel": true } })).await?;
            asked += 1;
        }
    }
    Ok(asked)
}

/// Asks Velero to delete a backup with its data. Deleting the `Backup` alone would bring it back from the bucket.
///
/// # Errors
/// Velero is not installed, or the cluster refuses it.
pub async fn delete(cluster: &Cluster, home: &str, backup: &BackupId) -> Result<(), VeleroError> {
    let request = json!({
        "apiVersion": API_VERSION,
        "kind": "DeleteBackupRequest",
        "metadata": { "name": backup.0, "namespace": home, "labels": { "velero.io/backup-name": backup.0 } },
        "spec": { "backupName": backup.0 },
    });
    write(cluster, &request).await
}

/// The backups that Velero has of an environment's namespace, newest first. None where it is not installed, or may not be looked at.
///
/// # Errors
/// The cluster does not answer.
pub async fn list(
    cluster: &Cluster,
    home: &str,
    environment: (&str, &str),
) -> Result<Vec<Backup>, ClusterError> {
    let all = match cluster.list(&named("Backup", home, "any")).await {
        Err(ClusterError::Unserved { .. } | ClusterError::Forbidden { .. }) => return Ok(Vec::new()),
        found => found?,
    };
    let mut found: Vec<Backup> =
        all.iter().filter_map(|object| catalogued(object, cluster.name(), environment)).collect();
    found.sort_by_key(|backup| std::cmp::Reverse(backup.created));
    found.retain(|backup| backup.state != BackupState::Cancelled);
    Ok(found)
}

/// The key of one of Velero's objects.
fn named(kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: API_VERSION.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}
