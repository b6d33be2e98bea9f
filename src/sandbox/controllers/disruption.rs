//! PodDisruptionBudgets: how many of the selected pods may be evicted now.
//!
//! The API server takes one off `status.disruptionsAllowed` with each eviction and notes the pod in `status.disruptedPods`;
//! the controller counts again when the pod has gone, or when it has not gone for two minutes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::deployment::{self, resolve};
use super::object::{
    after, controller_of, deleting, generation, labels, list, map, name, namespace, number, put, stamp, text,
    time, uid,
};
use super::pods::{self, PODS};
use super::write::{Context, Note, Outcome, Write, conditions_of, set_condition};
use super::{replicaset, selector, statefulset};

/// The resource.
pub const BUDGETS: &str = "poddisruptionbudgets.policy";
/// For how long an evicted pod that is still there counts as going, in seconds.
const GOING: i64 = 120;

/// Whether a budget selects a pod of its namespace: an empty selector selects all, an absent one none.
pub fn selects(budget: &Value, pod: &Value) -> bool {
    let Some(wanted) = budget.pointer("/spec/selector").filter(|wanted| !wanted.is_null()) else {
        return false;
    };
    namespace(budget) == namespace(pod) && selector::selects(wanted, labels(pod))
}

/// The condition that says whether a pod may be evicted.
pub fn allowed_condition(budget: &Value, allowed: i64) -> Value {
    let (status, reason) =
        if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    json!({"type": "DisruptionAllowed", "status": status, "reason": reason, "message": "",
        "observedGeneration": generation(budget)})
}

/// Counts the pods of a budget.
pub fn sync(context: &Context<'_>, budget: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    if deleting(budget) {
        return outcome;
    }
    let selected: Vec<&Arc<Value>> =
        context.cache.in_namespace(PODS, namespace(budget)).filter(|pod| selects(budget, pod)).collect();
    if selected.is_empty() && budget.pointer("/status/observedGeneration").is_none() {
        outcome.push(Write::Event(Note::normal(budget, "NoPods", "No matching pods found")));
    }
    let status = match expectation(context, budget, &selected) {
        Ok((expected, desired)) => count(context, budget, &selected, (expected, desired), &mut outcome),
        Err(why) => {
            let message = format!("Failed to calculate the number of expected pods: {why}");
            let told =
                list(budget, "/status/conditions").iter().any(|known| known["message"] == why.as_str());
            if !told {
                outcome.push(Write::Event(Note::warning(budget, "CalculateExpectedPodCountFailed", message)));
            }
            failed(context, budget, &why)
        }
    };
    outcome.status(BUDGETS, budget, status);
    outcome
}

/// How many pods there should be, and how many of them healthy.
fn expectation(
    context: &Context<'_>,
    budget: &Value,
    selected: &[&Arc<Value>],
) -> Result<(i64, i64), String> {
    if let Some(most) = budget.pointer("/spec/maxUnavailable").filter(|most| !most.is_null()) {
        let expected = scale(context, selected)?;
        return Ok((expected, (expected - resolve(Some(most), expected, true)).max(0)));
    }
    match budget.pointer("/spec/minAvailable").filter(|least| !least.is_null()) {
        Some(Value::String(percent)) => {
            let expected = scale(context, selected)?;
            Ok((expected, resolve(Some(&json!(percent)), expected, true)))
        }
        Some(least) => Ok((selected.len() as i64, least.as_i64().unwrap_or(0))),
        // as minAvailable: 1, which is what such a budget means
        None => Ok((selected.len() as i64, 1)),
    }
}

/// The sizes of the workloads that the pods belong to, each once. Pods that nobody controls do not count.
fn scale(context: &Context<'_>, selected: &[&Arc<Value>]) -> Result<i64, String> {
    let mut sizes: BTreeMap<String, i64> = BTreeMap::new();
    for pod in selected {
        let Some(owner) = controller_of(pod) else { continue };
        let (workload, size) = sized(context, pod, owner)?;
        sizes.insert(workload, size);
    }
    Ok(sizes.values().sum())
}

