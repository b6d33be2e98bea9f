//! Objects into a directory.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::Value;

use super::PortableError;
use super::documents::{Found, read};
use crate::sandbox::api::objects::{Commit, Objects, key_of};
use crate::sandbox::api::validation::{Directive, FieldValidation};
use crate::sandbox::api::{ChangeKind, addresses, admission, versions};
use crate::sandbox::kinds::ResourceType;
use crate::sandbox::object;
use crate::sandbox::persist;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many objects are new.
    pub created: usize,
    /// Which were there already, and stay as they are: `configmaps demo/settings`.
    pub kept: Vec<String>,
    /// How many references to owners that are nowhere were taken away: their objects would be collected.
    pub freed: usize,
}

/// Puts the objects of an export into `directory`, where no sandbox runs. They keep everything but their resourceVersions.
/// An object that is there already stays as it is, and owns what the one of the same name owned.
///
/// # Errors
/// The text is no export, or the directory cannot be used.
pub fn import(directory: &Path, text: &str) -> Result<Imported, PortableError> {
    let found = read(text)?;
    let (loaded, sink, keeper) = persist::open(directory)?;
    let mut objects = Objects::new(0, 1);
    objects.load(loaded.revision, loaded.rows);
    // all of it is understood in memory before any of it goes to the disk
    let mut plan = Plan { objects, imported: Imported::default(), uids: HashMap::new(), commits: Vec::new() };
    plan.take(found)?;
    let revision = plan.objects.revision;
    for commit in plan.commits {
        // a keeper that is gone tells so below
        let _ = sink.send(commit);
    }
    drop(sink);
    let kept = keeper.kept();
    keeper.close();
    let state = kept.borrow();
    if let Some(why) = &state.problem {
        return Err(PortableError::Disk { why: why.clone() });
    }
    if plan.imported.created > 0 && state.revision < revision {
        return Err(PortableError::Disk { why: "the thread that writes them has ended".to_owned() });
    }
    Ok(plan.imported)
}

/// What is going to be written.
struct Plan {
    objects: Objects,
    imported: Imported,
    /// Uids of the file, and what they are here.
    uids: HashMap<String, String>,
    commits: Vec<Commit>,
}

impl Plan {
    fn take(&mut self, found: Vec<Found>) -> Result<(), PortableError> {
        let (definitions, others): (Vec<Found>, Vec<Found>) =
            found.into_iter().partition(|found| found.object["kind"] == "CustomResourceDefinition");
        let mut new = self.sort_out(definitions)?;
        for (_, storage, value) in new.drain(..) {
            // the kinds that it defines are known from here on
            self.commit(&storage, value);
        }
        let new = self.sort_out(others)?;
        self.check_namespaces(&new)?;
        let known = self.known(&new);
        for (_, storage, mut value) in new {
            self.imported.freed += adopt(&mut value, &self.uids, &known);
            if storage == "services" {
                addresses::settle(&self.objects, &mut value)
                    .map_err(|status| PortableError::Document { line: 1, why: status.message })?;
            }
            self.commit(&storage, value);
        }
        Ok(())
    }

    /// Checks the objects, and leaves out those that are there: line, table and object of the others.
    fn sort_out(&mut self, found: Vec<Found>) -> Result<Vec<(usize, String, Value)>, PortableError> {
        let mut new = Vec::new();
        let mut seen = HashSet::new();
        for Found { line, mut object } in found {
            let wrong = |why: String| PortableError::Document { line, why };
            let kind = self.check(&mut object).map_err(wrong)?;
            let storage = kind.storage();
            let key = key_of(&object);
            if let Some(here) = self.objects.get(&storage, &key.0, &key.1) {
                self.uids.insert(object::uid(&object).to_owned(), object::uid(here).to_owned());
                self.imported.kept.push(format!("{storage} {}", path_of(&key)));
                continue;
            }
            if !seen.insert((storage.clone(), key.clone())) {
                return Err(wrong(format!("{storage} {} is there twice", path_of(&key))));
            }
            self.uids.insert(object::uid(&object).to_owned(), object::uid(&object).to_owned());
            new.push((line, storage, object));
        }
        Ok(new)
    }

