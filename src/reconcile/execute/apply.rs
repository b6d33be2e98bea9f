//! Applying an object, and replacing one that cannot be changed in place.

use serde_json::Value;

use super::{Hands, failed, lasting, object_of, passing, stale};
use crate::cluster::{ApplyOptions, ClusterError, DeleteOptions, key};
use crate::domain::canonical::canonical_digest;
use crate::domain::environment::is_of_environment;
use crate::domain::plan::Verb;
use crate::domain::{DriftMode, ObjectKey, OperationKind, Problem, Resolution, Step};
use crate::operate::{Done, StepError};
use crate::reconcile::own_secret::is_own_secret;
use crate::reconcile::owner::Owner;
use crate::reconcile::ownership;
use crate::reconcile::place;
use crate::reconcile::preview::{collision, is_defined_once};
use crate::reconcile::render::role;
use crate::reconcile::seed::seed_key;
use crate::reconcile::situation::Written;
use crate::store::{FieldResolution, InventoryChange, InventoryItem};

/// What is known of an object that is about to be written.
struct Found {
    uid: String,
    /// The deployment that it belongs to, by its labels.
    owner: Option<Owner>,
}

impl Hands {
    pub(super) async fn apply(&self, step: &Step) -> Result<Done, StepError> {
        let key = object_of(step)?;
        if is_own_secret(key, &self.name.name) {
            return self.look_into(key).await;
        }
        let mut object = self.object(step)?;
        if is_defined_once(&object) && self.engine.cluster().get(key).await.map_err(failed)?.is_some() {
            return Ok(Done { note: Some(format!("{key} is defined already")), ..Done::default() });
        }
        if key.kind == "Namespace" && key.name == self.name.namespace {
            match self.beside(object, key).await? {
                Some(written) => object = written,
                None => {
                    let note = format!("{key} was there before, and stays as it is");
                    return Ok(Done { note: Some(note), ..Done::default() });
                }
            }
        }
        self.check_expectation(step, key).await?;
        let resolutions = self.resolutions(key).await?;
        self.share(&mut object, key, &resolutions).await?;
        bind(&mut object, step);
        let taken = resolutions.iter().any(|known| known.resolution == Resolution::Take);
        let row = self.engine.cluster().index().row(key);
        let written_before = row.is_some_and(|row| row.owned.is_some());
        let corrects = self.engine.drift_mode(&self.name) == DriftMode::Correct;
        let force = taken || self.operation.kind == OperationKind::Correct || (written_before && corrects);
        let applied = {
            let _permit = self.engine.permit().await;
            let options = ApplyOptions { dry_run: false, force };
            self.engine.cluster().apply(&object, options).await
        };
        let applied = match applied {
            Err(error) if is_another(&error) => {
                match self.sees(key) {
                    true => drop(self.is_behind(key).await),
                    // no watch tells: what is known of it is known to be wrong now
                    false => self.engine.trace_removed(&self.name, key),
                }
                return Err(another(key));
            }
            answer => answer.map_err(|error| refused(key, error))?,
        };
        if key.kind == "CustomResourceDefinition" {
            self.engine.cluster().until_established(&key.name).await.map_err(failed)?;
        }
        let note = (self.operation.kind == OperationKind::Correct)
            .then(|| format!("{key} was changed by somebody else and is set right"));
        let item = InventoryItem {
            key: key.clone(),
            uid: applied.uid,
            digest: step.digest.clone(),
            owned: applied.owned,
            role: role(&object),
        };
        // what the environment consists of belongs to no deployment: nobody takes it away with one
        if is_of_environment(&item.key) || is_defined_once(&object) {
            return Ok(Done { output: Some(item.uid), ..Done::default() });
        }
        self.remember(&item);
        let output = Some(item.uid.clone());
        Ok(Done { output, note, inventory: InventoryChange::Written(item), ..Done::default() })
    }

    /// Who confirmed the plan has written the Secret before it was recorded: here it is only looked for.
    async fn look_into(&self, key: &ObjectKey) -> Result<Done, StepError> {
        if *key == seed_key(&self.name) {
            // without it the objects could not be rendered
            self.objects.as_ref().map_err(|problem| lasting(problem.clone()))?;
            return Ok(Done::default());
        }
        let record = match self.operation.goal.deployment {
            Some(id) => self.engine.store().deployment(id).await?,
            None => None,
        };
        let mut parameters = record.map(|record| record.draft.parameters).unwrap_or_default();
        parameters.extend(self.operation.action.iter().flat_map(|action| action.answers.clone()));
        let found = self.engine.check_vault(key, &self.name.name, &parameters).await.map_err(failed)?;
        found.map_err(lasting)?;
        Ok(Done::default())
    }

    pub(super) async fn replace(&self, step: &Step) -> Result<Done, StepError> {
        let key = object_of(step)?;
        let old = step.expects.uid.as_deref().unwrap_or_default();
        if self.uid(key).await?.is_some_and(|uid| uid == old) {
            let options = DeleteOptions { uid: Some(old.to_owned()), foreground: true };
            match self.engine.cluster().delete(key, &options).await {
                Ok(()) => {}
                Err(error) if is_another(&error) => {}
                Err(error) => return Err(failed(error)),
            }
            self.until_replaced(key, old).await?;
        }
        let anew = Step { expects: Default::default(), ..step.clone() };
        self.apply(&anew).await
    }

