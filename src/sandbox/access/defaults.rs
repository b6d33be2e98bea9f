//! The roles and bindings that every cluster has. At each start what is missing is added, as a real API server does:
//! rules, labels and subjects that somebody added stay, and an object annotated `autoupdate: "false"` is left alone.

use serde_json::{Map, Value, json};

use super::{rbac, rules};
use crate::sandbox::api::{Api, DeleteOptions};
use crate::sandbox::object::{self, list, name};
use crate::sandbox::status::Status;

const TABLE: &str = include_str!("defaults.txt");
const GROUP: &str = "rbac.authorization.k8s.io";
const AUTOUPDATE: &str = "rbac.authorization.kubernetes.io/autoupdate";
/// The field manager of these writes.
const MANAGER: &str = "kube-apiserver";

/// Creates the default roles and bindings that are missing, and completes those that lack something.
pub fn make(api: &Api) {
    for (table, wanted) in table() {
        let made = match api.get(table, "", name(&wanted)) {
            None => api.create(table, wanted.clone(), MANAGER).map(|_| ()),
            Some(live) if is_kept_by_hand(&live) => Ok(()),
            Some(live) => complete(api, table, &live, &wanted),
        };
        if let Err(status) = made {
            tracing::warn!(table, name = name(&wanted), %status.message, "cannot make a default role");
        }
    }
}

fn is_kept_by_hand(live: &Value) -> bool {
    live["metadata"]["annotations"][AUTOUPDATE] == "false"
}

/// Adds what a stored object lacks of what it should be.
fn complete(api: &Api, table: &str, live: &Value, wanted: &Value) -> Result<(), Status> {
    if table == rbac::CLUSTER_ROLE_BINDINGS && live["roleRef"] != wanted["roleRef"] {
        // A binding cannot be turned to another role.
        api.delete(table, "", name(live), &DeleteOptions::default())?;
        return api.create(table, wanted.clone(), MANAGER).map(|_| ());
    }
    let mut next = live.clone();
    for kind in ["labels", "annotations"] {
        let own = object::map_mut(object::metadata_mut(&mut next).entry(kind).or_insert(Value::Null));
        for (key, value) in wanted["metadata"][kind].as_object().into_iter().flatten() {
            own.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    add(&mut next, "rules", rules::compact(rules::missing(list(live, "/rules"), list(wanted, "/rules"))));
    add(&mut next, "subjects", absent(live, wanted, "/subjects"));
    if let Some(rule) = wanted.get("aggregationRule") {
        let own = next.get("aggregationRule").cloned().unwrap_or(Value::Null);
        let selectors = absent(&own, rule, "/clusterRoleSelectors");
        let own = object::child_mut(&mut next, "aggregationRule");
        let all = own.entry("clusterRoleSelectors").or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.extend(selectors);
        }
    }
    if next == *live {
        return Ok(());
    }
    api.update(table, next, MANAGER).map(|_| ())
}

fn add(next: &mut Value, field: &str, more: Vec<Value>) {
    if more.is_empty() {
        return;
    }
    let all = object::map_mut(next).entry(field).or_insert(Value::Null);
    match all.as_array_mut() {
        Some(all) => all.extend(more),
        None => *all = Value::Array(more),
    }
}

/// The items of a list that the other list lacks.
fn absent(live: &Value, wanted: &Value, pointer: &str) -> Vec<Value> {
    let own = list(live, pointer);
    list(wanted, pointer).iter().filter(|item| !own.contains(item)).cloned().collect()
}

/// Every default role and binding, with its table.
fn table() -> Vec<(&'static str, Value)> {
    let mut all: Vec<(&'static str, Value)> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["role", name, options @ ..] => all.push((rbac::CLUSTER_ROLES, role(name, options))),
            ["bind", name, role, groups @ ..] => {
                all.push((rbac::CLUSTER_ROLE_BINDINGS, binding(name, role, groups)));
            }
            _ => {
                if let Some((_, role)) = all.last_mut() {
                    add(role, "rules", vec![rule(line)]);
                }
            }
        }
    }
    all
}

fn bare(kind: &str, name: &str) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": kind,
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
            "annotations": {AUTOUPDATE: "true"},
        },
    })
}

fn role(name: &str, options: &[&str]) -> Value {
    let mut role = bare("ClusterRole", name);
    let label = |of: &str| format!("{GROUP}/aggregate-to-{of}");
    let mut words = options.iter();
    let mut gathers = false;
    while let Some(&word) = words.next() {
        match word {
            "gathers" => {
                gathers = true;
                let of: Map<String, Value> =
                    words.next().map(|of| (label(of), json!("true"))).into_iter().collect();
                role["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": of}]});
            }
            "for" => {}
            of => role["metadata"]["labels"][label(of)] = json!("true"),
        }
    }
    if gathers {
        role["rules"] = Value::Null;
    }
    role
}

