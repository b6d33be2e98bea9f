//! An environment: a group of applications, the unit of backup and of clone.

mod told;

pub use told::{About, Source, Told, answers, domain, policies, tls, told};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::route::Routing;
use super::{ClusterRecord, DeploymentDraft, DriftMode, ObjectKey};

/// The name of the deployment that is the ingress controller of an environment that has one of its own.
pub const DEDICATED: &str = "ingress";
/// The name of its driver.
pub const DEDICATED_DRIVER: &str = "traefik";
/// The name of the quota of an environment.
pub const QUOTA: &str = "styrmin";
/// The names of the policies of an environment itself: who may connect to its pods.
pub const POLICIES: [&str; 4] =
    ["styrmin-default-deny", "styrmin-same-namespace", "styrmin-dns", "styrmin-acme"];

/// Whether an object is one that an environment itself consists of: it belongs to none of its applications.
pub fn is_of_environment(key: &ObjectKey) -> bool {
    match key.kind.as_str() {
        "Namespace" => true,
        "ResourceQuota" => key.name == QUOTA,
        "NetworkPolicy" => POLICIES.contains(&key.name.as_str()),
        _ => false,
    }
}

/// Whether an application is the ingress controller that its environment was given, or would be.
pub fn is_own_ingress(draft: &DeploymentDraft) -> bool {
    draft.name == DEDICATED && draft.driver.name == DEDICATED_DRIVER
}

/// An environment as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Its name, a DNS label, unique per cluster.
    pub name: String,
    /// The name of the cluster that it is on.
    pub cluster: String,
    /// The namespace that holds its applications (by default its own name).
    pub namespace: String,
    /// The shared ingress class; none when it has no ingress.
    pub ingress_class: Option<String>,
    /// Overrides the cluster's suffix.
    pub fqdn_suffix: Option<String>,
    /// Production environments ask for more before a write.
    pub production: bool,
    /// What is done about drift of its applications, unless they say otherwise.
    #[serde(default)]
    pub drift: DriftMode,
    /// Labels of its namespace beside our own (a Pod Security level, a team).
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Hard limits of its namespace, as a ResourceQuota takes them (`requests.memory: 4Gi`). Empty: none.
    #[serde(default)]
    pub quota: BTreeMap<String, String>,
    /// The addresses that may reach it, as CIDR blocks; empty: everybody.
    #[serde(default)]
    pub ip_whitelist: Vec<String>,
    /// The backup location that its applications are backed up to; none: they are not.
    #[serde(default)]
    pub backup_location: Option<String>,
    /// Its own ingress controller; none: it shares the class.
    #[serde(default)]
    pub dedicated_ingress: Option<DedicatedIngress>,
    /// How its applications are reached from outside.
    #[serde(default)]
    pub routing: Routing,
}

/// What is said about the ingress controller of one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DedicatedIngress {
    /// Annotations of its Service: which load balancer it gets.
    #[serde(default)]
    pub service_annotations: BTreeMap<String, String>,
}

impl Environment {
    /// An environment of which nothing but its place is said: the rest is inherited from the cluster.
    pub fn new(name: &str, cluster: &str, namespace: &str) -> Self {
        Self {
            name: name.to_owned(),
            cluster: cluster.to_owned(),
            namespace: namespace.to_owned(),
            ingress_class: None,
            fqdn_suffix: None,
            production: false,
            drift: DriftMode::default(),
            labels: BTreeMap::new(),
            quota: BTreeMap::new(),
            ip_whitelist: Vec::new(),
            backup_location: None,
            dedicated_ingress: None,
            routing: Routing::default(),
        }
    }

    /// The domain under which host names are made here: its own, else that of its cluster, as far as that is known. None: there are
    /// no host names.
    pub fn suffix<'a>(&'a self, cluster: Option<&'a ClusterRecord>) -> Option<&'a str> {
        let said = |suffix: &'a Option<String>| suffix.as_deref().filter(|suffix| !suffix.is_empty());
        said(&self.fqdn_suffix).or_else(|| said(&cluster?.fqdn_suffix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ClusterKind, DriverRef};

    #[test]
    fn its_own_ingress_has_a_name_and_a_driver() {
        let draft = |name: &str, driver: &str| DeploymentDraft {
            name: name.to_owned(),
            driver: DriverRef { name: driver.to_owned(), version: "1.0.0".to_owned() },
            ..DeploymentDraft::default()
        };
        assert!(is_own_ingress(&draft(DEDICATED, DEDICATED_DRIVER)));
        assert!(!is_own_ingress(&draft("edge", DEDICATED_DRIVER)));
        assert!(!is_own_ingress(&draft(DEDICATED, "notes")));
    }

    #[test]
    fn host_names_are_made_under_its_own_suffix_or_its_clusters() {
        let mut cluster = ClusterRecord {
            name: "c".to_owned(),
            kind: ClusterKind::Kubeconfig,
            fqdn_suffix: Some("example.org".to_owned()),
            storage_class: None,
            ingress_port: None,
            ingress_tls_port: None,
        };
        let mut environment = Environment::new("demo", "c", "demo");
        assert_eq!(environment.suffix(Some(&cluster)), Some("example.org"));
        assert_eq!(environment.suffix(None), None);
        environment.fqdn_suffix = Some(String::new());
        assert_eq!(environment.suffix(Some(&cluster)), Some("example.org"), "an empty one says nothing");
        environment.fqdn_suffix = Some("apps.org".to_owned());
        assert_eq!(environment.suffix(Some(&cluster)), Some("apps.org"));
        (environment.fqdn_suffix, cluster.fqdn_suffix) = (None, Some(String::new()));
        assert_eq!(environment.suffix(Some(&cluster)), None);
    }
}
