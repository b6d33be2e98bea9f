//! What the API server does to every object's metadata, whatever its kind (operations reference §3.8).

use serde_json::{Map, Value, json};

use super::object;
use crate::sandbox::kinds::ResourceType;
use crate::sandbox::status::Status;

/// Built-in kinds whose updates must say which version they replace, as those of custom resources must.
const NEVER_UNCONDITIONAL: [&str; 3] = [
    "customresourcedefinitions.apiextensions.k8s.io",
    "leases.coordination.k8s.io",
    "poddisruptionbudgets.policy",
];

/// The longest base of a generated name.
const GENERATED_BASE: usize = 58;

/// Checks that an object is of the type that it is sent to, and gives it `apiVersion` and `kind` when they are absent.
pub fn check_type(kind: &ResourceType, value: &mut Value) -> Result<(), Status> {
    let Some(map) = value.as_object_mut() else {
        return Err(Status::bad_request("the object provided is not a JSON object"));
    };
    let version = kind.api_version();
    let sent = map.entry("apiVersion").or_insert_with(|| Value::from(version.clone()));
    if sent.as_str() != Some(version.as_str()) {
        let sent = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
        let text = format!(
            "the API version in the data ({sent}) does not match the expected API version ({version})"
        );
        return Err(Status::bad_request(text));
    }
    let sent = map.entry("kind").or_insert_with(|| Value::from(kind.kind.clone()));
    if sent.as_str() != Some(kind.kind.as_str()) {
        if kind.custom {
            let text = format!("Invalid value: {sent}: must be {}", kind.kind);
            let cause = ("FieldValueInvalid", "kind".to_owned(), text);
            return Err(Status::invalid(&qualified_kind(kind), object::name(value), &[cause]));
        }
        let text = format!("{sent} in version {:?} cannot be handled as a {}", kind.version, kind.kind);
        return Err(Status::bad_request(text));
    }
    match map.get("metadata") {
        Some(Value::Object(_)) => Ok(()),
        None | Some(Value::Null) => {
            map.insert("metadata".to_owned(), Value::Object(Map::new()));
            Ok(())
        }
        Some(_) => Err(Status::bad_request("metadata: must be an object")),
    }
}

/// How the name of a new object begins that the server is to choose.
pub fn generated_base(value: &Value) -> Option<String> {
    let base = object::text(value, "/metadata/generateName");
    let chosen = object::name(value).is_empty() && !base.is_empty();
    chosen.then(|| base.chars().take(GENERATED_BASE).collect())
}

/// Fills the metadata of a new object: uid, creation time, generation; what only the server may say is wiped.
pub fn fill_new(kind: &ResourceType, value: &mut Value, now: &str, uid: String) -> Result<(), Status> {
    if !object::text(value, "/metadata/resourceVersion").is_empty() {
        // A real server takes it for its own mistake, too.
        let text = "resourceVersion should not be set on objects to be created";
        return Err(Status::new(500, "InternalError", text));
    }
    let metadata = object::metadata_mut(value);
    for wiped in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"] {
        metadata.remove(wiped);
    }
    if !kind.namespaced {
        metadata.remove("namespace");
    }
    metadata.insert("uid".to_owned(), Value::from(uid));
    metadata.insert("creationTimestamp".to_owned(), Value::from(now));
    if kind.generation || kind.custom {
        metadata.insert("generation".to_owned(), Value::from(1));
    } else if metadata.get("generation").is_some_and(|sent| *sent == 0) {
        // Any other number of a kind without generations stays as it was sent.
        metadata.remove("generation");
    }
    Ok(())
}

/// An object that is being deleted gets no new finalizers.
pub fn check_finalizers(kind: &ResourceType, old: &Value, value: &Value) -> Result<(), Status> {
    let new = if object::deleting(old) { added_finalizers(old, value) } else { Vec::new() };
    if new.is_empty() {
        return Ok(());
    }
    let text = format!(
        "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers {new:?}"
    );
    let cause = ("FieldValueForbidden", "metadata.finalizers".to_owned(), text);
    Err(Status::invalid(&qualified_kind(kind), object::name(value), &[cause]))
}

/// `Deployment.apps`, as messages name a kind.
pub fn qualified_kind(kind: &ResourceType) -> String {
    if kind.group.is_empty() { kind.kind.clone() } else { format!("{}.{}", kind.kind, kind.group) }
}

fn added_finalizers<'a>(old: &Value, new: &'a Value) -> Vec<&'a str> {
    let before = object::finalizers(old);
    object::finalizers(new).into_iter().filter(|finalizer| !before.contains(finalizer)).collect()
}

