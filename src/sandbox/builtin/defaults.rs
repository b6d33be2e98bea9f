//! What a real server adds to an object that does not say it.

mod batch;
mod network;
mod pod;
mod storage;
mod workloads;

use serde_json::{Map, Value, json};

use crate::sandbox::schema::{self, Schema};

/// Fills in the defaults of a built-in object; `resource` is `pods`, `deployments.apps`. Call it on a decoded object that has its uid.
pub fn default_object(resource: &str, object: &mut Value) {
    match resource {
        "pods" => pod::pod(object),
        "deployments.apps" => within(object, "spec", workloads::deployment),
        "replicasets.apps" => workloads::replica_set(object),
        "statefulsets.apps" => workloads::stateful_set(object),
        "daemonsets.apps" => workloads::daemon_set(object),
        "jobs.batch" => batch::job(object),
        "cronjobs.batch" => within(object, "spec", batch::cron_job),
        "services" => within(object, "spec", network::service),
        "networkpolicies.networking.k8s.io" => within(object, "spec", network::policy),
        "endpoints" => network::endpoints(object),
        "endpointslices.discovery.k8s.io" => network::endpoint_slice(object),
        "persistentvolumeclaims" => within(object, "spec", storage::claim),
        "persistentvolumes" => within(object, "spec", storage::volume),
        "storageclasses.storage.k8s.io" => storage::class(object),
        "secrets" => storage::secret(object),
        "namespaces" => namespace(object),
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io" => {
            binding(object)
        }
        _ => {}
    }
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if let Some(schema) = schema::builtin(group, version, object["kind"].as_str().unwrap_or_default()) {
        show_structs(&schema, object);
    }
}

/// Adds the empty structs that a real server always shows (`resources: {}`, `status: {}`).
fn show_structs(schema: &Schema, value: &mut Value) {
    match (schema, value) {
        (Schema::Object(object), Value::Object(fields)) => {
            for (name, field) in &object.fields {
                if field.always && matches!(field.schema, Schema::Object(_)) {
                    fields.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
                }
                if let Some(value) = fields.get_mut(name) {
                    show_structs(&field.schema, value);
                }
            }
        }
        (Schema::List(list), Value::Array(items)) => {
            items.iter_mut().for_each(|item| show_structs(&list.items, item))
        }
        _ => {}
    }
}

/// Sets a field of an object that is absent or null. What is no object stays as it is.
fn put(value: &mut Value, field: &str, default: Value) {
    if let Some(fields) = value.as_object_mut() {
        let place = fields.entry(field.to_owned()).or_insert(Value::Null);
        if place.is_null() {
            *place = default;
        }
    }
}

/// Sets a string that is absent or empty.
fn put_text(value: &mut Value, field: &str, default: &str) {
    if let Some(fields) = value.as_object_mut() {
        let place = fields.entry(field.to_owned()).or_insert(Value::Null);
        if place.is_null() || place == "" {
            *place = json!(default);
        }
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The object at a field, if there is one.
fn object_at<'a>(value: &'a mut Value, field: &str) -> Option<&'a mut Value> {
    value.get_mut(field).filter(|value| value.is_object())
}

/// Changes the object at a field, if there is one.
fn within(value: &mut Value, field: &str, change: impl FnOnce(&mut Value)) {
    if let Some(inner) = object_at(value, field) {
        change(inner);
    }
}

/// Changes the object at a field, which is made if it is absent.
fn within_new(value: &mut Value, field: &str, change: impl FnOnce(&mut Value)) {
    put(value, field, Value::Object(Map::new()));
    within(value, field, change);
}

/// The items of a list field.
fn items_at<'a>(value: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten()
}

fn namespace(object: &mut Value) {
    let name = object["metadata"]["name"].clone();
    let deleting = object["metadata"]["deletionTimestamp"].is_string();
    within_new(object, "spec", |spec| {
        if !deleting {
            put(spec, "finalizers", json!(["kubernetes"]));
        }
    });
    within_new(object, "metadata", |metadata| {
        within_new(metadata, "labels", |labels| labels["kubernetes.io/metadata.name"] = name);
    });
    within_new(object, "status", |status| put_text(status, "phase", "Active"));
}

fn binding(object: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    if let Some(reference) = object_at(object, "roleRef") {
        put_text(reference, "apiGroup", GROUP);
    }
    for subject in items_at(object, "subjects") {
        match text(subject, "kind") {
            "User" | "Group" => put_text(subject, "apiGroup", GROUP),
            _ => {}
        }
    }
}
