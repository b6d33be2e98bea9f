//! ReplicaSets: as many pods as asked for.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::object::{deleting, generation, name, number, put, text};
use super::pods::{self, PODS, Tally};
use super::write::{Context, Note, Outcome, Target, Write, conditions_of, set_condition};

/// The resource.
pub const REPLICASETS: &str = "replicasets.apps";
/// The most pods created or deleted in one sync.
const BURST: i64 = 500;

/// Creates or deletes pods until `spec.replicas` are active, and reports what there is.
pub fn sync(context: &Context<'_>, set: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let claimed = pods::claim(context, set, &mut outcome);
    if pods::adopts(&outcome) {
        return outcome;
    }
    let active: Vec<Arc<Value>> = claimed.into_iter().filter(|pod| pods::is_active(pod)).collect();
    let wanted = number(set, "/spec/replicas").unwrap_or(1).max(0);
    if !deleting(set) {
        manage(set, &active, wanted, &mut outcome);
    }
    let tally = pods::tally(&active, set, context.now);
    if let Some(next) = tally.next {
        outcome.look_again(next);
    }
    let status = status(context, set, &tally, wanted);
    outcome.status(REPLICASETS, set, status);
    outcome
}

fn manage(set: &Arc<Value>, active: &[Arc<Value>], wanted: i64, outcome: &mut Outcome) {
    let missing = wanted - active.len() as i64;
    for _ in 0..missing.clamp(0, BURST) {
        outcome.push(Write::Create {
            resource: PODS,
            object: pods::from_template(set, &set["spec"]["template"]),
            note: Some(Note::normal(set, "SuccessfulCreate", "Created pod: ")),
        });
    }
    if missing < 0 {
        let mut surplus = active.to_vec();
        pods::sort_for_deletion(&mut surplus);
        for pod in surplus.iter().take((-missing).min(BURST) as usize) {
            outcome.push(Write::Delete {
                target: Target::of(PODS, pod),
                note: Some(Note::normal(set, "SuccessfulDelete", format!("Deleted pod: {}", name(pod)))),
            });
        }
    }
}

fn status(context: &Context<'_>, set: &Value, tally: &Tally, wanted: i64) -> Value {
    let mut conditions = conditions_of(set);
    match context.failure {
        Some(failure) => {
            let reason = if tally.total < wanted { "FailedCreate" } else { "FailedDelete" };
            let failed =
                json!({"type": "ReplicaFailure", "status": "True", "reason": reason, "message": failure});
            set_condition(&mut conditions, failed, context.now, &[]);
        }
        None => conditions.retain(|condition| text(condition, "/type") != "ReplicaFailure"),
    }
    let mut status = Map::new();
    status.insert("replicas".to_owned(), json!(tally.total));
    put(&mut status, "fullyLabeledReplicas", tally.labelled);
    put(&mut status, "readyReplicas", tally.ready);
    put(&mut status, "availableReplicas", tally.available);
    put(&mut status, "observedGeneration", generation(set));
    put(&mut status, "conditions", conditions);
    Value::Object(status)
}

/// Whether a set has been seen by its controller in its present generation.
pub fn is_observed(set: &Value) -> bool {
    generation(set) <= number(set, "/status/observedGeneration").unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, reasons};
    use super::*;

    fn set(replicas: i64) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": "web", "namespace": "a", "generation": 1},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}},
        })
    }

    #[test]
    fn pods_are_made_and_counted() {
        let mut bench = Bench::new();
        bench.add(REPLICASETS, set(3));
        bench.settle();
        assert_eq!(bench.names(PODS).len(), 3);
        assert_eq!(
            bench.get(REPLICASETS, "a", "web")["status"],
            json!({"replicas": 3, "fullyLabeledReplicas": 3, "observedGeneration": 1})
        );
        bench.ready_all();
        bench.settle();
        let status = &bench.get(REPLICASETS, "a", "web")["status"];
        assert_eq!(
            (status["readyReplicas"].clone(), status["availableReplicas"].clone()),
            (json!(3), json!(3))
        );
        assert_eq!(reasons(&bench), ["SuccessfulCreate", "SuccessfulCreate", "SuccessfulCreate"]);
    }

    #[test]
    fn surplus_pods_that_are_not_ready_go_first() {
        let mut bench = Bench::new();
        bench.add(REPLICASETS, set(2));
        bench.settle();
        bench.ready_all();
        let kept = bench.names(PODS);
        bench.change(REPLICASETS, "a", "web", |set| set["spec"]["replicas"] = json!(3));
        bench.settle();
        assert_eq!(bench.names(PODS).len(), 3);
        bench.change(REPLICASETS, "a", "web", |set| set["spec"]["replicas"] = json!(2));
        bench.settle();
        assert_eq!(bench.names(PODS), kept);
    }

    #[test]
    fn orphans_are_adopted_and_strangers_released() {
        let mut bench = Bench::new();
        bench.add(
            PODS,
            json!({"metadata": {"name": "loose", "namespace": "a", "labels": {"app": "web"}}, "spec": {}}),
        );
        bench.add(REPLICASETS, set(1));
        bench.settle();
        assert_eq!(bench.names(PODS), ["loose"]);
        assert_eq!(
            super::super::object::controller_uid(&bench.get(PODS, "a", "loose")),
            bench.uid(REPLICASETS, "a", "web")
        );
        bench.change(PODS, "a", "loose", |pod| pod["metadata"]["labels"] = json!({"app": "other"}));
        bench.settle();
        assert_eq!(super::super::object::controller_uid(&bench.get(PODS, "a", "loose")), "");
        assert_eq!(bench.names(PODS).len(), 2, "a replacement is made");
    }

    #[test]
    fn finished_pods_are_replaced() {
        let mut bench = Bench::new();
        bench.add(REPLICASETS, set(1));
        bench.settle();
        let first = bench.names(PODS);
        bench.change(PODS, "a", &first[0], |pod| pod["status"] = json!({"phase": "Failed"}));
        bench.settle();
        assert_eq!(bench.names(PODS).len(), 2);
    }

    #[test]
    fn a_refused_write_shows_as_a_condition() {
        let object = Arc::new(set(1));
        let cache = super::super::cache::Cache::default();
        let context =
            Context { cache: &cache, now: jiff::Timestamp::UNIX_EPOCH, failure: Some("quota exceeded") };
        let outcome = sync(&context, &object);
        let status = outcome.writes.iter().find_map(|write| match write {
            Write::Status { status, .. } => Some(status),
            _ => None,
        });
        let condition = &status.expect("a status")["conditions"][0];
        assert_eq!(
            (text(condition, "/type"), text(condition, "/message")),
            ("ReplicaFailure", "quota exceeded")
        );
    }
}
