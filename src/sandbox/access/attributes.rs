//! What a request asks for, in the words of the authorizer.

use serde_json::json;

use super::Identity;
use crate::sandbox::status::Status;

/// A verb, and the resource or the path that it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `get`, `list`, `deletecollection`, `impersonate` …
    pub verb: String,
    /// Empty for the core group.
    pub group: String,
    /// `pods`; empty when it is about a path.
    pub resource: String,
    /// `log`; empty for the resource itself.
    pub subresource: String,
    /// Empty for what has none, and for all of them.
    pub namespace: String,
    /// The object; empty for a collection.
    pub name: String,
    /// `/metrics`, when it is about no resource.
    pub path: String,
}

impl Attributes {
    /// Whether it is about a resource, not a path.
    pub fn is_resource(&self) -> bool {
        self.path.is_empty()
    }

    /// `pods`, `deployments.apps`.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.resource.clone()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }

    /// `User "a" cannot list resource "pods" in API group "" in the namespace "b"`.
    fn sentence(&self, user: &str) -> String {
        let verb = &self.verb;
        if !self.is_resource() {
            return format!("User {user:?} cannot {verb} path {:?}", self.path);
        }
        let mut resource = self.resource.clone();
        if !self.subresource.is_empty() {
            resource = format!("{resource}/{}", self.subresource);
        }
        let place = match self.namespace.as_str() {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace {namespace:?}"),
        };
        format!("User {user:?} cannot {verb} resource {resource:?} in API group {:?} {place}", self.group)
    }

    /// The refusal, as a real API server words it.
    pub fn refusal(&self, user: &Identity, reason: &str) -> Status {
        let mut why = self.sentence(&user.name);
        if !reason.is_empty() {
            why = format!("{why}: {reason}");
        }
        self.forbidden(&why)
    }

    /// 403 about this resource, for a reason of its own.
    pub fn forbidden(&self, why: &str) -> Status {
        let qualified = self.qualified();
        let about = match (qualified.as_str(), self.name.as_str()) {
            ("", _) => String::new(),
            (resource, "") => format!("{resource} is "),
            (resource, name) => format!("{resource} {name:?} is "),
        };
        let mut status = Status::new(403, "Forbidden", format!("{about}forbidden: {why}"));
        status.details = json!({});
        for (field, value) in [("name", &self.name), ("group", &self.group), ("kind", &self.resource)] {
            if !value.is_empty() {
                status.details[field] = json!(value);
            }
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each sentence as a real API server 1.20 answered it.
    #[test]
    fn refusals_are_worded_as_by_a_real_server() {
        let user = Identity { name: "x".into(), ..Identity::default() };
        let list = Attributes { verb: "list".into(), resource: "pods".into(), ..Attributes::default() };
        let said = list.refusal(&user, "");
        assert_eq!(
            said.message,
            r#"pods is forbidden: User "x" cannot list resource "pods" in API group "" at the cluster scope"#
        );
        assert_eq!(said.details, json!({"kind": "pods"}));
        let scale = Attributes {
            verb: "get".into(),
            group: "apps".into(),
            resource: "deployments".into(),
            subresource: "scale".into(),
            namespace: "n".into(),
            name: "d".into(),
            ..Attributes::default()
        };
        let said = scale.refusal(&user, "RBAC: a");
        assert_eq!(
            said.message,
            r#"deployments.apps "d" is forbidden: User "x" cannot get resource "deployments/scale" in API group "apps" in the namespace "n": RBAC: a"#
        );
        assert_eq!(said.details, json!({"name": "d", "group": "apps", "kind": "deployments"}));
        let path = Attributes { verb: "get".into(), path: "/metrics".into(), ..Attributes::default() };
        let said = path.refusal(&user, "");
        assert_eq!(said.message, r#"forbidden: User "x" cannot get path "/metrics""#);
        assert_eq!(said.details, json!({}));
    }
}
