//! Metadata: names, labels, annotations, finalizers, owners.

use serde_json::{Value, json};

use super::super::names;
use super::{is_blank, items, non_negative, text, well_formed};
use crate::sandbox::schema::causes::Causes;

/// All annotations together.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// An object's metadata.
pub fn check(resource: &str, object: &Value, causes: &mut Causes) {
    let strict = !resource.ends_with(".apiextensions.k8s.io");
    check_finalizers(&object["metadata"]["finalizers"], strict, causes);
    check_rest(resource, object, causes);
}

/// The metadata of a custom resource.
pub fn check_custom(resource: &str, object: &Value, causes: &mut Causes) {
    check_finalizers(&object["metadata"]["finalizers"], false, causes);
    check_rest(resource, object, causes);
}

fn check_rest(resource: &str, object: &Value, causes: &mut Causes) {
    let metadata = &object["metadata"];
    check_name(resource, metadata, causes);
    non_negative(&metadata["generation"], "metadata.generation", causes);
    labels(&metadata["labels"], "metadata.labels", causes);
    annotations(&metadata["annotations"], "metadata.annotations", causes);
    owners(items(&metadata["ownerReferences"]), causes);
}

/// Definitions and custom resources may have finalizers without a slash, the built-in kinds only the standard ones.
fn check_finalizers(finalizers: &Value, strict: bool, causes: &mut Causes) {
    for (index, finalizer) in items(finalizers).iter().enumerate() {
        let found = names::qualified(text(finalizer));
        let standard = ["orphan", "foregroundDeletion", "kubernetes"].contains(&text(finalizer));
        if strict && found.is_empty() && !standard && !text(finalizer).contains('/') {
            let problem = "name is neither a standard finalizer name nor is it fully qualified";
            causes.invalid(&format!("metadata.finalizers[{index}]"), finalizer, problem);
        }
        well_formed(finalizer, "metadata.finalizers", found, causes);
    }
    let has = |wanted: &str| items(finalizers).iter().any(|finalizer| finalizer == wanted);
    if has("orphan") && has("foregroundDeletion") {
        let problem = "finalizer orphan and foregroundDeletion cannot be both set";
        causes.invalid("metadata.finalizers", finalizers, problem);
    }
}

fn check_name(resource: &str, metadata: &Value, causes: &mut Causes) {
    let name = &metadata["name"];
    let path = "metadata.name";
    if is_blank(name) {
        let detail =
            if is_blank(&metadata["generateName"]) { "name or generateName is required" } else { return };
        causes.required(path, detail);
        return;
    }
    let problem = match resource {
        "services" => names::label_1035(text(name)),
        "namespaces" => names::label_1123(text(name)),
        _ if resource.ends_with("rbac.authorization.k8s.io") => path_segment(text(name)),
        _ => names::subdomain(text(name)),
    };
    well_formed(name, path, problem, causes);
}

fn path_segment(text: &str) -> Option<String> {
    match text {
        "." | ".." => Some(format!("may not be '{text}'")),
        _ => ["/", "%"]
            .iter()
            .find(|part| text.contains(**part))
            .map(|part| format!("may not contain '{part}'")),
    }
}

/// Labels.
pub fn labels(labels: &Value, path: &str, causes: &mut Causes) {
    for (key, value) in labels.as_object().into_iter().flatten() {
        well_formed(&json!(key), path, names::qualified(key), causes);
        well_formed(value, path, names::label_value(text(value)), causes);
    }
}

/// Annotations: keys as labels', values of any form up to a total size.
pub fn annotations(annotations: &Value, path: &str, causes: &mut Causes) {
    let mut size = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        well_formed(&json!(key), path, names::qualified(&key.to_lowercase()), causes);
        size += key.len() + text(value).len();
    }
    if size > ANNOTATIONS_LIMIT {
        causes.too_long(path, ANNOTATIONS_LIMIT as u64);
    }
}

fn owners(owners: &[Value], causes: &mut Causes) {
    let path = "metadata.ownerReferences";
    for (index, owner) in owners.iter().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if is_blank(&owner[field]) {
                let at = format!("{path}[{index}].{field}");
                causes.invalid(&at, &json!(""), &format!("{field} must not be empty"));
            }
        }
        if owner["apiVersion"] == "v1" && owner["kind"] == "Event" {
            causes.invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner");
        }
    }
    let controllers: Vec<&str> =
        owners.iter().filter(|owner| owner["controller"] == true).map(|owner| text(&owner["name"])).collect();
    if let [first, second, ..] = controllers.as_slice() {
        let problem = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {second}"
        );
        causes.invalid(path, &json!(owners), &problem);
    }
}

/// A label selector.
pub fn selector(selector: &Value, path: &str, causes: &mut Causes) {
    labels(&selector["matchLabels"], &format!("{path}.matchLabels"), causes);
    for (index, rule) in items(&selector["matchExpressions"]).iter().enumerate() {
        let path = format!("{path}.matchExpressions[{index}]");
        let values = items(&rule["values"]);
        match text(&rule["operator"]) {
            "In" | "NotIn" if values.is_empty() => {
                causes.required(
                    &format!("{path}.values"),
                    "must be specified when `operator` is 'In' or 'NotIn'",
                );
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => causes.forbidden(
                &format!("{path}.values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => causes.invalid(
                &format!("{path}.operator"),
                &rule["operator"],
                "not a valid selector operator",
            ),
        }
        well_formed(&rule["key"], &format!("{path}.key"), names::qualified(text(&rule["key"])), causes);
    }
}
