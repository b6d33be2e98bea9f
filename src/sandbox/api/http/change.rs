//! `create`, `update`, `delete`, `deletecollection`.

use std::sync::Arc;

use http::Response;
use serde_json::{Value, json};

use super::call::Call;
use super::payload;
use super::query::{self, refuse};
use super::reply::{self, object_response};
use crate::sandbox::api::objects::Objects;
use crate::sandbox::api::remove::{self, DeleteOptions, Propagation, Removal};
use crate::sandbox::api::write::{self, Part};
use crate::sandbox::body::Body;
use crate::sandbox::object;
use crate::sandbox::schema::causes::Causes;
use crate::sandbox::status::Status;

/// What a real server reads the options of a deletion into.
const OPTIONS: &str = "DeleteOptions";

/// Kinds whose deletion answers with the object even when it is gone.
const RETURNED: [&str; 6] =
    ["pods", "services", "persistentvolumeclaims", "persistentvolumes", "serviceaccounts", "resourcequotas"];

/// Kinds of which a replacement makes the object when there is none.
const MADE_BY_UPDATE: [&str; 9] = [
    "endpoints",
    "events",
    "leases.coordination.k8s.io",
    "limitranges",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "runtimeclasses.node.k8s.io",
];

/// `POST` to a collection.
pub fn create(call: &Call, bytes: &[u8]) -> Result<Response<Body>, Status> {
    let mut value = payload::object(call, bytes)?;
    place(call, &mut value)?;
    let options = call.write_options(Part::Main)?;
    let made = write::create(&mut call.api.objects(), &call.kind, value, &options)?;
    Ok(object_response(201, &call.served(&made)))
}

/// `PUT` of an object or of a subresource.
pub fn update(call: &Call, bytes: &[u8], part: Part) -> Result<Response<Body>, Status> {
    let mut value = payload::object(call, bytes)?;
    let (_, name) = call.key();
    if object::name(&value).is_empty() {
        let text =
            format!("the name of the object ({name} based on URL) was undeterminable: name must be provided");
        return Err(Status::bad_request(text));
    }
    place(call, &mut value)?;
    let options = call.write_options(part)?;
    let mut objects = call.api.objects();
    if part == Part::Main && is_new(call, &objects, &value)? {
        let made = write::create(&mut objects, &call.kind, value, &options)?;
        return Ok(object_response(201, &call.served(&made)));
    }
    let written = write::update(&mut objects, &call.kind, value, &options)?;
    Ok(object_response(200, &call.served(&written)))
}

/// Whether a replacement makes the object: some kinds allow that.
///
/// # Errors
/// 409 when the object that is sent has a uid: it replaces one that is no more.
fn is_new(call: &Call, objects: &Objects, value: &Value) -> Result<bool, Status> {
    let (namespace, name) = call.key();
    let storage = call.kind.storage();
    if objects.get(&storage, namespace, name).is_some() {
        return Ok(false);
    }
    let uid = object::uid(value);
    if !uid.is_empty() {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: ");
        return Err(Status::conflict(&call.kind.qualified(), name, &why));
    }
    let sent = object::text(value, "/metadata/resourceVersion");
    Ok(MADE_BY_UPDATE.contains(&storage.as_str()) && matches!(sent, "" | "0"))
}

/// Puts an object where the path says; 400 when it says something else itself.
pub fn place(call: &Call, value: &mut Value) -> Result<(), Status> {
    if !value.is_object() {
        return Err(Status::bad_request("the object provided is not a JSON object"));
    }
    let (namespace, name) = call.key();
    for (field, place) in [("namespace", namespace), ("name", name)] {
        let sent = object::text(value, &format!("/metadata/{field}"));
        if sent.is_empty() && !place.is_empty() {
            object::metadata_mut(value).insert(field.to_owned(), Value::from(place));
        } else if !place.is_empty() && sent != place {
            return Err(Status::bad_request(if field == "name" {
                format!("the name of the object ({sent}) does not match the name on the URL ({place})")
            } else {
                "the namespace of the provided object does not match the namespace sent on the request"
                    .to_owned()
            }));
        }
    }
    Ok(())
}

/// `DELETE` of an object.
pub fn delete(call: &Call, bytes: &[u8]) -> Result<Response<Body>, Status> {
    let (options, _) = delete_options(call, bytes)?;
    let now = Some(call.api.now());
    let removal = remove::delete(&mut call.api.objects(), &call.kind, call.key(), &options, now)?;
    Ok(deletion_response(call, &removal))
}

