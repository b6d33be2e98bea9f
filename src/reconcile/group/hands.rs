//! The hands of an operation that is made of others: each step begins one, and ends with it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::cluster::{ClusterError, DeleteOptions, key};
use crate::domain::backup::{Depth, GroupPart, GroupRequest, PartWork, Verification};
use crate::domain::operation::StepState;
use crate::domain::world::Link;
use crate::domain::{
    DesiredPhase, Environment, ObjectKey, Operation, OperationState, OperationView, Problem, Step,
};
use crate::operate::{Done, Executor, Probed, StepError, StepRun};
use crate::reconcile::engine::Engine;
use crate::reconcile::execute::{failed, lasting};
use crate::reconcile::place;

use super::layout::{CLUSTER, MAKE, PROVE, REMOVE, SET};
use super::parts::{Begun, fault};

/// How long the end of a namespace is waited for: one that something holds may take for ever.
const GOING: SignedDuration = SignedDuration::from_secs(300);
/// When it is looked at again. No watch is kept of namespaces.
const AGAIN: Duration = Duration::from_millis(200);

/// What carries out one such operation.
pub(super) struct Hands {
    pub engine: Engine,
    pub operation: Operation,
    pub request: GroupRequest,
}

impl Executor for Hands {
    async fn execute(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        if let Some(part) = self.request.parts.iter().find(|part| part.step == run.position) {
            return self.carry_part(part).await;
        }
        if let Some(object) = &run.step.object {
            return self.engine.carry_home(self.made()?, run.step, object).await;
        }
        match run.step {
            step if step.name.starts_with(SET) => self.set().await,
            step if step.name.starts_with(CLUSTER) => self.set_cluster().await,
            step if step.name.starts_with(MAKE) => self.make().await,
            step if step.name.starts_with(REMOVE) => self.remove().await,
            step if step.name.starts_with(PROVE) => self.prove().await,
            step => Err(unknown(step)),
        }
    }

    async fn probe(&self, _run: StepRun<'_>) -> Result<Probed, StepError> {
        // a part is found by its step, and everything else may be repeated
        Ok(Probed::NotDone)
    }

    async fn is_wanted(&self) -> bool {
        true
    }
}

impl Hands {
    /// Begins the part where it has not begun, and waits for its end.
    async fn carry_part(&self, part: &GroupPart) -> Result<Done, StepError> {
        let store = self.engine.store();
        let _waiting = Waiting(self);
        let mut recorded = store.changes();
        loop {
            recorded.mark_unchanged();
            match store.part_of(self.operation.id, part.step).await? {
                Some(view) if view.operation.state.is_final() => return ended(&view),
                Some(_) => {}
                None => {
                    match self.engine.begin_part(&self.operation, part).await.map_err(|it| self.judge(it))? {
                        Begun::Recorded => continue,
                        Begun::Nothing => return Ok(Done::default()),
                        Begun::Busy => {}
                    }
                }
            }
            if recorded.changed().await.is_err() {
                return Err(StepError::transient(Problem::new("the records are closed", "", "")));
            }
        }
    }

    /// Why a part cannot be begun. While the cluster does not answer that says nothing.
    fn judge(&self, problem: Problem) -> StepError {
        match self.engine.cluster().link() {
            Link::Live => lasting(problem),
            _ => StepError::transient(problem),
        }
    }

    async fn make(&self) -> Result<Done, StepError> {
        let environment = self.made()?;
        self.engine.store().upsert_environment(environment).await?;
        self.engine.cluster().watch_namespace(&environment.namespace);
        Ok(Done::default())
    }

    /// Records what is said of an environment. Whoever said something else meanwhile did not see this plan.
    async fn set(&self) -> Result<Done, StepError> {
        let environment = self.made()?;
        let (store, cluster) = (self.engine.store(), self.engine.cluster());
        let now = store.environment(cluster.name(), &environment.name).await?;
        // after a crash it may be done already
        if now.as_ref() != Some(environment) {
            if now.as_ref() != self.request.before.as_deref() {
                return Err(changed_meanwhile(&format!("the environment {}", environment.name)));
            }
            store.upsert_environment(environment).await?;
        }
        cluster.watch_namespace(&environment.namespace);
        Ok(Done::default())
    }

    /// The same of the cluster.
    async fn set_cluster(&self) -> Result<Done, StepError> {
        let Some(change) = self.request.cluster.as_deref() else {
            return Err(lasting(Problem::new("the plan names no cluster", "it is damaged", "plan it again")));
        };
        let store = self.engine.store();
        let now = store.cluster(&change.before.name).await?;
        if now.as_ref() != Some(&change.after) {
            if now.as_ref() != Some(&change.before) {
                return Err(changed_meanwhile(&format!("the cluster {}", change.before.name)));
            }
            store.upsert_cluster(&change.after).await?;
        }
        Ok(Done::default())
    }

