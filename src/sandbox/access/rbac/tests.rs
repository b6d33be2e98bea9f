use serde_json::json;

use super::*;
use crate::sandbox::api::ChangeKind;

fn objects() -> Objects {
    let mut objects = Objects::new(0, 10);
    let mut add = |table: &str, value: Value| objects.commit(table, ChangeKind::Added, value);
    let pods = |verb: &str| json!([{"verbs": [verb], "apiGroups": [""], "resources": ["pods"]}]);
    add(CLUSTER_ROLES, json!({"metadata": {"name": "reader"}, "rules": pods("get")}));
    add(ROLES, json!({"metadata": {"name": "writer", "namespace": "a"}, "rules": pods("update")}));
    let binding = |name: &str, namespace: &str, (kind, role): (&str, &str), subjects: Value| {
        json!({"metadata": {"name": name, "namespace": namespace},
            "roleRef": {"kind": kind, "name": role}, "subjects": subjects})
    };
    let all = json!([{"kind": "Group", "name": "readers"}]);
    add(CLUSTER_ROLE_BINDINGS, binding("everywhere", "", ("ClusterRole", "reader"), all));
    let two = json!([{"kind": "User", "name": "ann"}, {"kind": "ServiceAccount", "name": "robot"}]);
    add(ROLE_BINDINGS, binding("here", "a", ("Role", "writer"), two.clone()));
    add(ROLE_BINDINGS, binding("lost", "b", ("Role", "writer"), two));
    objects
}

fn user(name: &str, groups: &[&str]) -> Identity {
    Identity {
        name: name.into(),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
        ..Identity::default()
    }
}

fn decide(user: &Identity, verb: &str, namespace: &str) -> Decision {
    let asked = Attributes {
        verb: verb.into(),
        resource: "pods".into(),
        namespace: namespace.into(),
        ..Attributes::default()
    };
    authorize(&objects(), user, &asked)
}

#[test]
fn cluster_bindings_hold_everywhere_and_others_at_home() {
    let reader = user("bob", &["readers"]);
    let said = decide(&reader, "get", "");
    assert!(said.allowed && decide(&reader, "get", "b").allowed);
    let why =
        r#"RBAC: allowed by ClusterRoleBinding "everywhere" of ClusterRole "reader" to Group "readers""#;
    assert_eq!(said.reason, why);
    assert_eq!(decide(&reader, "update", "a"), Decision::default());
    let writer = user("ann", &[]);
    let said = decide(&writer, "update", "a");
    assert_eq!(said.reason, r#"RBAC: allowed by RoleBinding "here/a" of Role "writer" to User "ann""#);
    assert!(!decide(&writer, "update", "").allowed);
}

#[test]
fn accounts_are_named_by_namespace_and_name() {
    assert!(decide(&user("system:serviceaccount:a:robot", &[]), "update", "a").allowed);
    assert!(!decide(&user("system:serviceaccount:b:robot", &[]), "update", "a").allowed);
    assert!(!decide(&user("robot", &[]), "update", "a").allowed);
}

#[test]
fn a_missing_role_is_said() {
    let said = decide(&user("ann", &[]), "update", "b");
    assert_eq!(said.reason, r#"RBAC: role.rbac.authorization.k8s.io "writer" not found"#);
    assert!(!said.allowed);
    assert_eq!(joined(&["a".into(), "b".into(), "a".into()]), "[a, b]");
}

#[test]
fn masters_need_no_rule() {
    assert!(decide(&Identity::admin(), "update", "c").allowed);
    assert_eq!(rules_for(&objects(), &user("ann", &["readers"]), "a").0.len(), 2);
}
