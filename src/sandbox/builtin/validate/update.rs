//! What an update may not change.

use serde_json::{Value, json};

use super::{is_blank, items, text};
use crate::sandbox::schema::causes::Causes;
use crate::sandbox::schema::quantity::Quantity;

const POD: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
const STATEFUL_SET: &str = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
const CLAIM: &str = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
const FROZEN: &str = "field is immutable when `immutable` is set";

/// Compares an object with what it was.
pub fn check(resource: &str, old: &Value, new: &Value, causes: &mut Causes) {
    let (before, after) = (&old["spec"], &new["spec"]);
    match resource {
        "pods" => pod(before, after, causes),
        "deployments.apps" | "replicasets.apps" | "daemonsets.apps" => {
            immutable(before, after, &["selector"], causes);
        }
        "statefulsets.apps" => stateful_set(before, after, causes),
        "jobs.batch" => job(before, after, causes),
        "services" => service(before, after, causes),
        "persistentvolumeclaims" => claim(old, new, causes),
        "secrets" => {
            if old["type"] != new["type"] {
                causes.immutable("type", &new["type"]);
            }
            frozen(old, new, &["data"], causes);
        }
        "configmaps" => frozen(old, new, &["data", "binaryData"], causes),
        "storageclasses.storage.k8s.io" => {
            for field in ["parameters", "provisioner"] {
                if old[field] != new[field] {
                    causes.forbidden(field, &format!("updates to {field} are forbidden."));
                }
            }
        }
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io"
            if old["roleRef"] != new["roleRef"] =>
        {
            causes.invalid("roleRef", &new["roleRef"], "cannot change roleRef");
        }
        _ => {}
    }
}

fn immutable(old: &Value, new: &Value, fields: &[&str], causes: &mut Causes) {
    for field in fields.iter().filter(|field| old[**field] != new[**field]) {
        causes.immutable(&format!("spec.{field}"), &new[*field]);
    }
}

/// An object with `immutable: true` keeps its data, and stays so.
fn frozen(old: &Value, new: &Value, fields: &[&str], causes: &mut Causes) {
    if old["immutable"] != true {
        return;
    }
    if new["immutable"] != true {
        causes.forbidden("immutable", FROZEN);
    }
    for field in fields.iter().filter(|field| old[**field] != new[**field]) {
        causes.forbidden(field, FROZEN);
    }
}

/// A copy without some fields.
fn without(spec: &Value, fields: &[&str]) -> Value {
    let mut spec = spec.clone();
    if let Some(map) = spec.as_object_mut() {
        map.retain(|name, _| !fields.contains(&name.as_str()));
    }
    spec
}

fn pod(old: &Value, new: &Value, causes: &mut Causes) {
    let plain = |spec: &Value| {
        let mut plain = without(spec, &["activeDeadlineSeconds", "tolerations"]);
        for list in ["containers", "initContainers"] {
            for container in plain.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                *container = without(container, &["image"]);
            }
        }
        plain
    };
    let (mut before, after) = (plain(old), plain(new));
    // Scheduling gates go, and the scheduler binds: a real one through a subresource of its own.
    for field in ["nodeName", "schedulingGates"] {
        let settles =
            if field == "nodeName" { is_blank(&before[field]) } else { fewer(&before[field], &after[field]) };
        if settles && let Some(map) = before.as_object_mut() {
            match after.get(field) {
                Some(value) => map.insert(field.to_owned(), value.clone()),
                None => map.remove(field),
            };
        }
    }
    let negative = old["terminationGracePeriodSeconds"].as_i64().is_some_and(|seconds| seconds < 0);
    if negative && after["terminationGracePeriodSeconds"] == 1 {
        before["terminationGracePeriodSeconds"] = json!(1);
    }
    let only_added = items(&old["tolerations"]).iter().all(|one| items(&new["tolerations"]).contains(one));
    if before != after || !only_added {
        causes.forbidden("spec", POD);
    }
    if let (Some(was), now) = (old["activeDeadlineSeconds"].as_i64(), new["activeDeadlineSeconds"].as_i64()) {
        match now {
            None => causes.invalid(
                "spec.activeDeadlineSeconds",
                &Value::Null,
                "must not update from a positive integer to nil value",
            ),
            Some(now) if now > was => {
                let detail = "must be less than or equal to previous value";
                causes.invalid("spec.activeDeadlineSeconds", &json!(now), detail);
            }
            Some(_) => {}
        }
    }
}

fn fewer(old: &Value, new: &Value) -> bool {
    items(new).iter().all(|one| items(old).contains(one))
}

fn stateful_set(old: &Value, new: &Value, causes: &mut Causes) {
    let free = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    if without(old, &free) != without(new, &free) {
        causes.forbidden("spec", STATEFUL_SET);
    }
}

fn job(old: &Value, new: &Value, causes: &mut Causes) {
    let elastic = new["completionMode"] == "Indexed" && new["completions"] == new["parallelism"];
    if !elastic {
        immutable(old, new, &["completions"], causes);
    }
    // While it is suspended, where its pods may run can still change.
    let schedulable = |spec: &Value| {
        let mut template = spec["template"].clone();
        if old["suspend"] == true && template["spec"].is_object() {
            let places = ["nodeSelector", "tolerations", "affinity", "schedulingGates"];
            template["spec"] = without(&template["spec"], &places);
            template["metadata"] = Value::Null;
        }
        template
    };
    immutable(old, new, &["selector"], causes);
    if schedulable(old) != schedulable(new) {
        causes.immutable("spec.template", &new["template"]);
    }
    immutable(old, new, &["completionMode", "podFailurePolicy", "backoffLimitPerIndex"], causes);
}

fn service(old: &Value, new: &Value, causes: &mut Causes) {
    let external = |spec: &Value| text(&spec["type"]) == "ExternalName";
    let (was, is) = (&old["clusterIP"], &new["clusterIP"]);
    if !external(old) && !external(new) && !is_blank(was) && was != is {
        let shown = if new["clusterIPs"].is_array() { new["clusterIPs"].clone() } else { json!([is]) };
        causes.invalid("spec.clusterIPs[0]", &shown, "may not change once set");
    }
}

fn claim(old: &Value, new: &Value, causes: &mut Causes) {
    let (before, after) = (&old["spec"], &new["spec"]);
    let mut free = vec!["volumeAttributesClassName"];
    // It is bound once, and gets a class once.
    free.extend(["volumeName", "storageClassName"].into_iter().filter(|field| is_blank(&before[*field])));
    let bound = text(&old["status"]["phase"]) == "Bound";
    if bound {
        free.push("resources");
    }
    if without(before, &free) != without(after, &free) {
        causes.forbidden("spec", CLAIM);
    }
    let size = |spec: &Value| Quantity::parse(text(&spec["resources"]["requests"]["storage"]));
    if let (true, Some(was), Some(is)) = (bound, size(before), size(after))
        && is.nanos() < was.nanos()
    {
        let detail = "field can not be less than status.capacity";
        causes.forbidden("spec.resources.requests.storage", detail);
    }
}
