//! What an environment itself consists of: its namespace, with labels, and its quota.

use serde_json::{Value, json};

use crate::domain::{Environment, labels};

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

/// The namespace, then what limits it.
pub fn objects(environment: &Environment) -> Vec<Value> {
    let mut objects = vec![namespace(environment)];
    if !environment.quota.is_empty() {
        objects.push(json!({"apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": {"name": QUOTA, "namespace": environment.namespace,
                "labels": {labels::MANAGED_BY: labels::MANAGER, labels::ENVIRONMENT: environment.name}},
            "spec": {"hard": environment.quota}}));
    }
    objects
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
