//! Backups from the command line and by schedule: what is recorded of them, and beginning and following what is done with them.

use futures::future::BoxFuture;

use super::session::Session;
use crate::backup::scan;
use crate::backup::scheduler::Starter;
use crate::backup::scheduler::follow::prunes;
use crate::domain::backup::{Backup, BackupId, PruneRequest};
use crate::domain::{
    Clock, Deployment, DeploymentDraft, Intent, OperationId, Plan, Problem, SystemClock, suggest,
};
use crate::reconcile::Engine;

pub use crate::backup::retention::{self, Why};
pub use crate::store::Store;

pub mod follow;
pub mod locations;
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
            if !clusters.contains(&backup.source.cluster) {
                clusters.push(backup.source.cluster);
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

/// The name that the members of an environment backup share which is begun now.
pub fn group_name(environment: &str) -> String {
    format!("{environment}-{}", SystemClock.now().strftime("%Y%m%dt%H%M%S"))
}

/// What is to be asked for so that these backups are deleted: one request for each location.
///
/// # Errors
/// One of them has the last good copy of a component, and those are not to go; the records cannot be read.
pub async fn deletions(
    store: &Store,
    chosen: &[Backup],
    even_the_last: bool,
) -> Result<Vec<PruneRequest>, Problem> {
    let ids: Vec<BackupId> = chosen.iter().map(|backup| backup.id.clone()).collect();
    if !even_the_last {
        for backup in chosen {
            let mut left = store.backups(&backup.source.cluster).await?;
            left.retain(|other| other.id == backup.id || !ids.contains(&other.id));
            if backup.is_last_good(&left) {
                return Err(Problem::new(
                    format!("{} is not deleted", backup.id),
                    "it would leave a component without a newer good copy",
                    "make a new backup first, or give --even-the-last",
                ));
            }
        }
    }
    let requests = prunes(chosen, ids).into_iter();
    Ok(requests.map(|request| PruneRequest { even_the_last, ..request }).collect())
}

/// What was deployed when a backup was made: as it is recorded here, or as the manifest in its location says.
///
/// # Errors
/// It is recorded nowhere any more, or the location does not open.
pub async fn draft_of(session: &Session, backup: &Backup) -> Result<DeploymentDraft, Problem> {
    if let Some(draft) = &backup.source.draft {
        return Ok(draft.clone());
    }
    let (environment, application) = (&backup.source.environment, &backup.source.application);
    let found = session.store.find_deployment(&backup.source.cluster, environment, application).await?;
    if let Some(deployment) = found
        && let Some(instance) = session.store.instance(deployment.id, backup.source.instance).await?
        && let Some(draft) = instance.draft
    {
        return Ok(draft);
    }
    let Some(snapshot) = &backup.manifest else {
        return Err(Problem::new(
            format!("How {application} was deployed is not recorded any more"),
            format!("instance {} of it is gone, and the backup has no manifest", backup.source.instance),
            "deploy it anew, and restore the backup into it",
        ));
    };
    let location = locations::named(&session.store, &backup.location).await?.location;
    let repository = locations::Ground::of(session).repository(&location).await?;
    Ok(scan::manifest(&repository, snapshot).await?.draft)
}
