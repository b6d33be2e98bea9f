//! How many pods a workload has, for a while: an operation's doing, which the next apply takes back. Who did it, and how many there
//! were before, stands on the workload: so it can be given back whatever becomes of the operation and of this process.

use std::collections::BTreeMap;

use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use crate::domain::{ObjectKey, OperationId, labels};

use super::error::ClusterError;
use super::{Cluster, describe};

/// The kinds that run as many pods as they are told to.
const SCALED: [&str; 3] = ["Deployment", "StatefulSet", "ReplicaSet"];
/// The field manager where we never said how many: nothing is to be taken back.
const SCALER: &str = "styrmin-scale";

/// What a workload says of who scaled it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scaled {
    /// The operation.
    pub operation: OperationId,
    /// How many pods it was to have before.
    pub before: u32,
}

impl Scaled {
    /// By the labels of a workload; none when nobody scaled it for a while.
    pub fn read(labels: &BTreeMap<String, String>) -> Option<Self> {
        let (operation, before) = labels.get(labels::SCALED)?.split_once('.')?;
        Some(Self { operation: OperationId(operation.parse().ok()?), before: before.parse().ok()? })
    }

    fn label(self) -> String {
        format!("{}.{}", self.operation, self.before)
    }
}

impl Cluster {
    /// Makes a workload run so many pods while an operation is under way, and says how many it had before that. The field is an
    /// action's from then on: applying the workload takes it back without a conflict, and until then it is no drift.
    ///
    /// # Errors
    /// When it is no workload that can be scaled, does not exist, or the server refuses it.
    pub async fn scale(
        &self,
        key: &ObjectKey,
        replicas: u32,
        operation: OperationId,
    ) -> Result<u32, ClusterError> {
        if !SCALED.contains(&key.kind.as_str()) {
            let message = match key.kind.as_str() {
                "DaemonSet" => "a DaemonSet runs one pod on each node: it cannot be scaled".to_owned(),
                kind => format!("a {kind} cannot be scaled; {} can", SCALED.join(", ")),
            };
            return Err(ClusterError::Invalid { object: describe(key), message });
        }
        let served = self.resolve(key).await?;
        let live =
            self.unary(&describe(key), self.api(&served.resource, &key.namespace).get(&key.name)).await?;
        // what was applied meanwhile is what is to be given back
        let known = scaled(&live).filter(|known| known.operation == operation && is_held(&live));
        let before = known.map_or_else(|| replicas_of(&live), |known| known.before);
        let mark = Scaled { operation, before };
        let patch =
            json!({"metadata": {"labels": {labels::SCALED: mark.label()}}, "spec": {"replicas": replicas}});
        self.write_scale(key, &live, &patch).await?;
        Ok(before)
    }

    /// Ends that an operation has scaled a workload: `gives_back` says whether it gets the number of pods that it had before,
    /// which it does not where somebody has said another one since. Gives that number when it was written.
    ///
    /// # Errors
    /// When the server refuses it. That there is no such workload any more is none.
    pub async fn end_scale(&self, key: &ObjectKey, gives_back: bool) -> Result<Option<u32>, ClusterError> {
        let served = self.resolve(key).await?;
        let api = self.api(&served.resource, &key.namespace);
        let Some(live) = self.unary(&describe(key), api.get_opt(&key.name)).await? else { return Ok(None) };
        let Some(known) = scaled(&live) else { return Ok(None) };
        let back =
            (gives_back && is_held(&live) && replicas_of(&live) != known.before).then_some(known.before);
        let mut patch = json!({"metadata": {"labels": {labels::SCALED: null}}});
        if let Some(before) = back {
            patch["spec"]["replicas"] = before.into();
        }
        match self.write_scale(key, &live, &patch).await {
            Err(ClusterError::NotFound { .. }) => Ok(None),
            written => written.map(|()| back),
        }
    }

    async fn write_scale(
        &self,
        key: &ObjectKey,
        live: &DynamicObject,
        patch: &Value,
    ) -> Result<(), ClusterError> {
        let served = self.resolve(key).await?;
        let manager = if is_ours(live) { labels::ACTION_MANAGER } else { SCALER };
        let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
        let api = self.api(&served.resource, &key.namespace);
        let answer = self.unary(&describe(key), api.patch(&key.name, &params, &Patch::Merge(patch))).await;
        let answer = answer.map_err(|error| error.asked("patch", &served.resource.plural, &key.namespace))?;
        self.take(answer, &served, false);
        Ok(())
    }
}

fn scaled(live: &DynamicObject) -> Option<Scaled> {
    Scaled::read(live.metadata.labels.as_ref()?)
}

/// The server says 1 where nothing is said.
fn replicas_of(live: &DynamicObject) -> u32 {
    live.data["spec"]["replicas"].as_u64().map_or(1, |replicas| u32::try_from(replicas).unwrap_or(u32::MAX))
}

/// Whether how many there are is among what we applied.
fn is_ours(live: &DynamicObject) -> bool {
    has_replicas(live, &[labels::MANAGER, labels::ACTION_MANAGER])
}

/// Whether nobody has said how many there are since an operation did.
fn is_held(live: &DynamicObject) -> bool {
    has_replicas(live, &[labels::ACTION_MANAGER, SCALER])
}

/// Whether how many there are is a field of one of these managers.
fn has_replicas(live: &DynamicObject, managers: &[&str]) -> bool {
    let entries = live.metadata.managed_fields.iter().flatten();
    let mut theirs = entries.filter(|entry| managers.contains(&entry.manager.as_deref().unwrap_or_default()));
    theirs.any(|entry| {
        entry.fields_v1.as_ref().is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
    })
}
