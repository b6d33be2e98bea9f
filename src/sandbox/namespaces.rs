//! The life of namespaces: what is refused in one that is missing or ending, and how one ends.

use serde_json::{Value, json};

use super::object;
use super::status::Status;

/// The finalizer that holds a namespace until its content is gone.
pub const FINALIZER: &str = "kubernetes";

/// The namespaces that every cluster has.
pub const DEFAULT: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Gives a new namespace its finalizer and its own name as a label.
pub fn fill_new(value: &mut Value) {
    let name = object::name(value).to_owned();
    object::child_mut(value, "spec").insert("finalizers".to_owned(), json!([FINALIZER]));
    let labels = object::map_mut(object::metadata_mut(value).entry("labels").or_insert(Value::Null));
    labels.insert("kubernetes.io/metadata.name".to_owned(), Value::from(name));
}

/// Refuses a new object in a namespace that is missing or ending.
pub fn check_open(namespace: Option<&Value>, wanted: &str, resource: &str, name: &str) -> Result<(), Status> {
    let Some(namespace) = namespace else {
        return Err(Status::not_found("namespaces", wanted));
    };
    if !object::deleting(namespace) {
        return Ok(());
    }
    let text = format!("unable to create new content in namespace {wanted} because it is being terminated");
    let mut status = Status::forbidden(resource, name, &text);
    status.details["causes"] = json!([{
        "reason": "NamespaceTerminating",
        "message": format!("namespace {wanted} is being terminated"),
        "field": "metadata.namespace",
    }]);
    Err(status)
}
