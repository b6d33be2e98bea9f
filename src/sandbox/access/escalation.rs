//! Nobody gives away rights that they do not have: what a write of a role or a binding must pass.

use serde_json::Value;

use super::attributes::Attributes;
use super::{Identity, rbac, rules};
use crate::sandbox::api::objects::Objects;
use crate::sandbox::object::{self, list, text};
use crate::sandbox::status::Status;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Checks that a user may write a role or a binding as it is to become; anything else passes.
///
/// # Errors
/// 403 when it would grant rights that the user has not, 404 when a binding names a role that nobody can look at.
pub fn check(
    objects: &Objects,
    user: &Identity,
    resource: &str,
    (old, new): (Option<&Value>, &Value),
) -> Result<(), Status> {
    if user.is_master() || !resource.ends_with(GROUP) || old.is_some_and(|old| is_about_owners(old, new)) {
        return Ok(());
    }
    let plural = resource.split_once('.').map_or(resource, |(plural, _)| plural);
    let asked = Attributes {
        group: GROUP.to_owned(),
        resource: plural.to_owned(),
        namespace: object::namespace(new).to_owned(),
        name: object::name(new).to_owned(),
        ..Attributes::default()
    };
    if resource == rbac::ROLES || resource == rbac::CLUSTER_ROLES {
        role(objects, user, &asked, (old, new))
    } else {
        binding(objects, user, &asked, new)
    }
}

fn role(
    objects: &Objects,
    user: &Identity,
    asked: &Attributes,
    (old, new): (Option<&Value>, &Value),
) -> Result<(), Status> {
    // A role that does not exist yet cannot be named by a rule.
    let name = if old.is_some() { asked.name.clone() } else { String::new() };
    let escalate = Attributes { verb: "escalate".to_owned(), name, ..asked.clone() };
    if rbac::authorize(objects, user, &escalate).allowed {
        return Ok(());
    }
    let aggregates = |role: &Value| role.get("aggregationRule").is_some_and(|rule| !rule.is_null());
    if aggregates(new) || old.is_some_and(aggregates) {
        let everything = [
            serde_json::json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}),
            serde_json::json!({"verbs": ["*"], "nonResourceURLs": ["*"]}),
        ];
        let (held, _) = rbac::rules_for(objects, user, "");
        if !rules::missing(&held, &everything).is_empty() {
            return Err(asked.forbidden("must have cluster-admin privileges to use the aggregationRule"));
        }
    }
    granted(objects, user, asked, list(new, "/rules"))
}

fn binding(objects: &Objects, user: &Identity, asked: &Attributes, new: &Value) -> Result<(), Status> {
    let reference = &new["roleRef"];
    let (plural, namespace) = match text(reference, "/kind") {
        "Role" => ("roles", asked.namespace.as_str()),
        _ => ("clusterroles", ""),
    };
    let bind = Attributes {
        verb: "bind".to_owned(),
        group: GROUP.to_owned(),
        resource: plural.to_owned(),
        namespace: asked.namespace.clone(),
        name: text(reference, "/name").to_owned(),
        ..Attributes::default()
    };
    if rbac::authorize(objects, user, &bind).allowed {
        return Ok(());
    }
    let wanted = rbac::referred(objects, namespace, reference)
        .map_err(|_| Status::not_found(&format!("{plural}.{GROUP}"), &bind.name))?;
    granted(objects, user, asked, &wanted)
}

/// Refuses rules that the user does not have.
fn granted(objects: &Objects, user: &Identity, asked: &Attributes, wanted: &[Value]) -> Result<(), Status> {
    let (held, problems) = rbac::rules_for(objects, user, &asked.namespace);
    let missing = rules::compact(rules::missing(&held, wanted));
    if missing.is_empty() {
        return Ok(());
    }
    let mut parts: Vec<String> = missing.iter().map(rules::describe).collect();
    parts.sort();
    parts.dedup();
    let groups = rules::quoted(user.groups.iter().map(String::as_str));
    let mut why = format!(
        "user {:?} (groups={groups}) is attempting to grant RBAC permissions not currently held:\n{}",
        user.name,
        parts.join("\n")
    );
    if !problems.is_empty() {
        why = format!("{why}; resolution errors: [{}]", problems.join(" "));
    }
    Err(asked.forbidden(&why))
}

/// Whether two objects differ in no more than owners and finalizers, which the garbage collector writes.
fn is_about_owners(old: &Value, new: &Value) -> bool {
    let bare = |value: &Value| {
        let mut value = value.clone();
        let metadata = object::metadata_mut(&mut value);
        for field in ["ownerReferences", "finalizers", "managedFields", "resourceVersion"] {
            metadata.remove(field);
        }
        value
    };
    bare(old) == bare(new)
}
