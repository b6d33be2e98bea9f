//! HorizontalPodAutoscalers.

use serde_json::Value;

use super::column::{Cell, Column, Row};
use super::text::{self, NONE, UNSET, field};

/// The most metrics that are shown; the others are counted.
const SHOWN: usize = 2;
/// What stands for a value that nobody has measured.
const UNKNOWN: &str = "<unknown>";

/// The columns of horizontal pod autoscalers.
pub const AUTOSCALERS: &[Column] = &[
    Column::name(),
    Column::new("Reference", "The workload that it scales.", Cell::Made(reference)),
    Column::new("Targets", "What each metric is, and what it should be.", Cell::Made(targets)),
    Column::new("MinPods", "The fewest pods.", Cell::Made(min_pods)),
    Column::new("MaxPods", "The most pods.", Cell::Number("/spec/maxReplicas")),
    Column::new("Replicas", "How many pods it has counted.", Cell::Number("/status/currentReplicas")),
    Column::age(),
];

fn reference(row: &Row<'_>) -> Value {
    let target = &row.object["spec"]["scaleTargetRef"];
    Value::from(format!("{}/{}", field(target, "kind"), field(target, "name")))
}

fn min_pods(row: &Row<'_>) -> Value {
    let fewest = text::scalar(row.object.pointer("/spec/minReplicas"));
    Value::from(fewest.unwrap_or_else(|| UNSET.to_owned()))
}

fn targets(row: &Row<'_>) -> Value {
    let metrics = row.items("/spec/metrics");
    if metrics.is_empty() {
        return Value::from(NONE);
    }
    let measured = row.items("/status/currentMetrics");
    let shown: Vec<String> = metrics
        .iter()
        .take(SHOWN)
        .enumerate()
        .map(|(index, metric)| target(metric, measured.get(index).unwrap_or(&Value::Null)))
        .collect();
    Value::from(text::first_of(&shown, metrics.len()))
}

/// One metric as `current/target`: of resources with their name, and a share of the request as a percentage.
fn target(metric: &Value, measured: &Value) -> String {
    let (part, of_pods) = match field(metric, "type") {
        "Resource" => ("resource", false),
        "ContainerResource" => ("containerResource", false),
        "Pods" => ("pods", false),
        "Object" => ("object", true),
        "External" => ("external", true),
        _ => return "<unknown type>".to_owned(),
    };
    let (wanted, current) = (&metric[part]["target"], &measured[part]["current"]);
    let is_resource = part == "resource" || part == "containerResource";
    if let Some(average) = text::scalar(wanted.get("averageValue")) {
        let current = text::scalar(current.get("averageValue")).unwrap_or_else(|| UNKNOWN.to_owned());
        let prefix = if is_resource { format!("{}: ", field(&metric[part], "name")) } else { String::new() };
        let suffix = if of_pods { " (avg)" } else { "" };
        return format!("{prefix}{current}/{average}{suffix}");
    }
    if is_resource {
        let share = |value: &Value| value["averageUtilization"].as_i64().map(|share| format!("{share}%"));
        let (current, wanted) = (share(current), share(wanted));
        let name = field(&metric[part], "name");
        let current = current.unwrap_or_else(|| UNKNOWN.to_owned());
        return format!("{name}: {current}/{}", wanted.unwrap_or_else(|| "<auto>".to_owned()));
    }
    let value = |from: &Value| text::scalar(from.get("value"));
    let wanted = value(wanted).unwrap_or_else(|| "0".to_owned());
    format!("{}/{wanted}", value(current).unwrap_or_else(|| UNKNOWN.to_owned()))
}
