//! The hands of an operation: each kind of step, done once. Every one of them may be repeated: what is done already changes
//! nothing.

pub(super) mod action;
mod apply;
mod data;
mod records;
mod wait;

pub(super) use apply::is_immutable;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::cluster::{ClusterError, DeleteOptions};
use crate::domain::plan::Verb;
use crate::domain::{DriverVersion, Instance, ObjectKey, Operation, OperationKind, Problem, Step};
use crate::operate::{Done, Executor, Probed, StepError, StepErrorKind, StepRun};
use crate::store::{InventoryChange, StoreError};

use super::compose::{ACTION, RESTART};
use super::decide::exchange;
use super::engine::Engine;
use super::queue::Name;

/// What carries out the steps of one operation on one deployment.
pub(super) struct Hands {
    pub engine: Engine,
    pub name: Name,
    pub operation: Operation,
    /// The objects of the operation's instance as they are applied; or why they cannot be rendered.
    pub objects: Result<Vec<Value>, Problem>,
    /// The driver of the operation's instance, when it is there.
    pub driver: Option<Arc<DriverVersion>>,
    /// The instance that the operation applies.
    pub instance: Option<Instance>,
    /// Woken when something of the deployment moved.
    pub moved: watch::Receiver<u64>,
}

impl Executor for Hands {
    async fn execute(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        self.check_epoch().await;
        match run.step.verb {
            Verb::Create | Verb::Update | Verb::Adopt => self.apply(run.step).await,
            Verb::Replace => self.replace(run.step).await,
            Verb::Delete => self.delete(run.step).await,
            Verb::Wait => self.wait(run.step).await,
            Verb::Record => self.record(run.step).await,
            Verb::Run | Verb::Read if data::is_foreign(&run.step.name) => {
                self.engine.extension().execute(run).await
            }
            Verb::Run | Verb::Read => match run.step.name.strip_prefix(ACTION) {
                Some(action) => self.act(run, action).await,
                None => self.run(run).await,
            },
            Verb::Unchanged => Ok(Done::default()),
        }
    }

    async fn probe(&self, _run: StepRun<'_>) -> Result<Probed, StepError> {
        // every step of ours may be repeated
        Ok(Probed::NotDone)
    }

    async fn is_wanted(&self) -> bool {
        // half of a restore is worse than none: what is wanted otherwise comes after it
        if self.operation.kind == OperationKind::Restore {
            return true;
        }
        self.is_goal_current().await.unwrap_or(true)
    }
}

impl Hands {
    /// Whether the desired state is still the one that the operation was planned for.
    async fn is_goal_current(&self) -> Result<bool, StoreError> {
        let Some(id) = self.operation.goal.deployment else { return Ok(true) };
        let Some(record) = self.engine.store().deployment(id).await? else { return Ok(true) };
        if record.revision != self.operation.goal.revision {
            return Ok(false);
        }
        let resource = self.engine.cluster().index().custom_resource(&self.name.namespace, &self.name.name);
        Ok(resource.is_none_or(|resource| exchange(&record, &resource).is_none()))
    }

    /// Comes back only while no newer engine is known: what is in flight ends with the loop, and is not journaled.
    async fn check_epoch(&self) {
        let index = self.engine.cluster().index();
        if let Some(resource) = index.custom_resource(&self.name.namespace, &self.name.name) {
            self.engine.saw_epoch(resource.trace.epoch);
        }
        if self.engine.deposed_by().is_some() {
            std::future::pending().await
        }
    }

    async fn delete(&self, step: &Step) -> Result<Done, StepError> {
        let key = object_of(step)?;
        let uid = step.expects.uid.clone().filter(|uid| !uid.is_empty());
        let _permit = self.engine.permit().await;
        match self.engine.cluster().delete(key, &DeleteOptions { uid, foreground: false }).await {
            Ok(()) => {}
            // another object of that name is not ours to take away
            Err(error) if apply::is_another(&error) => {}
            Err(error) => return Err(failed(error)),
        }
        self.engine.trace_removed(&self.name, key);
        self.engine.cluster().index().mark_deleting(key);
        Ok(Done { inventory: InventoryChange::Removed(key.clone()), ..Done::default() })
    }

    async fn run(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        if let Some(done) = self.halt(run).await {
            return done;
        }
        let step = run.step;
        let key = object_of(step)?;
        if !step.name.starts_with(RESTART) {
            return Err(lasting(Problem::new(
                format!("'{}' is not known", step.name),
                "it was planned by another version of Styrmin",
                "cancel it and plan it again",
            )));
        }
        let _permit = self.engine.permit().await;
        // the moment of the order, not of the try: a repeated try restarts nothing twice
        self.engine.cluster().restart(key, self.operation.times.created).await.map_err(failed)?;
        Ok(Done::default())
    }
}

/// The object of a step that is about one.
fn object_of(step: &Step) -> Result<&ObjectKey, StepError> {
    step.object.as_ref().ok_or_else(|| {
        lasting(Problem::new(
            format!("'{}' names no object", step.name),
            "the plan is damaged",
            "plan it again",
        ))
    })
}

/// How long a namespace that is going is left alone.
const TERMINATING: Duration = Duration::from_secs(5);

/// A failure of the cluster, as the runner judges it.
pub(in crate::reconcile) fn failed(error: ClusterError) -> StepError {
    let problem = error.problem();
    let passing = error.is_transient()
        || matches!(error, ClusterError::Unauthorized { .. } | ClusterError::NotFound { .. });
    let terminating = matches!(error, ClusterError::Terminating { .. }).then_some(TERMINATING);
    let kind = match passing {
        true => StepErrorKind::Transient { retry_after: error.retry_after().or(terminating) },
        false => StepErrorKind::Lasting,
    };
    StepError { problem, kind }
}

pub(in crate::reconcile) fn lasting(problem: Problem) -> StepError {
    StepError { problem, kind: StepErrorKind::Lasting }
}

pub(super) fn stale(what: impl Into<String>, why: impl Into<String>) -> StepError {
    let problem =
        Problem::new(what, why, "it is planned again; a plan that you confirmed is shown to you first");
    StepError { problem, kind: StepErrorKind::Stale }
}

fn passing(problem: Problem) -> StepError {
    StepError { problem, kind: StepErrorKind::Transient { retry_after: None } }
}

impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        passing(error.into())
    }
}
