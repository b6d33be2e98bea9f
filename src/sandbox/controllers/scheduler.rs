//! The scheduler: gives every pod a node, or says why there is none.
//!
//! It judges cordons, node selectors, required node affinity, taints, requests against what the node has, required pod
//! affinity and anti-affinity, spread constraints as far as the node's labels decide them, and claims. It evicts nobody for a
//! pod of higher priority, and says so.

use std::sync::Arc;

use serde_json::{Value, json};

use super::object::{annotation, deleting, flag, labels, list, map, name, namespace, number, text};
use super::pods::{self, PODS};
use super::selector;
use super::volumes::{self, CLAIMS};
use super::write::{Context, Note, Outcome, Target, Write};
use super::{neighbours, placing};

const AFFINITY: &str =
    "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";

const NO_PREEMPTION: &str = "The sandbox evicts no pods of lower priority.";

/// Assigns a pod without a node, or explains.
pub fn sync(context: &Context<'_>, pod: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let foreign = !matches!(text(pod, "/spec/schedulerName"), "" | "default-scheduler");
    if !text(pod, "/spec/nodeName").is_empty() || deleting(pod) || pods::is_finished(pod) || foreign {
        return outcome;
    }
    if !list(pod, "/spec/schedulingGates").is_empty() {
        let message = "Scheduling is blocked due to non-empty scheduling gates";
        outcome.push(scheduled(pod, "False", "SchedulingGated", message));
        return outcome;
    }
    match choose(context, pod) {
        Ok((node, claims)) if !claims.is_empty() => {
            // claims that wait for their first pod are told where it will be; the pod gets its node when they are bound
            let patch = json!({"metadata": {"annotations": {volumes::SELECTED_NODE: node}}});
            for claim in
                claims.iter().filter(|claim| annotation(claim, volumes::SELECTED_NODE) != Some(&node))
            {
                outcome.push(Write::Merge { target: Target::of(CLAIMS, claim), patch: patch.clone() });
            }
        }
        Ok((node, _)) => {
            outcome.push(Write::Merge {
                target: Target::of(PODS, pod),
                patch: json!({"spec": {"nodeName": node}}),
            });
            outcome.push(scheduled(pod, "True", "", ""));
            let message = format!("Successfully assigned {}/{} to {node}", namespace(pod), name(pod));
            outcome.push(Write::Event(Note::normal(pod, "Scheduled", message)));
        }
        Err(why) => {
            let preempts = number(pod, "/spec/priority").unwrap_or(0) > 0;
            let why = if preempts { format!("{why} {NO_PREEMPTION}") } else { why };
            let known = super::object::condition(pod, "PodScheduled")
                .is_some_and(|condition| text(condition, "/message") == why);
            if !known {
                outcome.push(scheduled(pod, "False", "Unschedulable", &why));
                outcome.push(Write::Event(Note::warning(pod, "FailedScheduling", why)));
            }
        }
    }
    outcome
}

fn scheduled(pod: &Value, status: &str, reason: &str, message: &str) -> Write {
    let mut condition = json!({"type": "PodScheduled", "status": status, "lastProbeTime": null});
    if !reason.is_empty() {
        condition["reason"] = json!(reason);
        condition["message"] = json!(message);
    }
    Write::Condition { target: Target::of(PODS, pod), condition }
}

/// The node for a pod, and its claims that are to be bound first.
fn choose<'a>(context: &Context<'a>, pod: &Value) -> Result<(String, Vec<&'a Arc<Value>>), String> {
    let claims = check_claims(context, pod)?;
    let asked = placing::requests(pod);
    let mut refusals: Vec<(String, usize)> = Vec::new();
    let mut total = 0;
    for node in context.cache.all("nodes") {
        total += 1;
        let short = || placing::shortage(node, context.cache.pods.used(name(node)), asked).map(str::to_owned);
        let refusal = refusal(pod, node).or_else(short).or_else(|| neighbours::refusal(context, pod, node));
        match refusal {
            None => return Ok((name(node).to_owned(), claims)),
            Some(why) => match refusals.iter_mut().find(|(known, _)| *known == why) {
                Some((_, count)) => *count += 1,
                None => refusals.push((why, 1)),
            },
        }
    }
    if total == 0 {
        return Err("no nodes available to schedule pods".to_owned());
    }
    let reasons: Vec<String> = refusals.iter().map(|(why, count)| format!("{count} {why}")).collect();
    Err(format!("0/{total} nodes are available: {}.", reasons.join(", ")))
}

/// A pod waits for its claims: they must be there, and bound. Answers those that wait for the pod in turn.
fn check_claims<'a>(context: &Context<'a>, pod: &Value) -> Result<Vec<&'a Arc<Value>>, String> {
    let mut waiting = Vec::new();
    for claim in volumes::claims_of(pod) {
        match context.cache.get(CLAIMS, namespace(pod), claim) {
            None => return Err(format!("persistentvolumeclaim \"{claim}\" not found")),
            Some(claim) if deleting(claim) => {
                return Err(format!("persistentvolumeclaim \"{}\" is being deleted", name(claim)));
            }
            Some(claim) if volumes::waits_for_pod(context, claim) => waiting.push(claim),
            Some(claim) if text(claim, "/status/phase") != "Bound" => {
                return Err("pod has unbound immediate PersistentVolumeClaims".to_owned());
            }
            Some(_) => {}
        }
    }
    Ok(waiting)
}

