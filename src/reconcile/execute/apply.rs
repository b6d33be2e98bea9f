//! Applying an object, and replacing one that cannot be changed in place.

use serde_json::Value;

use super::{Hands, failed, lasting, object_of, passing, stale};
use crate::cluster::{ApplyOptions, ClusterError, DeleteOptions, key};
use crate::domain::canonical::canonical_digest;
use crate::domain::{DriftMode, ObjectKey, OperationKind, Problem, Resolution, Step, labels};
use crate::operate::{Done, StepError};
use crate::reconcile::ownership;
use crate::reconcile::preview::collision;
use crate::reconcile::situation::Written;
use crate::store::{FieldResolution, InventoryChange, InventoryItem};

impl Hands {
    pub(super) async fn apply(&self, step: &Step) -> Result<Done, StepError> {
        let key = object_of(step)?;
        let mut object = self.object(step)?;
        self.check_expectation(step, key)?;
        let resolutions = self.resolutions(key).await?;
        self.share(&mut object, key, &resolutions).await?;
        let taken = resolutions.iter().any(|known| known.resolution == Resolution::Take);
        let row = self.engine.cluster().index().row(key);
        let written_before = row.is_some_and(|row| row.owned.is_some());
        let corrects = self.engine.drift_mode(&self.name) == DriftMode::Correct;
        let force = taken || self.operation.kind == OperationKind::Correct || (written_before && corrects);
        let applied = {
            let _permit = self.engine.permit().await;
            let options = ApplyOptions { dry_run: false, force };
            self.engine.cluster().apply(&object, options).await.map_err(refused)?
        };
        let note = (self.operation.kind == OperationKind::Correct)
            .then(|| format!("{key} was changed by somebody else and is set right"));
        let item = InventoryItem {
            key: key.clone(),
            uid: applied.uid,
            digest: step.digest.clone(),
            owned: applied.owned,
        };
        self.remember(&item);
        if is_place(&item.key) {
            return Ok(Done { output: Some(item.uid), ..Done::default() });
        }
        Ok(Done { output: Some(item.uid.clone()), note, inventory: InventoryChange::Written(item) })
    }

    pub(super) async fn replace(&self, step: &Step) -> Result<Done, StepError> {
        let key = object_of(step)?;
        let index = self.engine.cluster().index();
        let old = step.expects.uid.as_deref().unwrap_or_default();
        if index.object(key).is_some_and(|live| live.uid == old) {
            let options = DeleteOptions { uid: Some(old.to_owned()), foreground: true };
            match self.engine.cluster().delete(key, &options).await {
                Ok(()) | Err(ClusterError::Stale { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
            let mut moved = self.moved.clone();
            while index.object(key).is_some_and(|live| live.uid == old) {
                if moved.changed().await.is_err() {
                    return Err(passing(ended()));
                }
            }
        }
        let anew = Step { expects: Default::default(), ..step.clone() };
        self.apply(&anew).await
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

    fn check_expectation(&self, step: &Step, key: &ObjectKey) -> Result<(), StepError> {
        let Some(live) = self.engine.cluster().index().object(key) else {
            // what is to be changed and is gone is found missing by the next plan
            return match step.expects.uid.as_deref() {
                Some(uid) if !uid.is_empty() && self.engine.cluster().watches_kind(key) => Err(gone(key)),
                _ => Ok(()),
            };
        };
        let theirs = live.labels.get(labels::DEPLOYMENT);
        if let Some(other) = theirs.filter(|name| **name != self.name.name && !is_place(key)) {
            return Err(lasting(collision(key, other)));
        }
        match step.expects.uid.as_deref() {
            Some("") if theirs.is_none() && !is_place(key) => Err(stale(
                format!("{key} exists already"),
                "somebody else created it since the plan was made",
            )),
            Some(uid) if !uid.is_empty() && uid != live.uid => Err(stale(
                format!("{key} is another object now"),
                "it was deleted and created anew since the plan was made",
            )),
            _ => Ok(()),
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
            digest: item.digest.clone(),
            owned: item.owned.clone(),
            corrections: corrections.split_off(keep),
        };
        self.engine.trace_written(&self.name, item.key.clone(), written);
    }
}

/// The environment's own objects: they belong to no deployment.
fn is_place(key: &ObjectKey) -> bool {
    key.kind == "Namespace" || (key.kind == "ResourceQuota" && key.name == crate::reconcile::place::QUOTA)
}

fn gone(key: &ObjectKey) -> StepError {
    stale(format!("{key} is gone"), "somebody deleted it since the plan was made")
}

fn ended() -> Problem {
    Problem::new("the engine is ending", "", "nothing: the next one goes on")
}

/// What an apply was refused for; an immutable field has its own remedy.
fn refused(error: ClusterError) -> StepError {
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
    message.contains("field is immutable")
        || message.contains("updates to statefulset spec for fields other than")
}
