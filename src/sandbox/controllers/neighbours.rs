//! Beside whom a pod may sit: required affinity and anti-affinity between pods, and spread constraints.

use serde_json::Value;

use super::object::{label, labels, list, name, namespace, text};
use super::placing::ANTI_AFFINITY;
use super::pods::{self, PODS};
use super::selector;
use super::write::Context;

const AFFINITY: &str = "/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution";

/// Why a pod may not sit on a node for the sake of others, in the scheduler's words.
pub fn refusal(context: &Context<'_>, pod: &Value, node: &Value) -> Option<String> {
    let why = if !spreads(pod, node) {
        "node(s) didn't match pod topology spread constraints (missing required label)"
    } else if !is_welcome(context, pod, node) {
        "node(s) didn't match pod affinity rules"
    } else if list(pod, ANTI_AFFINITY).iter().any(|term| finds(context, (term, pod), node)) {
        "node(s) didn't match pod anti-affinity rules"
    } else if is_shunned(context, pod, node) {
        "node(s) didn't satisfy existing pods anti-affinity rules"
    } else {
        return None;
    };
    Some(why.to_owned())
}

/// Whether a node has the labels that hard spread constraints count by. With a single node there is nothing to spread over.
fn spreads(pod: &Value, node: &Value) -> bool {
    list(pod, "/spec/topologySpreadConstraints")
        .iter()
        .filter(|constraint| text(constraint, "/whenUnsatisfiable") == "DoNotSchedule")
        .all(|constraint| !label(node, text(constraint, "/topologyKey")).is_empty())
}

/// Required affinity: beside each of these another pod must be, or the pod is the first of its kind.
fn is_welcome(context: &Context<'_>, pod: &Value, node: &Value) -> bool {
    list(pod, AFFINITY).iter().all(|term| {
        let there = !label(node, text(term, "/topologyKey")).is_empty();
        there && (finds(context, (term, pod), node) || wants(context, (term, pod), pod))
    })
}

/// Whether a pod that is there already does not bear this one beside it.
fn is_shunned(context: &Context<'_>, pod: &Value, node: &Value) -> bool {
    context.cache.pods.wary().any(|(space, known)| {
        let Some(other) = context.cache.get(PODS, space, known) else { return false };
        !text(other, "/spec/nodeName").is_empty()
            && list(other, ANTI_AFFINITY)
                .iter()
                .any(|term| wants(context, (term, other), pod) && shares(context, term, other, node))
    })
}

/// Whether a term of `owner` means `pod`. It looks into the namespaces that it lists or selects; into its own when it says
/// nothing of them. Unlike a workload's, an empty selector means everything.
fn wants(context: &Context<'_>, (term, owner): (&Value, &Value), pod: &Value) -> bool {
    let listed = list(term, "/namespaces");
    let chosen = term.get("namespaceSelector").filter(|chosen| !chosen.is_null());
    let home = namespace(pod);
    let here = if listed.is_empty() && chosen.is_none() {
        namespace(owner) == home
    } else {
        let home_labels = || context.cache.get("namespaces", "", home).and_then(|home| labels(home));
        listed.iter().any(|listed| listed == home)
            || chosen.is_some_and(|chosen| selector::selects(chosen, home_labels()))
    };
    let wanted = term.get("labelSelector").filter(|wanted| !wanted.is_null());
    here && wanted.is_some_and(|wanted| selector::selects(wanted, labels(pod)))
}

/// Whether a pod's node and this one are in the same place, as a term sees it.
fn shares(context: &Context<'_>, term: &Value, other: &Value, node: &Value) -> bool {
    let key = text(term, "/topologyKey");
    let here = label(node, key);
    let there = context.cache.get("nodes", "", text(other, "/spec/nodeName"));
    let there = there.map_or("", |there| label(there, key));
    !here.is_empty() && (text(other, "/spec/nodeName") == name(node) || here == there)
}

