//! The hands of an operation that is made of others: each step begins one, and ends with it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cluster::{DeleteOptions, key};
use crate::domain::backup::{Depth, GroupPart, GroupRequest, Verification};
use crate::domain::operation::StepState;
use crate::domain::{Environment, Operation, OperationId, OperationView, Problem, Step};
use crate::operate::{Done, Executor, Probed, StepError, StepRun};
use crate::reconcile::engine::Engine;
use crate::reconcile::execute::{failed, lasting};
use crate::reconcile::place;

use super::layout::{MAKE, PROVE, REMOVE};
use super::parts::{Begun, fault};

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
        match run.step {
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
        let child = Child::new(self);
        let mut recorded = store.changes();
        loop {
            recorded.mark_unchanged();
            match store.part_of(self.operation.id, part.step).await? {
                Some(view) if view.operation.state.is_final() => {
                    child.has_ended();
                    return ended(&view);
                }
                Some(view) => child.is(view.operation.id),
                None => match self.engine.begin_part(&self.operation, part).await.map_err(lasting)? {
                    Begun::Operation(id) => {
                        child.is(id);
                        continue;
                    }
                    Begun::Nothing => return Ok(Done::default()),
                    Begun::Busy => {}
                },
            }
            if recorded.changed().await.is_err() {
                return Err(StepError::transient(Problem::new("the records are closed", "", "")));
            }
        }
    }

    async fn make(&self) -> Result<Done, StepError> {
        let environment = self.made()?;
        self.engine.store().upsert_environment(environment).await?;
        self.engine.cluster().watch_namespace(&environment.namespace);
        Ok(Done::default())
    }

    /// Takes away the environment that was made, once nothing is recorded in it.
    async fn remove(&self) -> Result<Done, StepError> {
        let environment = self.made()?;
        let (store, cluster) = (self.engine.store(), self.engine.cluster());
        let mut recorded = store.changes();
        loop {
            recorded.mark_unchanged();
            let all = store.deployments(cluster.name()).await?;
            if !all.iter().any(|deployment| deployment.draft.environment == environment.name) {
                break;
            }
            if recorded.changed().await.is_err() {
                return Err(StepError::transient(Problem::new("the records are closed", "", "")));
            }
        }
        let namespace = key(&place::namespace(environment));
        match cluster.delete(&namespace, &DeleteOptions { uid: None, foreground: false }).await {
            Ok(()) | Err(crate::cluster::ClusterError::NotFound { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
        store.delete_environment(cluster.name(), &environment.name).await?;
        Ok(Done::default())
    }

    fn made(&self) -> Result<&Environment, StepError> {
        let made = self.request.environment.as_ref();
        made.ok_or_else(|| {
            lasting(Problem::new("the plan names no environment", "it is damaged", "plan it again"))
        })
    }

    /// Records what was found about the backup: the first part that failed, or that none did.
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
        let mains = view.operation.plan.steps.iter().zip(&view.steps).filter(|(step, _)| !step.finally);
        let failed = mains.clone().find(|(_, record)| record.state != StepState::Succeeded);
        let problem = failed.map(|(step, record)| {
            record
                .problem
                .clone()
                .unwrap_or_else(|| Problem::new(format!("{} was not done", step.name), "", ""))
        });
        let note = match &problem {
            None => "it can be restored".to_owned(),
            Some(problem) => problem.what.clone(),
        };
        let found = Verification { depth: Depth::Drill, at: self.engine.clock().now(), problem };
        self.engine.store().change_backup(&id, move |backup| backup.add_verification(found)).await?;
        Ok(Done { note: Some(note), ..Done::default() })
    }
}

fn ended(view: &OperationView) -> Result<Done, StepError> {
    match fault(view) {
        None => Ok(Done { output: Some(view.operation.id.to_string()), ..Done::default() }),
        Some(problem) => Err(lasting(problem)),
    }
}

fn unknown(step: &Step) -> StepError {
    lasting(Problem::new(
        format!("'{}' is not known", step.name),
        "it was planned by another version of Styrmin",
        "cancel it and plan it again",
    ))
}

/// The operation that a step waits for. Dropped before that has ended, it asks for its cancellation, if that was asked of the whole:
/// an engine that merely stops leaves it to the next one.
struct Child<'a> {
    hands: &'a Hands,
    id: Arc<Mutex<Option<OperationId>>>,
}

impl<'a> Child<'a> {
    fn new(hands: &'a Hands) -> Self {
        Self { hands, id: Arc::default() }
    }

    fn is(&self, id: OperationId) {
        *self.id.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
    }

    fn has_ended(&self) {
        *self.id.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Drop for Child<'_> {
    fn drop(&mut self) {
        let id = self.id.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(id), Ok(runtime)) = (id, tokio::runtime::Handle::try_current()) else { return };
        let (engine, parent) = (self.hands.engine.clone(), self.hands.operation.id);
        runtime.spawn(async move {
            let view = engine.store().operation(parent).await;
            let Ok(Some(view)) = view else { return };
            let Some(actor) = view.operation.orders.cancelled_by else { return };
            if let Err(error) = engine.store().request_cancel(id, &actor).await {
                tracing::debug!(%error, "the part has ended by itself");
            }
        });
    }
}
