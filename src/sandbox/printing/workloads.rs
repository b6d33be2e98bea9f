//! Deployments, sets, their revisions, scales and disruption budgets.

use serde_json::Value;

use super::column::{Cell, Column, Row};
use super::text::{self, NONE};

const CONTAINERS: Column =
    Column::new("Containers", "The names of the template's containers.", Cell::Made(containers)).wide();
const IMAGES: Column =
    Column::new("Images", "The images of the template's containers.", Cell::Made(images)).wide();
const SELECTOR: Column = Column::new("Selector", "Which pods are meant.", Cell::Made(selector)).wide();
const READY: Column = Column::new("Ready", "How many pods are ready, of how many wanted.", Cell::Made(ready));

/// The columns of deployments.
pub const DEPLOYMENTS: &[Column] = &[
    Column::name(),
    READY,
    Column::new(
        "Up-to-date",
        "How many pods have the newest template.",
        Cell::Number("/status/updatedReplicas"),
    ),
    Column::new("Available", "How many pods are available.", Cell::Number("/status/availableReplicas")),
    Column::age(),
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

/// The columns of replica sets.
pub const REPLICA_SETS: &[Column] = &[
    Column::name(),
    Column::new("Desired", "How many pods are wanted.", Cell::Number("/spec/replicas")).of_type("integer"),
    Column::new("Current", "How many pods there are.", Cell::Number("/status/replicas")).of_type("integer"),
    Column::new("Ready", "How many pods are ready.", Cell::Number("/status/readyReplicas"))
        .of_type("integer"),
    Column::age(),
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

/// The columns of stateful sets.
pub const STATEFUL_SETS: &[Column] = &[Column::name(), READY, Column::age(), CONTAINERS, IMAGES];

/// The columns of daemon sets.
pub const DAEMON_SETS: &[Column] = &[
    Column::name(),
    Column::new("Desired", "How many nodes should run it.", Cell::Number("/status/desiredNumberScheduled"))
        .of_type("integer"),
    Column::new("Current", "How many nodes run it.", Cell::Number("/status/currentNumberScheduled"))
        .of_type("integer"),
    Column::new("Ready", "On how many nodes it is ready.", Cell::Number("/status/numberReady"))
        .of_type("integer"),
    Column::new(
        "Up-to-date",
        "How many nodes run the newest template.",
        Cell::Number("/status/updatedNumberScheduled"),
    )
    .of_type("integer"),
    Column::new("Available", "On how many nodes it is available.", Cell::Number("/status/numberAvailable"))
        .of_type("integer"),
    Column::new("Node Selector", "Which nodes are meant.", Cell::Made(node_selector)),
    Column::age(),
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

/// The columns of controller revisions.
pub const CONTROLLER_REVISIONS: &[Column] = &[
    Column::name(),
    Column::new("Controller", "The object whose revision it is.", Cell::Made(controller)),
    Column::new("Revision", "Its number.", Cell::Number("/revision")),
    Column::age(),
];

/// The columns of disruption budgets.
pub const POD_DISRUPTION_BUDGETS: &[Column] = &[
    Column::name(),
    Column::new("Min Available", "How many pods must stay available.", Cell::Made(min_available)),
    Column::new("Max Unavailable", "How many pods may be unavailable.", Cell::Made(max_unavailable)),
    Column::new(
        "Allowed Disruptions",
        "How many pods may be evicted now.",
        Cell::Number("/status/disruptionsAllowed"),
    )
    .of_type("integer"),
    Column::age(),
];

/// The columns of the `scale` subresource.
pub const SCALES: &[Column] = &[
    Column::name(),
    Column::new("Desired", "How many replicas are wanted.", Cell::Number("/spec/replicas"))
        .of_type("integer"),
    Column::new("Available", "How many replicas there are.", Cell::Number("/status/replicas"))
        .of_type("integer"),
    Column::age(),
];

fn ready(row: &Row<'_>) -> Value {
    Value::from(format!("{}/{}", row.number("/status/readyReplicas"), row.number("/spec/replicas")))
}

fn containers(row: &Row<'_>) -> Value {
    Value::from(text::names_and_images(row.items("/spec/template/spec/containers")).0)
}

fn images(row: &Row<'_>) -> Value {
    Value::from(text::names_and_images(row.items("/spec/template/spec/containers")).1)
}

fn selector(row: &Row<'_>) -> Value {
    Value::from(text::selector(row.object.pointer("/spec/selector")))
}

fn node_selector(row: &Row<'_>) -> Value {
    Value::from(text::labels(row.object.pointer("/spec/template/spec/nodeSelector")))
}

fn controller(row: &Row<'_>) -> Value {
    let owners = row.items("/metadata/ownerReferences");
    let Some(owner) = owners.iter().find(|owner| owner["controller"] == true) else {
        return Value::from(NONE);
    };
    let group = text::field(owner, "apiVersion").split_once('/').map(|(group, _)| group);
    let kind = text::field(owner, "kind");
    let kind = group.map_or_else(|| kind.to_owned(), |group| format!("{kind}.{group}"));
    Value::from(format!("{}/{}", kind.to_lowercase(), text::field(owner, "name")))
}

fn min_available(row: &Row<'_>) -> Value {
    number_or_share(row, "/spec/minAvailable")
}

fn max_unavailable(row: &Row<'_>) -> Value {
    number_or_share(row, "/spec/maxUnavailable")
}

fn number_or_share(row: &Row<'_>, pointer: &str) -> Value {
    Value::from(text::scalar(row.object.pointer(pointer)).unwrap_or_else(|| "N/A".to_owned()))
}