    /// Takes away the environment that was made, once nothing is recorded in it.
    async fn remove(&self) -> Result<Done, StepError> {
        let environment = self.made()?;
        let (store, cluster) = (self.engine.store(), self.engine.cluster());
        let mut recorded = store.changes();
        loop {
            recorded.mark_unchanged();
            let mut all = store.deployments(cluster.name()).await?;
            all.retain(|deployment| deployment.draft.environment == environment.name);
            if all.is_empty() {
                break;
            }
            if let Some(alive) = all.iter().find(|deployment| deployment.phase != DesiredPhase::Deleting) {
                return Err(lasting(Problem::new(
                    format!("{} is not empty", environment.name),
                    format!("{} was deployed to it meanwhile", alive.draft.name),
                    "delete it, and remove the environment again",
                )));
            }
            if recorded.changed().await.is_err() {
                return Err(StepError::transient(Problem::new("the records are closed", "", "")));
            }
        }
        let mut warning = None;
        if self.engine.owns_namespace(environment).await.map_err(failed)? {
            let namespace = key(&place::namespace(environment));
            let options = DeleteOptions { uid: None, foreground: false };
            let until = self.engine.clock().now() + GOING;
            cluster.delete(&namespace, &options).await.map_err(failed)?;
            if !self.is_gone(&namespace, until).await? {
                warning = Some(Box::new(Problem::new(
                    format!("The namespace {} is still going", namespace.name),
                    "something in it is held, by a finalizer perhaps",
                    format!("see what: kubectl describe namespace {}", namespace.name),
                )));
            }
        }
        store.delete_environment(cluster.name(), &environment.name).await?;
        let others = store.environments(cluster.name()).await?;
        if others.iter().all(|other| other.namespace != environment.namespace) {
            cluster.unwatch_namespace(&environment.namespace);
        }
        Ok(Done { warning, ..Done::default() })
    }

    /// Waits until a namespace that was deleted is gone, with what is in it: before, nothing can be made there, nor anew under its
    /// name. False when it has not gone in time.
    async fn is_gone(&self, namespace: &ObjectKey, until: Timestamp) -> Result<bool, StepError> {
        while self.engine.clock().now() < until {
            match self.engine.cluster().get(namespace).await {
                // the right to look may have gone with it: a role of its own gave it
                Ok(None) | Err(ClusterError::Forbidden { .. }) => return Ok(true),
                // somebody made it anew
                Ok(Some(live)) if live["metadata"]["deletionTimestamp"].is_null() => return Ok(true),
                Ok(Some(_)) => tokio::time::sleep(AGAIN).await,
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(false)
    }

    fn made(&self) -> Result<&Environment, StepError> {
        let made = self.request.environment.as_deref();
        made.ok_or_else(|| {
            lasting(Problem::new("the plan names no environment", "it is damaged", "plan it again"))
        })
    }

    /// Records what was found about the backup. Only a restore that failed by itself speaks against it: that the copy could not
    /// be deployed, or that somebody ended it, says nothing of the data.
    async fn prove(&self) -> Result<Done, StepError> {
        let Some(id) = self.request.proves.clone() else { return Ok(Done::default()) };
        let Some(view) = self.engine.store().operation(self.operation.id).await? else {
            return Ok(Done::default());
        };
        if view.operation.orders.cancelled_by.is_some() {
            return Ok(Done {
                note: Some("it was cancelled: nothing was found".to_owned()),
                ..Done::default()
            });
        }
        let mut mains = view
            .operation
            .plan
            .steps
            .iter()
            .zip(&view.steps)
            .enumerate()
            .filter(|(_, (step, _))| !step.finally);
        let failed = mains.find(|(_, (_, record))| record.state != StepState::Succeeded);
        let problem = match failed {
            None => None,
            Some((position, (step, record))) if self.speaks_against_it(position).await? => Some(
                (record.problem.clone())
                    .unwrap_or_else(|| Problem::new(format!("{} was not done", step.name), "", "")),
            ),
            Some((_, (step, _))) => {
                let note = format!("nothing was found: '{}' was not done", step.name);
                return Ok(Done { note: Some(note), ..Done::default() });
            }
        };
        let note = match &problem {
            None => "it can be restored".to_owned(),
            Some(problem) => problem.what.clone(),
        };
        let found = Verification { depth: Depth::Drill, at: self.engine.clock().now(), problem };
        self.engine.store().change_backup(&id, move |backup| backup.add_verification(found)).await?;
        Ok(Done { note: Some(note), ..Done::default() })
    }
}

impl Hands {
    /// Whether the step at this position, which was not done, is a restore that failed by itself.
    async fn speaks_against_it(&self, step: usize) -> Result<bool, StepError> {
        let is_it = |part: &GroupPart| part.step == step && matches!(part.work, PartWork::Restore { .. });
        if !self.request.parts.iter().any(is_it) {
            return Ok(false);
        }
        let child = self.engine.store().part_of(self.operation.id, step).await?;
        let state = child.map(|view| view.operation.state);
        Ok(matches!(state, Some(OperationState::Failed | OperationState::PartiallyFailed)))
    }
}

fn ended(view: &OperationView) -> Result<Done, StepError> {
    match fault(view) {
        None => Ok(Done { output: Some(view.operation.id.to_string()), ..Done::default() }),
        Some(problem) => Err(lasting(problem)),
    }
}

fn changed_meanwhile(what: &str) -> StepError {
    lasting(Problem::new(
        format!("{what} is recorded otherwise than the plan says"),
        "somebody changed it since this was confirmed",
        "look at the new plan and confirm it again",
    ))
}

fn unknown(step: &Step) -> StepError {
    lasting(Problem::new(
        format!("'{}' is not known", step.name),
        "it was planned by another version of Styrmin",
        "cancel it and plan it again",
    ))
}

/// Waits for a part. Dropped, it asks for the cancellation of the parts that have not ended, if that was asked of the whole: an engine
/// that merely stops leaves them to the next one.
struct Waiting<'a>(&'a Hands);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (engine, parent, request) = (self.0.engine.clone(), self.0.operation.id, self.0.request.clone());
        runtime.spawn(async move {
            if let Err(error) = engine.cancel_parts(parent, &request).await {
                tracing::warn!(%error, "the parts of an operation were not cancelled");
            }
        });
    }
}
