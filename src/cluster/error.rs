//! What can go wrong when the cluster is spoken to, in terms that code can decide on and people can read.

use std::time::Duration;

use kube::core::Status;
use thiserror::Error;

use crate::domain::{ObjectKey, Problem};

/// A field that another manager owns: the reason why a server-side apply was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// The other manager, as the server names it.
    pub manager: String,
    /// The field's path (`.spec.replicas`).
    pub field: String,
}

/// An answer of the cluster that is not the one asked for. Each variant carries what it happened to, and the server's words.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ClusterError {
    /// The object, or its namespace, does not exist.
    #[error("{object} was not found: {message}")]
    NotFound {
        /// What was asked for.
        object: String,
        /// The server's words.
        message: String,
    },
    /// Another manager owns fields that would be changed.
    #[error("{object} has fields that other managers own: {}", list(.conflicts))]
    Conflict {
        /// What was applied.
        object: String,
        /// The fields and who owns them.
        conflicts: Vec<FieldConflict>,
        /// The object, where one was applied.
        key: Option<Box<ObjectKey>>,
    },
    /// It changed since it was read, or exists already. Reading it again and repeating is right.
    #[error("{object} changed meanwhile: {message}")]
    Stale {
        /// What was written.
        object: String,
        /// The server's words.
        message: String,
    },
    /// The user may not do this. Repeating is useless until somebody grants it.
    #[error("{object} is denied: {message}")]
    Forbidden {
        /// What was tried.
        object: String,
        /// The server's words.
        message: String,
    },
    /// The credentials are missing, wrong or expired.
    #[error("the cluster does not accept the credentials: {message}")]
    Unauthorized {
        /// The server's words.
        message: String,
    },
    /// The object is not valid, or the request makes no sense. Repeating is useless until the input changes.
    #[error("{object} was refused: {message}")]
    Invalid {
        /// What was written.
        object: String,
        /// The server's words, with the fields at fault.
        message: String,
    },
    /// The cluster does not serve this kind.
    #[error("the cluster does not serve {kind} ({api_version})")]
    Unserved {
        /// `apps/v1`.
        api_version: String,
        /// `Deployment`.
        kind: String,
    },
    /// The cluster's definition of the kind is an older one. Repeating is useless until it is installed again.
    #[error(
        "{object} says {field}, and the definition {definition} of this cluster does not have it: it is of an older Styrmin"
    )]
    Outdated {
        /// What was to be written.
        object: String,
        /// The definition's name.
        definition: String,
        /// `spec.hosts`.
        field: String,
    },
    /// The namespace is being deleted: nothing new may be made in it. Repeating is right, until it is gone.
    #[error("{object} is in a namespace that is going: {message}")]
    Terminating {
        /// What was written.
        object: String,
        /// The server's words.
        message: String,
    },
    /// No answer. Repeating later is right.
    #[error("the cluster does not answer: {message}")]
    Unreachable {
        /// The cause.
        message: String,
    },
    /// A server that has too much to do, or is in trouble itself. Repeating later is right.
    #[error("{object}: the cluster answers {code}: {message}")]
    Busy {
        /// What was asked for.
        object: String,
        /// The status code: 429 or one of the server's own errors.
        code: u16,
        /// The server's words.
        message: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The version to continue from is too old: everything has to be listed anew.
    #[error("{object} cannot be continued: {message}")]
    Expired {
        /// What was asked for.
        object: String,
        /// The server's words.
        message: String,
    },
    /// Anything else that the server said.
    #[error("{object}: {message}")]
    Other {
        /// What was asked for.
        object: String,
        /// The server's words.
        message: String,
    },
}

fn list(conflicts: &[FieldConflict]) -> String {
    conflicts.iter().map(|c| format!("{} ({})", c.field, c.manager)).collect::<Vec<_>>().join(", ")
}