fn deletion_response(call: &Call, removal: &Removal) -> Response<Body> {
    let resource = call.kind.qualified();
    if removal.gone && !RETURNED.contains(&resource.as_str()) {
        return object_response(200, &reply::deleted(&resource, &removal.object));
    }
    object_response(200, &call.served(&removal.object))
}

/// `DELETE` of a collection: each selected object, as if it were deleted alone; with a limit the first ones only.
pub fn delete_collection(call: &Call, bytes: &[u8]) -> Result<Response<Body>, Status> {
    let (options, _) = delete_options(call, bytes)?;
    let now = Some(call.api.now());
    call.query.check_list()?;
    if !call.query.text("continue").is_empty() {
        return Err(Status::not_implemented("deletecollection from a continue token"));
    }
    let limit = usize::try_from(call.query.number("limit")?.unwrap_or(0)).unwrap_or(0);
    let mut objects = call.api.objects();
    let mut selected = objects.list(&call.kind.storage(), call.namespace());
    selected.retain(|value| call.selector.matches(value));
    if limit > 0 {
        selected.truncate(limit);
    }
    let mut deleted: Vec<Arc<Value>> = Vec::new();
    for value in selected {
        let key = (object::namespace(&value), object::name(&value));
        deleted.push(remove::delete(&mut objects, &call.kind, key, &options, now)?.object);
    }
    let metadata = json!({"resourceVersion": objects.revision.to_string()});
    Ok(reply::json_response(200, reply::list_text(call, &metadata, &deleted)))
}

/// `DeleteOptions` of the body and of the query, and whether it is a dry run.
pub fn delete_options(call: &Call, bytes: &[u8]) -> Result<(DeleteOptions, bool), Status> {
    let body = if bytes.is_empty() { Value::Null } else { payload::json(bytes)? };
    let mut options = parse_delete_options(&body)?;
    let dry_run = call.query.dry_run(OPTIONS)? | query::dry_run(OPTIONS, &object::texts(&body, "/dryRun"))?;
    if let Some(seconds) = call.query.number("gracePeriodSeconds")? {
        options.grace_seconds = Some(seconds);
    }
    let asked = call.query.text("propagationPolicy");
    if !asked.is_empty() {
        options.propagation = Some(propagation(asked)?);
    }
    if call.query.has("orphanDependents") && options.propagation.is_none() {
        options.propagation = Some(orphan(call.query.flag("orphanDependents")));
    }
    options.dry_run = dry_run;
    Ok((options, dry_run))
}

/// `DeleteOptions` as an object.
///
/// # Errors
/// 400 for a wrong type, 422 for options that make no sense.
pub fn parse_delete_options(body: &Value) -> Result<DeleteOptions, Status> {
    let text = |pointer: &str| Some(object::text(body, pointer).to_owned()).filter(|text| !text.is_empty());
    let grace_seconds = match body.get("gracePeriodSeconds") {
        None | Some(Value::Null) => None,
        Some(seconds) => {
            Some(seconds.as_i64().ok_or_else(|| Status::bad_request("gracePeriodSeconds must be a number"))?)
        }
    };
    let asked = text("/propagationPolicy");
    let policy = asked.as_deref().map(propagation).transpose()?;
    let orphaned = body.get("orphanDependents").and_then(Value::as_bool).map(orphan);
    if let (Some(asked), Some(_)) = (&asked, orphaned) {
        let mut causes = Causes::default();
        let why = "orphanDependents and deletionPropagation cannot be both set";
        causes.invalid("propagationPolicy", &json!(asked), why);
        refuse(OPTIONS, causes)?;
    }
    Ok(DeleteOptions {
        grace_seconds,
        propagation: policy.or(orphaned),
        uid: text("/preconditions/uid"),
        resource_version: text("/preconditions/resourceVersion"),
        dry_run: false,
    })
}

fn orphan(orphan: bool) -> Propagation {
    if orphan { Propagation::Orphan } else { Propagation::Background }
}

fn propagation(policy: &str) -> Result<Propagation, Status> {
    match policy {
        "Background" => Ok(Propagation::Background),
        "Foreground" => Ok(Propagation::Foreground),
        "Orphan" => Ok(Propagation::Orphan),
        other => {
            let supported = "supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"";
            let text = format!("Unsupported value: {other:?}: {supported}");
            let cause = ("FieldValueNotSupported", "propagationPolicy".to_owned(), text);
            Err(Status::invalid(&format!("{OPTIONS}.meta.k8s.io"), "", &[cause]))
        }
    }
}
