//! Taking a location out of the records.

use super::{Ground, named, users};
use crate::backup::velero;
use crate::domain::Problem;
use crate::domain::backup::{Location, LocationKind};

impl Ground {
    /// Takes a location out of the records, and its backups out of the catalogue: a scan brings them back. Nothing in it is touched;
    /// schedules that Velero has for it are deleted, since nobody would see to them any more. Gives how many backups were in it.
    ///
    /// # Errors
    /// Environments are backed up to it, something with it is under way, or Velero's cluster does not answer.
    pub async fn remove(&self, name: &str) -> Result<usize, Problem> {
        let location = named(&self.store, name).await?.location;
        let what = || format!("The location {name} is not removed");
        if let Some(user) = users(&self.store, name).await?.first() {
            let why = format!("the environment {} is backed up to it", user.name);
            let next =
                format!("assign another one: styrmin location assign OTHER --environment {}", user.name);
            return Err(Problem::new(what(), why, next));
        }
        let backups = self.store.backups_in(&location.name).await?;
        if let Some(open) = backups.iter().find(|backup| !backup.state.is_final()) {
            return Err(Problem::new(what(), format!("the backup {} is being made", open.id), "wait for it"));
        }
        self.forget_schedules(&location).await?;
        for backup in &backups {
            self.store.forget_backup(&backup.id).await?;
        }
        self.store.forget_location(name).await?;
        Ok(backups.len())
    }

    /// Deletes the schedules that Velero has of ours, if this is the last location that it keeps in its namespace.
    async fn forget_schedules(&self, location: &Location) -> Result<(), Problem> {
        let LocationKind::Velero { namespace, .. } = &location.kind else { return Ok(()) };
        let all = self.store.locations().await?;
        let shares = |other: &Location| match &other.kind {
            LocationKind::Velero { namespace: its, .. } => other.name != location.name && its == namespace,
            _ => false,
        };
        if all.iter().any(|view| shares(&view.location)) {
            // whoever runs the engine goes on to see to them
            return Ok(());
        }
        let failed = |why: String| {
            let what = format!("The location {} is not removed", location.name);
            let next = "connect to the cluster that Velero runs on: --context, --kubeconfig or --sandbox";
            Problem::new(what, format!("Velero's schedules for it cannot be deleted: {why}"), next)
        };
        let cluster = self.cluster().ok_or_else(|| failed("no cluster is connected".to_owned()))?;
        let environments = self.store.environments(cluster.name()).await?;
        let done = velero::forget_schedules(cluster, namespace, &environments).await;
        done.map_err(|error| failed(error.to_string()))
    }
}
