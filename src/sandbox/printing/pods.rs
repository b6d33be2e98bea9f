//! Pods: their state in one word, from the states of their containers.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::column::{Cell, Column, Row};
use super::duration;
use super::text::{NONE, field, is_true};

/// The columns of pods.
pub const PODS: &[Column] = &[
    Column::name(),
    Column::new("Ready", "How many of the pod's containers are ready.", Cell::Made(ready)),
    Column::new("Status", "The state of the pod in one word.", Cell::Made(status)),
    Column::new("Restarts", "How often its containers were restarted, and when last.", Cell::Made(restarts)),
    Column::age(),
    Column::new("IP", "The first address of the pod.", Cell::Text("/status/podIPs/0/ip", NONE)).wide(),
    Column::new("Node", "The node it runs on.", Cell::Text("/spec/nodeName", NONE)).wide(),
    Column::new(
        "Nominated Node",
        "The node where room is being made for it.",
        Cell::Text("/status/nominatedNodeName", NONE),
    )
    .wide(),
    Column::new("Readiness Gates", "How many of its readiness gates are true.", Cell::Made(gates)).wide(),
];

/// What a pod's row says of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    reason: String,
    ready: usize,
    total: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
}

fn ready(row: &Row<'_>) -> Value {
    let summary = summary(row);
    Value::from(format!("{}/{}", summary.ready, summary.total))
}

fn status(row: &Row<'_>) -> Value {
    Value::from(summary(row).reason)
}

fn restarts(row: &Row<'_>) -> Value {
    let Summary { restarts, last_restart, .. } = summary(row);
    Value::from(match last_restart {
        Some(at) if restarts != 0 => {
            format!("{restarts} ({} ago)", duration::human(row.now.duration_since(at)))
        }
        _ => restarts.to_string(),
    })
}

fn gates(row: &Row<'_>) -> Value {
    let gates = row.items("/spec/readinessGates");
    if gates.is_empty() {
        return Value::from(NONE);
    }
    let conditions = row.items("/status/conditions");
    let met = gates.iter().filter(|gate| is_true(conditions, field(gate, "conditionType"))).count();
    Value::from(format!("{met}/{}", gates.len()))
}

/// The condition of the row of a pod that has come to its end.
pub fn completed(pod: &Value) -> Option<Value> {
    let (reason, message) = match pod.pointer("/status/phase")?.as_str()? {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!({"type": "Completed", "status": "True", "reason": reason, "message": message}))
}

fn summary(row: &Row<'_>) -> Summary {
    let phase = row.text("/status/phase");
    let conditions = row.items("/status/conditions");
    let mut summary = Summary {
        reason: first_reason(row, phase, conditions),
        total: row.items("/spec/containers").len(),
        ..Summary::default()
    };
    let begun = begin(row, &mut summary);
    if begun || is_true(conditions, "Initialized") {
        run(row, conditions, &mut summary);
    }
    if row.is_deleting() {
        if row.text("/status/reason") == "NodeLost" {
            summary.reason = "Unknown".to_owned();
        } else if !matches!(phase, "Succeeded" | "Failed") {
            summary.reason = "Terminating".to_owned();
        }
    }
    summary
}

fn first_reason(row: &Row<'_>, phase: &str, conditions: &[Value]) -> String {
    let gated =
        |condition: &Value| condition["type"] == "PodScheduled" && condition["reason"] == "SchedulingGated";
    let own = row.text("/status/reason");
    match own {
        _ if conditions.iter().any(gated) => "SchedulingGated",
        "" => phase,
        _ => own,
    }
    .to_owned()
}

/// Looks at the init containers; `false` while one of them is still to end. Restarts of those that are no sidecars only count until
/// the containers proper run.
fn begin(row: &Row<'_>, summary: &mut Summary) -> bool {
    let specs = row.items("/spec/initContainers");
    let is_sidecar = |name: &str| {
        specs.iter().any(|spec| field(spec, "name") == name && spec["restartPolicy"] == "Always")
    };
    summary.total += specs.iter().filter(|spec| spec["restartPolicy"] == "Always").count();
    let mut sidecars = Summary::default();
    for (index, container) in row.items("/status/initContainerStatuses").iter().enumerate() {
        summary.count_restarts(container);
        let sidecar = is_sidecar(field(container, "name"));
        if sidecar {
            sidecars.count_restarts(container);
        }
        let terminated = present(container, "terminated");
        if terminated.is_some_and(|end| end["exitCode"] == 0) {
            continue;
        }
        if sidecar && container["started"] == true {
            summary.ready += usize::from(container["ready"] == true);
            continue;
        }
        let waiting = present(container, "waiting").map_or("", |state| field(state, "reason"));
        summary.reason = match terminated {
            Some(end) => format!("Init:{}", end_reason(end)),
            None if !matches!(waiting, "" | "PodInitializing") => format!("Init:{waiting}"),
            None => format!("Init:{index}/{}", specs.len()),
        };
        if is_true(row.items("/status/conditions"), "Initialized") {
            summary.take_restarts(&sidecars);
        }
        return false;
    }
    summary.take_restarts(&sidecars);
    true
}

/// Looks at the containers proper, the last one first: the first one has the last word.
fn run(row: &Row<'_>, conditions: &[Value], summary: &mut Summary) {
    let mut running = false;
    for container in row.items("/status/containerStatuses").iter().rev() {
        summary.count_restarts(container);
        let waiting = present(container, "waiting").map_or("", |state| field(state, "reason"));
        if !waiting.is_empty() {
            summary.reason = waiting.to_owned();
        } else if let Some(end) = present(container, "terminated") {
            summary.reason = end_reason(end);
        } else if container["ready"] == true && present(container, "running").is_some() {
            running = true;
            summary.ready += 1;
        }
    }
    if running && summary.reason == "Completed" {
        summary.reason = if is_true(conditions, "Ready") { "Running" } else { "NotReady" }.to_owned();
    }
}

fn present<'a>(container: &'a Value, state: &str) -> Option<&'a Value> {
    container.pointer("/state")?.get(state).filter(|state| state.is_object())
}

fn end_reason(end: &Value) -> String {
    match (field(end, "reason"), end["signal"].as_i64().unwrap_or(0)) {
        ("", 0) => format!("ExitCode:{}", end["exitCode"].as_i64().unwrap_or(0)),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

impl Summary {
    fn count_restarts(&mut self, container: &Value) {
        self.restarts += container["restartCount"].as_i64().unwrap_or(0);
        let ended = container.pointer("/lastState/terminated/finishedAt").and_then(Value::as_str);
        self.last_restart = self.last_restart.max(ended.and_then(|at| at.parse().ok()));
    }

    fn take_restarts(&mut self, other: &Self) {
        self.restarts = other.restarts;
        self.last_restart = other.last_restart;
    }
}