impl ClusterError {
    /// The error behind `error`, which happened to `object` ("Deployment/web in demo").
    pub(super) fn from_kube(object: &str, error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::from_status(object, status),
            kube::Error::Auth(cause) => Self::Unauthorized { message: chain(cause) },
            kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => {
                Self::Unreachable { message: chain(error) }
            }
            other => Self::Other { object: object.to_owned(), message: chain(other) },
        }
    }

    /// The error that a `Status` describes.
    pub(super) fn from_status(object: &str, status: &Status) -> Self {
        let object = object.to_owned();
        let message = if status.message.is_empty() { status.reason.clone() } else { status.message.clone() };
        let conflicts = field_conflicts(status);
        match (status.code, status.reason.as_str()) {
            (409, _) if !conflicts.is_empty() => Self::Conflict { object, conflicts, key: None },
            (409, _) => Self::Stale { object, message },
            (404, _) => Self::NotFound { object, message },
            (410, _) => Self::Expired { object, message },
            (403, _) if is_terminating(status) => Self::Terminating { object, message },
            (403, _) => Self::Forbidden { object, message },
            (401, _) => Self::Unauthorized { message },
            (code, "ServerTimeout") | (code @ (429 | 500 | 502..=504), _) => {
                Self::Busy { object, code, message, retry_after: retry_after(status) }
            }
            (400 | 405 | 413 | 415 | 422 | 501, _) => Self::Invalid { object, message },
            _ => Self::Other { object, message },
        }
    }

    /// Whether the same request can succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Stale { .. }
                | Self::Terminating { .. }
                | Self::Unreachable { .. }
                | Self::Busy { .. }
                | Self::Expired { .. }
                | Self::Other { .. }
        )
    }

    /// How long the server wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same with what was asked of the server (`patch configmaps in demo`), where that says what has to be granted.
    pub(super) fn asked(self, verb: &str, resource: &str, namespace: &str) -> Self {
        match self {
            Self::Forbidden { object, message } => {
                let place = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
                Self::Forbidden { object: format!("{verb} {resource}{place} ({object})"), message }
            }
            other => other,
        }
    }

    /// The error as it is told to a person.
    pub fn problem(&self) -> Problem {
        let why = self.to_string();
        let (what, next) = match self {
            Self::NotFound { object, .. } => {
                (format!("{object} does not exist"), "check the name and the namespace")
            }
            Self::Conflict { object, .. } => (
                format!("{object} is also managed by somebody else"),
                "say who is to have the fields: yield, take, or share",
            ),
            Self::Stale { object, .. } => {
                (format!("{object} changed while it was written"), "try again: it is read anew")
            }
            Self::Forbidden { object, .. } => (
                format!("the cluster denies {object}"),
                "ask for the permission, or use a context whose user has it",
            ),
            Self::Unauthorized { .. } => (
                "the cluster does not know us".to_owned(),
                "renew the credentials of this context in the kubeconfig",
            ),
            Self::Invalid { object, .. } => {
                (format!("the cluster refuses {object}"), "correct the field that is named")
            }
            Self::Unserved { kind, .. } => (
                format!("{kind} is unknown to the cluster"),
                "install what defines this kind, or use a driver that does without",
            ),
            Self::Outdated { object, .. } => (
                format!("the cluster cannot take {object}"),
                "install Styrmin on the cluster again (:install): that renews the definition",
            ),
            Self::Terminating { object, .. } => (
                format!("{object} cannot be written: its namespace is going"),
                "wait until the namespace is gone; see what holds it: kubectl get namespace -o yaml",
            ),
            Self::Busy { code: 429, .. } => (
                "the cluster asks us to slow down".to_owned(),
                "it is tried again by itself when the cluster wants to be asked",
            ),
            Self::Busy { .. } => (
                "the cluster is in trouble".to_owned(),
                "it is tried again by itself; look at the API server when it stays so",
            ),
            Self::Unreachable { .. } => (
                "the cluster cannot be reached".to_owned(),
                "it is tried again by itself; check the network and the server's address",
            ),
            Self::Expired { object, .. } => {
                (format!("{object} changed too much meanwhile"), "nothing: it is listed anew by itself")
            }
            Self::Other { object, .. } => {
                (format!("the cluster did not do {object}"), "see the cause; it is tried again by itself")
            }
        };
        let problem = Problem::new(what, why, next);
        match self {
            Self::Conflict { key: Some(key), .. } => problem.about_fields_of((**key).clone()),
            _ => problem,
        }
    }

    /// The same error, met while `applied` was applied.
    pub(super) fn while_applying(self, applied: &ObjectKey) -> Self {
        match self {
            Self::Conflict { object, conflicts, .. } => {
                Self::Conflict { object, conflicts, key: Some(Box::new(applied.clone())) }
            }
            other => other,
        }
    }
}

