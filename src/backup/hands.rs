//! The steps of backups: what is read and where it is kept, what is written back, what is verified and deleted, and what the catalogue
//! says of it all.
//!
//! Every step may be repeated. What was kept by a try that was cut off is told by the tags of its snapshot, and goes when the backup is
//! sealed.

mod keep;
mod location;
mod means;
mod pace;
mod progress;
mod restore;
mod seal;
mod tools;
mod velero;
mod within;

use std::sync::Arc;

use futures::future::BoxFuture;

pub use means::{Component, Found, Kept, Label, Means, Tell};
pub use tools::Tools;

use super::strategy::Helper;
use crate::cluster::Cluster;
use crate::domain::backup::{Backup, BackupId, Location, Request, SAFETY};
use crate::domain::driver::DriverSpec;
use crate::domain::{Clock, DeploymentId, Operation, Problem};
use crate::operate::{Done, Extension, Probed, StepError, StepErrorKind, StepRun};
use crate::store::{Store, StoreError};

/// How often one thing is read or written before its failure counts.
const TRIES: u32 = 3;

/// Does the steps of backups.
pub struct Hands {
    store: Store,
    clock: Arc<dyn Clock>,
    means: Arc<dyn Means>,
    /// The cluster that Velero runs on.
    velero: Option<Cluster>,
}

/// Where an operation works.
struct Ground {
    namespace: String,
    spec: DriverSpec,
}

impl Hands {
    /// Hands over these records that work with `means`.
    pub fn new(store: Store, clock: Arc<dyn Clock>, means: Arc<dyn Means>) -> Self {
        Self { store, clock, means, velero: None }
    }

    /// The same, which may have the Velero of this cluster do what it does.
    #[must_use]
    pub fn with_velero(self, cluster: Cluster) -> Self {
        Self { velero: Some(cluster), ..self }
    }

    async fn step(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        let name = run.step.name.as_str();
        let is_restore = matches!(run.operation.request, Some(Request::Restore(_)));
        let id = BackupId::of(run.operation, if is_restore { SAFETY } else { "" });
        match name {
            velero::BACK_UP => return self.back_up_with_velero(run, &id).await,
            velero::RESTORE => return self.restore_with_velero(run).await,
            _ => {}
        }
        match name.split_once(' ') {
            Some(("back", rest)) => self.keep(run, &id, rest.strip_prefix("up ").unwrap_or(rest)).await,
            Some(("quiesce", component)) => self.quiesce(run, component).await,
            Some(("resume", component)) => self.resume(run, component).await,
            Some(("seal", _)) => self.seal(run, &id).await,
            Some(("restore", part)) => self.restore(run, part).await,
            Some(("clear", _)) => self.clear(run).await,
            Some(("verify", _)) => self.verify(run).await,
            Some(("delete", rest)) => match rest.strip_prefix("orphan ") {
                Some(snapshot) => self.delete_orphan(run, snapshot).await,
                None => self.delete(run, &BackupId(rest.to_owned())).await,
            },
            Some(("prune", _)) => self.prune(run).await,
            _ => Err(StepError::lasting(Problem::new(
                format!("'{name}' is not known"),
                "it was planned by another version of Styrmin",
                "cancel it and plan it again",
            ))),
        }
    }

    /// The driver of the application, and its namespace.
    async fn ground(&self, operation: &Operation) -> Result<Ground, StepError> {
        let subject = &operation.subject;
        let environment =
            self.store.environment(&subject.cluster, &subject.environment).await.map_err(ours)?;
        let environment = environment.ok_or_else(|| gone("the environment is not recorded any more"))?;
        let (id, number) = goal(operation)?;
        let instance = self.store.instance(id, number).await.map_err(ours)?;
        let instance = instance.ok_or_else(|| gone("the instance is not recorded any more"))?;
        let driver = self.store.driver(&instance.driver).await.map_err(ours)?;
        let driver = driver.ok_or_else(|| gone(format!("the driver {} is not loaded", instance.driver)))?;
        Ok(Ground { namespace: environment.namespace, spec: driver.spec })
    }

    async fn backup(&self, id: &BackupId) -> Result<Backup, StepError> {
        let found = self.store.backup(id).await.map_err(ours)?;
        found.ok_or_else(|| gone(format!("the backup {id} is not in the catalogue any more")))
    }

    async fn location(&self, name: &str) -> Result<Location, StepError> {
        let found = self.store.location(name).await.map_err(ours)?;
        found.map(|view| view.location).ok_or_else(|| {
            StepError::lasting(Problem::new(
                format!("There is no backup location '{name}'"),
                "it was taken out of the records",
                format!("styrmin location add {name} …, with the key that it had"),
            ))
        })
    }

    async fn change(
        &self,
        id: &BackupId,
        change: impl FnOnce(&mut Backup) + Send + 'static,
    ) -> Result<(), StepError> {
        self.store.change_backup(id, change).await.map_err(ours).map(drop)
    }

    async fn clear(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        let ground = self.ground(run.operation).await?;
        let [operation, _] = run.labels();
        self.means.clear(&ground.namespace, vec![operation]).await?;
        Ok(Done::default())
    }
}

impl Ground {
    /// A component of the application, by its name and its volume's.
    fn component<'a>(
        &'a self,
        run: &StepRun<'a>,
        (name, volume): (&'a str, Option<&'a str>),
    ) -> Result<Component<'a>, StepError> {
        let spec = self.spec.components.get(name);
        let spec = spec.ok_or_else(|| gone(format!("its driver has no component '{name}' any more")))?;
        let deployment = &run.operation.subject.name;
        Ok(Component { namespace: &self.namespace, deployment, name, spec, volume, helper: None })
    }
}

/// The pod that stands in for what is stopped during a step.
fn helper(run: &StepRun<'_>) -> Helper {
    Helper { name: run.child_name(&run.operation.subject.name), labels: run.labels().to_vec() }
}

fn goal(operation: &Operation) -> Result<(DeploymentId, u32), StepError> {
    let goal = &operation.goal;
    goal.deployment.zip(goal.instance).ok_or_else(|| gone("the application was taken away"))
}

/// A failure of the records.
fn ours(error: StoreError) -> StepError {
    StepError::transient(error.into())
}

fn gone(why: impl Into<String>) -> StepError {
    StepError::lasting(Problem::new("It cannot be done any more", why, "plan it again"))
}

/// What fails again and again has failed.
fn after_tries(error: StepError, attempt: u32) -> StepError {
    match error.kind {
        StepErrorKind::Transient { .. } if attempt >= TRIES => {
            let mut problem = error.problem;
            problem.why = format!("{} (tried {attempt} times)", problem.why).trim_start().to_owned();
            StepError::lasting(problem)
        }
        _ => error,
    }
}

impl Extension for Hands {
    fn execute<'a>(&'a self, run: StepRun<'a>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(self.step(run))
    }

    fn back_up<'a>(&'a self, run: StepRun<'a>, mark: &'a str) -> BoxFuture<'a, Result<String, StepError>> {
        Box::pin(self.back_up_within(run, mark))
    }

    fn probe<'a>(&'a self, _run: StepRun<'a>) -> BoxFuture<'a, Result<Probed, StepError>> {
        // every step may be repeated
        Box::pin(async { Ok(Probed::NotDone) })
    }
}

#[cfg(test)]
mod tests;
