//! What a driver says about an application. Reading and validating lives in the `driver` room.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names one immutable driver version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DriverRef {
    /// `metadata.name`.
    pub name: String,
    /// `spec.version`.
    pub version: String,
}

impl fmt::Display for DriverRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// One immutable revision of a driver: its parsed specification and every file it consists of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriverVersion {
    /// Name and version.
    pub reference: DriverRef,
    /// Where it was loaded from: `built-in`, or a directory.
    pub source: String,
    /// SHA-256 over all files: the same content again is a no-op.
    pub digest: String,
    /// The parsed specification.
    pub spec: DriverSpec,
    /// Every file of the driver by its path inside the directory.
    pub files: BTreeMap<String, String>,
}

/// `spec` of `driver.styrmin.yml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DriverSpec {
    /// A range such as `>=1.0,<2.0`.
    pub supported_versions: String,
    /// The version to offer.
    pub default_version: String,
    /// Versions known to exist, offered in the form (ours, optional).
    pub known_versions: Vec<String>,
    /// For people.
    pub info: DriverInfo,
    /// The chart, when the application comes as one. Charts are not rendered yet: such a driver is refused when it is deployed.
    pub helm: Option<HelmChart>,
    /// The application's parts by name.
    pub components: BTreeMap<String, ComponentSpec>,
    /// Network endpoints.
    pub services: Vec<ServiceSpec>,
    /// Typed inputs.
    pub parameters: Vec<ParameterSpec>,
    /// Documentation of environment variables that the application respects.
    pub env_vars: Vec<EnvVarSpec>,
    /// Containers whose command or arguments may be overridden.
    pub container_overrides: Vec<ContainerOverride>,
    /// Code that runs at lifecycle hooks. Recorded and shown; not run yet.
    pub actions: Vec<ActionSpec>,
}

/// `spec.info`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverInfo {
    /// One paragraph.
    pub description: String,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Its licence.
    pub license: String,
    /// `(link, url)`.
    pub links: Vec<(String, String)>,
}

/// `spec.helm.main`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelmChart {
    /// `oci://…`, an HTTP repository, or a path inside the driver.
    pub location: String,
    /// The chart's version.
    pub version: Option<String>,
    /// The template of its values.
    pub values: String,
}

/// A component: the unit that is started, stopped, scaled, backed up and reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentSpec {
    /// `identifier.label`: the selector that finds its objects.
    pub labels: BTreeMap<String, String>,
    /// `backup`: the strategy, when it declares one.
    pub backup: Option<String>,
    /// Pod-template volume names for the strategy `disk`.
    pub volumes: Vec<String>,
    /// What templates see of it when nothing overrides it: `env`, `command`, `args`, and what else the driver sets.
    #[serde(default)]
    pub defaults: BTreeMap<String, Value>,
}

/// A network endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// Its name: the Kubernetes Service's, and the first part of its host name.
    pub name: String,
    /// `http`.
    pub kind: String,
    /// External ones get a host name and a route.
    pub scope: ServiceScope,
    /// The service's port.
    pub port: u16,
    /// The container's port; the service's own when absent.
    pub target_port: Option<u16>,
    /// The component that answers.
    pub component: String,
    /// The path of the route and of its probe.
    pub path: String,
}

/// Who may reach a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ServiceScope {
    /// The environment only.
    Internal,
    /// The world, through the ingress.
    External,
}

/// A typed input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterSpec {
    /// How templates call it.
    pub name: String,
    /// How people read it.
    pub label: String,
    /// What it takes.
    pub kind: ParameterKind,
    /// The value when none is given; none means required.
    pub default: Option<Value>,
    /// A sentence for the form.
    pub description: String,
    /// A regular expression that the whole value must match (kinds `string` and `secret`).
    pub pattern: Option<String>,
    /// The lowest number allowed (kinds `integer` and `number`).
    pub min: Option<f64>,
    /// The highest number allowed.
    pub max: Option<f64>,
}

/// What a parameter takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterKind {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// One of the named values.
    Enum(Vec<String>),
    /// Several texts.
    List,
    /// Text that is masked everywhere.
    Secret,
}

impl ParameterKind {
    /// The word of the driver file.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Enum(_) => "enum",
            Self::List => "list",
            Self::Secret => "secret",
        }
    }
}

/// `env_vars[]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvVarSpec {
    /// The variable.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Who usually sets it.
    pub level: String,
    /// Which components respect it.
    pub components: Vec<String>,
}

/// `container_overrides[]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerOverride {
    /// The component.
    pub component: String,
    /// The container in its pods.
    pub container: String,
    /// Whether `command` may be overridden.
    pub command: bool,
    /// Whether `args` may be overridden.
    pub args: bool,
    /// For people.
    pub description: String,
}

/// `actions[]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionSpec {
    /// Its name.
    pub name: String,
    /// The hook that it runs at; none for a manual action.
    pub hook: Option<String>,
    /// `pre`, `core`, `post`.
    pub mode: Option<String>,
    /// `file::function`.
    pub location: String,
    /// For people.
    pub description: String,
}
