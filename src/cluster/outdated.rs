//! A definition of the custom resource that an older Styrmin installed: a server refuses what it does not declare, so what it does
//! not know is left out or refused, and people are told to install again.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::domain::{DeploymentDraft, DesiredPhase};

use super::error::ClusterError;
use super::resource::{self, DEFINITION, DeploymentStatus};
use super::status::desired_object;
use super::{Cluster, describe, project};

/// What a server says of a field that its definition does not have.
const UNDECLARED: &str = ": field not declared in schema";

/// What is known of the cluster's definition.
#[derive(Debug, Default)]
pub(super) struct Lacking(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Whether the definition itself was read.
    is_read: bool,
    /// The fields of ours that it lacks: `status.routes`.
    lacking: BTreeSet<String>,
}

impl Lacking {
    /// Takes the definition as the cluster has it; says whether something else is lacking than before.
    pub(super) fn read(&self, served: &Value) -> bool {
        let now: BTreeSet<String> = match fields(served) {
            Some(known) => ours().difference(&known).cloned().collect(),
            // one that declares nothing takes everything
            None => BTreeSet::new(),
        };
        let mut known = self.known();
        let changed = known.lacking != now;
        *known = Known { is_read: true, lacking: now };
        changed
    }

    /// The definition is there no more.
    pub(super) fn forget(&self) {
        *self.known() = Known::default();
    }

    /// Learns it from a refusal, where definitions may not be read; says whether that names a field that was not known to be lacking.
    fn learn(&self, error: &ClusterError) -> bool {
        let (ClusterError::Busy { message, .. }
        | ClusterError::Invalid { message, .. }
        | ClusterError::Other { message, .. }) = error
        else {
            return false;
        };
        let mut told: Vec<&str> = message.split(UNDECLARED).collect();
        told.pop();
        let named = told.iter().filter_map(|before| before.split_whitespace().last());
        let ours = ours();
        let named = named.filter_map(|path| ours.get(path.trim_start_matches('.')).cloned());
        let mut known = self.known();
        // a server that has just taken a new definition speaks by the old one for a moment
        !known.is_read && named.map(|field| known.lacking.insert(field)).filter(|news| *news).count() > 0
    }

    fn all(&self) -> BTreeSet<String> {
        self.known().lacking.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The top-level fields of our own definition.
fn ours() -> BTreeSet<String> {
    resource::definition().ok().and_then(|definition| fields(&definition)).unwrap_or_default()
}

/// The top-level fields of spec and status (`spec.hosts`); none where a definition does not name them.
fn fields(definition: &Value) -> Option<BTreeSet<String>> {
    let versions = definition["spec"]["versions"].as_array()?;
    let version = versions.iter().find(|version| version["name"] == resource::VERSION)?;
    let parts = &version["schema"]["openAPIV3Schema"]["properties"];
    let mut found = BTreeSet::new();
    for part in ["spec", "status"] {
        let names = parts[part]["properties"].as_object()?.keys();
        found.extend(names.map(|name| format!("{part}.{name}")));
    }
    Some(found)
}

impl Cluster {
    /// That the cluster's definition of the custom resource is an older one; none when it is not, or nobody knows.
    pub fn outdated(&self) -> Option<String> {
        let lacking: Vec<String> = self.0.lacking.all().into_iter().collect();
        (!lacking.is_empty()).then(|| {
            format!(
                "the definition {DEFINITION} of this cluster is of an older Styrmin and lacks {}: install Styrmin on it again \
                 (:install)",
                lacking.join(", ")
            )
        })
    }

    /// A status without what the cluster's definition does not have.
    pub fn sayable(&self, status: DeploymentStatus) -> DeploymentStatus {
        without(&self.0.lacking.all(), status)
    }

    /// Whether a wish can be written into the custom resource.
    ///
    /// # Errors
    /// [`ClusterError::Outdated`] when it says something that the cluster's definition does not have.
    pub fn check_sayable(&self, namespace: &str, draft: &DeploymentDraft) -> Result<(), ClusterError> {
        self.refuse_lacking(&desired_object(namespace, draft, DesiredPhase::Running))
    }

    pub(super) fn refuse_lacking(&self, object: &Value) -> Result<(), ClusterError> {
        let lacking = self.0.lacking.all();
        let said =
            |field: &&String| field.split_once('.').is_some_and(|(part, name)| !object[part][name].is_null());
        match lacking.iter().find(said) {
            None => Ok(()),
            Some(field) => Err(ClusterError::Outdated {
                object: describe(&project::key(object)),
                definition: DEFINITION.to_owned(),
                field: field.clone(),
            }),
        }
    }

    /// Whether a refusal says that the definition lacks something that was not known to be lacking.
    pub(super) fn learns(&self, error: &ClusterError) -> bool {
        let learnt = self.0.lacking.learn(error);
        if learnt {
            self.0.index.touch();
        }
        learnt
    }
}

fn without(lacking: &BTreeSet<String>, status: DeploymentStatus) -> DeploymentStatus {
    if lacking.is_empty() {
        return status;
    }
    let Ok(Value::Object(mut said)) = serde_json::to_value(&status) else { return status };
    said.retain(|name, _| !lacking.contains(&format!("status.{name}")));
    serde_json::from_value(Value::Object(said)).unwrap_or(status)
}

#[cfg(test)]
mod tests;
