//! What an environment itself consists of: its namespace, with labels, its quota, and who may connect to its pods.

use serde_json::{Value, json};

use crate::domain::environment::QUOTA;
use crate::domain::{Environment, labels};
use crate::ingress;

/// The namespace of an environment.
pub fn namespace(environment: &Environment) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": environment.namespace,
        "labels": {labels::MANAGED_BY: labels::MANAGER, labels::ENVIRONMENT: environment.name}}});
    for (name, value) in &environment.labels {
        object["metadata"]["labels"][name] = value.clone().into();
    }
    object
}

/// The kind that keeps connections away.
pub const POLICY: &str = "NetworkPolicy";

/// The namespace, then what limits it, then who may connect: what keeps everything away comes last.
pub fn objects(environment: &Environment) -> Vec<Value> {
    let mut objects = vec![namespace(environment)];
    if !environment.quota.is_empty() {
        objects.push(json!({"apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": {"name": QUOTA, "namespace": environment.namespace,
                "labels": {labels::MANAGED_BY: labels::MANAGER, labels::ENVIRONMENT: environment.name}},
            "spec": {"hard": environment.quota}}));
    }
    let mut policies = ingress::environment_policies(environment);
    policies.sort_by_key(rank);
    for mut policy in policies {
        policy["metadata"]["labels"] =
            json!({labels::MANAGED_BY: labels::MANAGER, labels::ENVIRONMENT: environment.name});
        objects.push(policy);
    }
    objects
}

/// Each of the policies for all pods keeps away what none of them lets in, as soon as it is there: the one that lets in least comes
/// last, and names can be resolved before anything else is kept from going out.
fn rank(policy: &Value) -> usize {
    let [deny, same, ..] = ingress::ENVIRONMENT_POLICIES;
    let name = &policy["metadata"]["name"];
    [same, deny].iter().position(|late| name == late).map_or(0, |position| position + 1)
}

/// Whether an object has our mark, and is of an environment and of none of its applications.
pub fn is_ours(object: &Value, environment: &str) -> bool {
    let all = &object["metadata"]["labels"];
    labels::environment_of(|name| all[name].as_str()) == Some(environment)
}

/// A namespace that others made gets labels, but does not become ours.
pub fn without_our_mark(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(all) = object["metadata"]["labels"].as_object_mut() {
        all.remove(labels::MANAGED_BY);
        all.remove(labels::ENVIRONMENT);
    }
    object
}

/// What is written of a namespace where there is one already, as it is there; none of one that others made, when the environment
/// has no labels for it.
pub fn beside(namespace: &Value, live: &Value) -> Option<Value> {
    let environment = namespace["metadata"]["labels"][labels::ENVIRONMENT].as_str().unwrap_or_default();
    if is_ours(live, environment) {
        return Some(namespace.clone());
    }
    labels_only(namespace)
}

/// What is written of a namespace that others made: the labels that the environment has for it; none where it has none.
pub fn labels_only(namespace: &Value) -> Option<Value> {
    let object = without_our_mark(namespace);
    let has_labels = object["metadata"]["labels"].as_object().is_some_and(|all| !all.is_empty());
    has_labels.then_some(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::route::Isolation;

    #[test]
    fn a_quota_exists_only_where_something_is_limited() {
        let mut environment = Environment::new("demo", "c", "ns");
        assert_eq!(objects(&environment).len(), 1);
        environment.quota.insert("pods".into(), "4".into());
        environment.labels.insert("team".into(), "blue".into());
        let objects = objects(&environment);
        assert_eq!(objects[0]["metadata"]["labels"]["team"], "blue");
        assert_eq!(objects[1]["spec"]["hard"]["pods"], "4");
    }

    #[test]
    fn policies_exist_only_where_something_is_kept_away() {
        let mut environment = Environment::new("demo", "c", "ns");
        environment.routing.isolation = Some(Isolation::Off);
        assert_eq!(objects(&environment).len(), 1);
        environment.routing.isolation = Some(Isolation::Both);
        let objects = objects(&environment);
        let names: Vec<&str> =
            objects[1..].iter().filter_map(|object| object["metadata"]["name"].as_str()).collect();
        let at = |wanted: &str| names.iter().position(|name| *name == wanted).unwrap();
        let [deny, same, dns, _] = ingress::ENVIRONMENT_POLICIES;
        assert!(at(dns) < at(same) && at(same) < at(deny) && at(deny) == names.len() - 1, "{names:?}");
        for object in &objects[1..] {
            assert_eq!(object["metadata"]["namespace"], "ns");
            assert_eq!(object["metadata"]["labels"][labels::ENVIRONMENT], "demo");
        }
    }

    #[test]
    fn what_belongs_to_an_application_or_somebody_else_is_not_of_the_environment() {
        let object = |labels: Value| json!({"metadata": {"labels": labels}});
        let own = object(json!({labels::MANAGED_BY: "styrmin", labels::ENVIRONMENT: "demo"}));
        assert!(is_ours(&own, "demo") && !is_ours(&own, "live"));
        let of_application = json!({labels::MANAGED_BY: "styrmin", labels::ENVIRONMENT: "demo",
            labels::DEPLOYMENT: "notes"});
        assert!(!is_ours(&object(of_application), "demo"));
        assert!(!is_ours(&object(json!({labels::ENVIRONMENT: "demo"})), "demo"));
        assert!(!is_ours(&json!({"metadata": {}}), ""));
    }

    #[test]
    fn a_namespace_of_others_gets_labels_and_not_our_mark() {
        let mut environment = Environment::new("demo", "c", "shared");
        let theirs = json!({"metadata": {"name": "shared", "labels": {"team": "red"}}});
        assert_eq!(beside(&namespace(&environment), &theirs), None, "there is nothing to write");
        environment.labels.insert("team".into(), "blue".into());
        let object = beside(&namespace(&environment), &theirs).unwrap();
        assert_eq!(object["metadata"]["labels"], json!({"team": "blue"}));
        assert_eq!(labels_only(&namespace(&environment)), Some(object));
        let ours = namespace(&environment);
        assert_eq!(beside(&ours, &ours), Some(ours.clone()), "what is ours stays ours");
    }
}
