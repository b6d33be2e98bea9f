//! DaemonSets: one pod on every node that fits.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::deployment::resolve;
use super::object::{count, deleting, generation, list, name, put, text};
use super::pods::{self, PODS};
use super::revision::{self, History};
use super::scheduler;
use super::write::{Context, Note, Outcome, Target, Write};

/// The resource.
pub const DAEMONSETS: &str = "daemonsets.apps";

/// Taints that every daemon tolerates.
const TOLERATED: [&str; 6] =
    ["not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"];

/// Brings a DaemonSet one step further.
pub fn sync(context: &Context<'_>, set: &Arc<Value>) -> Outcome {
    let mut outcome = Outcome::nothing();
    let claimed = pods::claim(context, set, &mut outcome);
    if pods::adopts(&outcome) {
        return outcome;
    }
    let history = History::record(context, set, &mut outcome);
    let hash = revision::hash_of(&history.update, set).to_owned();
    let mut scene = Scene { context, set, hash, pods: claimed, counters: Counters::default(), outcome };
    for node in context.cache.all("nodes") {
        scene.visit(node);
    }
    scene.drop_strays();
    if !deleting(set) && text(set, "/spec/updateStrategy/type") != "OnDelete" {
        scene.update();
    }
    history.trim(set, &scene.live(&history), &mut scene.outcome);
    let status = scene.status(&history);
    scene.outcome.status(DAEMONSETS, set, status);
    scene.outcome
}

#[derive(Debug, Default, Clone, Copy)]
struct Counters {
    desired: i64,
    current: i64,
    misscheduled: i64,
    ready: i64,
    available: i64,
    updated: i64,
}

struct Scene<'a> {
    context: &'a Context<'a>,
    set: &'a Arc<Value>,
    hash: String,
    pods: Vec<Arc<Value>>,
    counters: Counters,
    outcome: Outcome,
}

impl<'a> Scene<'a> {
    fn visit(&mut self, node: &Value) {
        let fits = scheduler::refusal(&self.pod_for(node), node).is_none();
        let here: Vec<Arc<Value>> =
            self.pods.iter().filter(|pod| scheduler::aimed_at(pod) == name(node)).cloned().collect();
        let running: Vec<&Arc<Value>> = here.iter().filter(|pod| pods::is_active(pod)).collect();
        if !fits {
            self.counters.misscheduled += i64::from(!running.is_empty());
            for pod in running {
                self.delete(pod);
            }
            return;
        }
        self.counters.desired += 1;
        for pod in here.iter().filter(|pod| pods::is_finished(pod) && !deleting(pod)) {
            let message = format!("Found failed daemon pod {}, will try to kill it", name(pod));
            self.outcome.push(Write::Event(Note::warning(self.set, "FailedDaemonPod", message)));
            self.delete(pod);
        }
        let is_new = |pod: &&&Arc<Value>| revision::of_pod(pod) == self.hash;
        let (new, old) =
            (running.iter().find(is_new).copied(), running.iter().find(|pod| !is_new(pod)).copied());
        match (old, new) {
            // both, while a new pod surges: the old one goes when the new one is available
            (Some(old), Some(new)) => {
                let counted = if self.is_available(new) { new } else { old };
                self.tally(counted);
                if self.is_available(new) || !pods::is_ready(old) {
                    self.delete(old);
                }
            }
            (Some(only), None) | (None, Some(only)) => self.tally(only),
            (None, None) if here.is_empty() && !deleting(self.set) => self.make(node),
            (None, None) => {}
        }
    }

    fn make(&mut self, node: &Value) {
        self.outcome.push(Write::Create {
            resource: PODS,
            object: self.pod_for(node),
            note: Some(Note::normal(self.set, "SuccessfulCreate", "Created pod: ")),
        });
    }

    fn is_available(&mut self, pod: &Value) -> bool {
        match pods::available_at(pod, count(self.set, "/spec/minReadySeconds")) {
            Some(at) if at > self.context.now => {
                self.outcome.look_again(at);
                false
            }
            at => at.is_some(),
        }
    }

    /// How many nodes may have a new pod beside the old one during an update.
    fn surge(&self) -> i64 {
        let most = self.set.pointer("/spec/updateStrategy/rollingUpdate/maxSurge");
        most.filter(|most| !most.is_null()).map_or(0, |most| resolve(Some(most), self.counters.desired, true))
    }

