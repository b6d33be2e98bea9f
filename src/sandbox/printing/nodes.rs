//! The cluster itself: nodes, namespaces, events, leases.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::column::{Cell, Column, Row};
use super::duration;
use super::text::{NONE, field};

const UNKNOWN: &str = "<unknown>";

/// The columns of nodes.
pub const NODES: &[Column] = &[
    Column::name(),
    Column::new("Status", "Whether the node is ready and takes pods.", Cell::Made(status)),
    Column::new("Roles", "What the node is for.", Cell::Made(roles)),
    Column::age(),
    Column::new("Version", "The version of its kubelet.", Cell::Text("/status/nodeInfo/kubeletVersion", "")),
    Column::new(
        "Internal-IP",
        "Its address inside the cluster.",
        Cell::Made(|row| address(row, "InternalIP")),
    )
    .wide(),
    Column::new("External-IP", "Its address outside.", Cell::Made(|row| address(row, "ExternalIP"))).wide(),
    Column::new("OS-Image", "Its operating system.", Cell::Text("/status/nodeInfo/osImage", UNKNOWN)).wide(),
    Column::new("Kernel-Version", "Its kernel.", Cell::Text("/status/nodeInfo/kernelVersion", UNKNOWN))
        .wide(),
    Column::new(
        "Container-Runtime",
        "What runs its containers.",
        Cell::Text("/status/nodeInfo/containerRuntimeVersion", UNKNOWN),
    )
    .wide(),
];

/// The columns of namespaces.
pub const NAMESPACES: &[Column] = &[
    Column::name(),
    Column::new("Status", "Whether the namespace is in use or about to go.", Cell::Text("/status/phase", "")),
    Column::age(),
];

/// The columns of events.
pub const EVENTS: &[Column] = &[
    Column::new("Last Seen", "The time since it last happened.", Cell::Made(last_seen)),
    Column::new("Type", "Normal or Warning.", Cell::Text("/type", "")),
    Column::new("Reason", "Why it happened, in one word.", Cell::Text("/reason", "")),
    Column::new("Object", "What it happened to.", Cell::Made(target)),
    Column::new("Subobject", "The part of the object.", Cell::Made(part)).wide(),
    Column::new("Source", "Who reported it, and where.", Cell::Made(source)).wide(),
    Column::new("Message", "What happened.", Cell::Made(message)),
    Column::new("First Seen", "The time since it first happened.", Cell::Made(first_seen)).wide(),
    Column::new("Count", "How often it happened.", Cell::Made(happened)).wide(),
    Column::name().wide(),
];

/// The columns of leases.
pub const LEASES: &[Column] = &[
    Column::name(),
    Column::new("Holder", "Who holds the lease.", Cell::Text("/spec/holderIdentity", "")),
    Column::age(),
];

fn status(row: &Row<'_>) -> Value {
    // of several conditions with one type the last one counts here
    let ready = row.items("/status/conditions").iter().rfind(|condition| condition["type"] == "Ready");
    let word = match ready {
        None => "Unknown",
        Some(condition) if condition["status"] == "True" => "Ready",
        Some(_) => "NotReady",
    };
    let disabled = row.flag("/spec/unschedulable") == Some(true);
    Value::from(if disabled { format!("{word},SchedulingDisabled") } else { word.to_owned() })
}

fn roles(row: &Row<'_>) -> Value {
    let labels = row.object.pointer("/metadata/labels").and_then(Value::as_object);
    let role = |(key, value): (&String, &Value)| match key.strip_prefix("node-role.kubernetes.io/") {
        Some(role) => Some(role.to_owned()),
        None if key == "kubernetes.io/role" => value.as_str().map(str::to_owned),
        None => None,
    };
    let roles: BTreeSet<String> =
        labels.into_iter().flat_map(Map::iter).filter_map(role).filter(|role| !role.is_empty()).collect();
    let roles = roles.into_iter().collect::<Vec<_>>().join(",");
    Value::from(if roles.is_empty() { NONE.to_owned() } else { roles })
}

fn address(row: &Row<'_>, kind: &str) -> Value {
    let found = row.items("/status/addresses").iter().find(|address| field(address, "type") == kind);
    Value::from(found.map_or(NONE, |address| field(address, "address")))
}

/// The first of the texts at several pointers that is not empty. An event has its fields under one name in `v1` and under another in
/// `events.k8s.io/v1`.
fn either<'a>(row: &Row<'a>, pointers: &[&str]) -> &'a str {
    pointers.iter().map(|pointer| row.text(pointer)).find(|text| !text.is_empty()).unwrap_or("")
}

fn ago(row: &Row<'_>, pointers: &[&str]) -> String {
    duration::since(either(row, pointers), row.now)
}

const FIRST: [&str; 3] = ["/firstTimestamp", "/deprecatedFirstTimestamp", "/eventTime"];

fn first_seen(row: &Row<'_>) -> Value {
    Value::from(ago(row, &FIRST))
}

fn last_seen(row: &Row<'_>) -> Value {
    if row.object.get("series").is_some_and(Value::is_object) {
        return Value::from(row.since("/series/lastObservedTime"));
    }
    let [first, deprecated_first, event_time] = FIRST;
    let last = ["/lastTimestamp", "/deprecatedLastTimestamp", first, deprecated_first, event_time];
    Value::from(ago(row, &last))
}

fn happened(row: &Row<'_>) -> Value {
    let counts = ["/series/count", "/count", "/deprecatedCount"].map(|pointer| row.number(pointer));
    Value::from(counts.into_iter().find(|&count| count != 0).unwrap_or(1))
}

fn target(row: &Row<'_>) -> Value {
    let kind = either(row, &["/involvedObject/kind", "/regarding/kind"]).to_lowercase();
    Value::from(match either(row, &["/involvedObject/name", "/regarding/name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    })
}

fn part(row: &Row<'_>) -> Value {
    Value::from(either(row, &["/involvedObject/fieldPath", "/regarding/fieldPath"]))
}

fn message(row: &Row<'_>) -> Value {
    Value::from(either(row, &["/message", "/note"]).trim())
}

fn source(row: &Row<'_>) -> Value {
    let components =
        ["/source/component", "/deprecatedSource/component", "/reportingComponent", "/reportingController"];
    let component = either(row, &components);
    Value::from(match either(row, &["/source/host", "/deprecatedSource/host", "/reportingInstance"]) {
        "" => component.to_owned(),
        host => format!("{component}, {host}"),
    })
}
