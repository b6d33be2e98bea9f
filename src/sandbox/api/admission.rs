//! What a kind adds to a write: defaults, allocated values, validation, and who owns which field.

use serde_json::{Value, json};

use super::objects::Objects;
use super::validation::{Directive, FieldValidation, Form};
use super::write::WriteOptions;
use super::{addresses, claims, definitions, object};
use crate::sandbox::builtin;
use crate::sandbox::fields::{self, ApplyRequest, Writer};
use crate::sandbox::kinds::ResourceType;
use crate::sandbox::namespaces;
use crate::sandbox::patch;
use crate::sandbox::schema::{self, Schema};
use crate::sandbox::status::Status;

/// Gives a new object the status that its kind starts with; a status that was sent is dropped.
pub fn first_status(kind: &ResourceType, value: &mut Value) {
    let storage = kind.storage();
    if !kind.status || storage == "nodes" {
        return;
    }
    let status = match storage.as_str() {
        "pods" | "persistentvolumeclaims" | "persistentvolumes" => json!({"phase": "Pending"}),
        "namespaces" => json!({"phase": "Active"}),
        "services" | "ingresses.networking.k8s.io" => json!({"loadBalancer": {}}),
        _ => Value::Null,
    };
    let map = object::map_mut(value);
    if status.is_null() {
        map.remove("status");
    } else {
        map.insert("status".to_owned(), status);
    }
}

/// Defaults, allocates and validates an object that is about to be written.
pub fn admit(
    objects: &mut Objects,
    kind: &ResourceType,
    old: Option<&Value>,
    value: &mut Value,
    options: &WriteOptions,
) -> Result<(), Status> {
    if kind.custom {
        definitions::admit_resource(objects, kind, old, value)?;
        return builtin::validate_metadata(&kind.qualified(), value);
    }
    let resource = kind.storage();
    builtin::default_object(&resource, value);
    match resource.as_str() {
        "services" => addresses::assign(objects, old, value)?,
        "persistentvolumeclaims" => {
            if let Some(old) = old {
                claims::check_growth(objects, old, value)?;
            }
        }
        "namespaces" if old.is_none() => namespaces::fill_new(value),
        definitions::RESOURCE => definitions::admit(objects, old, value, options.now)?,
        _ => {}
    }
    builtin::validate(&resource, old, value)
}

/// The type of a kind's objects; anything goes for a kind without one.
fn served_schema(objects: &Objects, kind: &ResourceType) -> Schema {
    let schema = if kind.custom {
        objects.kinds.custom_schema(kind)
    } else {
        schema::builtin(&kind.group, &kind.version, &kind.kind)
    };
    schema.unwrap_or(Schema::Any)
}

/// The type of a kind's objects, as they are stored.
fn schema_of(objects: &Objects, kind: &ResourceType) -> Schema {
    let stored = objects.kinds.named(&kind.storage()).map_or(kind, |stored| stored.as_ref());
    served_schema(objects, stored)
}

/// Reads a body as typed code would: wrong types are refused, unknown fields are dropped, told or refused. Those of custom
/// resources are dropped later, by their schema.
///
/// # Errors
/// 400 for a wrong type; 400 or 422 for an unknown or duplicate field where that is wanted.
pub fn decode(
    objects: &Objects,
    kind: &ResourceType,
    value: &mut Value,
    validation: &FieldValidation,
) -> Result<(), Status> {
    let sent = (validation.form == Form::Patch).then(|| value.clone());
    let unknown = if !kind.custom {
        schema::decode(&schema_of(objects, kind), value)?
    } else if validation.directive == Directive::Ignore {
        Vec::new()
    } else {
        definitions::unknown_fields(objects, kind, value)
    };
    validation.note(unknown.iter().map(|field| format!("unknown field \"{}\"", field.0)));
    validation.settle(kind, sent.as_ref().unwrap_or(value))
}

/// As [`decode`], for what is sent to a subresource: an object of a type of its own, named by group, version and kind.
///
/// # Errors
/// As [`decode`].
pub fn decode_as(
    (group, version, name): (&str, &str, &str),
    value: &mut Value,
    validation: &FieldValidation,
) -> Result<(), Status> {
    if !value.is_object() {
        return Err(Status::bad_request("the object provided is not a JSON object"));
    }
    let kind = ResourceType {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: name.to_owned(),
        ..ResourceType::default()
    };
    let sent = value.clone();
    let schema = schema::builtin(group, version, name).unwrap_or(Schema::Any);
    let unknown = schema::decode(&schema, value)?;
    validation.note(unknown.iter().map(|field| format!("unknown field \"{}\"", field.0)));
    validation.settle(&kind, &sent)
}

/// Records who owns which field.
pub fn track(
    objects: &Objects,
    kind: &ResourceType,
    old: Option<&Value>,
    value: &mut Value,
    options: &WriteOptions,
) {
    if options.tracked {
        return;
    }
    let schema = schema_of(objects, kind);
    let writer =
        Writer { manager: &options.manager, subresource: options.part.subresource(), now: options.now };
    fields::track_update(&schema, old, value, writer);
}

/// Whether a write changes nothing but the time at which somebody wrote.
pub fn is_same(old: &Value, value: &Value) -> bool {
    fields::same_except_time(old, value)
}

/// Server-side apply: the live object with the applied configuration merged in, and `managedFields` kept.
pub fn apply(
    objects: &Objects,
    kind: &ResourceType,
    live: Option<&Value>,
    applied: Value,
    (options, force): (&WriteOptions, bool),
) -> Result<Value, Status> {
    let request = ApplyRequest {
        manager: &options.manager,
        force,
        subresource: options.part.subresource(),
        now: options.now,
        applied,
    };
    fields::apply(&served_schema(objects, kind), live, request)
}

/// Applies a strategic merge patch to an object of a built-in kind, in its served form.
pub fn strategic(kind: &ResourceType, value: &mut Value, change: &Value) -> Result<(), Status> {
    match schema::builtin(&kind.group, &kind.version, &kind.kind) {
        Some(schema) => patch::strategic(&schema, value, change),
        None => Err(Status::not_implemented(&format!("strategic merge patches of {}", kind.qualified()))),
    }
}
