//! The Secrets that Styrmin itself keeps for a deployment: what was typed into its secret parameters, and what its chart is
//! rendered with. No driver renders them. Whoever confirms a wish writes them before it is recorded, and the plan shows that; they
//! go with the deployment.

use serde_json::{Value, json};

use crate::cluster::{ApplyOptions, ClusterError};
use crate::domain::secret::{secret_name, seed_name};
use crate::domain::{Environment, ObjectKey, Problem, labels};

use super::engine::Engine;
use super::owner::Owner;
use super::place;

/// Whether an object is a Secret that Styrmin itself keeps for the deployment.
pub(super) fn is_own_secret(key: &ObjectKey, deployment: &str) -> bool {
    key.kind == "Secret"
        && key.api_version == "v1"
        && [secret_name, seed_name].iter().any(|name| name(deployment) == key.name)
}

/// The key of a Secret.
pub(super) fn key(namespace: &str, name: String) -> ObjectKey {
    ObjectKey {
        api_version: "v1".to_owned(),
        kind: "Secret".to_owned(),
        namespace: namespace.to_owned(),
        name,
    }
}

/// The Secret of a deployment with this data, each value in base64.
pub(super) fn object(key: &ObjectKey, environment: &str, deployment: &str, data: &Value) -> Value {
    json!({
        "apiVersion": key.api_version,
        "kind": key.kind,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": {
                labels::MANAGED_BY: labels::MANAGER,
                labels::ENVIRONMENT: environment,
                labels::DEPLOYMENT: deployment,
            },
        },
        "type": "Opaque",
        "data": data,
    })
}

/// A Secret that exists under that name is the deployment's.
///
/// # Errors
/// It is not: whose it is.
pub(super) fn check_owner(live: &Value, key: &ObjectKey, deployment: &str) -> Result<(), Problem> {
    // it lies in the environment's own namespace
    match Owner::of(|name| live["metadata"]["labels"][name].as_str(), "") {
        Some(owner) if owner.deployment == deployment => Ok(()),
        Some(other) => Err(super::preview::collision(key, &other)),
        None => Err(Problem::new(
            format!("{key} exists already and is not ours"),
            format!("secrets of {deployment} would be kept in a Secret of that name"),
            "rename or remove it, or choose another name for the deployment",
        )),
    }
}

/// Fills `bytes` with random ones of the operating system.
///
/// # Errors
/// It gives none.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), Problem> {
    getrandom::fill(bytes).map_err(|error| {
        Problem::new(
            "there are no random numbers",
            error.to_string(),
            "see what keeps the system from giving any",
        )
    })
}

impl Engine {
    /// Writes such a Secret, and makes the namespace when that is missing.
    ///
    /// # Errors
    /// The cluster refuses it.
    pub(super) async fn write_secret(
        &self,
        secret: &Value,
        environment: &Environment,
    ) -> Result<(), Problem> {
        let write = || self.cluster().apply(secret, ApplyOptions::default());
        let written = match write().await {
            Err(ClusterError::NotFound { .. }) => {
                let home = place::namespace(environment);
                let made = self.cluster().apply(&home, ApplyOptions::default()).await;
                made.map_err(|error| error.problem())?;
                write().await
            }
            other => other,
        };
        written.map(drop).map_err(|error| error.problem())
    }
}
