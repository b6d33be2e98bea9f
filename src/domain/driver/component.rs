//! `spec.components`, and what the specification says about their containers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// What a backup works on, where the component alone does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupTarget {
    /// The container in which the dump runs; none: the pod's first.
    pub container: Option<String>,
    /// The database that is dumped; none: all of them.
    pub database: Option<String>,
    /// The action of the strategy `action`.
    pub action: Option<String>,
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
