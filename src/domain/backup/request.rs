//! What an operation with backups is to do: recorded with it, next to its plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::{BackupId, Depth, Trigger};
use crate::domain::{ClusterRecord, DeploymentDraft, Environment};

/// What is asked of an operation, where its plan alone does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "lowercase")]
pub enum Request {
    /// Of a [`Backup`](crate::domain::OperationKind::Backup) of one application.
    Backup(BackupRequest),
    /// Of a [`Restore`](crate::domain::OperationKind::Restore) into the application that the operation is about.
    Restore(RestoreRequest),
    /// Of a [`Verify`](crate::domain::OperationKind::Verify).
    Verify(VerifyRequest),
    /// Of a [`Prune`](crate::domain::OperationKind::Prune).
    Prune(PruneRequest),
    /// Of an operation that is made of others.
    Group(GroupRequest),
}

/// What an operation does that is made of others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRequest {
    /// One part per step that begins an operation, in the plan's order.
    pub parts: Vec<GroupPart>,
    /// The environment that it makes first, or changes, or takes away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Box<Environment>>,
    /// That environment as it was recorded when the change was planned; none: it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Environment>>,
    /// What is said of the cluster from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Box<Changed<ClusterRecord>>>,
    /// The backup that is proven by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proves: Option<BackupId>,
}

/// A record that is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed<T> {
    /// As it was when the change was planned.
    pub before: T,
    /// As it is to be.
    pub after: T,
}

/// One operation of those that another one is made of. It is begun when its step runs, and the step ends with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPart {
    /// The position of its step in the plan.
    pub step: usize,
    /// The environment of the application that it is about.
    pub environment: String,
    /// The application. It may not exist before an earlier part made it.
    pub application: String,
    /// What is done.
    pub work: PartWork,
}

/// What one part of an operation does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum PartWork {
    /// Its data is backed up.
    BackUp(BackupRequest),
    /// It is deployed.
    Deploy {
        /// What is asked for. Secrets are references into the application that it equals.
        draft: DeploymentDraft,
        /// The application that its secrets are copied from, as environment and name.
        secrets_of: Option<(String, String)>,
    },
    /// A backup is restored into it.
    Restore {
        /// Which.
        backup: BackupOf,
        /// Whether what is there now is backed up before.
        safety_backup: bool,
    },
    /// It is stopped.
    Stop,
    /// What is asked for stays the same, and follows what is said of its environment or its cluster now.
    Update,
    /// It is taken away, with its volumes.
    Delete,
}

/// Which backup a part restores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackupOf {
    /// One that exists.
    Known(BackupId),
    /// The one that the part of this step made.
    Step(usize),
}

/// A backup of one application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupRequest {
    /// The components; empty: all that have a strategy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Why.
    pub trigger: Trigger,
    /// Kept whatever the retention says.
    #[serde(default)]
    pub pinned: bool,
    /// The name that the members of an environment backup share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl Default for BackupRequest {
    /// A backup of everything, as a person asks for it.
    fn default() -> Self {
        Self { components: Vec::new(), trigger: Trigger::Person, pinned: false, group: None }
    }
}

/// What is restored, into the application that the operation is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreRequest {
    /// The backup.
    pub backup: BackupId,
    /// The components; empty: all that it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Only this path of a volume; what else is on it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RestorePath>,
    /// Whether what is there now is backed up before.
    pub safety_backup: bool,
}

/// A path of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePath {
    /// The component.
    pub component: String,
    /// The volume.
    pub volume: String,
    /// Relative to the volume's root.
    pub path: String,
}

/// A backup is read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyRequest {
    /// The backup.
    pub backup: BackupId,
    /// How thoroughly.
    pub depth: Depth,
}

/// Backups are deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruneRequest {
    /// Their location.
    pub location: String,
    /// Which ones; none: only what no snapshot needs goes.
    pub backups: Vec<BackupId>,
    /// Snapshots in the location that no backup of the catalogue has, to be deleted too, in hexadecimal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orphans: Vec<String>,
    /// Whether a backup may go that has the newest good copy of a component: only a person says so.
    #[serde(default)]
    pub even_the_last: bool,
}

/// A new environment that equals another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneRequest {
    /// The environment that is copied.
    pub from: String,
    /// The new one; its namespace has its name.
    pub to: String,
    /// Where the data comes from.
    pub source: CloneSource,
    /// The applications; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<String>,
    /// Everything is stopped at the end.
    #[serde(default)]
    pub scale_down: bool,
    /// Its own suffix of host names; none: that of the copied environment, or the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fqdn_suffix: Option<String>,
}

/// Where the data of a clone comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum CloneSource {
    /// A backup that is made now.
    Live,
    /// Backups that exist.
    Backups {
        /// By application.
        backups: BTreeMap<String, BackupId>,
    },
    /// Nothing: the applications begin empty.
    Empty,
}
