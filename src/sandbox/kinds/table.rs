//! The table of the built-in resource types.

use super::ResourceType;
use crate::sandbox::metrics;

/// What a row of the table can say about a type.
#[derive(Clone, Copy, PartialEq)]
enum Has {
    Status,
    Scale,
    Generation,
    /// Belongs to the category `all`.
    All,
}
use Has::{All, Generation, Scale, Status};

/// One API group version with its types: `(plural, kind, namespaced, short names, what it has)`.
type Row = (&'static str, &'static str, bool, &'static [&'static str], &'static [Has]);

const CORE: &[Row] = &[
    ("namespaces", "Namespace", false, &["ns"], &[Status]),
    ("nodes", "Node", false, &["no"], &[Status]),
    ("persistentvolumes", "PersistentVolume", false, &["pv"], &[Status]),
    ("pods", "Pod", true, &["po"], &[Status, Generation, All]),
    ("services", "Service", true, &["svc"], &[Status, All]),
    ("endpoints", "Endpoints", true, &["ep"], &[]),
    ("configmaps", "ConfigMap", true, &["cm"], &[]),
    ("secrets", "Secret", true, &[], &[]),
    ("serviceaccounts", "ServiceAccount", true, &["sa"], &[]),
    ("persistentvolumeclaims", "PersistentVolumeClaim", true, &["pvc"], &[Status]),
    ("events", "Event", true, &["ev"], &[]),
    ("resourcequotas", "ResourceQuota", true, &["quota"], &[Status]),
    ("limitranges", "LimitRange", true, &["limits"], &[]),
    ("replicationcontrollers", "ReplicationController", true, &["rc"], &[All]),
];

const APPS: &[Row] = &[
    ("deployments", "Deployment", true, &["deploy"], &[Status, Scale, Generation, All]),
    ("replicasets", "ReplicaSet", true, &["rs"], &[Status, Scale, Generation, All]),
    ("statefulsets", "StatefulSet", true, &["sts"], &[Status, Scale, Generation, All]),
    ("daemonsets", "DaemonSet", true, &["ds"], &[Status, Generation, All]),
    ("controllerrevisions", "ControllerRevision", true, &[], &[]),
];

const BATCH: &[Row] = &[
    ("jobs", "Job", true, &[], &[Status, Generation, All]),
    ("cronjobs", "CronJob", true, &["cj"], &[Status, Generation, All]),
];

const NETWORKING: &[Row] = &[
    ("ingresses", "Ingress", true, &["ing"], &[Status, Generation]),
    ("ingressclasses", "IngressClass", false, &[], &[Generation]),
    ("networkpolicies", "NetworkPolicy", true, &["netpol"], &[Generation]),
];

const RBAC: &[Row] = &[
    ("roles", "Role", true, &[], &[]),
    ("rolebindings", "RoleBinding", true, &[], &[]),
    ("clusterroles", "ClusterRole", false, &[], &[]),
    ("clusterrolebindings", "ClusterRoleBinding", false, &[], &[]),
];

const AUTHENTICATION: &[Row] = &[
    ("tokenreviews", "TokenReview", false, &[], &[]),
    ("selfsubjectreviews", "SelfSubjectReview", false, &[], &[]),
];

const AUTHORIZATION: &[Row] = &[
    ("localsubjectaccessreviews", "LocalSubjectAccessReview", true, &[], &[]),
    ("subjectaccessreviews", "SubjectAccessReview", false, &[], &[]),
    ("selfsubjectaccessreviews", "SelfSubjectAccessReview", false, &[], &[]),
    ("selfsubjectrulesreviews", "SelfSubjectRulesReview", false, &[], &[]),
];

const AUTOSCALING: &[Row] =
    &[("horizontalpodautoscalers", "HorizontalPodAutoscaler", true, &["hpa"], &[Status, Generation, All])];

const METRICS: &[Row] = &[("nodes", "NodeMetrics", false, &[], &[]), ("pods", "PodMetrics", true, &[], &[])];

/// `(group, rows)`; a group without a version is served as `v1`.
const GROUPS: &[(&str, &[Row])] = &[
    ("", CORE),
    ("apps", APPS),
    ("autoscaling/v2", AUTOSCALING),
    ("batch", BATCH),
    ("networking.k8s.io", NETWORKING),
    ("discovery.k8s.io", &[("endpointslices", "EndpointSlice", true, &[], &[Generation])]),
    ("rbac.authorization.k8s.io", RBAC),
    ("storage.k8s.io", &[("storageclasses", "StorageClass", false, &["sc"], &[])]),
    ("policy", &[("poddisruptionbudgets", "PodDisruptionBudget", true, &["pdb"], &[Status, Generation])]),
    ("coordination.k8s.io", &[("leases", "Lease", true, &[], &[])]),
    ("events.k8s.io", &[("events", "Event", true, &["ev"], &[])]),
    (
        "apiextensions.k8s.io",
        &[(
            "customresourcedefinitions",
            "CustomResourceDefinition",
            false,
            &["crd", "crds"],
            &[Status, Generation],
        )],
    ),
    ("authentication.k8s.io", AUTHENTICATION),
    ("authorization.k8s.io", AUTHORIZATION),
    ("metrics.k8s.io/v1beta1", METRICS),
];

/// Every built-in type, in the order of discovery.
pub fn built_in() -> Vec<ResourceType> {
    GROUPS.iter().flat_map(|(group, rows)| rows.iter().map(|row| resource_type(group, row))).collect()
}

fn resource_type(group: &str, row: &Row) -> ResourceType {
    let (plural, kind, namespaced, short_names, has) = *row;
    let (group, version) = group.split_once('/').unwrap_or((group, "v1"));
    ResourceType {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: plural.to_owned(),
        // metrics-server gives its resources no singular name.
        singular: if group == metrics::GROUP { String::new() } else { kind.to_lowercase() },
        kind: kind.to_owned(),
        namespaced,
        short_names: short_names.iter().map(|&name| name.to_owned()).collect(),
        categories: if has.contains(&All) { vec!["all".to_owned()] } else { Vec::new() },
        status: has.contains(&Status),
        scale: has.contains(&Scale),
        generation: has.contains(&Generation),
        custom: false,
        selectable: Vec::new(),
    }
}
