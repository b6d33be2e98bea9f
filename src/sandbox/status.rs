//! Kubernetes `Status`: how the API server says no. Codes and reasons: operations reference §3.6.

use serde_json::{Value, json};

/// A refusal, as it goes over the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The HTTP code.
    pub code: u16,
    /// `NotFound`, `Conflict`, `Invalid` …; empty where Kubernetes gives none.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// `details`, an object or null.
    pub details: Value,
    /// `metadata.continue`: how an expired list can go on.
    pub continue_token: Option<String>,
}

impl Status {
    /// A status with a code, a reason and a message.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Value::Null, continue_token: None }
    }

    /// 404 `NotFound` for one object of a resource (`pods`, `deployments.apps`).
    pub fn not_found(resource: &str, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{resource} \"{name}\" not found")).about(resource, name)
    }

    /// 409 `AlreadyExists`.
    pub fn already_exists(resource: &str, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{resource} \"{name}\" already exists")).about(resource, name)
    }

    /// 409 `AlreadyExists` for an object whose name begins as it was asked for: every name that was drawn is taken.
    pub fn no_name_left(resource: &str, name: &str) -> Self {
        let mut status = Self::already_exists(resource, name);
        status.message.push_str(", the server was not able to generate a unique name for the object");
        status.details["retryAfterSeconds"] = json!(1);
        status
    }

    /// 409 `Conflict`: the object changed since it was read, or a precondition failed.
    pub fn conflict(resource: &str, name: &str, why: &str) -> Self {
        Self::new(409, "Conflict", format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}"))
            .about(resource, name)
    }

    /// 422 `Invalid` with field causes: `(reason, field, message)`, e.g. `("FieldValueInvalid", "spec.replicas", "…")`.
    pub fn invalid(kind: &str, name: &str, causes: &[(&str, String, String)]) -> Self {
        let texts: Vec<String> =
            causes.iter().map(|(_, field, message)| format!("{field}: {message}")).collect();
        let text = if texts.len() == 1 { texts.concat() } else { format!("[{}]", texts.join(", ")) };
        let mut status = Self::new(422, "Invalid", format!("{kind} \"{name}\" is invalid: {text}"));
        let causes: Vec<Value> = causes
            .iter()
            .map(|(reason, field, message)| json!({"reason": reason, "message": message, "field": field}))
            .collect();
        status.details = json!({"name": name, "kind": kind, "causes": causes});
        status
    }

    /// 403 `Forbidden`.
    pub fn forbidden(resource: &str, name: &str, why: &str) -> Self {
        Self::new(403, "Forbidden", format!("{resource} \"{name}\" is forbidden: {why}"))
            .about(resource, name)
    }

    /// 404 for a path or a resource that is not served.
    pub fn unknown_resource() -> Self {
        let status = Self::new(404, "NotFound", "the server could not find the requested resource");
        Self { details: json!({}), ..status }
    }

    /// 410 `Expired`: what was asked for is too long ago.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 400 `BadRequest`.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 501: the sandbox does not do this, and says so.
    pub fn not_implemented(what: &str) -> Self {
        Self::new(501, "NotImplemented", format!("the sandbox does not implement {what}"))
    }

    /// Fills `details` with the resource and the name.
    pub fn about(mut self, resource: &str, name: &str) -> Self {
        let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
        let mut details = json!({"name": name, "kind": plural});
        if !group.is_empty() {
            details["group"] = json!(group);
        }
        self.details = details;
        self
    }

    /// The body.
    pub fn to_value(&self) -> Value {
        let mut value = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if self.reason.is_empty()
            && let Some(map) = value.as_object_mut()
        {
            map.remove("reason");
        }
        if !self.details.is_null() {
            value["details"] = self.details.clone();
        }
        if let Some(token) = &self.continue_token {
            value["metadata"]["continue"] = json!(token);
        }
        value
    }
}
