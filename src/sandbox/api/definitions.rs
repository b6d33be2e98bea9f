//! Custom resource definitions: what they add to the resource types, and what one starts with.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::object;
use super::objects::Objects;
use super::ring::ChangeKind;
use crate::sandbox::collector::DEFINITION_FINALIZER;
use crate::sandbox::crd;
use crate::sandbox::kinds::{Kinds, ResourceType};
use crate::sandbox::schema::Unknown;
use crate::sandbox::status::Status;

/// The table of the definitions.
pub const RESOURCE: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Serves what an established definition defines, in place of what it defined before; the stored version comes first.
pub fn serve(kinds: &mut Kinds, definition: &Value) {
    if !crd::is_established(definition) {
        return withdraw(kinds, definition);
    }
    let versions = crd::resource_types(definition).into_iter().map(|kind| {
        let schema = crd::schema(definition, &kind.version);
        (kind, schema)
    });
    kinds.replace_custom(object::name(definition), versions.collect());
}

/// Serves it no more.
pub fn withdraw(kinds: &mut Kinds, definition: &Value) {
    kinds.replace_custom(object::name(definition), Vec::new());
}

/// Defaults and validates a definition, and writes its status.
pub fn admit(
    objects: &Objects,
    old: Option<&Value>,
    value: &mut Value,
    now: Timestamp,
) -> Result<(), Status> {
    if old.is_none() {
        hold(value);
    }
    let all = objects.list(RESOURCE, None);
    let others: Vec<&Value> = all
        .iter()
        .map(|definition| &**definition)
        .filter(|other| object::name(other) != object::name(value))
        .collect();
    crd::admit_definition(old, value, &others, now)
}

/// Gives a new definition the finalizer that holds it until its resources are gone.
fn hold(definition: &mut Value) {
    let mut finalizers: Vec<String> = object::finalizers(definition).into_iter().map(str::to_owned).collect();
    if !finalizers.iter().any(|finalizer| finalizer == DEFINITION_FINALIZER) {
        finalizers.push(DEFINITION_FINALIZER.to_owned());
        object::set_finalizers(definition, finalizers);
    }
}

/// Prunes, defaults and validates a custom resource in the version in which it was sent, and keeps of it what the stored
/// version has.
///
/// # Errors
/// 404 when nothing defines it any more, 422 with causes when it is invalid.
pub fn admit_resource(
    objects: &Objects,
    kind: &ResourceType,
    old: Option<&Value>,
    value: &mut Value,
) -> Result<(), Status> {
    let definition = objects.get(RESOURCE, "", &kind.qualified()).ok_or_else(Status::unknown_resource)?;
    crd::admit(definition, &kind.version, old, value)
}

/// The definition of a custom resource if what is stored may differ from what its schema says now: when the resource is
/// read in another version than the stored one, or the definition has changed since it was made.
pub fn reading(objects: &Objects, kind: &ResourceType) -> Option<Arc<Value>> {
    if !kind.custom {
        return None;
    }
    let definition = objects.get(RESOURCE, "", &kind.qualified())?;
    let changed = definition.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0) > 1;
    let other = crd::version(definition, &kind.version).is_none_or(|version| version["storage"] != true);
    (changed || other).then(|| definition.clone())
}

/// Refuses new custom resources of a definition that is being deleted.
///
/// # Errors
/// 405, as a real server.
pub fn check_open(objects: &Objects, kind: &ResourceType, name: &str) -> Result<(), Status> {
    let definition = objects.get(RESOURCE, "", &kind.qualified());
    if kind.custom && definition.is_some_and(|definition| object::deleting(definition)) {
        let text = "create not allowed while custom resource definition is terminating";
        return Err(Status::new(405, "MethodNotAllowed", text).about(&kind.qualified(), name));
    }
    Ok(())
}

/// After a definition has gone: gives its names to those that waited for them.
pub fn names_are_free(objects: &mut Objects, group: &Value, now: Timestamp) {
    for definition in objects.list(RESOURCE, None) {
        if definition["spec"]["group"] != *group {
            continue;
        }
        let mut value = (*definition).clone();
        let all = objects.list(RESOURCE, None);
        let others: Vec<&Value> = all
            .iter()
            .map(|other| &**other)
            .filter(|other| object::name(other) != object::name(&value))
            .collect();
        crd::write_status(Some(&definition), &mut value, &others, now);
        if value != *definition {
            objects.commit(RESOURCE, ChangeKind::Modified, value);
        }
    }
}

/// The fields of a custom resource that its definition does not have and that will be dropped.
pub fn unknown_fields(objects: &Objects, kind: &ResourceType, value: &Value) -> Vec<Unknown> {
    let definition = objects.get(RESOURCE, "", &kind.qualified());
    definition.map_or_else(Vec::new, |definition| crd::unknown_fields(definition, &kind.version, value))
}
