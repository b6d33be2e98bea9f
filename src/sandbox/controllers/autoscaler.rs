//! HorizontalPodAutoscalers: the sandbox keeps them and scales nothing, and says so on each of them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::object::{condition, deleting, generation, text};
use super::write::{Context, Note, Outcome, Write, conditions_of, set_condition};

/// The resource.
pub const AUTOSCALERS: &str = "horizontalpodautoscalers.autoscaling";
const MESSAGE: &str = "the sandbox does not scale workloads by metrics: this autoscaler does nothing";

/// Says in the conditions and in an event that nothing will be scaled.
pub fn sync(context: &Context<'_>, autoscaler: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    if deleting(autoscaler) {
        return outcome;
    }
    let mut conditions = conditions_of(autoscaler);
    for kind in ["AbleToScale", "ScalingActive"] {
        let wanted = json!({"type": kind, "status": "False", "reason": "NotImplemented", "message": MESSAGE});
        set_condition(&mut conditions, wanted, context.now, &[]);
    }
    if condition(autoscaler, "AbleToScale").is_none_or(|known| text(known, "/reason") != "NotImplemented") {
        outcome.push(Write::Event(Note::warning(autoscaler, "NotImplemented", MESSAGE)));
    }
    let status = json!({
        "observedGeneration": generation(autoscaler), "currentReplicas": 0, "desiredReplicas": 0,
        "conditions": conditions});
    outcome.status(AUTOSCALERS, autoscaler, status);
    outcome
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, reasons};
    use super::super::object::condition_is_true;
    use super::*;

    #[test]
    fn it_says_once_that_it_does_nothing() {
        let mut bench = Bench::new();
        bench.add(
            AUTOSCALERS,
            json!({"kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": "a"}, "spec": {"maxReplicas": 3}}),
        );
        bench.settle();
        let autoscaler = bench.get(AUTOSCALERS, "a", "web");
        assert!(!condition_is_true(&autoscaler, "AbleToScale"));
        assert_eq!(
            condition(&autoscaler, "AbleToScale").map(|known| text(known, "/reason")),
            Some("NotImplemented")
        );
        bench.settle();
        assert_eq!(reasons(&bench), ["NotImplemented"]);
    }
}
