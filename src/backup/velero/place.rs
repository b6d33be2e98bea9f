//! Where Velero keeps what: its own storage locations, and which environments are backed up there.

use serde_json::Value;

use super::follow::{VeleroError, named};
use crate::cluster::{Cluster, ClusterError};
use crate::domain::Problem;
use crate::domain::backup::{Location, LocationKind};
use crate::store::{Store, StoreError};

/// The location that an environment is backed up to, where that is Velero's.
///
/// # Errors
/// The records cannot be read.
pub async fn location_of(
    store: &Store,
    cluster: &str,
    environment: &str,
) -> Result<Option<Location>, StoreError> {
    let known = store.environment(cluster, environment).await?;
    let Some(name) = known.and_then(|known| known.backup_location) else { return Ok(None) };
    let location = store.location(&name).await?.map(|view| view.location);
    Ok(location.filter(Location::is_velero))
}

/// Whether Velero can write to the storage location that a location stands for: the name of that, and what is wrong. Only its status
/// is read: Velero looks by itself.
///
/// # Errors
/// Velero is not installed, or the cluster does not answer.
pub async fn available(
    cluster: &Cluster,
    location: &Location,
) -> Result<(String, Option<Problem>), VeleroError> {
    let LocationKind::Velero { namespace, storage_location } = &location.kind else {
        let problem = Problem::new(format!("{} is not Velero's", location.name), location.address(), "");
        return Ok((location.name.clone(), Some(problem)));
    };
    let all = match cluster.list(&named("BackupStorageLocation", namespace, "any")).await {
        Err(ClusterError::Unserved { .. }) => return Err(VeleroError::NotInstalled),
        found => found?,
    };
    Ok(judge(&all, namespace, storage_location.as_deref()))
}

/// The one of these that is meant, and what is wrong with it.
fn judge(all: &[Value], namespace: &str, wanted: Option<&str>) -> (String, Option<Problem>) {
    let name_of = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let found = all.iter().find(|object| match wanted {
        Some(name) => name_of(object) == name,
        None => object["spec"]["default"] == true,
    });
    let Some(found) = found else {
        let names: Vec<String> = all.iter().map(name_of).collect();
        let (what, next) = match wanted {
            Some(name) => (format!("Velero has no storage location '{name}'"), "name one of them"),
            None => ("Velero has no default storage location".to_owned(), "give --storage-location"),
        };
        let why = match names.is_empty() {
            true => format!("there is no BackupStorageLocation in {namespace}"),
            false => format!("{namespace} has {}", names.join(", ")),
        };
        let name = wanted.unwrap_or_default().to_owned();
        return (name, Some(Problem::new(what, why, next)));
    };
    let (name, status) = (name_of(found), &found["status"]);
    let problem = match status["phase"].as_str() {
        Some("Available") => None,
        phase => {
            let text = |field: &str| status[field].as_str().filter(|text| !text.is_empty());
            let phase = phase.filter(|phase| !phase.is_empty()).unwrap_or("not looked at yet");
            let seen = text("lastValidationTime").map(|at| format!("as Velero saw it at {at}"));
            let why: Vec<String> = text("message").map(str::to_owned).into_iter().chain(seen).collect();
            Some(Problem::new(
                format!("Velero's storage location {name} is {phase}"),
                why.join("; "),
                format!("velero backup-location get {name} --namespace {namespace}"),
            ))
        }
    };
    (name, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_velero_says_of_its_storage_location_counts() {
        let all = [
            json!({"metadata": {"name": "a"}, "spec": {"default": true}, "status": {"phase": "Available"}}),
            json!({"metadata": {"name": "b"}, "spec": {},
                "status": {"phase": "Unavailable", "message": "no bucket", "lastValidationTime": "2026-11-29T03:00:00Z"}}),
            json!({"metadata": {"name": "c"}, "spec": {}}),
        ];
        assert_eq!(judge(&all, "velero", None), ("a".to_owned(), None));
        let why = |name: &str| judge(&all, "velero", Some(name)).1.unwrap();
        assert_eq!(why("b").why, "no bucket; as Velero saw it at 2026-11-29T03:00:00Z");
        assert_eq!(why("c").what, "Velero's storage location c is not looked at yet");
        assert_eq!(why("d").why, "velero has a, b, c");
        assert!(judge(&all[1..], "velero", None).1.unwrap().what.contains("no default"));
    }
}
