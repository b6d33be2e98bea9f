//! Server-side printing: objects as the rows of a `meta.k8s.io/v1` Table, as `kubectl get` asks for them.
//!
//! ```text
//! kind → columns (one file per family of kinds; custom resources: their definition) → cells → Table
//! ```
//! Column names, types, formats, priorities and cells follow kube-apiserver 1.33; the descriptions of the columns are our own words.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use serde_json::{Value, json};

mod access;
mod autoscaling;
mod batch;
mod column;
mod config;
mod custom;
mod duration;
mod network;
mod nodes;
mod pods;
mod storage;
mod text;
mod workloads;

#[cfg(test)]
mod tests;

pub use column::{Cell, Column, Row};

use super::crd::{self, PrinterColumn};
use super::kinds::ResourceType;

/// How much of each object stands beside its row: the parameter `includeObject`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Include {
    /// Nothing.
    None,
    /// Its metadata, as `PartialObjectMetadata`.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

impl Include {
    /// Reads the parameter; `None` for a word that is none of its values.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "None" => Some(Self::None),
            "" | "Metadata" => Some(Self::Metadata),
            "Object" => Some(Self::Object),
            _ => None,
        }
    }
}

/// The columns of a kind.
#[derive(Debug)]
pub enum Columns {
    /// Those of a built-in kind.
    BuiltIn(&'static [Column]),
    /// The name, and what a custom resource definition adds.
    Custom(Vec<PrinterColumn>),
}

impl Columns {
    /// The columns of a built-in kind; one that has none of its own has name and age.
    pub fn of(kind: &ResourceType) -> Self {
        Self::BuiltIn(built_in(&kind.qualified()))
    }

    /// The columns of a version of a custom resource.
    pub fn of_definition(definition: &Value, version: &str) -> Self {
        Self::Custom(crd::printer_columns(definition, version))
    }

    /// The columns of the `scale` subresource.
    pub fn of_scale() -> Self {
        Self::BuiltIn(workloads::SCALES)
    }

    fn definitions(&self) -> Value {
        match self {
            Self::BuiltIn(columns) => columns.iter().map(Column::definition).collect(),
            Self::Custom(columns) => custom::definitions(columns),
        }
    }

    fn cells(&self, row: &Row<'_>) -> Value {
        match self {
            Self::BuiltIn(columns) => columns.iter().map(|column| column.value(row)).collect(),
            Self::Custom(columns) => custom::cells(columns, row),
        }
    }
}

/// The columns of a built-in resource, by its qualified name.
fn built_in(resource: &str) -> &'static [Column] {
    match resource {
        "pods" => pods::PODS,
        "deployments.apps" => workloads::DEPLOYMENTS,
        "replicasets.apps" => workloads::REPLICA_SETS,
        "statefulsets.apps" => workloads::STATEFUL_SETS,
        "daemonsets.apps" => workloads::DAEMON_SETS,
        "controllerrevisions.apps" => workloads::CONTROLLER_REVISIONS,
        "poddisruptionbudgets.policy" => workloads::POD_DISRUPTION_BUDGETS,
        "jobs.batch" => batch::JOBS,
        "cronjobs.batch" => batch::CRON_JOBS,
        "services" => network::SERVICES,
        "endpoints" => network::ENDPOINTS,
        "endpointslices.discovery.k8s.io" => network::ENDPOINT_SLICES,
        "ingresses.networking.k8s.io" => network::INGRESSES,
        "ingressclasses.networking.k8s.io" => network::INGRESS_CLASSES,
        "networkpolicies.networking.k8s.io" => network::NETWORK_POLICIES,
        "nodes" => nodes::NODES,
        "namespaces" => nodes::NAMESPACES,
        "events" | "events.events.k8s.io" => nodes::EVENTS,
        "leases.coordination.k8s.io" => nodes::LEASES,
        "configmaps" => config::CONFIG_MAPS,
        "secrets" => config::SECRETS,
        "serviceaccounts" => config::SERVICE_ACCOUNTS,
        "horizontalpodautoscalers.autoscaling" => autoscaling::AUTOSCALERS,
        "resourcequotas" => config::RESOURCE_QUOTAS,
        "persistentvolumes" => storage::PERSISTENT_VOLUMES,
        "persistentvolumeclaims" => storage::PERSISTENT_VOLUME_CLAIMS,
        "storageclasses.storage.k8s.io" => storage::STORAGE_CLASSES,
        "rolebindings.rbac.authorization.k8s.io" => access::ROLE_BINDINGS,
        "clusterrolebindings.rbac.authorization.k8s.io" => access::ROLE_BINDINGS,
        // these have no printer in a real server either, and show when they were made
        "limitranges"
        | "roles.rbac.authorization.k8s.io"
        | "clusterroles.rbac.authorization.k8s.io"
        | "customresourcedefinitions.apiextensions.k8s.io" => column::NAME_AND_CREATION,
        _ => column::NAME_AND_AGE,
    }
}

