//! What a real server refuses of the built-in kinds.

mod batch;
mod config;
mod container;
mod meta;
mod network;
mod pod;
mod rbac;
mod storage;
mod update;
mod volume;
mod workloads;

use serde_json::Value;

use crate::sandbox::schema::causes::Causes;
use crate::sandbox::status::Status;

/// Validates a defaulted built-in object that is about to be created (`old` is `None`) or updated; `resource` is `pods`,
/// `deployments.apps`.
///
/// # Errors
/// 422 with a cause for each wrong field.
pub fn validate(resource: &str, old: Option<&Value>, object: &Value) -> Result<(), Status> {
    let mut causes = Causes::default();
    meta::check(resource, object, &mut causes);
    let spec = &object["spec"];
    match resource {
        "pods" => pod::spec(spec, "spec", &mut causes),
        "deployments.apps" => workloads::deployment(spec, &mut causes),
        "replicasets.apps" => workloads::replica_set(spec, &mut causes),
        "statefulsets.apps" => workloads::stateful_set(spec, &mut causes),
        "daemonsets.apps" => workloads::daemon_set(spec, &mut causes),
        "jobs.batch" => batch::job(spec, &object["metadata"]["uid"], &mut causes),
        "cronjobs.batch" => batch::cron_job(object, &mut causes),
        "services" => network::service(spec, &mut causes),
        "ingresses.networking.k8s.io" => network::ingress(spec, &mut causes),
        "networkpolicies.networking.k8s.io" => network::policy(spec, &mut causes),
        "persistentvolumeclaims" => storage::claim(spec, "spec", &mut causes),
        "persistentvolumes" => storage::volume(spec, &mut causes),
        "storageclasses.storage.k8s.io" => storage::class(object, &mut causes),
        "secrets" => config::secret(object, &mut causes),
        "configmaps" => config::config_map(object, &mut causes),
        "poddisruptionbudgets.policy" => workloads::disruption_budget(spec, &mut causes),
        "roles.rbac.authorization.k8s.io" | "clusterroles.rbac.authorization.k8s.io" => {
            rbac::role(object, &mut causes)
        }
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io" => {
            rbac::binding(object, &mut causes);
        }
        _ => {}
    }
    if let Some(old) = old {
        update::check(resource, old, object, &mut causes);
    }
    finish(causes, object)
}

/// Validates the metadata of a custom resource: name, labels, annotations, finalizers, owner references.
///
/// # Errors
/// 422 with a cause for each wrong field.
pub fn validate_metadata(resource: &str, object: &Value) -> Result<(), Status> {
    let mut causes = Causes::default();
    meta::check_custom(resource, object, &mut causes);
    finish(causes, object)
}

fn finish(causes: Causes, object: &Value) -> Result<(), Status> {
    let group = text(&object["apiVersion"]).split_once('/').map_or("", |(group, _)| group);
    causes.finish(group, text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// The items of a list; none when it is absent.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[][..], Vec::as_slice)
}

/// A string; empty when it is absent.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_none_or(str::is_empty)
}

fn required(value: &Value, path: &str, causes: &mut Causes) -> bool {
    if is_blank(value) {
        causes.required(path, "");
    }
    !is_blank(value)
}

fn non_negative(value: &Value, path: &str, causes: &mut Causes) {
    if value.as_i64().is_some_and(|number| number < 0) {
        causes.invalid(path, value, "must be greater than or equal to 0");
    }
}

fn one_of(value: &Value, path: &str, supported: &[&str], causes: &mut Causes) {
    if value.is_null() || supported.contains(&text(value)) {
        return;
    }
    causes.unsupported(path, value, supported.iter().copied());
}

/// Adds the problem of a value, if it has one.
fn well_formed(value: &Value, path: &str, problems: impl IntoIterator<Item = String>, causes: &mut Causes) {
    for problem in problems {
        causes.invalid(path, value, &problem);
    }
}
