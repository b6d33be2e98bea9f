//! Kubernetes objects, projected to what is shown: rows, not objects.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::route::{Endpoints, ManagerReport};
use super::{Verdict, labels};

/// Names one object of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectKey {
    /// `apps/v1`, `v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Empty for cluster-scoped kinds.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl ObjectKey {
    /// Stands for every object of a kind, in all namespaces.
    pub fn every(api_version: &str, kind: &str) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: String::new(),
            name: String::new(),
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// Kinds of Kubernetes, and of extensions that are found everywhere, which belong to the whole cluster.
const CLUSTER_SCOPED: [&str; 25] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "ComponentStatus",
    "CustomResourceDefinition",
    "DeviceClass",
    "FlowSchema",
    "GatewayClass",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// Whether objects of this kind are known to lie in no namespace. What a cluster was taught says only the cluster itself.
pub fn is_cluster_scoped(kind: &str) -> bool {
    CLUSTER_SCOPED.contains(&kind)
}

/// What an object is to its deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// A part of it.
    #[default]
    Part,
    /// It was applied at a certain moment, and is no part of what should run.
    Hook,
    /// A part that stays when the deployment goes.
    Kept,
}

impl Role {
    /// The word in the records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Part => "part",
            Self::Hook => "hook",
            Self::Kept => "kept",
        }
    }

    /// The role of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Part, Self::Hook, Self::Kept].into_iter().find(|role| role.as_str() == word)
    }

    /// The role that the labels of an object tell.
    pub fn of(carries: impl Fn(&str) -> bool) -> Self {
        match () {
            () if carries(labels::CHART_HOOK) => Self::Hook,
            () if carries(labels::KEPT) => Self::Kept,
            () => Self::Part,
        }
    }
}

/// A projected object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectSummary {
    /// Its name.
    pub key: ObjectKey,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// The uid of the controlling owner.
    pub owner: Option<String>,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// Whether `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// Its health, judged when it was projected.
    pub verdict: Verdict,
    /// What its kind adds.
    pub detail: Detail,
}

/// What a kind adds to its summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Detail {
    /// Deployment, StatefulSet, DaemonSet, ReplicaSet.
    Workload(WorkloadDetail),
    /// Pod.
    Pod(PodDetail),
    /// Service: cluster address and ports.
    Service {
        /// `spec.clusterIP`.
        cluster_ip: String,
        /// `spec.ports[].port`.
        ports: Vec<u16>,
    },
    /// Ingress, HTTPRoute, IngressRoute.
    Route(RouteDetail),
    /// EndpointSlice.
    Endpoints {
        /// The Service that they belong to.
        service: String,
        /// How many take requests, and how many there are.
        endpoints: Endpoints,
    },
    /// Gateway of the Gateway API.
    Gateway(GatewayDetail),
    /// Certificate of cert-manager.
    Certificate {
        /// The Secret that it is kept in.
        secret: String,
        /// What cert-manager says of it.
        report: ManagerReport,
    },
    /// PersistentVolumeClaim.
    Volume {
        /// `status.phase`.
        phase: String,
        /// The capacity, or the request while unbound, as written (`1Gi`).
        size: String,
    },
    /// Any other kind.
    Other,
}

/// What an Ingress, an HTTPRoute or an IngressRoute says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteDetail {
    /// Its rules: one per host, path and backend.
    pub rules: Vec<RouteRule>,
    /// The ingress class, or the Gateway as `namespace/name`; empty: none is named.
    pub class: String,
    /// At which addresses it answers, as its status (or its Gateway's) says: IP addresses and host names.
    pub addresses: Vec<String>,
    /// Why its controller did not take it; none: it did, or does not say.
    pub refused: Option<String>,
}

/// One host of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRule {
    /// The host name; empty: every one.
    pub host: String,
    /// The path, as written; `/` where there is none.
    pub path: String,
    /// The Kubernetes Service; empty where the backend is something else.
    pub service: String,
    /// Whether it answers on https.
    pub tls: bool,
    /// The Secret with its certificate, where the route names one.
    pub secret: Option<String>,
}

/// What a Gateway says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayDetail {
    /// Its class.
    pub class: String,
    /// At which addresses it answers, as its status says: IP addresses and host names.
    pub addresses: Vec<String>,
    /// Why its controller did not take or program it; none: it did, or does not say.
    pub refused: Option<String>,
    /// Its listeners, in order.
    pub listeners: Vec<Listener>,
}

/// A listener of a Gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// The host name that it takes, a wildcard perhaps; empty: every one.
    pub host: String,
    /// Whether it speaks https.
    pub https: bool,
    /// The Secret with its certificate, as namespace and name, where it names one.
    pub secret: Option<(String, String)>,
}

/// Replica counts of a workload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadDetail {
    /// `spec.replicas`.
    pub desired: u32,
    /// `status.readyReplicas`.
    pub ready: u32,
    /// `status.updatedReplicas`.
    pub updated: u32,
    /// `status.availableReplicas`.
    pub available: u32,
    /// Images of the pod template, in the order of its containers.
    pub images: Vec<String>,
}

/// A pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodDetail {
    /// `status.phase`.
    pub phase: String,
    /// `spec.nodeName`.
    pub node: String,
    /// `status.podIP`.
    pub ip: String,
    /// Its containers, in order.
    pub containers: Vec<ContainerSummary>,
    /// True in the sandbox when no process stands behind it.
    pub simulated: bool,
}

/// A container of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSummary {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Whether it is ready.
    pub ready: bool,
    /// How often it was restarted.
    pub restarts: u32,
    /// `Running`, a waiting reason (`CrashLoopBackOff`), or a terminated one (`Completed`, `Error`).
    pub state: String,
    /// The exit code of the present or the last termination.
    pub exit_code: Option<i32>,
    /// When the present process started.
    pub started: Option<Timestamp>,
}

/// An event about an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSummary {
    /// When it was last seen.
    pub at: Timestamp,
    /// `Warning`, as opposed to `Normal`.
    pub warning: bool,
    /// CamelCase reason.
    pub reason: String,
    /// What it says.
    pub message: String,
    /// `Pod/notes-web-…`.
    pub object: String,
    /// How often.
    pub count: u32,
}
