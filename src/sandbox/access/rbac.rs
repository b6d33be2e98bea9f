//! Role-based access control: the rules that bindings give to somebody.
//!
//! Nothing is remembered between two questions: the bindings are few, and what is stored is what holds.

use std::ops::ControlFlow;

use serde_json::Value;

use super::attributes::Attributes;
use super::{Identity, rules, tokens};
use crate::sandbox::api::objects::Objects;
use crate::sandbox::object::{list, name, text};

/// The table of Roles.
pub const ROLES: &str = "roles.rbac.authorization.k8s.io";
/// The table of ClusterRoles.
pub const CLUSTER_ROLES: &str = "clusterroles.rbac.authorization.k8s.io";
/// The table of RoleBindings.
pub const ROLE_BINDINGS: &str = "rolebindings.rbac.authorization.k8s.io";
/// The table of ClusterRoleBindings.
pub const CLUSTER_ROLE_BINDINGS: &str = "clusterrolebindings.rbac.authorization.k8s.io";

/// Whether something is allowed, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is.
    pub allowed: bool,
    /// The binding that allows it, or what could not be looked at; often empty.
    pub reason: String,
}

/// Whether somebody may do something.
pub fn authorize(objects: &Objects, user: &Identity, asked: &Attributes) -> Decision {
    if user.is_master() {
        return Decision { allowed: true, reason: String::new() };
    }
    let mut allowed_by = None;
    let problems = visit(objects, user, &asked.namespace, |grant, rule| {
        if !rules::allows(rule, asked) {
            return ControlFlow::Continue(());
        }
        allowed_by = Some(format!("RBAC: allowed by {}", grant.describe()));
        ControlFlow::Break(())
    });
    match allowed_by {
        Some(reason) => Decision { allowed: true, reason },
        None if problems.is_empty() => Decision::default(),
        None => Decision { allowed: false, reason: format!("RBAC: {}", joined(&problems)) },
    }
}

/// The rules that somebody has in a namespace (in all of them when it is empty), and what could not be looked at.
pub fn rules_for(objects: &Objects, user: &Identity, namespace: &str) -> (Vec<Value>, Vec<String>) {
    let mut found = Vec::new();
    let problems = visit(objects, user, namespace, |_, rule| {
        found.push(rule.clone());
        ControlFlow::Continue(())
    });
    (found, problems)
}

/// Several problems as one text.
pub fn joined(problems: &[String]) -> String {
    let mut different: Vec<&str> = Vec::new();
    for problem in problems {
        if !different.contains(&problem.as_str()) {
            different.push(problem);
        }
    }
    if different.len() == 1 { different.concat() } else { format!("[{}]", different.join(", ")) }
}

/// The rules of the role that a binding refers to.
///
/// # Errors
/// There is no such role; the text is a real API server's.
pub fn referred(objects: &Objects, namespace: &str, reference: &Value) -> Result<Vec<Value>, String> {
    let role = text(reference, "/name");
    let (found, kind) = match text(reference, "/kind") {
        "Role" => (objects.get(ROLES, namespace, role), "role"),
        _ => (objects.get(CLUSTER_ROLES, "", role), "clusterrole"),
    };
    match found {
        Some(role) => Ok(list(role, "/rules").to_vec()),
        None => Err(format!("{kind}.rbac.authorization.k8s.io {role:?} not found")),
    }
}

/// Through which binding, and as whom, somebody has a rule.
struct Grant<'a> {
    binding: &'a Value,
    subject: &'a Value,
    /// The binding's namespace; empty for a ClusterRoleBinding.
    namespace: &'a str,
}

impl Grant<'_> {
    fn describe(&self) -> String {
        let (kind, at) = match self.namespace {
            "" => ("ClusterRoleBinding", String::new()),
            namespace => ("RoleBinding", format!("/{namespace}")),
        };
        let (role_kind, role) = (text(self.binding, "/roleRef/kind"), text(self.binding, "/roleRef/name"));
        let (subject_kind, mut subject) =
            (text(self.subject, "/kind"), text(self.subject, "/name").to_owned());
        if subject_kind == "ServiceAccount" {
            subject = format!("{subject}/{}", home(self.subject, self.namespace));
        }
        let binding = format!("{}{at}", name(self.binding));
        format!("{kind} {binding:?} of {role_kind} {role:?} to {subject_kind} {subject:?}")
    }
}

/// The namespace of an account in a binding.
fn home<'a>(subject: &'a Value, binding_namespace: &'a str) -> &'a str {
    match text(subject, "/namespace") {
        "" => binding_namespace,
        own => own,
    }
}

fn is_subject(subject: &Value, user: &Identity, binding_namespace: &str) -> bool {
    let wanted = text(subject, "/name");
    match text(subject, "/kind") {
        "User" => wanted == user.name,
        "Group" => user.is_in(wanted),
        "ServiceAccount" => tokens::account_of(&user.name)
            .is_some_and(|(namespace, name)| name == wanted && namespace == home(subject, binding_namespace)),
        _ => false,
    }
}

/// Shows every rule that somebody has, cluster-wide ones first, until told to stop; what could not be found is answered.
fn visit(
    objects: &Objects,
    user: &Identity,
    namespace: &str,
    mut see: impl FnMut(&Grant<'_>, &Value) -> ControlFlow<()>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut bindings: Vec<_> =
        objects.list(CLUSTER_ROLE_BINDINGS, None).into_iter().map(|binding| (binding, "")).collect();
    if !namespace.is_empty() {
        let own = objects.list(ROLE_BINDINGS, Some(namespace));
        bindings.extend(own.into_iter().map(|binding| (binding, namespace)));
    }
    for (binding, namespace) in &bindings {
        let subjects = list(binding, "/subjects");
        let Some(subject) = subjects.iter().find(|subject| is_subject(subject, user, namespace)) else {
            continue;
        };
        match referred(objects, namespace, &binding["roleRef"]) {
            Err(problem) => problems.push(problem),
            Ok(rules) => {
                let grant = Grant { binding, subject, namespace };
                if rules.iter().any(|rule| see(&grant, rule).is_break()) {
                    return problems;
                }
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests;