    /// Waits until the object with this uid is gone.
    async fn until_replaced(&self, key: &ObjectKey, old: &str) -> Result<(), StepError> {
        let index = self.engine.cluster().index();
        if self.sees(key) {
            let left = || index.object(key).filter(|live| live.uid == old).map(|live| live.key);
            return self.until_gone(|| Vec::from_iter(left())).await;
        }
        match self.uid(key).await?.is_some_and(|uid| uid == old) {
            true => Err(passing(self.left(std::slice::from_ref(key)).await)),
            false => Ok(()),
        }
    }

    /// The uid of an object as it exists: from the watch, or asked for where there is none.
    async fn uid(&self, key: &ObjectKey) -> Result<Option<String>, StepError> {
        let cluster = self.engine.cluster();
        if self.sees(key) {
            return Ok(cluster.index().object(key).map(|live| live.uid));
        }
        let live = cluster.get(key).await.map_err(failed)?;
        Ok(live.and_then(|live| live["metadata"]["uid"].as_str().map(str::to_owned)))
    }

    fn sees(&self, key: &ObjectKey) -> bool {
        let cluster = self.engine.cluster();
        cluster.watches_kind(key) && cluster.index().sees(&key.namespace, &key.kind)
    }

    /// The namespace of the environment as it is written: one that others made does not become ours, or it would go with the
    /// environment. None where nothing is to be written.
    async fn beside(&self, object: Value, key: &ObjectKey) -> Result<Option<Value>, StepError> {
        match self.engine.cluster().get(key).await {
            Ok(None) => Ok(Some(object)),
            Ok(Some(live)) => Ok(place::beside(&object, &live)),
            // nobody can say that it is ours
            Err(ClusterError::Forbidden { .. }) => Ok(place::labels_only(&object)),
            Err(error) => Err(failed(error)),
        }
    }

    /// The object that a step writes, exactly as it was planned.
    fn object(&self, step: &Step) -> Result<Value, StepError> {
        let wanted = object_of(step)?;
        let objects = self.objects.as_ref().map_err(|problem| lasting(problem.clone()))?;
        let object = objects.iter().find(|object| key(object) == *wanted);
        let object = object.ok_or_else(|| {
            stale(format!("{wanted} is not to be written any more"), "its driver or its environment changed")
        })?;
        if canonical_digest(object) != step.digest {
            return Err(stale(
                format!("{wanted} would not be written as it was planned"),
                "its driver, its environment or its resolutions changed",
            ));
        }
        Ok(object.clone())
    }

    /// What is known of the object is as it was planned for. What is not known the server checks: see [`bind`].
    async fn check_expectation(&self, step: &Step, key: &ObjectKey) -> Result<(), StepError> {
        let Some(live) = self.find(step, key).await? else { return Ok(()) };
        if let Some(other) = live.owner.as_ref().filter(|owner| **owner != self.owner()) {
            return Err(lasting(collision(key, other)));
        }
        let adopts = step.verb == Verb::Adopt && !self.operation.origin.confirmed;
        match step.expects.uid.as_deref() {
            _ if adopts && live.owner.is_none() => Err(self.taken(key)),
            Some("") if live.owner.is_none() => Err(self.taken(key)),
            Some(uid) if !uid.is_empty() && uid != live.uid => Err(another(key)),
            _ => Ok(()),
        }
    }

