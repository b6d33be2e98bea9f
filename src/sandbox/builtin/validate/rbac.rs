//! Roles and their bindings.

use serde_json::Value;

use super::{is_blank, items, required, text};
use crate::sandbox::schema::causes::Causes;

/// A Role or a ClusterRole.
pub fn role(object: &Value, causes: &mut Causes) {
    let cluster = object["kind"] == "ClusterRole";
    for (index, rule) in items(&object["rules"]).iter().enumerate() {
        let path = format!("rules[{index}]");
        if items(&rule["verbs"]).is_empty() {
            causes.required(&format!("{path}.verbs"), "verbs must contain at least one value");
        }
        if !items(&rule["nonResourceURLs"]).is_empty() {
            if !cluster {
                let detail = "namespaced rules cannot apply to non-resource URLs";
                causes.invalid(&format!("{path}.nonResourceURLs"), &rule["nonResourceURLs"], detail);
            }
            continue;
        }
        if items(&rule["apiGroups"]).is_empty() {
            let detail = "resource rules must supply at least one api group";
            causes.required(&format!("{path}.apiGroups"), detail);
        }
        if items(&rule["resources"]).is_empty() {
            let detail = "resource rules must supply at least one resource";
            causes.required(&format!("{path}.resources"), detail);
        }
    }
}

/// A RoleBinding or a ClusterRoleBinding.
pub fn binding(object: &Value, causes: &mut Causes) {
    let reference = &object["roleRef"];
    let kinds: &[&str] =
        if object["kind"] == "ClusterRoleBinding" { &["ClusterRole"] } else { &["Role", "ClusterRole"] };
    if !kinds.contains(&text(&reference["kind"])) {
        causes.unsupported("roleRef.kind", &reference["kind"], kinds.iter().copied());
    }
    required(&reference["name"], "roleRef.name", causes);
    for (index, subject) in items(&object["subjects"]).iter().enumerate() {
        let path = format!("subjects[{index}]");
        required(&subject["name"], &format!("{path}.name"), causes);
        match text(&subject["kind"]) {
            "ServiceAccount" => {
                if is_blank(&subject["namespace"]) && object["kind"] == "ClusterRoleBinding" {
                    causes.required(&format!("{path}.namespace"), "");
                }
            }
            "User" | "Group" => {}
            _ => {
                let known = ["ServiceAccount", "User", "Group"];
                causes.unsupported(&format!("{path}.kind"), &subject["kind"], known);
            }
        }
    }
}
