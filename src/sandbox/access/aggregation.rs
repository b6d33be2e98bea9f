//! ClusterRoles that gather the rules of others (`aggregationRule`).

use serde_json::Value;

use super::rbac::CLUSTER_ROLES;
use crate::sandbox::api::Api;
use crate::sandbox::object::{labels, list, name};
use crate::sandbox::selector;

/// The field manager of these writes.
const MANAGER: &str = "clusterrole-aggregation-controller";

/// Gives every gathering role the rules that it should have, and those that gather from it in turn.
pub fn gather_all(api: &Api) {
    // Each round carries a change one role further; a cycle settles as no rule is gathered twice.
    while round(api) {}
}

/// Whether something changed.
fn round(api: &Api) -> bool {
    let roles = api.list(CLUSTER_ROLES, None);
    let mut changed = false;
    for role in roles.iter().filter(|role| role.get("aggregationRule").is_some_and(Value::is_object)) {
        let gathered = gather(role, roles.iter().map(|other| &**other));
        if list(role, "/rules") == gathered.as_slice() {
            continue;
        }
        match api
            .mutate(CLUSTER_ROLES, "", name(role), MANAGER, |role| role["rules"] = Value::Array(gathered))
        {
            Ok(written) => changed |= written.is_some(),
            Err(status) => {
                tracing::warn!(role = name(role), %status.message, "a role cannot gather its rules")
            }
        }
    }
    changed
}

/// The different rules of the selected roles, by the roles' names.
fn gather<'a>(role: &Value, all: impl Iterator<Item = &'a Value>) -> Vec<Value> {
    let selectors = list(role, "/aggregationRule/clusterRoleSelectors");
    let mut gathered: Vec<Value> = Vec::new();
    for other in all.filter(|other| name(other) != name(role)) {
        if !selectors.iter().any(|selector| selector::selects(selector, labels(other))) {
            continue;
        }
        for rule in list(other, "/rules") {
            if !gathered.contains(rule) {
                gathered.push(rule.clone());
            }
        }
    }
    gathered
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role(name: &str, labels: Value, verb: &str) -> Value {
        json!({"metadata": {"name": name, "labels": labels},
            "rules": [{"verbs": [verb], "apiGroups": [""], "resources": ["pods"]}]})
    }

    #[test]
    fn rules_are_gathered_once_by_name_and_never_from_itself() {
        let all = [
            role("a", json!({"team": "red"}), "get"),
            role("b", json!({"team": "red"}), "get"),
            role("c", json!({"team": "blue"}), "list"),
            role("self", json!({"team": "red"}), "delete"),
        ];
        let mut own = all[3].clone();
        own["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {"team": "red"}}]});
        let verbs = |own: &Value| -> Vec<Value> {
            gather(own, all.iter()).iter().map(|rule| rule["verbs"][0].clone()).collect()
        };
        assert_eq!(verbs(&own), ["get"]);
        own["aggregationRule"]["clusterRoleSelectors"] = json!([{"matchExpressions": [
            {"key": "team", "operator": "In", "values": ["red", "blue"]},
            {"key": "other", "operator": "DoesNotExist"}]}]);
        assert_eq!(verbs(&own), ["get", "list"]);
    }
}