    /// What is known of an object that is about to be written. The server is asked where the watch shows only what is ours, and
    /// the object is to be created: somebody else may have one of that name.
    async fn find(&self, step: &Step, key: &ObjectKey) -> Result<Option<Found>, StepError> {
        if is_of_environment(key) {
            return Ok(None);
        }
        let cluster = self.engine.cluster();
        if let Some(live) = cluster.index().object(key) {
            let label = |name: &str| live.labels.get(name).map(String::as_str);
            let owner = Owner::of(label, &self.operation.subject.environment);
            return Ok(Some(Found { uid: live.uid, owner }));
        }
        if step.expects.uid.as_deref() != Some("") || cluster.watches_all(key) {
            return Ok(None);
        }
        let Some(live) = cluster.get(key).await.map_err(failed)? else { return Ok(None) };
        let uid = live["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let label = |name: &str| live["metadata"]["labels"][name].as_str();
        let owner = match Owner::of(label, &self.operation.subject.environment) {
            None if self.wrote(key, &uid).await? => Some(self.owner()),
            owner => owner,
        };
        Ok(Some(Found { uid, owner }))
    }

    /// The deployment that the operation is about.
    fn owner(&self) -> Owner {
        let subject = &self.operation.subject;
        Owner { environment: subject.environment.clone(), deployment: self.name.name.clone() }
    }

    /// Whether the records say that this very object was written for this application: somebody took its label off.
    async fn wrote(&self, key: &ObjectKey, uid: &str) -> Result<bool, StepError> {
        let Some(id) = self.operation.goal.deployment else { return Ok(false) };
        let known = self.engine.store().inventory(id).await?;
        Ok(known.iter().any(|item| item.key == *key && item.uid == uid))
    }

    /// An object that was to be created exists, and belongs to nobody we know. Only a person decides to adopt it.
    fn taken(&self, key: &ObjectKey) -> StepError {
        let what = format!("{key} exists already");
        match self.operation.origin.confirmed {
            true => stale(what, "somebody else created it since the plan was made"),
            false => lasting(Problem::new(
                what,
                "somebody else created it, and nobody confirmed that it becomes part of this application",
                "change the application from the cockpit: the plan offers to adopt the object; or remove it",
            )),
        }
    }

    async fn resolutions(&self, key: &ObjectKey) -> Result<Vec<FieldResolution>, StepError> {
        let Some(deployment) = self.operation.goal.deployment else { return Ok(Vec::new()) };
        let mut known = self.engine.store().resolutions(deployment).await?;
        known.retain(|resolution| resolution.key == *key);
        Ok(known)
    }

    /// Fields that are shared are written as they are: both then own them.
    async fn share(
        &self,
        object: &mut Value,
        key: &ObjectKey,
        resolutions: &[FieldResolution],
    ) -> Result<(), StepError> {
        let shared: Vec<String> = (resolutions.iter())
            .filter(|known| known.resolution == Resolution::Share)
            .map(|known| known.field.clone())
            .collect();
        if shared.is_empty() {
            return Ok(());
        }
        if let Some(live) = self.engine.cluster().get(key).await.map_err(failed)? {
            ownership::share(object, &live, &shared);
        }
        Ok(())
    }

    fn remember(&self, item: &InventoryItem) {
        let now = self.engine.clock().now();
        let mut corrections = self.engine.corrections(&self.name, &item.key);
        if self.operation.kind == OperationKind::Correct {
            corrections.push(now);
        }
        let keep = corrections.len().saturating_sub(8);
        let written = Written {
            uid: Some(item.uid.clone()),
            digest: item.digest.clone(),
            owned: item.owned.clone(),
            role: item.role,
            corrections: corrections.split_off(keep),
        };
        self.engine.trace_written(&self.name, item.key.clone(), written);
    }
}

fn another(key: &ObjectKey) -> StepError {
    stale(
        format!("{key} is not the object that was planned for"),
        "that one was deleted since, or another one has its name",
    )
}

/// What the server says when it has no object, or another one, where one with a certain uid was to be applied or deleted.
const ANOTHER: [&str; 3] = ["uid mismatch", "UID in precondition", "UID in the precondition"];

/// Whether the server has no object, or another one, where one with a certain uid was to be written.
pub(super) fn is_another(error: &ClusterError) -> bool {
    match error {
        ClusterError::Stale { message, .. } => ANOTHER.iter().any(|words| message.contains(words)),
        ClusterError::Invalid { message, .. } => message.contains("metadata.uid"),
        _ => false,
    }
}

/// Binds what is written to the object that it was planned for: the server refuses another one of that name, whatever the
/// watch knows of it.
fn bind(object: &mut Value, step: &Step) {
    if let Some(uid) = step.expects.uid.as_deref().filter(|uid| !uid.is_empty()) {
        object["metadata"]["uid"] = uid.into();
    }
}

/// What an apply was refused for; an immutable field has its own remedy.
fn refused(key: &ObjectKey, error: ClusterError) -> StepError {
    if matches!(error, ClusterError::NotFound { .. }) {
        return stale(format!("{key} has no place"), "its namespace was deleted since the plan was made");
    }
    let immutable = is_immutable(&error);
    let mut told = failed(error);
    if immutable {
        told.problem.next =
            "plan the change again from the cockpit: it offers to delete the object and create it anew"
                .to_owned();
    }
    told
}

/// Whether the server refuses the change because a field cannot be changed in place.
pub(in crate::reconcile) fn is_immutable(error: &ClusterError) -> bool {
    let ClusterError::Invalid { message, .. } = error else { return false };
    IMMUTABLE.iter().any(|words| message.contains(words))
}

/// What the server says of fields that stay as they were created. A claim is not among them: nobody loses a volume by the way.
const IMMUTABLE: [&str; 4] = [
    "field is immutable",
    "may not change once set",
    "cannot change roleRef",
    "updates to statefulset spec for fields other than",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_object_is_told_from_one_that_changed() {
        let stale = |message: &str| ClusterError::Stale { object: "x".into(), message: message.into() };
        let another = [
            "Precondition failed: UID in precondition: a, UID in object meta: b",
            "uid mismatch: the provided object specified uid a, and no existing object was found",
            "the UID in the precondition (a) does not match the UID in record (b). The object might have been deleted \
             and then recreated",
        ];
        assert!(another.iter().all(|message| is_another(&stale(message))));
        let message = "metadata.uid: Invalid value: \"a\": field is immutable".to_owned();
        assert!(is_another(&ClusterError::Invalid { object: "x".into(), message }));
        let modified =
            "the object has been modified; please apply your changes to the latest version and try again";
        assert!(!is_another(&stale(modified)));
    }
}
