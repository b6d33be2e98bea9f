//! `spec.services[]`: network endpoints.

use serde::{Deserialize, Serialize};

use crate::domain::route::Peer;

/// A network endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// Its name: the Kubernetes Service's, and the first part of its host name.
    pub name: String,
    /// `http` or `tcp`.
    pub kind: String,
    /// External ones get a host name and a route, and are reached from inside as well.
    pub scope: ServiceScope,
    /// The service's port.
    pub port: u16,
    /// The container's port; the service's own when absent.
    pub target_port: Option<u16>,
    /// The component that answers.
    pub component: String,
    /// The path of the route and of its probe.
    pub path: String,
    /// Whether its route is to answer on https.
    #[serde(default)]
    pub tls: Option<TlsSpec>,
    /// Who may reach it from outside of the environment beside the ingress controller, where connections are kept away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_from: Vec<Peer>,
}

/// How a route comes to its certificate. Both absent: as the environment says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TlsSpec {
    /// The Secret that holds it.
    pub secret: Option<String>,
    /// The cert-manager issuer that makes it.
    pub issuer: Option<String>,
    /// Whether that is a ClusterIssuer, as opposed to an Issuer of the namespace.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cluster_wide: bool,
}

/// Who may reach a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ServiceScope {
    /// The environment only.
    Internal,
    /// The world, through the ingress.
    External,
}