/// Checks an update against the stored object: uid and resourceVersion must match when they are sent.
pub fn check_preconditions(kind: &ResourceType, old: &Value, new: &Value) -> Result<(), Status> {
    let (resource, name) = (kind.qualified(), object::name(old));
    let (sent, stored) = (object::uid(new), object::uid(old));
    if !sent.is_empty() && sent != stored {
        let why = format!("Precondition failed: UID in precondition: {sent}, UID in object meta: {stored}");
        return Err(Status::conflict(&resource, name, &why));
    }
    let revision = object::text(new, "/metadata/resourceVersion");
    if revision.is_empty() || revision == "0" {
        if kind.custom || NEVER_UNCONDITIONAL.contains(&kind.storage().as_str()) {
            let text = "Invalid value: 0x0: must be specified for an update".to_owned();
            let cause = ("FieldValueInvalid", "metadata.resourceVersion".to_owned(), text);
            return Err(Status::invalid(&resource, name, &[cause]));
        }
    } else if revision != object::text(old, "/metadata/resourceVersion") {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        return Err(Status::conflict(&resource, name, why));
    }
    Ok(())
}

/// Puts back what an update cannot change: identity, times, deletion marks.
pub fn carry_identity(old: &Value, new: &mut Value) {
    let metadata = object::metadata_mut(new);
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "generateName",
        "resourceVersion",
    ] {
        match old.pointer(&format!("/metadata/{field}")) {
            Some(kept) => metadata.insert(field.to_owned(), kept.clone()),
            None => metadata.remove(field),
        };
    }
}

/// The object that an update of the main resource means: its status is the stored one.
pub fn keep_status(kind: &ResourceType, old: &Value, new: &mut Value) {
    if !kind.status {
        return;
    }
    let map = object::map_mut(new);
    match old.get("status") {
        Some(status) => map.insert("status".to_owned(), status.clone()),
        None => map.remove("status"),
    };
}

/// The object that an update of the status subresource means: the stored one with the new status.
pub fn only_status(old: &Value, new: &Value) -> Value {
    let mut merged = old.clone();
    let map = object::map_mut(&mut merged);
    match new.get("status") {
        Some(status) => map.insert("status".to_owned(), status.clone()),
        None => map.remove("status"),
    };
    if let Some(managed) = new.pointer("/metadata/managedFields") {
        object::metadata_mut(&mut merged).insert("managedFields".to_owned(), managed.clone());
    }
    merged
}

/// The object that `/finalize` of a namespace means: the stored one with the new `spec.finalizers`.
pub fn only_spec_finalizers(old: &Value, new: &Value) -> Value {
    let mut merged = old.clone();
    let finalizers = new.pointer("/spec/finalizers").cloned().unwrap_or_else(|| json!([]));
    object::child_mut(&mut merged, "spec").insert("finalizers".to_owned(), finalizers);
    merged
}

/// Raises `metadata.generation` when what a controller acts on has changed.
pub fn raise_generation(kind: &ResourceType, old: &Value, new: &mut Value) {
    let changed = if kind.custom {
        let parts = |value: &Value| -> Map<String, Value> {
            let mut map = value.as_object().cloned().unwrap_or_default();
            map.remove("metadata");
            if kind.status {
                map.remove("status");
            }
            map
        };
        parts(old) != parts(new)
    } else {
        kind.generation && old.get("spec") != new.get("spec")
    };
    if changed {
        let generation = old.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
        object::metadata_mut(new).insert("generation".to_owned(), json!(generation + 1));
    }
}

/// Whether an object that is being deleted has nothing left that holds it.
pub fn is_finished(kind: &ResourceType, value: &Value) -> bool {
    let grace = value.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64).unwrap_or(0);
    let held = kind.storage() == "namespaces" && !object::list(value, "/spec/finalizers").is_empty();
    object::deleting(value) && grace == 0 && object::finalizers(value).is_empty() && !held
}

/// The most bytes of an object that are stored: etcd's limit of a request, on which every real API server stands.
const LARGEST: usize = 3 * 512 * 1024;

/// Refuses what etcd would refuse, with its own words.
pub fn check_size(value: &Value) -> Result<(), Status> {
    let mut length = Length(0);
    match serde_json::to_writer(&mut length, value) {
        Ok(()) if length.0 <= LARGEST => Ok(()),
        _ => Err(Status::new(500, "", "etcdserver: request is too large")),
    }
}

/// Counts what is written to it, up to the limit.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        if self.0 > LARGEST {
            return Err(std::io::Error::other("it is too large"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