fn sized(context: &Context<'_>, pod: &Value, owner: &Value) -> Result<(String, i64), String> {
    let (kind, owner_name) = (text(owner, "/kind"), text(owner, "/name"));
    let space = namespace(pod);
    let resource = match kind {
        "ReplicaSet" => replicaset::REPLICASETS,
        "StatefulSet" => statefulset::STATEFULSETS,
        other => {
            let plural = format!("{}s", other.to_lowercase());
            let group = text(owner, "/apiVersion").split_once('/').map_or("", |(group, _)| group);
            let dot = if group.is_empty() { "" } else { "." };
            return Err(format!("{plural}{dot}{group} does not implement the scale subresource"));
        }
    };
    let found =
        context.cache.get(resource, space, owner_name).filter(|found| uid(found) == text(owner, "/uid"));
    let Some(found) = found else {
        return Err(format!("found no controllers for pod {:?}", name(pod)));
    };
    let above = controller_of(found).filter(|above| text(above, "/kind") == "Deployment");
    let above =
        above.and_then(|above| context.cache.get(deployment::DEPLOYMENTS, space, text(above, "/name")));
    let workload = above.unwrap_or(found);
    Ok((uid(workload).to_owned(), number(workload, "/spec/replicas").unwrap_or(1)))
}

fn count(
    context: &Context<'_>,
    budget: &Value,
    selected: &[&Arc<Value>],
    (expected, desired): (i64, i64),
    outcome: &mut Outcome,
) -> Value {
    let mut going = map(budget, "/status/disruptedPods").cloned().unwrap_or_default();
    going.retain(|pod, since| {
        let here = selected.iter().any(|known| name(known) == pod && !deleting(known));
        let until = time(since, "").map(|since| after(since, GOING)).filter(|until| *until > context.now);
        if let (true, Some(until)) = (here, until) {
            outcome.look_again(until);
        }
        here && until.is_some()
    });
    let healthy = selected
        .iter()
        .filter(|pod| !deleting(pod) && !going.contains_key(name(pod)) && pods::is_ready(pod))
        .count() as i64;
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let mut conditions = conditions_of(budget);
    set_allowed(&mut conditions, allowed_condition(budget, allowed), context);
    let mut status = Map::new();
    status.insert("observedGeneration".to_owned(), json!(generation(budget)));
    if !going.is_empty() {
        status.insert("disruptedPods".to_owned(), json!(going));
    }
    status.insert("disruptionsAllowed".to_owned(), json!(allowed));
    status.insert("currentHealthy".to_owned(), json!(healthy));
    status.insert("desiredHealthy".to_owned(), json!(desired));
    status.insert("expectedPods".to_owned(), json!(expected));
    status.insert("conditions".to_owned(), json!(conditions));
    Value::Object(status)
}

/// Sets the condition, also when only the generation that it speaks of has changed.
fn set_allowed(conditions: &mut Vec<Value>, wanted: Value, context: &Context<'_>) {
    let seen = wanted["observedGeneration"].clone();
    set_condition(conditions, wanted, context.now, &[]);
    for condition in conditions {
        if text(condition, "/type") == "DisruptionAllowed" {
            condition["observedGeneration"] = seen.clone();
        }
    }
}

/// The status when nobody knows: no eviction is allowed.
fn failed(context: &Context<'_>, budget: &Value, why: &str) -> Value {
    let mut conditions = conditions_of(budget);
    let wanted = json!({"type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed", "message": why,
        "observedGeneration": generation(budget)});
    set_allowed(&mut conditions, wanted, context);
    let mut status = budget.get("status").and_then(Value::as_object).cloned().unwrap_or_default();
    for counter in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
        status.entry(counter).or_insert(json!(0));
    }
    status.insert("disruptionsAllowed".to_owned(), json!(0));
    put(&mut status, "observedGeneration", generation(budget));
    status.insert("conditions".to_owned(), json!(conditions));
    Value::Object(status)
}

/// Takes one eviction off a budget's status, for a pod that is about to go.
pub fn take_one(budget: &mut Value, pod: &str, now: jiff::Timestamp) {
    let left = number(budget, "/status/disruptionsAllowed").unwrap_or(0) - 1;
    if left <= 0 {
        let mut conditions = conditions_of(budget);
        set_condition(&mut conditions, allowed_condition(budget, 0), now, &[]);
        budget["status"]["conditions"] = json!(conditions);
    }
    budget["status"]["disruptionsAllowed"] = json!(left);
    budget["status"]["disruptedPods"][pod] = json!(stamp(now));
}

#[cfg(test)]
mod tests;
