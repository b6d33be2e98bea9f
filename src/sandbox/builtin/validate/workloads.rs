//! Deployments, ReplicaSets, StatefulSets, DaemonSets, PodDisruptionBudgets.

use serde_json::{Value, json};

use super::{items, meta, non_negative, one_of, pod, text};
use crate::sandbox::schema::causes::Causes;
use crate::sandbox::selector;

/// A Deployment's spec.
pub fn deployment(spec: &Value, causes: &mut Causes) {
    let path = "spec";
    non_negative(&spec["replicas"], "spec.replicas", causes);
    selector_and_template(spec, "deployment", causes);
    let strategy = &spec["strategy"];
    let rolling = &strategy["rollingUpdate"];
    match text(&strategy["type"]) {
        "Recreate" if rolling.is_object() => {
            let detail = "may not be specified when strategy `type` is 'Recreate'";
            causes.forbidden("spec.strategy.rollingUpdate", detail);
        }
        "RollingUpdate" if rolling.is_null() => {
            causes.required("spec.strategy.rollingUpdate", "this should be defaulted and never be nil");
        }
        "RollingUpdate" => rolling_numbers(rolling, "spec.strategy.rollingUpdate", causes),
        "Recreate" => {}
        _ => causes.unsupported("spec.strategy", strategy, ["Recreate", "RollingUpdate"]),
    }
    for field in ["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"] {
        non_negative(&spec[field], &format!("{path}.{field}"), causes);
    }
    let number = |field: &str| spec[field].as_i64();
    if let Some(deadline) = number("progressDeadlineSeconds")
        && deadline <= number("minReadySeconds").unwrap_or(0)
    {
        let at = "spec.progressDeadlineSeconds";
        causes.invalid(at, &json!(deadline), "must be greater than minReadySeconds");
    }
}

