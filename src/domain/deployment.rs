//! What should run: deployments, and the instances that are frozen from them.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::route::ExtraHost;
use super::{DriftMode, DriverRef, TypedSecrets};

/// The row number of a deployment in the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeploymentId(pub i64);

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a person asks for when they deploy: the input of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentDraft {
    /// Its name, a DNS label, unique per environment.
    pub name: String,
    /// The environment's name.
    pub environment: String,
    /// The pinned driver version.
    pub driver: DriverRef,
    /// The version of the application itself.
    pub application_version: String,
    /// Values of the driver's parameters; absent ones take their defaults. A secret's is a reference to where it lies.
    pub parameters: BTreeMap<String, Value>,
    /// Secrets that were typed and have no reference yet: only on the way from the form to the Secret, never recorded.
    #[serde(skip)]
    pub typed: TypedSecrets,
    /// What is overridden per component; one without any override is left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub components: BTreeMap<String, ComponentOverride>,
    /// What is done about drift; none: as the environment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftMode>,
    /// Host names that it is to answer to beside its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<ExtraHost>,
}

/// What is overridden for one component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentOverride {
    /// How many pods; none: as the driver says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Environment variables that are added.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The command of containers whose driver allows it; empty: its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The arguments of containers whose driver allows it; empty: its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
}

/// The desired state of one application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its row number.
    pub id: DeploymentId,
    /// A random identifier from which host names derive: it survives renames of nothing else.
    pub uid: String,
    /// What was asked for.
    pub draft: DeploymentDraft,
    /// The phase that it should be in.
    pub phase: DesiredPhase,
    /// Counts up with every change of what is desired.
    pub revision: u64,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The phase that a deployment should be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DesiredPhase {
    /// All components run.
    Running,
    /// All components are scaled to zero, volumes stay.
    Stopped,
    /// It is being taken away.
    Deleting,
}

impl DesiredPhase {
    /// The word that is stored, written into the custom resource, and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Stopped => "Stopped",
            Self::Deleting => "Deleting",
        }
    }

    /// The phase of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Running, Self::Stopped, Self::Deleting].into_iter().find(|phase| phase.as_str() == word)
    }
}

/// A frozen snapshot of a deployment with its configuration fully resolved. Numbered per deployment, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// The deployment that it was frozen from.
    pub deployment: DeploymentId,
    /// 1, 2, 3 … per deployment.
    pub number: u32,
    /// Where it stands.
    pub state: InstanceState,
    /// The driver version that renders it.
    pub driver: DriverRef,
    /// The application's version.
    pub application_version: String,
    /// The merged, frozen configuration that templates see (top-level keys: reference `Context`).
    pub context: Value,
    /// The SHA-256 of the context's canonical JSON: equal contexts are the same instance.
    pub digest: String,
    /// When it was frozen.
    pub created_at: Timestamp,
    /// Why it failed or what it waits for, for people.
    pub message: Option<String>,
    /// What was asked for when it was frozen: a rollback asks for it again. None for instances of an older Styrmin.
    #[serde(default)]
    pub draft: Option<DeploymentDraft>,
}

/// Where an instance stands. The old one stays active until the new one is healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InstanceState {
    /// Frozen, nothing written yet.
    Planned,
    /// Being written to the cluster and waited for.
    Applying,
    /// The one that counts as live.
    Active,
    /// Was active, or was replaced before it became so.
    Superseded,
    /// Could not be applied or did not become healthy.
    Failed,
}

impl InstanceState {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "Planned",
            Self::Applying => "Applying",
            Self::Active => "Active",
            Self::Superseded => "Superseded",
            Self::Failed => "Failed",
        }
    }

    /// The state of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Planned, Self::Applying, Self::Active, Self::Superseded, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}
