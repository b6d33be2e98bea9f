//! Backups from the command line and by schedule: what is recorded of them, and beginning and following what is done with them.

use futures::future::BoxFuture;

use super::session::Session;
use crate::backup::scheduler::Starter;
use crate::domain::backup::{Backup, BackupId};
use crate::domain::{Deployment, Intent, OperationId, Plan, Problem, suggest};
use crate::reconcile::Engine;
use crate::store::Store;

pub mod follow;
pub mod retained;
pub mod schedules;

/// Begins operations: records what was planned, and finds it in the records.
#[derive(Clone)]
pub struct Beginner {
    store: Store,
    engine: Engine,
    cluster: String,
}

impl Beginner {
    /// Over these records and this engine of a cluster.
    pub fn new(store: Store, engine: Engine, cluster: &str) -> Self {
        Self { store, engine, cluster: cluster.to_owned() }
    }

    /// Over what a session has.
    pub fn of(session: &Session) -> Self {
        Self::new(session.store.clone(), session.engine.clone(), session.cluster.name())
    }

    /// Records what was confirmed under the name of `actor`, and finds its operation.
    ///
    /// # Errors
    /// The plan is not the one that was shown any more, or it cannot be recorded.
    pub async fn begin(&self, intent: &Intent, plan: &Plan, actor: &str) -> Result<OperationId, Problem> {
        let hash = plan.hash();
        let before = self.store.operations(&self.cluster, 1).await?.first().map(|view| view.operation.id);
        self.engine.confirm(intent, &hash, actor).await?;
        let operations = self.store.operations(&self.cluster, u32::MAX).await?;
        let found = operations.iter().map(|view| &view.operation).find(|operation| {
            operation.plan_hash == hash
                && operation.origin.actor == actor
                && before.is_none_or(|before| operation.id > before)
        });
        found.map(|operation| operation.id).ok_or_else(|| {
            let what = "The operation is recorded and cannot be found";
            Problem::new(what, "", "look at the operations in the cockpit")
        })
    }
}

impl Starter for Beginner {
    fn begin<'a>(
        &'a self,
        intent: &'a Intent,
        actor: &'a str,
    ) -> BoxFuture<'a, Result<OperationId, Problem>> {
        Box::pin(async move {
            let plan = self.engine.preview(intent).await?.plan;
            self.begin(intent, &plan, actor).await
        })
    }
}

/// Every backup of all clusters, or of one, newest first.
///
/// # Errors
/// The records cannot be read.
pub async fn all(store: &Store, cluster: Option<&str>) -> Result<Vec<Backup>, Problem> {
    let mut found = Vec::new();
    let mut clusters: Vec<String> = store.clusters().await?.into_iter().map(|record| record.name).collect();
    // of clusters that only a location knows of
    for view in store.locations().await? {
        for backup in store.backups_in(&view.location.name).await? {
            if !clusters.contains(&backup.cluster) {
                clusters.push(backup.cluster);
            }
        }
    }
    for name in clusters.iter().filter(|name| cluster.is_none_or(|wanted| wanted == name.as_str())) {
        found.extend(store.backups(name).await?);
    }
    found.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
    Ok(found)
}

/// The backup of this name.
///
/// # Errors
/// There is none.
pub async fn named(store: &Store, id: &str) -> Result<Backup, Problem> {
    if let Some(backup) = store.backup(&BackupId(id.to_owned())).await? {
        return Ok(backup);
    }
    let known = all(store, None).await?;
    let hint = suggest::hint(id, known.iter().map(|backup| backup.id.0.as_str()));
    Err(Problem::new(format!("There is no backup {id}"), hint, "see styrmin backup list"))
}

/// Pins a backup, or lets go of it.
///
/// # Errors
/// There is none of that name, or it cannot be recorded.
pub async fn pin(store: &Store, id: &str, pinned: bool) -> Result<Backup, Problem> {
    let backup = named(store, id).await?;
    store.change_backup(&backup.id, move |backup| backup.pinned = pinned).await?;
    Ok(Backup { pinned, ..backup })
}

/// The deployments of a cluster, by environment and name.
///
/// # Errors
/// The records cannot be read.
pub async fn deployments(store: &Store, cluster: &str) -> Result<Vec<Deployment>, Problem> {
    let mut found = store.deployments(cluster).await?;
    found.sort_by(|a, b| {
        let key =
            |deployment: &Deployment| (deployment.draft.environment.clone(), deployment.draft.name.clone());
        key(a).cmp(&key(b))
    });
    Ok(found)
}