    /// Makes new pods beside old ones, as many as may surge.
    fn surge_ahead(&mut self, most: i64) {
        let is_new = |pod: &&Arc<Value>| pods::is_active(pod) && revision::of_pod(pod) == self.hash;
        let has_new: Vec<String> =
            self.pods.iter().filter(is_new).map(|pod| scheduler::aimed_at(pod).to_owned()).collect();
        let old: Vec<Arc<Value>> = self
            .pods
            .iter()
            .filter(|pod| pods::is_active(pod) && revision::of_pod(pod) != self.hash)
            .cloned()
            .collect();
        let doubled =
            old.iter().filter(|pod| has_new.iter().any(|node| node == scheduler::aimed_at(pod))).count();
        let mut room = most - doubled as i64;
        for pod in old {
            let aim = scheduler::aimed_at(&pod).to_owned();
            if room <= 0 || has_new.contains(&aim) {
                continue;
            }
            if let Some(node) = self.context.cache.get("nodes", "", &aim) {
                self.make(node);
                room -= 1;
            }
        }
    }

    fn tally(&mut self, pod: &Value) {
        self.counters.current += 1;
        self.counters.updated += i64::from(revision::of_pod(pod) == self.hash);
        if let Some(at) = pods::available_at(pod, count(self.set, "/spec/minReadySeconds")) {
            self.counters.ready += 1;
            if at <= self.context.now {
                self.counters.available += 1;
            } else {
                self.outcome.look_again(at);
            }
        }
    }

    /// The pod for a node: the template, bound to that node by affinity as the real controller does it.
    fn pod_for(&self, node: &Value) -> Value {
        let mut pod = pods::from_template(self.set, &self.set["spec"]["template"]);
        pod["metadata"]["labels"][revision::HASH] = json!(self.hash);
        pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] = json!({
            "nodeSelectorTerms": aim(&pod, name(node))});
        let mut tolerations = list(&pod, "/spec/tolerations").to_vec();
        tolerations.extend(TOLERATED.iter().map(|taint| {
            let effect =
                if matches!(*taint, "not-ready" | "unreachable") { "NoExecute" } else { "NoSchedule" };
            json!({"key": format!("node.kubernetes.io/{taint}"), "operator": "Exists", "effect": effect})
        }));
        pod["spec"]["tolerations"] = json!(tolerations);
        pod
    }

    fn delete(&mut self, pod: &Value) {
        let message = format!("Deleted pod: {}", name(pod));
        let note = Some(Note::normal(self.set, "SuccessfulDelete", message));
        self.outcome.push(Write::Delete { target: Target::of(PODS, pod), note });
    }

    /// Deletes pods that are aimed at a node that is gone.
    fn drop_strays(&mut self) {
        let strays: Vec<Arc<Value>> = self
            .pods
            .iter()
            .filter(|pod| !deleting(pod))
            .filter(|pod| self.context.cache.get("nodes", "", scheduler::aimed_at(pod)).is_none())
            .cloned()
            .collect();
        for pod in strays {
            self.delete(&pod);
        }
    }

    /// Replaces pods of an old revision, as many at a time as may be unavailable.
    fn update(&mut self) {
        let surge = self.surge();
        if surge > 0 {
            self.surge_ahead(surge);
            return;
        }
        let most = self.set.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable");
        let most = match most {
            Some(value) => resolve(Some(value), self.counters.desired, true),
            None => 1,
        };
        let mut budget = most - (self.counters.desired - self.counters.available);
        let old: Vec<Arc<Value>> = self
            .pods
            .iter()
            .filter(|pod| pods::is_active(pod) && revision::of_pod(pod) != self.hash)
            .cloned()
            .collect();
        for pod in old {
            let idle = !pods::is_ready(&pod);
            if idle || budget > 0 {
                budget -= i64::from(!idle);
                self.delete(&pod);
            }
        }
    }

    fn live<'b>(&self, history: &'b History) -> Vec<&'b str> {
        let lives = |known: &&'b Arc<Value>| {
            self.pods.iter().any(|pod| revision::of_pod(pod) == revision::hash_of(name(known), self.set))
        };
        history.known.iter().filter(lives).map(|known| name(known)).collect()
    }

    fn status(&self, history: &History) -> Value {
        let counters = self.counters;
        let mut status = Map::new();
        status.insert("currentNumberScheduled".to_owned(), json!(counters.current));
        status.insert("numberMisscheduled".to_owned(), json!(counters.misscheduled));
        status.insert("desiredNumberScheduled".to_owned(), json!(counters.desired));
        status.insert("numberReady".to_owned(), json!(counters.ready));
        put(&mut status, "observedGeneration", generation(self.set));
        put(&mut status, "updatedNumberScheduled", counters.updated);
        put(&mut status, "numberAvailable", counters.available);
        put(&mut status, "numberUnavailable", counters.desired - counters.available);
        put(&mut status, "collisionCount", history.collisions);
        Value::Object(status)
    }
}