/// Makes the Tables of one request.
#[derive(Debug)]
pub struct Printer {
    columns: Columns,
    include: Include,
    /// `meta.k8s.io/v1` or `meta.k8s.io/v1beta1`, as it was asked for.
    api_version: &'static str,
    /// Whether an event has carried the column definitions: those after the first have none.
    defined: AtomicBool,
}

impl Printer {
    /// A printer for one request.
    pub fn new(columns: Columns, include: Include, api_version: &'static str) -> Self {
        Self { columns, include, api_version, defined: AtomicBool::new(false) }
    }

    /// An object as a Table of one row, by the time `now`.
    pub fn table(&self, object: &Value, now: Timestamp) -> Value {
        self.one(object, self.columns.definitions(), now)
    }

    /// An object in an event of a watch: only the first event defines the columns.
    pub fn event(&self, object: &Value, now: Timestamp) -> Value {
        let first = !self.defined.swap(true, Ordering::Relaxed);
        let definitions = if first { self.columns.definitions() } else { Value::Null };
        self.one(object, definitions, now)
    }

    fn one(&self, object: &Value, definitions: Value, now: Timestamp) -> Value {
        let revision = object.pointer("/metadata/resourceVersion").cloned();
        let metadata = revision.map_or(json!({}), |revision| json!({"resourceVersion": revision}));
        json!({
            "kind": "Table",
            "apiVersion": self.api_version,
            "metadata": metadata,
            "columnDefinitions": definitions,
            "rows": [self.row(object, now)],
        })
    }

    /// A Table around rows that come one after the other, as text; `metadata` is that of the list.
    pub fn list(&self, metadata: &Value, rows: impl Iterator<Item = Value>) -> String {
        let head = format!(
            "{{\"kind\":\"Table\",\"apiVersion\":\"{}\",\"metadata\":{metadata},\"columnDefinitions\":{},\"rows\":[",
            self.api_version,
            self.columns.definitions()
        );
        let mut text = head;
        for (index, row) in rows.enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&row.to_string());
        }
        text.push_str("]}");
        text
    }

    /// The row of an object.
    pub fn row(&self, object: &Value, now: Timestamp) -> Value {
        let mut row = json!({"cells": self.columns.cells(&Row { object, now })});
        if object["kind"] == "Pod"
            && let Some(condition) = pods::completed(object)
        {
            row["conditions"] = json!([condition]);
        }
        row["object"] = match self.include {
            Include::None => Value::Null,
            Include::Metadata => partial(object, self.api_version),
            Include::Object => object.clone(),
        };
        row
    }
}

/// `PartialObjectMetadata` of an object.
pub fn partial(object: &Value, api_version: &str) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": api_version,
        "metadata": object.get("metadata").cloned().unwrap_or_default(),
    })
}