/// Whether a pod that a term of `owner` means is where the node is.
fn finds(context: &Context<'_>, (term, owner): (&Value, &Value), node: &Value) -> bool {
    context.cache.all(PODS).any(|other| {
        !pods::is_finished(other)
            && !text(other, "/spec/nodeName").is_empty()
            && wants(context, (term, owner), other)
            && shares(context, term, other, node)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::cache::Cache;
    use super::*;

    fn pod(name: &str, app: &str, kind: &str, wanted: Option<&str>) -> Value {
        let mut pod =
            json!({"metadata": {"name": name, "namespace": "a", "labels": {"app": app}}, "spec": {}});
        if let Some(wanted) = wanted {
            let term = json!({"topologyKey": "host", "labelSelector": {"matchLabels": {"app": wanted}}});
            pod["spec"]["affinity"][kind]["requiredDuringSchedulingIgnoredDuringExecution"] = json!([term]);
        }
        pod
    }

    fn judge(there: Value, pod: &Value) -> Option<String> {
        let mut there = there;
        there["spec"]["nodeName"] = json!("n");
        let node = json!({"metadata": {"name": "n", "labels": {"host": "n"}}});
        let mut cache = Cache::default();
        cache.insert("nodes", Arc::new(node.clone()));
        let home = json!({"metadata": {"name": "a", "labels": {"team": "red"}}});
        cache.insert("namespaces", Arc::new(home));
        cache.insert(PODS, Arc::new(there));
        refusal(&Context { cache: &cache, now: jiff::Timestamp::UNIX_EPOCH, failure: None }, pod, &node)
    }

    #[test]
    fn company_is_sought_and_shunned() {
        let web = || pod("there", "web", "", None);
        let part =
            |found: Option<String>, wanted: &str| assert!(found.is_some_and(|why| why.contains(wanted)));
        assert_eq!(judge(web(), &pod("p", "x", "podAffinity", Some("web"))), None);
        assert_eq!(judge(web(), &pod("p", "first", "podAffinity", Some("first"))), None);
        part(judge(web(), &pod("p", "x", "podAffinity", Some("db"))), "pod affinity rules");
        part(judge(web(), &pod("p", "x", "podAntiAffinity", Some("web"))), "pod anti-affinity rules");
        part(
            judge(pod("there", "web", "podAntiAffinity", Some("x")), &pod("p", "x", "", None)),
            "existing pods",
        );
    }

    #[test]
    fn namespaces_are_chosen_by_their_labels() {
        let there = || pod("there", "web", "", None);
        let mut asks = pod("p", "x", "podAntiAffinity", Some("web"));
        asks["metadata"]["namespace"] = json!("b");
        let term = "/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/0";
        let mut with = |chosen: Value| {
            asks.pointer_mut(term).unwrap()["namespaceSelector"] = chosen;
            judge(there(), &asks).is_some()
        };
        assert!(!with(Value::Null), "its own namespace only");
        assert!(with(json!({})), "all of them");
        assert!(with(json!({"matchLabels": {"team": "red"}})));
        assert!(!with(json!({"matchLabels": {"team": "blue"}})));
        assert!(!with(
            json!({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["red"]}]})
        ));
        asks.pointer_mut(term).unwrap()["labelSelector"] = json!({});
        assert!(judge(there(), &asks).is_none());
        asks.pointer_mut(term).unwrap()["namespaces"] = json!(["a"]);
        assert!(judge(there(), &asks).is_some(), "listed, and every pod there");
    }

    #[test]
    fn spreading_needs_the_label() {
        let mut spread = pod("p", "x", "", None);
        spread["spec"]["topologySpreadConstraints"] =
            json!([{"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 1}]);
        assert!(
            judge(pod("there", "web", "", None), &spread)
                .is_some_and(|why| why.contains("missing required label"))
        );
        spread["spec"]["topologySpreadConstraints"][0]["topologyKey"] = json!("host");
        assert_eq!(judge(pod("there", "web", "", None), &spread), None);
    }
}
