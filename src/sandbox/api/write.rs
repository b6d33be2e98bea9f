//! Creating and updating: the order of the rules.

use std::sync::Arc;

use serde_json::Value;

use super::objects::Objects;
use super::ring::ChangeKind;
use super::validation::FieldValidation;
use super::{admission, definitions, object, remove, rules, versions};
use crate::sandbox::access::{Identity, escalation};
use crate::sandbox::builtin::complete_new_pod;
use crate::sandbox::kinds::ResourceType;
use crate::sandbox::namespaces;
use crate::sandbox::status::Status;

/// How often a name is generated at most.
const NAME_TRIES: usize = 8;

/// Which part of an object a write is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The object but for its status.
    Main,
    /// `/status`.
    Status,
    /// `/scale`: the main resource, recorded under its own name.
    Scale,
    /// `/finalize` of a namespace.
    Finalize,
}

impl Part {
    /// The name in `managedFields[].subresource`.
    pub fn subresource(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Finalize => "finalize",
        }
    }
}

/// How a write is to be done.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// The field manager.
    pub manager: String,
    /// Which part is written.
    pub part: Part,
    /// Do everything but store it.
    pub dry_run: bool,
    /// What is done about unknown and duplicate fields.
    pub validation: FieldValidation,
    /// `managedFields` were computed already, by a server-side apply.
    pub tracked: bool,
    /// Who writes, when what they may grant is to be checked; the cluster's own controllers are nobody.
    pub user: Option<Arc<Identity>>,
    /// Now.
    pub now: jiff::Timestamp,
}

impl WriteOptions {
    /// An ordinary write.
    pub fn new(manager: &str, part: Part, now: jiff::Timestamp) -> Self {
        Self {
            manager: manager.to_owned(),
            part,
            dry_run: false,
            validation: FieldValidation::default(),
            tracked: false,
            user: None,
            now,
        }
    }
}

/// Creates an object.
pub fn create(
    objects: &mut Objects,
    kind: &ResourceType,
    mut value: Value,
    options: &WriteOptions,
) -> Result<Arc<Value>, Status> {
    rules::check_type(kind, &mut value)?;
    versions::to_stored(&objects.kinds, kind, &mut value);
    admission::decode(objects, kind, &mut value, &options.validation)?;
    let uid = objects.random.uuid();
    rules::fill_new(kind, &mut value, &crate::sandbox::clock::rfc3339(options.now), uid)?;
    choose_name(objects, kind, &mut value);
    let (namespace, name) = (object::namespace(&value).to_owned(), object::name(&value).to_owned());
    let resource = kind.qualified();
    if let Some(user) = &options.user {
        escalation::check(objects, user, &resource, (None, &value))?;
    }
    if kind.namespaced {
        if namespace.is_empty() {
            return Err(Status::bad_request("an object of a namespaced kind needs metadata.namespace"));
        }
        let home = objects.get("namespaces", "", &namespace).cloned();
        namespaces::check_open(home.as_deref(), &namespace, &resource, &name)?;
    }
    let storage = kind.storage();
    definitions::check_open(objects, kind, &name)?;
    if objects.get(&storage, &namespace, &name).is_some() {
        let generated = !object::text(&value, "/metadata/generateName").is_empty();
        let refusal = if generated { Status::no_name_left } else { Status::already_exists };
        return Err(refusal(&resource, &name));
    }
    admission::first_status(kind, &mut value);
    admission::admit(objects, kind, None, &mut value, options)?;
    admission::track(objects, kind, None, &mut value, options);
    if storage == "pods" {
        complete_new_pod(&mut value);
    }
    if options.dry_run {
        return Ok(Arc::new(value));
    }
    rules::check_size(&value)?;
    Ok(objects.commit(&storage, ChangeKind::Added, value))
}

/// Names a new object that only says how its name begins. A name that is taken is drawn anew, as often as by a real server.
fn choose_name(objects: &mut Objects, kind: &ResourceType, value: &mut Value) {
    let Some(base) = rules::generated_base(value) else { return };
    let (storage, namespace) = (kind.storage(), object::namespace(value).to_owned());
    for _ in 0..NAME_TRIES {
        let name = format!("{base}{}", objects.random.suffix(5));
        let free = objects.get(&storage, &namespace, &name).is_none();
        object::metadata_mut(value).insert("name".to_owned(), Value::from(name));
        if free {
            return;
        }
    }
}

/// Updates an object, its main part or a subresource. The last finalizer's removal removes the object.
pub fn update(
    objects: &mut Objects,
    kind: &ResourceType,
    mut value: Value,
    options: &WriteOptions,
) -> Result<Arc<Value>, Status> {
    rules::check_type(kind, &mut value)?;
    versions::to_stored(&objects.kinds, kind, &mut value);
    admission::decode(objects, kind, &mut value, &options.validation)?;
    let (namespace, name) = (object::namespace(&value).to_owned(), object::name(&value).to_owned());
    let storage = kind.storage();
    let Some(old) = objects.get(&storage, &namespace, &name).cloned() else {
        return Err(Status::not_found(&kind.qualified(), &name));
    };
    rules::check_preconditions(kind, &old, &value)?;
    rules::carry_identity(&old, &mut value);
    match options.part {
        Part::Status => value = rules::only_status(&old, &value),
        Part::Main | Part::Scale => rules::keep_status(kind, &old, &mut value),
        Part::Finalize => value = rules::only_spec_finalizers(&old, &value),
    }
    if options.part != Part::Finalize && storage == "namespaces" {
        keep_namespace_finalizers(&old, &mut value);
    }
    rules::check_finalizers(kind, &old, &value)?;
    if let Some(user) = &options.user {
        escalation::check(objects, user, &kind.qualified(), (Some(&old), &value))?;
    }
    admission::admit(objects, kind, Some(&old), &mut value, options)?;
    rules::raise_generation(kind, &old, &mut value);
    admission::track(objects, kind, Some(&old), &mut value, options);
    let finished = rules::is_finished(kind, &value);
    if !finished && admission::is_same(&old, &value) {
        return Ok(old);
    }
    if options.dry_run {
        return Ok(Arc::new(value));
    }
    if !finished {
        rules::check_size(&value)?;
    }
    let change = if finished { ChangeKind::Deleted } else { ChangeKind::Modified };
    let written = objects.commit(&storage, change, value);
    if finished {
        remove::after_removal(objects, &storage, &written, options.now);
    }
    Ok(written)
}

/// `spec.finalizers` of a namespace changes only through `/finalize`.
fn keep_namespace_finalizers(old: &Value, value: &mut Value) {
    if let Some(finalizers) = old.pointer("/spec/finalizers") {
        object::child_mut(value, "spec").insert("finalizers".to_owned(), finalizers.clone());
    }
}
