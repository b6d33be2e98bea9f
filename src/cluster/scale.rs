//! How many pods a workload has, for a while: an action's doing, which the next apply takes back.

use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;

use crate::domain::{ObjectKey, labels};

use super::error::ClusterError;
use super::{Cluster, describe};

/// The kinds that run as many pods as they are told to.
const SCALED: [&str; 3] = ["Deployment", "StatefulSet", "ReplicaSet"];
/// The field manager where we never said how many: nothing is to be taken back.
const SCALER: &str = "styrmin-scale";

impl Cluster {
    /// Makes a workload run so many pods, and says how many it was to run before. The field is an action's from then on: applying the
    /// workload takes it back without a conflict, and until then it is no drift.
    ///
    /// # Errors
    /// When it is no workload that can be scaled, does not exist, or the server refuses it.
    pub async fn scale(&self, key: &ObjectKey, replicas: u32) -> Result<u32, ClusterError> {
        if !SCALED.contains(&key.kind.as_str()) {
            let message = match key.kind.as_str() {
                "DaemonSet" => "a DaemonSet runs one pod on each node: it cannot be scaled".to_owned(),
                kind => format!("a {kind} cannot be scaled; {} can", SCALED.join(", ")),
            };
            return Err(ClusterError::Invalid { object: describe(key), message });
        }
        let served = self.resolve(key).await?;
        let api = self.api(&served.resource, &key.namespace);
        let live = self.unary(&describe(key), api.get(&key.name)).await?;
        // the server says 1 where nothing is said
        let before = live.data["spec"]["replicas"].as_u64().unwrap_or(1);
        let manager = if is_ours(&live) { labels::ACTION_MANAGER } else { SCALER };
        let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
        let patch = json!({"spec": {"replicas": replicas}});
        let answer = self.unary(&describe(key), api.patch(&key.name, &params, &Patch::Merge(&patch))).await;
        let answer = answer.map_err(|error| error.asked("patch", &served.resource.plural, &key.namespace))?;
        self.take(answer, &served, false);
        Ok(u32::try_from(before).unwrap_or(u32::MAX))
    }
}

/// Whether how many there are is among what we applied.
fn is_ours(live: &DynamicObject) -> bool {
    let entries = live.metadata.managed_fields.iter().flatten();
    let mut ours = entries.filter(|entry| {
        let manager = entry.manager.as_deref().unwrap_or_default();
        manager == labels::MANAGER || manager == labels::ACTION_MANAGER
    });
    ours.any(|entry| {
        entry.fields_v1.as_ref().is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
    })
}