fn rule(line: &str) -> Value {
    let parts: Vec<Vec<&str>> = line.split('|').map(|part| part.split_whitespace().collect()).collect();
    match parts.as_slice() {
        [verbs, paths] => json!({"verbs": verb_list(verbs), "nonResourceURLs": paths}),
        [verbs, groups, resources] => {
            let groups: Vec<&str> =
                groups.iter().map(|&group| if group == "core" { "" } else { group }).collect();
            json!({"verbs": verb_list(verbs), "apiGroups": groups, "resources": resources})
        }
        _ => Value::Null,
    }
}

fn verb_list(verbs: &[&str]) -> Vec<String> {
    let all = match verbs {
        ["read"] => &["get", "list", "watch"],
        ["write"] => &["create", "delete", "deletecollection", "patch", "update"][..],
        others => others,
    };
    all.iter().map(|&verb| verb.to_owned()).collect()
}

fn binding(name: &str, role: &str, groups: &[&str]) -> Value {
    let mut binding = bare("ClusterRoleBinding", name);
    binding["roleRef"] = json!({"apiGroup": GROUP, "kind": "ClusterRole", "name": role});
    let subjects = groups.iter().map(|group| json!({"apiGroup": GROUP, "kind": "Group", "name": group}));
    binding["subjects"] = subjects.collect();
    binding
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sandbox::access::aggregation;
    use crate::sandbox::clock::SystemClock;

    fn api() -> Api {
        let api = Api::new(Arc::new(SystemClock), 1);
        make(&api);
        aggregation::gather_all(&api);
        api
    }

    #[test]
    fn every_line_of_the_table_means_something() {
        let all = table();
        assert_eq!(all.len(), 14 + 6);
        for (_, object) in &all {
            let (rules, gathers) = (list(object, "/rules"), object.get("aggregationRule").is_some());
            assert_eq!(rules.is_empty(), gathers || object["kind"] == "ClusterRoleBinding", "{object}");
            assert!(rules.iter().all(|rule| !list(rule, "/verbs").is_empty()), "{object}");
        }
        for (_, binding) in all.iter().filter(|(table, _)| *table == rbac::CLUSTER_ROLE_BINDINGS) {
            let role = object::text(binding, "/roleRef/name");
            assert!(all.iter().any(|(_, other)| other["kind"] == "ClusterRole" && name(other) == role));
        }
    }

    #[test]
    fn a_second_start_changes_nothing() {
        let api = api();
        let before = api.revision();
        make(&api);
        aggregation::gather_all(&api);
        assert_eq!(api.revision(), before);
    }

    #[test]
    fn what_was_taken_away_comes_back_and_what_was_added_stays() {
        let api = api();
        let extra = json!({"verbs": ["get"], "apiGroups": ["a.b"], "resources": ["c"]});
        api.mutate(rbac::CLUSTER_ROLES, "", "system:basic-user", "t", |role| role["rules"] = json!([extra]))
            .unwrap();
        api.mutate(rbac::CLUSTER_ROLES, "", "system:discovery", "t", |role| {
            role["rules"] = json!([]);
            role["metadata"]["annotations"][AUTOUPDATE] = json!("false");
        })
        .unwrap();
        api.mutate(rbac::CLUSTER_ROLE_BINDINGS, "", "cluster-admin", "t", |binding| {
            binding["subjects"] = json!([{"apiGroup": GROUP, "kind": "User", "name": "ann"}]);
        })
        .unwrap();
        make(&api);
        let role = api.get(rbac::CLUSTER_ROLES, "", "system:basic-user").unwrap();
        assert_eq!(list(&role, "/rules").len(), 4, "{role}");
        let left = api.get(rbac::CLUSTER_ROLES, "", "system:discovery").unwrap();
        assert_eq!(list(&left, "/rules").len(), 0);
        let binding = api.get(rbac::CLUSTER_ROLE_BINDINGS, "", "cluster-admin").unwrap();
        assert_eq!(list(&binding, "/subjects").len(), 2);
    }

    #[test]
    fn admin_gathers_what_edit_and_view_gather() {
        let api = api();
        let count = |name: &str| list(&api.get(rbac::CLUSTER_ROLES, "", name).unwrap(), "/rules").len();
        assert_eq!(count("view"), 11);
        assert_eq!(count("edit"), 24);
        assert_eq!(count("admin"), 26);
    }
}
