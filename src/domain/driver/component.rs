//! `spec.components`, and what the specification says about their containers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::words::words;

/// A component: the unit that is started, stopped, scaled, backed up and reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComponentSpec {
    /// For people.
    pub description: String,
    /// `identifier.label`: the selector that finds its objects.
    pub labels: BTreeMap<String, String>,
    /// `backup`: the strategy, when it declares one.
    pub backup: Option<String>,
    /// Pod-template volume names for the strategy `disk`.
    pub volumes: Vec<String>,
    /// What else the backup names.
    pub backup_target: BackupTarget,
    /// What templates see of it when nothing overrides it: `env`, `command`, `args`, and what else the driver sets.
    pub defaults: BTreeMap<String, Value>,
}

impl ComponentSpec {
    /// Whether it must be stopped while it is read.
    pub fn stops_for_backup(&self) -> bool {
        self.backup.as_deref() == Some("neo4j")
    }

    /// Whether it must be stopped while it is restored.
    pub fn stops_for_restore(&self) -> bool {
        let usual = matches!(self.backup.as_deref(), Some("neo4j" | "disk"));
        self.backup_target.restore.stop.unwrap_or(usual)
    }

    /// Whether it is a server that keeps data, by its strategy.
    pub fn is_database(&self) -> bool {
        matches!(self.backup.as_deref(), Some("postgres" | "mariadb" | "mongodb" | "neo4j"))
    }
}

/// What a backup works on, where the component alone does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupTarget {
    /// The container in which the dump runs; none: the pod's first, or of the strategy `disk` the first that mounts the volume.
    pub container: Option<String>,
    /// The database that is dumped, or `$VARIABLE` of the container; none: all of them.
    pub database: Option<String>,
    /// The action of the strategy `action`.
    pub action: Option<String>,
    /// The command of the strategy `action` that writes the backup to its standard output.
    pub command: Vec<String>,
    /// The files of the strategy `action`, as absolute paths in the container.
    pub files: Vec<String>,
    /// The image of the pod that works on the volumes while the component is stopped; none: the component's own.
    pub image: Option<String>,
    /// What makes its data hold still while it is read.
    pub quiesce: Option<Quiesce>,
    /// After how many seconds without a byte a dump or a restore is ended; none: as the engine says.
    pub idle: Option<u64>,
    /// Whether it may be read at the same time as other components.
    pub parallel: bool,
    /// Of the strategy `disk`: files may change while they are read.
    pub changing: bool,
    /// Each of its pods has a volume of its own with all of the data: the first one's is kept.
    pub one_of_many: bool,
    /// How it is restored.
    pub restore: RestoreTarget,
}

/// What makes the data of a component hold still.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quiesce {
    /// The command that does.
    pub command: Vec<String>,
    /// The command that lets it move again. It may run more than once.
    pub resume: Vec<String>,
    /// After how many seconds the pod itself lets it move again, whatever became of us.
    pub limit: u64,
}

/// How a component is restored, where its strategy alone does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestoreTarget {
    /// The command of the strategy `action` that reads the backup from its standard input.
    pub command: Vec<String>,
    /// Into which versions of the server.
    pub into: RestoreInto,
    /// Whether the component itself is stopped for it; none: as its strategy needs.
    pub stop: Option<bool>,
}

words! {
    /// Into which versions of a server a backup may be restored.
    #[derive(Default)]
    RestoreInto {
        /// The same major version.
        Same => "same",
        /// The same one, or a newer one.
        #[default]
        Newer => "newer",
        /// Any.
        Any => "any",
    }
}

/// `env_vars[]`: a variable that the application respects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvVarSpec {
    /// The variable.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Who usually sets it, in the driver's own words.
    pub level: String,
    /// Which components respect it; none: it is not said.
    pub components: Vec<String>,
}

/// `container_overrides[]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerOverride {
    /// The component.
    pub component: String,
    /// The container in its pods.
    pub container: String,
    /// Whether `command` may be overridden.
    pub command: bool,
    /// Whether `args` may be overridden.
    pub args: bool,
    /// The command that the driver documents as the usual one.
    pub usual_command: Vec<String>,
    /// The arguments that the driver documents as the usual ones.
    pub usual_args: Vec<String>,
    /// For people.
    pub description: String,
}