impl From<ClusterError> for Problem {
    fn from(error: ClusterError) -> Self {
        error.problem()
    }
}

/// The conflicts of a refused apply: `conflict with "kubectl" using apps/v1 at …` names the manager in quotes.
fn field_conflicts(status: &Status) -> Vec<FieldConflict> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| FieldConflict {
            manager: cause.message.split('"').nth(1).unwrap_or(&cause.message).to_owned(),
            field: cause.field.clone(),
        })
        .collect()
}

/// Whether a refusal means that the namespace is being deleted.
fn is_terminating(status: &Status) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    causes.any(|cause| cause.reason == "NamespaceTerminating")
        || status.message.contains("because it is being terminated")
}

fn retry_after(status: &Status) -> Option<Duration> {
    let seconds = status.details.as_ref()?.retry_after_seconds;
    (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)))
}

/// An error with all its causes in one line, each said once.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(value: serde_json::Value) -> Status {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn conflicts_name_manager_and_field() {
        let error = ClusterError::from_status(
            "Deployment/web",
            &status(json!({
                "status": "Failure", "code": 409, "reason": "Conflict", "message": "Apply failed with 1 conflict",
                "details": {"causes": [{"reason": "FieldManagerConflict", "field": ".spec.replicas",
                    "message": "conflict with \"kubectl\" using apps/v1 at 2026-01-01T00:00:00Z"}]}
            })),
        );
        let expected = FieldConflict { manager: "kubectl".into(), field: ".spec.replicas".into() };
        assert_eq!(
            error,
            ClusterError::Conflict { object: "Deployment/web".into(), conflicts: vec![expected], key: None }
        );
        assert!(error.problem().why.contains(".spec.replicas (kubectl)"));
        let key = ObjectKey {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: "demo".into(),
            name: "web".into(),
        };
        let problem = error.while_applying(&key).problem();
        assert_eq!(problem.contested.as_deref(), Some(&key), "a person can say who is to have the fields");
    }

    #[test]
    fn codes_decide_whether_to_repeat() {
        let of = |code: u16| {
            ClusterError::from_status(
                "x",
                &status(json!({"status": "Failure", "code": code, "message": "m"})),
            )
        };
        assert!(of(503).is_transient() && of(409).is_transient());
        for code in [400, 401, 403, 404, 422] {
            assert!(!of(code).is_transient(), "{code}");
        }
    }

    #[test]
    fn a_busy_server_says_when_it_wants_to_be_asked() {
        let told =
            json!({"status": "Failure", "code": 429, "message": "m", "details": {"retryAfterSeconds": 7}});
        let error = ClusterError::from_status("x", &status(told));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert!(error.problem().what.contains("slow down"));
    }

    #[test]
    fn what_is_denied_names_verb_resource_and_namespace() {
        let denied = json!({"status": "Failure", "code": 403, "reason": "Forbidden", "message": "no"});
        let error = ClusterError::from_status("ConfigMap/a in demo", &status(denied));
        let problem = error.asked("patch", "configmaps", "demo").problem();
        assert_eq!(problem.what, "the cluster denies patch configmaps in demo (ConfigMap/a in demo)");
        let going = json!({"status": "Failure", "code": 403, "reason": "Forbidden", "message": "no", "details":
            {"causes": [{"reason": "NamespaceTerminating", "message": "m", "field": "metadata.namespace"}]}});
        let error = ClusterError::from_status("ConfigMap/a in demo", &status(going));
        assert!(matches!(error, ClusterError::Terminating { .. }) && error.is_transient());
    }
}