/// `maxSurge` and `maxUnavailable`.
fn rolling_numbers(rolling: &Value, path: &str, causes: &mut Causes) {
    for field in ["maxUnavailable", "maxSurge"] {
        number_or_percent(&rolling[field], &format!("{path}.{field}"), causes);
    }
    if is_zero(&rolling["maxUnavailable"]) && is_zero(&rolling["maxSurge"]) {
        let at = format!("{path}.maxUnavailable");
        causes.invalid(&at, &rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0");
    }
    at_most_all(&rolling["maxUnavailable"], &format!("{path}.maxUnavailable"), causes);
}

fn percent(value: &Value) -> Option<i64> {
    value.as_str()?.strip_suffix('%')?.parse().ok().filter(|percent| *percent >= 0)
}

fn is_zero(value: &Value) -> bool {
    value.as_i64() == Some(0) || percent(value) == Some(0)
}

fn at_most_all(value: &Value, path: &str, causes: &mut Causes) {
    if percent(value).is_some_and(|percent| percent > 100) {
        causes.invalid(path, value, "must not be greater than 100%");
    }
}

fn number_or_percent(value: &Value, path: &str, causes: &mut Causes) {
    if value.is_string() && percent(value).is_none() {
        let detail = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
        causes.invalid(path, value, detail);
    }
    non_negative(value, path, causes);
}

/// The selector, and whether it selects the template's pods.
fn selector_and_template(spec: &Value, kind: &str, causes: &mut Causes) {
    let (selector, template) = (&spec["selector"], &spec["template"]);
    let mut found = Causes::default();
    if selector.is_null() {
        causes.required("spec.selector", "");
    } else {
        meta::selector(selector, "spec.selector", &mut found);
        let empty = items(&selector["matchExpressions"]).is_empty()
            && selector["matchLabels"].as_object().is_none_or(serde_json::Map::is_empty);
        if empty {
            causes.invalid("spec.selector", selector, &format!("empty selector is invalid for {kind}"));
        }
    }
    let well_formed = found.is_empty();
    causes.extend_below("", found);
    let labels = &template["metadata"]["labels"];
    if !well_formed {
        causes.invalid("spec.selector", selector, "invalid label selector");
    } else if selector.is_null() || !selector::selects(selector, labels.as_object()) {
        let detail = "`selector` does not match template `labels`";
        causes.invalid("spec.template.metadata.labels", labels, detail);
    }
    if well_formed {
        // A StatefulSet's pods have more volumes than its template, so a real server looks at its pods and claims only when it makes them.
        if kind == "statefulset" {
            pod::template_metadata(template, "spec.template", causes);
        } else {
            pod::template(template, "spec.template", causes);
        }
        always_restarts(template, causes);
    }
}

fn always_restarts(template: &Value, causes: &mut Causes) {
    let policy = &template["spec"]["restartPolicy"];
    if ["OnFailure", "Never"].contains(&text(policy)) {
        causes.unsupported("spec.template.spec.restartPolicy", policy, ["Always"]);
    }
    if !template["spec"]["activeDeadlineSeconds"].is_null() {
        let detail = "activeDeadlineSeconds in ReplicaSet is not Supported";
        causes.forbidden("spec.template.spec.activeDeadlineSeconds", detail);
    }
}

/// A ReplicaSet's spec.
pub fn replica_set(spec: &Value, causes: &mut Causes) {
    non_negative(&spec["replicas"], "spec.replicas", causes);
    non_negative(&spec["minReadySeconds"], "spec.minReadySeconds", causes);
    selector_and_template(spec, "replicaset", causes);
}

/// A StatefulSet's spec.
pub fn stateful_set(spec: &Value, causes: &mut Causes) {
    let management = &spec["podManagementPolicy"];
    if !["OrderedReady", "Parallel"].contains(&text(management)) {
        causes.invalid("spec.podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'");
    }
    let strategy = &spec["updateStrategy"];
    let at = "spec.updateStrategy.rollingUpdate";
    match text(&strategy["type"]) {
        "RollingUpdate" => {
            non_negative(&strategy["rollingUpdate"]["partition"], &format!("{at}.partition"), causes);
        }
        "OnDelete" if strategy["rollingUpdate"].is_object() => {
            let detail = "only allowed for updateStrategy 'RollingUpdate'";
            causes.invalid(at, &strategy["rollingUpdate"], detail);
        }
        "OnDelete" => {}
        _ => causes.invalid("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'"),
    }
    for field in ["replicas", "minReadySeconds"] {
        non_negative(&spec[field], &format!("spec.{field}"), causes);
    }
    selector_and_template(spec, "statefulset", causes);
}

/// A DaemonSet's spec.
pub fn daemon_set(spec: &Value, causes: &mut Causes) {
    selector_and_template(spec, "daemonset", causes);
    non_negative(&spec["minReadySeconds"], "spec.minReadySeconds", causes);
    let strategy = &spec["updateStrategy"];
    let rolling = &strategy["rollingUpdate"];
    match text(&strategy["type"]) {
        "OnDelete" => {}
        "RollingUpdate" => {
            let at = "spec.updateStrategy.rollingUpdate";
            number_or_percent(&rolling["maxUnavailable"], &format!("{at}.maxUnavailable"), causes);
            number_or_percent(&rolling["maxSurge"], &format!("{at}.maxSurge"), causes);
            at_most_all(&rolling["maxUnavailable"], &format!("{at}.maxUnavailable"), causes);
            if is_zero(&rolling["maxUnavailable"]) && is_zero(&rolling["maxSurge"]) {
                causes.required(&format!("{at}.maxUnavailable"), "cannot be 0 when maxSurge is 0");
            }
        }
        _ => causes.unsupported("spec.updateStrategy", strategy, ["RollingUpdate", "OnDelete"]),
    }
    non_negative(&spec["revisionHistoryLimit"], "spec.revisionHistoryLimit", causes);
}

/// A PodDisruptionBudget's spec.
pub fn disruption_budget(spec: &Value, causes: &mut Causes) {
    if !spec["minAvailable"].is_null() && !spec["maxUnavailable"].is_null() {
        causes.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set");
    }
    for field in ["minAvailable", "maxUnavailable"] {
        number_or_percent(&spec[field], &format!("spec.{field}"), causes);
        at_most_all(&spec[field], &format!("spec.{field}"), causes);
    }
    meta::selector(&spec["selector"], "spec.selector", causes);
    one_of(
        &spec["unhealthyPodEvictionPolicy"],
        "spec.unhealthyPodEvictionPolicy",
        &["AlwaysAllow", "IfHealthyBudget"],
        causes,
    );
}
