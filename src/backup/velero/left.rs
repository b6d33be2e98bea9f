//! Velero's `Schedule` objects that are ours and that nothing here asks for any more.

use std::collections::BTreeSet;

use serde_json::Value;

use super::follow::{VeleroError, named};
use crate::cluster::{Cluster, ClusterError, DeleteOptions, key};
use crate::domain::{Environment, labels};

/// The schedules in a namespace that Velero runs in. It may have none: then none are wanted either.
pub(super) async fn schedules(cluster: &Cluster, namespace: &str) -> Result<Vec<Value>, VeleroError> {
    match cluster.list(&named("Schedule", namespace, "any")).await {
        Err(ClusterError::Unserved { .. }) => Err(VeleroError::NotInstalled),
        found => Ok(found?),
    }
}

/// Deletes those that are ours and of these environments, without the ones that are `wanted`.
pub(super) async fn delete(
    cluster: &Cluster,
    there: &[Value],
    environments: &[Environment],
    wanted: &BTreeSet<String>,
) -> Result<(), VeleroError> {
    for object in there.iter().filter(|object| is_left(object, environments, wanted)) {
        cluster.delete(&key(object), &DeleteOptions::default()).await?;
    }
    Ok(())
}

/// Deletes all that are ours and of these environments from a namespace that Velero runs in: its last location is removed.
///
/// # Errors
/// The cluster does not answer, or does not let us.
pub async fn forget_schedules(
    cluster: &Cluster,
    namespace: &str,
    environments: &[Environment],
) -> Result<(), VeleroError> {
    match schedules(cluster, namespace).await {
        Err(VeleroError::NotInstalled) => Ok(()),
        there => delete(cluster, &there?, environments, &BTreeSet::new()).await,
    }
}

pub(super) fn is_ours(object: &Value) -> bool {
    object["metadata"]["labels"][labels::MANAGED_BY] == labels::MANAGER
}

pub(super) fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

/// Whether one is ours, of an environment that is known here, and not wanted.
fn is_left(object: &Value, environments: &[Environment], wanted: &BTreeSet<String>) -> bool {
    let environment = object["metadata"]["labels"][labels::ENVIRONMENT].as_str();
    let is_known = environments.iter().any(|known| environment == Some(known.name.as_str()));
    is_ours(object) && is_known && !wanted.contains(&name_of(object))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_ours_and_of_a_known_environment_is_left() {
        let environments = [Environment::new("demo", "c", "demo")];
        let object = |by: &str, environment: &str| {
            let labels = json!({labels::MANAGED_BY: by, labels::ENVIRONMENT: environment});
            json!({"metadata": {"name": "nightly", "labels": labels}})
        };
        let (none, wanted) = (BTreeSet::new(), BTreeSet::from(["nightly".to_owned()]));
        let ours = object(labels::MANAGER, "demo");
        assert!(is_left(&ours, &environments, &none));
        assert!(!is_left(&ours, &environments, &wanted));
        assert!(!is_left(&object("helm", "demo"), &environments, &none));
        assert!(!is_left(&object(labels::MANAGER, "elsewhere"), &environments, &none));
    }
}