/// The template's node selector terms, each narrowed to one node.
fn aim(pod: &Value, node: &str) -> Value {
    let field = json!([{"key": "metadata.name", "operator": "In", "values": [node]}]);
    let path = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let mut terms = list(pod, path).to_vec();
    if terms.is_empty() {
        terms.push(json!({}));
    }
    for term in &mut terms {
        term["matchFields"] = field.clone();
    }
    json!(terms)
}

#[cfg(test)]
mod tests {
    use super::super::bench::Bench;
    use super::*;

    fn set() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent", "namespace": "a"},
            "spec": {"selector": {"matchLabels": {"app": "agent"}}, "updateStrategy": {"type": "RollingUpdate"},
                "template": {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": [{"name": "c", "image": "1"}]}}}})
    }

    fn node(name: &str) -> Value {
        json!({"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}, "spec": {}})
    }

    #[test]
    fn every_node_gets_one_pod_and_follows_the_template() {
        let mut bench = Bench::new();
        bench.add("nodes", node("one"));
        bench.add(DAEMONSETS, set());
        bench.settle();
        assert_eq!(bench.names(PODS).len(), 1);
        bench.add("nodes", node("two"));
        bench.settle();
        assert_eq!(bench.names(PODS).len(), 2);
        bench.ready_all();
        bench.settle();
        let status = bench.get(DAEMONSETS, "a", "agent")["status"].clone();
        for field in [
            "desiredNumberScheduled",
            "currentNumberScheduled",
            "numberReady",
            "updatedNumberScheduled",
            "numberAvailable",
        ] {
            assert_eq!(status[field], json!(2), "{field}");
        }
        let before = bench.names(PODS);
        bench.change(DAEMONSETS, "a", "agent", |set| {
            set["spec"]["template"]["spec"]["containers"][0]["image"] = json!("2");
        });
        bench.settle();
        let half = bench.names(PODS);
        assert_eq!(half.iter().filter(|name| before.contains(name)).count(), 1, "one at a time");
        bench.ready_all();
        bench.settle();
        bench.ready_all();
        bench.settle();
        assert!(bench.names(PODS).iter().all(|name| !before.contains(name)));
        assert_eq!(bench.get(DAEMONSETS, "a", "agent")["status"]["updatedNumberScheduled"], json!(2));
    }

    #[test]
    fn a_surging_update_has_the_new_pod_before_the_old_one_goes() {
        let mut bench = Bench::new();
        bench.add("nodes", node("one"));
        let mut surging = set();
        surging["spec"]["updateStrategy"]["rollingUpdate"] = json!({"maxSurge": 1, "maxUnavailable": 0});
        bench.add(DAEMONSETS, surging);
        bench.settle();
        bench.ready_all();
        bench.settle();
        let before = bench.names(PODS);
        bench.change(DAEMONSETS, "a", "agent", |set| {
            set["spec"]["template"]["spec"]["containers"][0]["image"] = json!("2");
        });
        bench.settle();
        assert_eq!(bench.names(PODS).len(), 2, "both");
        assert!(bench.names(PODS).contains(&before[0]));
        assert_eq!(bench.get(DAEMONSETS, "a", "agent")["status"]["numberAvailable"], json!(1));
        bench.ready_all();
        bench.settle();
        let after = bench.names(PODS);
        assert!(after.len() == 1 && after != before, "{after:?}");
    }

    #[test]
    fn a_node_that_does_not_fit_gets_none() {
        let mut bench = Bench::new();
        bench.add("nodes", node("one"));
        let mut picky = set();
        picky["spec"]["template"]["spec"]["nodeSelector"] = json!({"disk": "fast"});
        bench.add(DAEMONSETS, picky);
        bench.settle();
        assert_eq!(bench.names(PODS).len(), 0);
        assert_eq!(bench.get(DAEMONSETS, "a", "agent")["status"]["desiredNumberScheduled"], json!(0));
    }
}
