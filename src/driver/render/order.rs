//! The one order in which objects are applied and shown.

use serde_json::Value;

use super::manifests::{kind, name};

/// What an object is sorted by: what others need comes first, then kind and name.
pub(super) fn key(object: &Value) -> (u8, String, String) {
    let kind = kind(object);
    let rank = match kind {
        "Namespace" => 0,
        "ResourceQuota" | "LimitRange" | "NetworkPolicy" | "CustomResourceDefinition" => 1,
        "PriorityClass" | "StorageClass" | "IngressClass" | "RuntimeClass" | "GatewayClass" => 1,
        "ServiceAccount" => 2,
        "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => 3,
        "Secret" | "ConfigMap" => 4,
        "PersistentVolumeClaim" => 5,
        "Service" => 6,
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Pod" | "Job" | "CronJob" => 7,
        "Ingress" | "HTTPRoute" | "IngressRoute" => 9,
        _ => 8,
    };
    (rank, kind.to_owned(), name(object).to_owned())
}
