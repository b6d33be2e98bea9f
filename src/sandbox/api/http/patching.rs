//! `PATCH`: which format, applied to what, and written how.

use std::sync::Arc;

use http::Response;
use serde_json::Value;

use super::call::Call;
use super::query::refuse;
use super::reply::object_response;
use super::{change, payload};
use crate::sandbox::access::attributes::Attributes;
use crate::sandbox::access::rbac;
use crate::sandbox::api::objects::Objects;
use crate::sandbox::api::validation::{FieldValidation, Form};
use crate::sandbox::api::write::{self, Part, WriteOptions};
use crate::sandbox::api::{admission, versions};
use crate::sandbox::body::Body;
use crate::sandbox::object;
use crate::sandbox::patch;
use crate::sandbox::schema::causes::Causes;
use crate::sandbox::status::Status;

/// What a real server reads the parameters of a patch into.
const OPTIONS: &str = "PatchOptions";
const MERGE: &str = "application/merge-patch+json";
const JSON: &str = "application/json-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// `PATCH` of an object or of its status.
pub fn patch(call: &Call, bytes: &[u8], part: Part) -> Result<Response<Body>, Status> {
    if call.content_type == APPLY {
        return apply(call, bytes, part);
    }
    let change = payload::told(call, bytes)?;
    let mut options = call.write_options(part)?;
    options.validation.form = Form::Patch;
    if call.query.has("force") {
        let mut causes = Causes::default();
        causes.forbidden("force", "may not be specified for non-apply patch");
        refuse(OPTIONS, causes)?;
    }
    let mut objects = call.api.objects();
    let current = current(call, &objects)?;
    let mut value = (*call.as_served(&current)).clone();
    change_by(call, &mut value, &change)?;
    check_patched(call, &objects, &current, &value)?;
    change::place(call, &mut value)?;
    let written = write::update(&mut objects, &call.kind, value, &options)?;
    Ok(object_response(200, &call.served(&written)))
}

/// A patch may make nothing that is no object of the kind (422, not the 400 of what is sent whole), and no other object.
fn check_patched(call: &Call, objects: &Objects, current: &Value, value: &Value) -> Result<(), Status> {
    let mut causes = Causes::default();
    let uid = object::uid(value);
    if !uid.is_empty() && uid != object::uid(current) {
        causes.immutable("metadata.uid", &Value::from(uid));
        return causes.finish(&call.kind.group, &call.kind.kind, object::name(current));
    }
    let mut stored = value.clone();
    versions::to_stored(&objects.kinds, &call.kind, &mut stored);
    match admission::decode(objects, &call.kind, &mut stored, &FieldValidation::default()) {
        Err(status) if status.code == 400 => {
            let cause = ("FieldValueInvalid", "patch".to_owned(), status.message);
            Err(Status::invalid("", "", &[cause]))
        }
        _ => Ok(()),
    }
}

fn current(call: &Call, objects: &Objects) -> Result<Arc<Value>, Status> {
    let (namespace, name) = call.key();
    let found = objects.get(&call.kind.storage(), namespace, name).cloned();
    found.ok_or_else(|| Status::not_found(&call.kind.qualified(), name))
}

/// Changes something that is no stored object (a Scale): merge and JSON patches.
pub fn change_plain(call: &Call, value: &mut Value, bytes: &[u8]) -> Result<(), Status> {
    let change = payload::told(call, bytes)?;
    match call.content_type.as_str() {
        // A Scale has no lists: strategic and plain merge are the same there.
        MERGE | STRATEGIC => patch::merge(value, &change),
        JSON => patch::json(value, &change)?,
        other => return Err(payload::unsupported(other, &format!("{JSON}, {MERGE}, {STRATEGIC}"))),
    }
    Ok(())
}

fn change_by(call: &Call, value: &mut Value, change: &Value) -> Result<(), Status> {
    match call.content_type.as_str() {
        MERGE if change.is_object() => patch::merge(value, change),
        MERGE => {
            let text = format!("Invalid value: {change}: a merge patch must be a JSON object");
            let cause = ("FieldValueInvalid", "patch".to_owned(), text);
            return Err(Status::invalid("", "", &[cause]));
        }
        JSON => patch::json(value, change)?,
        STRATEGIC if !call.kind.custom => admission::strategic(&call.kind, value, change)?,
        other => {
            let strategic = if call.kind.custom { "" } else { ", application/strategic-merge-patch+json" };
            return Err(payload::unsupported(other, &format!("{JSON}, {MERGE}, {APPLY}{strategic}")));
        }
    }
    Ok(())
}

/// Server-side apply: creates what does not exist, and keeps who owns which field.
fn apply(call: &Call, bytes: &[u8], part: Part) -> Result<Response<Body>, Status> {
    if call.query.text("fieldManager").is_empty() {
        let mut causes = Causes::default();
        causes.required("fieldManager", "is required for apply patch");
        refuse(OPTIONS, causes)?;
    }
    let mut applied = payload::yaml(call, bytes)?;
    change::place(call, &mut applied)?;
    let options = WriteOptions { tracked: true, ..call.write_options(part)? };
    options.validation.settle_yaml()?;
    let force = call.query.flag("force");
    let mut objects = call.api.objects();
    let (namespace, name) = call.key();
    let live = objects.get(&call.kind.storage(), namespace, name).cloned();
    let live = live.map(|live| call.as_served(&live));
    if live.is_none() && part != Part::Main {
        return Err(Status::not_found(&call.kind.qualified(), name));
    }
    if live.is_none() {
        check_create(call, &objects)?;
    }
    if live.is_none() && !object::uid(&applied).is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {}, and no existing object was found",
            object::uid(&applied)
        );
        return Err(Status::conflict(&call.kind.qualified(), name, &why));
    }
    keep_part(call, &mut applied, part);
    let merged = admission::apply(&objects, &call.kind, live.as_deref(), applied, (&options, force))?;
    let (code, written) = match live {
        None => (201, write::create(&mut objects, &call.kind, merged, &options)?),
        Some(_) => (200, write::update(&mut objects, &call.kind, merged, &options)?),
    };
    Ok(object_response(code, &call.served(&written)))
}

/// Who applies what does not exist creates it, and must be allowed to. The real server gives no reason here.
fn check_create(call: &Call, objects: &Objects) -> Result<(), Status> {
    let (namespace, name) = call.key();
    let create = Attributes {
        verb: "create".to_owned(),
        group: call.kind.group.clone(),
        resource: call.kind.plural.clone(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..Attributes::default()
    };
    let decision = rbac::authorize(objects, &call.user, &create);
    if decision.allowed { Ok(()) } else { Err(create.forbidden(&decision.reason)) }
}

/// Takes from an applied configuration what its endpoint ignores.
fn keep_part(call: &Call, applied: &mut Value, part: Part) {
    let Some(map) = applied.as_object_mut() else { return };
    match part {
        Part::Status => {
            map.retain(|field, _| matches!(field.as_str(), "apiVersion" | "kind" | "metadata" | "status"))
        }
        _ if call.kind.status => {
            map.remove("status");
        }
        _ => {}
    }
}
