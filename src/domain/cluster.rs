//! A registered Kubernetes cluster and what is inherited from it.

use serde::{Deserialize, Serialize};

/// How a cluster is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterKind {
    /// The embedded sandbox.
    Sandbox,
    /// A context of a kubeconfig.
    Kubeconfig,
}

impl ClusterKind {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Kubeconfig => "kubeconfig",
        }
    }
}

/// A cluster as it is recorded. Its settings are inherited by everything on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRecord {
    /// `sandbox`, or the kubeconfig's context.
    pub name: String,
    /// How it is reached.
    pub kind: ClusterKind,
    /// The domain under which host names are made (`localhost` in the sandbox); none: no host names, no ingress.
    pub fqdn_suffix: Option<String>,
    /// The storage class of volumes that name none.
    pub storage_class: Option<String>,
    /// The port at which the ingress answers, when it is not the scheme's own (the sandbox's proxy: 8480).
    pub ingress_port: Option<u16>,
    /// The same for https (the sandbox's proxy: 8443).
    #[serde(default)]
    pub ingress_tls_port: Option<u16>,
}
