//! What an environment itself consists of: its namespace, with labels, its quota, and who may connect to its pods.

use serde_json::{Value, json};

use crate::domain::{Environment, labels};
use crate::ingress;

/// The name of the quota of an environment.
pub const QUOTA: &str = "styrmin";

/// The namespace of an environment.
pub fn namespace(environment: &Environment) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": environment.namespace,
        "labels": {labels::MANAGED_BY: labels::MANAGER, labels::ENVIRONMENT: environment.name}}});
    for (name, value) in &environment.labels {
        object["metadata"]["labels"][name] = value.clone().into();
    }
    object
}

/// The namespace, then what limits it, then who may connect.
pub fn objects(environment: &Environment) -> Vec<Value> {
    let mut objects = vec![namespace(environment)];
    if !environment.quota.is_empty() {
        objects.push(json!({"apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": {"name": QUOTA, "namespace": environment.namespace,
                "labels": {labels::MANAGED_BY: labels::MANAGER, labels::ENVIRONMENT: environment.name}},
            "spec": {"hard": environment.quota}}));
    }
    for mut policy in ingress::environment_policies(environment) {
        policy["metadata"]["labels"] =
            json!({labels::MANAGED_BY: labels::MANAGER, labels::ENVIRONMENT: environment.name});
        objects.push(policy);
    }
    objects
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
        let wanted = ["styrmin-same-namespace", "styrmin-dns", "styrmin-acme", "styrmin-default-deny"];
        assert_eq!(names, wanted, "what keeps away comes last");
        assert!(names.iter().all(|name| ingress::ENVIRONMENT_POLICIES.contains(name)));
        for object in &objects[1..] {
            assert_eq!(object["metadata"]["namespace"], "ns");
            assert_eq!(object["metadata"]["labels"][labels::ENVIRONMENT], "demo");
        }
    }
}
