//! What a person wants done: the input of a plan, and of carrying it out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::backup::{BackupId, BackupRequest, CloneRequest, PruneRequest, RestoreRequest, VerifyRequest};
use super::diff::ObjectDiff;
use super::operation::{ActionRequest, OperationKind};
use super::{ClusterRecord, DeploymentDraft, DeploymentId, Environment, ObjectKey, Plan};

/// A wish. First it is planned, which writes nothing; then it is confirmed by the hash of its plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    /// Put Styrmin on the cluster.
    Install,
    /// A new application.
    Deploy(DeploymentDraft),
    /// Another version, other parameters, other overrides. Name and environment stay.
    Change(DeploymentId, DeploymentDraft),
    /// A new instance that equals the one of this number.
    Rollback(DeploymentId, u32),
    /// Scale everything to zero; volumes stay.
    Stop(DeploymentId),
    /// Run again.
    Start(DeploymentId),
    /// Replace the pods of these components; of all when none is named.
    Restart(DeploymentId, Vec<String>),
    /// Give a component another number of pods; none: what its driver says.
    Scale(DeploymentId, String, Option<u32>),
    /// Set right what somebody else changed.
    Correct(DeploymentId),
    /// Say who is to have the fields of an object that somebody else owns.
    Resolve(DeploymentId, ObjectKey, Resolution),
    /// Run an action of its driver.
    Act(DeploymentId, ActionRequest),
    /// Take it away.
    Delete(DeploymentId, Volumes),
    /// Keep its data.
    BackUp(DeploymentId, BackupRequest),
    /// Make its data that of a backup.
    Restore(DeploymentId, RestoreRequest),
    /// Read a backup back.
    Verify(VerifyRequest),
    /// Restore a backup into an environment that is made for it, look whether it works, and take that away.
    Drill(BackupId),
    /// Delete backups.
    Prune(PruneRequest),
    /// Keep the data of all applications of an environment.
    BackUpEnvironment(String, BackupRequest),
    /// Make the data of applications that of these backups, one after the other; their environment, and by application.
    RestoreEnvironment(String, BTreeMap<String, BackupId>),
    /// Make a new application from a backup: what to deploy, and what to restore into it.
    DeployFrom(DeploymentDraft, BackupId),
    /// Make an environment that equals another one.
    Clone(CloneRequest),
    /// Make an environment, or change what is said of one: all of it, as it is to be.
    SetEnvironment(Box<Environment>),
    /// Take an environment away that has no applications beside its ingress controller.
    RemoveEnvironment(String),
    /// Change what is said of the cluster: all of it, as it is to be.
    SetCluster(Box<ClusterRecord>),
}

/// What becomes of the volumes of an application that is taken away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Volumes {
    /// They stay, with everything on them.
    #[default]
    Keep,
    /// They go too.
    Delete,
}

/// Who is to have the fields that somebody else owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Resolution {
    /// The other manager: they are left out of what is applied.
    Yield,
    /// We: they are taken over.
    Take,
    /// Both: the live values become ours too, and who changes them first has them.
    Share,
}

impl Resolution {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Yield, Self::Take, Self::Share];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yield => "yield",
            Self::Take => "take",
            Self::Share => "share",
        }
    }

    /// The one of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A plan, and what it changes line by line. Secret values are masked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// What it is for; none for the installation.
    pub kind: Option<OperationKind>,
    /// What would be done.
    pub plan: Plan,
    /// What changes, per object.
    pub diffs: Vec<ObjectDiff>,
    /// What the chart tells people about what it makes; mostly empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
}
