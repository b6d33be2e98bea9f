//! Giving back what operations scaled for a while. Who scaled a workload stands on the workload itself, so it does not matter how the
//! operation ended, or whether this process was there: whoever looks at the deployment next gives it back.

use std::collections::BTreeSet;

use crate::cluster::{ClusterError, Scaled};
use crate::domain::operation::Subject;
use crate::domain::{DesiredPhase, ObjectKey, ObjectSummary, OperationId, OperationState, Problem};

use super::engine::Engine;
use super::queue::Name;
use super::situation::Situation;

/// What has become of the operation that scaled a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Done,
    NotDone,
}

impl Engine {
    /// Makes a workload run so many pods until the operation ends: see [`Self::give_back`].
    ///
    /// # Errors
    /// It cannot be scaled, or the cluster refuses it.
    pub(super) async fn scale_for(
        &self,
        operation: OperationId,
        workload: &ObjectKey,
        replicas: u32,
    ) -> Result<(), ClusterError> {
        let _permit = self.permit().await;
        self.cluster().scale(workload, replicas, operation).await.map(drop)
    }

    /// Gives exactly those workloads of a deployment which this operation scaled the number of pods back that they had before it, and
    /// says which; `wanted` is asked by that number whether it is still wanted. What was applied or scaled by somebody else since
    /// stays. May be repeated. An operation that ends without success need not do it: that is done for it.
    ///
    /// # Errors
    /// The cluster refuses it; some may have been given back.
    pub(super) async fn give_back(
        &self,
        name: &Name,
        operation: OperationId,
        wanted: impl Fn(u32) -> bool,
    ) -> Result<Vec<(ObjectKey, u32)>, ClusterError> {
        let objects = self.cluster().index().objects_of(&name.namespace, &name.name);
        let mut given = Vec::new();
        for (workload, scaled) in scaled(&objects) {
            if scaled.operation == operation {
                let _permit = self.permit().await;
                let back = self.cluster().end_scale(&workload, wanted(scaled.before)).await?;
                given.extend(back.map(|replicas| (workload, replicas)));
            }
        }
        Ok(given)
    }

    /// Gives back what operations scaled that have ended without success; what a successful one scaled stays, until it is applied
    /// the next time. Says whether anything was given back.
    ///
    /// # Errors
    /// The records cannot be read, or the cluster refuses it.
    pub(super) async fn give_back_ended(&self, name: &Name, known: &Situation) -> Result<bool, Problem> {
        let Some(record) = known.record.as_ref().filter(|_| known.complete) else { return Ok(false) };
        let subject = self.subject(&record.draft.environment, &record.draft.name);
        let operations: BTreeSet<OperationId> =
            scaled(&known.objects).into_iter().map(|(_, scaled)| scaled.operation).collect();
        let mut any = false;
        for operation in operations {
            let fate = self.fate(operation, &subject).await?;
            if fate == Fate::Open {
                continue;
            }
            // what is to be stopped, or to go, gets no pods back
            let wanted =
                |before| fate == Fate::NotDone && (record.phase == DesiredPhase::Running || before == 0);
            let given = self.give_back(name, operation, wanted).await.map_err(|error| error.problem())?;
            any |= !given.is_empty();
            for (workload, replicas) in given {
                let why = format!(
                    "{workload} is to have {replicas} pods again: operation {operation} did not succeed"
                );
                self.note(known.resource.as_deref(), false, "ScaledBack", &why).await;
            }
        }
        Ok(any)
    }

    async fn fate(&self, operation: OperationId, subject: &Subject) -> Result<Fate, Problem> {
        let found = self.store().operation(operation).await?.map(|view| view.operation);
        // in lost records another one may have its number
        Ok(match found.filter(|found| found.subject == *subject).map(|found| found.state) {
            Some(state) if !state.is_final() => Fate::Open,
            Some(OperationState::Succeeded) => Fate::Done,
            _ => Fate::NotDone,
        })
    }
}

/// The workloads that somebody scaled for a while.
fn scaled(objects: &[ObjectSummary]) -> Vec<(ObjectKey, Scaled)> {
    let marked = objects.iter().filter(|object| !object.deleting);
    marked.filter_map(|object| Some((object.key.clone(), Scaled::read(&object.labels)?))).collect()
}
