//! Taints with the effect `NoExecute`: pods that do not tolerate them leave their node, those that do for a while leave later.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cache::Cache;
use super::object::{after, deleting, list, name, namespace, number, text, time};
use super::pods::{self, PODS};
use super::scheduler::tolerated;
use super::write::{Context, Note, Outcome, Target, Write};

/// The resource whose taints are meant.
const NODES: &str = "nodes";

/// When a pod has to leave.
enum Leave {
    Never,
    At(Timestamp),
    /// It tolerates a taint for a while, and nobody has noted since when there is one.
    Unknown,
}

/// Whether a node drives pods away.
pub fn drives_away(node: &Value) -> bool {
    evicting(node).next().is_some()
}

/// Whether a pod sits on a node that drives pods away.
pub fn concerns(cache: &Cache, pod: &Value) -> bool {
    let node = text(pod, "/spec/nodeName");
    !node.is_empty() && cache.get(NODES, "", node).is_some_and(|node| drives_away(node))
}

/// Deletes a pod that its node's taints drive away, now or when its tolerations end.
pub fn sync(context: &Context<'_>, pod: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let Some(node) = context.cache.get(NODES, "", text(pod, "/spec/nodeName")) else { return outcome };
    if deleting(pod) || pods::is_finished(pod) {
        return outcome;
    }
    match leaves(pod, node, context.now) {
        Leave::Never => {}
        Leave::Unknown => outcome.push(note_when(node, context.now)),
        Leave::At(at) if at > context.now => outcome.look_again(at),
        Leave::At(_) => {
            let condition = json!({"type": "DisruptionTarget", "status": "True", "lastProbeTime": null,
                "reason": "DeletionByTaintManager", "message": "Taint manager: deleting due to NoExecute taint"});
            outcome.push(Write::Condition { target: Target::of(PODS, pod), condition });
            let message = format!("Marking for deletion Pod {}/{}", namespace(pod), name(pod));
            outcome.push(Write::Delete {
                target: Target::of(PODS, pod),
                note: Some(Note::normal(pod, "TaintManagerEviction", message)),
            });
        }
    }
    outcome
}

fn evicting(node: &Value) -> impl Iterator<Item = &Value> {
    list(node, "/spec/taints").iter().filter(|taint| text(taint, "/effect") == "NoExecute")
}

/// Every taint must be tolerated; the shortest `tolerationSeconds` counts, from the moment at which its taint was added.
fn leaves(pod: &Value, node: &Value, now: Timestamp) -> Leave {
    let mut leave = Leave::Never;
    for taint in evicting(node) {
        let tolerations = list(pod, "/spec/tolerations").iter().filter(|one| tolerated(one, taint));
        let limits: Vec<Option<i64>> = tolerations.map(|one| number(one, "/tolerationSeconds")).collect();
        if limits.is_empty() {
            return Leave::At(now);
        }
        let Some(seconds) = limits.into_iter().flatten().min() else { continue };
        if seconds <= 0 {
            return Leave::At(now);
        }
        leave = match (leave, time(taint, "/timeAdded")) {
            (Leave::Never, Some(added)) => Leave::At(after(added, seconds)),
            (Leave::At(known), Some(added)) => Leave::At(known.min(after(added, seconds))),
            _ => Leave::Unknown,
        };
    }
    leave
}

/// Notes at the taints since when they are there: `kubectl taint` does not. A real server's controller remembers it instead,
/// and begins anew when it restarts.
fn note_when(node: &Value, now: Timestamp) -> Write {
    let mut taints = list(node, "/spec/taints").to_vec();
    let unknown =
        |taint: &&mut Value| text(taint, "/effect") == "NoExecute" && time(taint, "/timeAdded").is_none();
    for taint in taints.iter_mut().filter(unknown) {
        taint["timeAdded"] = json!(super::object::stamp(now));
    }
    // of taints that somebody has changed meanwhile nothing may be lost
    let version = text(node, "/metadata/resourceVersion");
    let patch = json!({"metadata": {"resourceVersion": version}, "spec": {"taints": taints}});
    Write::Merge { target: Target::of(NODES, node), patch }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(taint: Value, tolerations: Value) -> Outcome {
        let mut cache = Cache::default();
        let node = json!({"metadata": {"name": "n", "resourceVersion": "7"}, "spec": {"taints": [taint]}});
        cache.insert(NODES, Arc::new(node));
        let now = "2026-01-01T00:00:10Z".parse().expect("a timestamp");
        let context = Context { cache: &cache, now, failure: None };
        let pod = json!({"metadata": {"name": "p", "namespace": "a"},
            "spec": {"nodeName": "n", "tolerations": tolerations}});
        sync(&context, &Arc::new(pod))
    }

    fn taint(effect: &str) -> Value {
        json!({"key": "k", "value": "v", "effect": effect, "timeAdded": "2026-01-01T00:00:00Z"})
    }

    fn leaves_now(outcome: &Outcome) -> bool {
        outcome.writes.iter().any(|write| matches!(write, Write::Delete { .. }))
    }

    #[test]
    fn what_does_not_tolerate_the_taint_leaves() {
        assert!(leaves_now(&run(taint("NoExecute"), json!([]))));
        assert!(leaves_now(&run(taint("NoExecute"), json!([{"key": "other", "operator": "Exists"}]))));
        assert_eq!(run(taint("NoExecute"), json!([{"key": "k", "operator": "Exists"}])), Outcome::nothing());
        assert_eq!(run(taint("NoSchedule"), json!([])), Outcome::nothing());
    }

    #[test]
    fn what_tolerates_it_for_a_while_leaves_then() {
        let tolerated = |seconds: i64| json!([{"operator": "Exists", "tolerationSeconds": seconds}]);
        assert!(leaves_now(&run(taint("NoExecute"), tolerated(0))));
        assert!(leaves_now(&run(taint("NoExecute"), tolerated(10))));
        let later = run(taint("NoExecute"), tolerated(60));
        assert!(later.writes.is_empty());
        assert_eq!(later.again, "2026-01-01T00:01:00Z".parse().ok());
    }

    #[test]
    fn a_taint_without_a_time_gets_one() {
        let outcome = run(
            json!({"key": "k", "effect": "NoExecute"}),
            json!([{"operator": "Exists", "tolerationSeconds": 60}]),
        );
        let patch = json!({"metadata": {"resourceVersion": "7"}, "spec": {"taints": [
            {"key": "k", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:10Z"}]}});
        assert!(matches!(&outcome.writes[..], [Write::Merge { patch: sent, .. }] if *sent == patch));
    }
}
