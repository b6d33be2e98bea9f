//! `metrics.k8s.io/v1beta1`: what nodes and pods use, as metrics-server answers it.
//!
//! Only `get` and `list` exist. A pod has a row when each of its containers that runs has a process; simulated pods have none,
//! as pods that metrics-server has not scraped. A window begins when the container did, or one or two times ten seconds ago.

use std::time::Duration;

use serde_json::{Value, json};

use super::clock::rfc3339;
use super::object;
use super::runtime::{ContainerUsage, Usage};

/// The API group.
pub const GROUP: &str = "metrics.k8s.io";
/// Its one version.
pub const VERSION: &str = "v1beta1";

/// The rows of the nodes: there is one.
pub fn nodes(nodes: &[std::sync::Arc<Value>], usage: Usage, now: jiff::Timestamp) -> Vec<Value> {
    let row = |node: &std::sync::Arc<Value>| {
        let mut row = head("NodeMetrics", node, usage.window, now);
        row["usage"] = amounts(usage);
        row
    };
    nodes.iter().map(row).collect()
}

/// The rows of the pods, in their order.
pub fn pods(pods: &[std::sync::Arc<Value>], usages: &[ContainerUsage], now: jiff::Timestamp) -> Vec<Value> {
    pods.iter().filter_map(|pod| of_pod(pod, usages, now)).collect()
}

/// `None` when a container that runs is not measured, or none is.
fn of_pod(pod: &Value, usages: &[ContainerUsage], now: jiff::Timestamp) -> Option<Value> {
    let running = ["/status/containerStatuses", "/status/initContainerStatuses"]
        .iter()
        .flat_map(|pointer| object::list(pod, pointer))
        .filter(|status| status["state"]["running"].is_object());
    let mut containers = Vec::new();
    let mut window = Duration::MAX;
    for status in running {
        let name = object::text(status, "/name");
        let found = usages.iter().find(|usage| usage.pod == object::uid(pod) && usage.container == name)?;
        window = window.min(found.usage.window);
        containers.push(json!({"name": name, "usage": amounts(found.usage)}));
    }
    if containers.is_empty() {
        return None;
    }
    let mut row = head("PodMetrics", pod, window, now);
    row["containers"] = Value::from(containers);
    Some(row)
}

fn head(kind: &str, about: &Value, window: Duration, now: jiff::Timestamp) -> Value {
    let mut metadata = json!({"name": object::name(about), "creationTimestamp": rfc3339(now)});
    if !object::namespace(about).is_empty() {
        metadata["namespace"] = json!(object::namespace(about));
    }
    if !about["metadata"]["labels"].is_null() {
        metadata["labels"] = about["metadata"]["labels"].clone();
    }
    json!({
        "kind": kind, "apiVersion": format!("{GROUP}/{VERSION}"), "metadata": metadata,
        "timestamp": rfc3339(now), "window": duration(window),
    })
}

/// As `metav1.Duration` is written, to the millisecond: `15.03s`, `1m2s`, `1h0m3s`.
fn duration(time: Duration) -> String {
    let (seconds, millis) = (time.as_secs(), time.subsec_millis());
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = format!(".{millis:03}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, _) => format!("{minutes}m{seconds}{fraction}s"),
        _ => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

fn amounts(usage: Usage) -> Value {
    let processor = match usage.processor_nanos {
        0 => "0".to_owned(),
        nanos => format!("{nanos}n"),
    };
    json!({"cpu": processor, "memory": format!("{}Ki", usage.memory / 1024)})
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (millis, expected) in
            [(15_033, "15.033s"), (10_000, "10s"), (62_500, "1m2.5s"), (3_603_000, "1h0m3s"), (0, "0s")]
        {
            assert_eq!(duration(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn only_pods_that_are_measured_whole_have_a_row() {
        let running = |name: &str| json!({"name": name, "state": {"running": {}}});
        let pod = |name: &str, containers: &[Value]| {
            Arc::new(json!({"metadata": {"name": name, "namespace": "n", "uid": name, "labels": {"a": "b"}},
                "status": {"containerStatuses": containers}}))
        };
        let ended = json!({"name": "job", "state": {"terminated": {}}});
        let all = [
            pod("whole", &[running("main"), ended.clone()]),
            pod("half", &[running("main"), running("simulated")]),
            pod("none", &[ended]),
        ];
        let usage = Usage { processor_nanos: 1500, memory: 2048, window: Duration::from_secs(10) };
        let of = |pod: &str| ContainerUsage { pod: pod.into(), container: "main".into(), usage };
        let rows = pods(&all, &[of("whole"), of("half")], jiff::Timestamp::UNIX_EPOCH);
        let expected = json!([{
            "kind": "PodMetrics", "apiVersion": "metrics.k8s.io/v1beta1",
            "metadata": {"name": "whole", "namespace": "n", "labels": {"a": "b"}, "creationTimestamp": "1970-01-01T00:00:00Z"},
            "timestamp": "1970-01-01T00:00:00Z", "window": "10s",
            "containers": [{"name": "main", "usage": {"cpu": "1500n", "memory": "2Ki"}}],
        }]);
        assert_eq!(json!(rows), expected);
    }
}