/// Why a node does not take a pod, in the scheduler's words; `None` when it does.
pub fn refusal(pod: &Value, node: &Value) -> Option<String> {
    let tolerates =
        |taint: &Value| list(pod, "/spec/tolerations").iter().any(|toleration| tolerated(toleration, taint));
    let cordon = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
    if flag(node, "/spec/unschedulable") && !tolerates(&cordon) {
        return Some("node(s) were unschedulable".to_owned());
    }
    let selected =
        map(pod, "/spec/nodeSelector").is_none_or(|wanted| selector::contains(labels(node), wanted));
    let terms = pod.pointer(AFFINITY).map(|_| list(pod, AFFINITY));
    if !selected || terms.is_some_and(|terms| !terms.iter().any(|term| fits(term, node))) {
        return Some("node(s) didn't match Pod's node affinity/selector".to_owned());
    }
    let taint = list(node, "/spec/taints")
        .iter()
        .filter(|taint| text(taint, "/effect") != "PreferNoSchedule")
        .find(|taint| !tolerates(taint))?;
    Some(format!("node(s) had untolerated taint {{{}: {}}}", text(taint, "/key"), text(taint, "/value")))
}

fn fits(term: &Value, node: &Value) -> bool {
    let expressions = list(term, "/matchExpressions");
    let fields = list(term, "/matchFields");
    let named = json!({"metadata.name": name(node)});
    (!expressions.is_empty() || !fields.is_empty())
        && expressions.iter().all(|expression| selector::requirement(expression, labels(node)))
        && fields.iter().all(|field| selector::requirement(field, named.as_object()))
}

/// Whether a toleration is about a taint.
pub fn tolerated(toleration: &Value, taint: &Value) -> bool {
    let same = |field: &str| text(toleration, field) == text(taint, field);
    let effect = text(toleration, "/effect").is_empty() || same("/effect");
    let key = text(toleration, "/key").is_empty() || same("/key");
    effect && key && (text(toleration, "/operator") == "Exists" || same("/value"))
}

/// The node that a pod sits on, or that a DaemonSet made it for.
pub fn aimed_at(pod: &Value) -> &str {
    match text(pod, "/spec/nodeName") {
        "" => text(pod, &format!("{AFFINITY}/0/matchFields/0/values/0")),
        node => node,
    }
}

#[cfg(test)]
mod tests {
    use super::super::cache::Cache;
    use super::*;

    fn run(nodes: &[Value], pod: Value) -> Outcome {
        let mut cache = Cache::default();
        for node in nodes {
            cache.insert("nodes", Arc::new(node.clone()));
        }
        let context = Context { cache: &cache, now: jiff::Timestamp::UNIX_EPOCH, failure: None };
        sync(&context, &Arc::new(pod))
    }

    fn node() -> Value {
        json!({"metadata": {"name": "sandbox", "labels": {"kubernetes.io/hostname": "sandbox"}}, "spec": {}})
    }

    fn pod(spec: Value) -> Value {
        json!({"metadata": {"name": "p", "namespace": "a"}, "spec": spec})
    }

    fn failure(outcome: &Outcome) -> &str {
        match outcome.writes.last() {
            Some(Write::Event(note)) if note.warning => &note.message,
            other => panic!("no failure, but {other:?}"),
        }
    }

    #[test]
    fn a_pod_gets_the_node() {
        let outcome = run(&[node()], pod(json!({})));
        assert!(
            matches!(&outcome.writes[0], Write::Merge { patch, .. } if *patch == json!({"spec": {"nodeName": "sandbox"}}))
        );
        assert!(
            matches!(&outcome.writes[2], Write::Event(note) if note.message == "Successfully assigned a/p to sandbox")
        );
    }

    #[test]
    fn a_selector_that_fits_nowhere_is_explained() {
        let outcome = run(&[node()], pod(json!({"nodeSelector": {"disk": "fast"}})));
        assert_eq!(
            failure(&outcome),
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
        );
        assert_eq!(failure(&run(&[], pod(json!({})))), "no nodes available to schedule pods");
    }

    #[test]
    fn taints_need_a_toleration() {
        let mut tainted = node();
        tainted["spec"]["taints"] = json!([{"key": "only", "value": "gpu", "effect": "NoSchedule"}]);
        assert!(failure(&run(&[tainted.clone()], pod(json!({})))).contains("untolerated taint {only: gpu}"));
        let brave = pod(json!({"tolerations": [{"key": "only", "operator": "Exists"}]}));
        assert_eq!(run(&[tainted], brave).writes.len(), 3);
    }

    #[test]
    fn requests_must_fit_and_priority_does_not_help() {
        let mut small = node();
        small["status"] = json!({"allocatable": {"cpu": "1"}});
        let mut big = pod(json!({"containers": [{"resources": {"requests": {"cpu": "1100m"}}}]}));
        let why = "0/1 nodes are available: 1 Insufficient cpu.";
        assert_eq!(failure(&run(&[small.clone()], big.clone())), why);
        big["spec"]["priority"] = json!(7);
        assert_eq!(failure(&run(&[small], big)), format!("{why} {NO_PREEMPTION}"));
    }

    #[test]
    fn a_missing_claim_holds_the_pod_back() {
        let spec = json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]});
        assert_eq!(failure(&run(&[node()], pod(spec))), "persistentvolumeclaim \"data\" not found");
    }

    #[test]
    fn the_same_refusal_is_told_once() {
        let mut waiting = pod(json!({"nodeSelector": {"disk": "fast"}}));
        let message = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
        waiting["status"] =
            json!({"conditions": [{"type": "PodScheduled", "status": "False", "message": message}]});
        assert!(run(&[node()], waiting).writes.is_empty());
    }
}
