//! Writing Velero's resources and waiting for what becomes of them. Everything is watched, nothing asked twice.

use futures::{Stream, StreamExt};
use serde_json::{Value, json};

use crate::cluster::{ApplyOptions, Cluster, ClusterError, DeleteOptions, key};
use crate::domain::backup::{Backup, BackupId, BackupState};
use crate::domain::names::digest;
use crate::domain::{ObjectKey, Problem};

use super::read::{Report, catalogued, report};
use super::{API_VERSION, NAMESPACE};

/// The label of everything of a backup.
const BACKUP_NAME: &str = "velero.io/backup-name";
/// The longest label, and how much of its hash stands at the end of a longer name.
const LABEL_MAX: usize = 63;
const SHORTENED: usize = 6;

/// Why Velero could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VeleroError {
    /// Its resources are not there.
    #[error("Velero is not installed on this cluster")]
    NotInstalled,
    /// The object was deleted while it was followed.
    #[error("{0} was deleted")]
    Gone(String),
    /// It did not delete a backup.
    #[error("Velero did not delete {backup}: {why}")]
    Refused {
        /// The backup.
        backup: BackupId,
        /// In Velero's words.
        why: String,
    },
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
            Self::Refused { backup, why } => Problem::new(
                format!("Velero did not delete {backup}"),
                why.clone(),
                "look whether its storage location answers, then delete it again",
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
        let label = label_of(backup);
        let its = all.iter().filter(|object| object["metadata"]["labels"][BACKUP_NAME] == label);
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
        "metadata": { "name": backup.0, "namespace": home, "labels": { (BACKUP_NAME): label_of(backup) } },
        "spec": { "backupName": backup.0 },
    });
    // one that was carried out in vain is not looked at again
    let before = match cluster.get(&key(&request)).await {
        Err(ClusterError::Unserved { .. }) => return Err(VeleroError::NotInstalled),
        found => found?,
    };
    if before.is_some_and(|before| before["status"]["phase"] == "Processed") {
        cluster.delete(&key(&request), &DeleteOptions::default()).await?;
    }
    write(cluster, &request).await
}

/// Whether Velero has a backup of that name.
///
/// # Errors
/// Velero is not installed, or the cluster does not answer.
pub async fn is_there(cluster: &Cluster, home: &str, backup: &BackupId) -> Result<bool, VeleroError> {
    match cluster.get(&named("Backup", home, &backup.0)).await {
        Err(ClusterError::Unserved { .. }) => Err(VeleroError::NotInstalled),
        found => Ok(found?.is_some()),
    }
}

/// Waits until Velero has deleted a backup that it was asked to.
///
/// # Errors
/// Velero says why it could not, or the cluster denies to watch it.
pub async fn until_deleted(cluster: &Cluster, home: &str, backup: &BackupId) -> Result<(), VeleroError> {
    let gone = Box::pin(cluster.follow(&named("Backup", home, &backup.0)).await?);
    let mut gone = gone.filter(|event| std::future::ready(matches!(event, Ok(None))));
    let asked = Box::pin(cluster.follow(&named("DeleteBackupRequest", home, &backup.0)).await?);
    let mut refusals = asked.filter_map(|event| std::future::ready(refusal(event.ok().flatten().as_ref())));
    tokio::select! {
        _ = gone.next() => Ok(()),
        Some(why) = refusals.next() => Err(VeleroError::Refused { backup: backup.clone(), why }),
    }
}

/// Why a request to delete a backup was carried out in vain.
fn refusal(request: Option<&Value>) -> Option<String> {
    let errors = request?["status"]["errors"].as_array()?;
    let reasons: Vec<&str> = errors.iter().filter_map(Value::as_str).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// What Velero writes on everything of a backup: its name, shortened by Velero's rule where it is no label.
fn label_of(backup: &BackupId) -> String {
    let name = &backup.0;
    match name.len() <= LABEL_MAX {
        true => name.clone(),
        false => {
            let hash = digest(name.as_bytes());
            format!("{}{}", &name[..LABEL_MAX - SHORTENED], &hash[..SHORTENED])
        }
    }
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
pub(super) fn named(kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: API_VERSION.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_label_is_shortened_as_velero_does() {
        let short = BackupId("notes-20261129t114403-3f2a9c1b".into());
        assert_eq!(label_of(&short), short.0);
        // label.GetValidName of Velero: 57 characters, then six of its SHA-256
        let long = BackupId("a".repeat(65));
        assert_eq!(label_of(&long), format!("{}635361", "a".repeat(57)));
    }

    #[test]
    fn a_deletion_in_vain_has_a_reason() {
        let said = json!({"status": {"phase": "Processed", "errors": ["no bucket", "no snapshot"]}});
        assert_eq!(refusal(Some(&said)).unwrap(), "no bucket; no snapshot");
        assert_eq!(refusal(Some(&json!({"status": {"phase": "Processed", "errors": []}}))), None);
        assert_eq!(refusal(None), None);
    }
}