    /// The type of an exported object, or what is wrong with it.
    fn check(&self, value: &mut Value) -> Result<std::sync::Arc<ResourceType>, String> {
        let (api_version, name) = (object::text(value, "/apiVersion"), object::text(value, "/kind"));
        if name.is_empty() || object::name(value).is_empty() {
            return Err("it is no Kubernetes object: kind or metadata.name is missing".to_owned());
        }
        let kind = self.objects.kinds.of_kind(api_version, name).cloned();
        let kind = kind.ok_or_else(|| format!("the sandbox has no kind {name} of {api_version}"))?;
        if object::uid(value).is_empty() {
            let what =
                format!("{name} {} has no metadata.uid: it is not from an export", object::name(value));
            return Err(format!("{what}; apply it to a running sandbox with kubectl"));
        }
        if kind.namespaced == object::namespace(value).is_empty() {
            return Err(format!("{name} {} has a wrong metadata.namespace", object::name(value)));
        }
        versions::to_stored(&self.objects.kinds, &kind, value);
        // A custom resource may have fields from before its definition changed: they were stored, they stay.
        let directive = if kind.custom { Directive::Ignore } else { Directive::Strict };
        let validation = FieldValidation::new(directive);
        admission::decode(&self.objects, &kind, value, &validation).map_err(|status| status.message)?;
        Ok(kind)
    }

    fn check_namespaces(&self, new: &[(usize, String, Value)]) -> Result<(), PortableError> {
        let coming: HashSet<&str> = new
            .iter()
            .filter(|(_, storage, _)| storage == "namespaces")
            .map(|(_, _, value)| object::name(value))
            .collect();
        for (line, storage, value) in new {
            let namespace = object::namespace(value);
            let here = || self.objects.get("namespaces", "", namespace).is_some();
            if !namespace.is_empty() && !coming.contains(namespace) && !here() {
                let why = format!("{storage} {}: there is no namespace {namespace:?}", object::name(value));
                return Err(PortableError::Document { line: *line, why });
            }
        }
        Ok(())
    }

    /// The uids of everything that there is, and will be.
    fn known(&self, new: &[(usize, String, Value)]) -> HashSet<String> {
        let mut known: HashSet<String> =
            new.iter().map(|(_, _, value)| object::uid(value).to_owned()).collect();
        for resource in self.objects.resources() {
            let rows = self.objects.list(&resource, None);
            known.extend(rows.iter().map(|row| object::uid(row).to_owned()));
        }
        known
    }

    fn commit(&mut self, storage: &str, value: Value) {
        let written = self.objects.commit(storage, ChangeKind::Added, value);
        let commit = Commit {
            resource: storage.to_owned(),
            key: key_of(&written),
            revision: object::revision(&written),
            object: Some(written),
        };
        self.commits.push(commit);
        self.imported.created += 1;
    }
}

fn path_of((namespace, name): &(String, String)) -> String {
    if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") }
}

/// Lets the owners of an object be those that are here. Returns how many are nowhere, and were taken away.
fn adopt(value: &mut Value, uids: &HashMap<String, String>, known: &HashSet<String>) -> usize {
    let owners = object::owners(value);
    if owners.is_empty() {
        return 0;
    }
    let before = owners.len();
    let mut owners = owners.to_vec();
    for owner in &mut owners {
        if let Some(here) = owner["uid"].as_str().and_then(|uid| uids.get(uid)) {
            owner["uid"] = Value::from(here.as_str());
        }
    }
    owners.retain(|owner| owner["uid"].as_str().is_some_and(|uid| known.contains(uid)));
    let freed = before - owners.len();
    let metadata = object::metadata_mut(value);
    if owners.is_empty() {
        metadata.remove("ownerReferences");
    } else {
        metadata.insert("ownerReferences".to_owned(), Value::Array(owners));
    }
    freed
}
