//! Steps that run a function of the driver: it runs in a process of its own, and every call that it makes is journaled here
//! before and after it is made.

pub(in crate::reconcile) mod context;
mod journal;
mod perform;
mod printer;
mod secrets;

use std::sync::Arc;

use serde_json::Value;

use super::{Hands, lasting};
use crate::domain::call::StepId;
use crate::domain::driver::{ActionSpec, OnFailure};
use crate::domain::{DesiredPhase, DriverVersion, OperationKind, Problem};
use crate::hooks::{self, End, Language, Program};
use crate::operate::{Done, StepError, StepErrorKind, StepRun};
use crate::store::{NewRun, RunId};

use context::Told;
use journal::Book;
use perform::Doer;
use printer::Printer;
use secrets::Secrets;

impl Hands {
    /// Runs the action of that name, or goes on with it where a crash cut it off.
    pub(super) async fn act(&self, run: StepRun<'_>, name: &str) -> Result<Done, StepError> {
        let driver = self.driver.clone().ok_or_else(|| lasting(unknown_driver()))?;
        let action = driver.spec.actions.iter().find(|action| action.name == name);
        let action = action.ok_or_else(|| lasting(unknown_action(name, &driver)))?;
        let step = StepId { operation: run.operation.id, position: run.position };
        let replays = Language::of(action.file()) == Some(Language::Starlark);
        let new = NewRun { context: self.told(&driver, action).await?, replays };
        let (store, epoch) = (self.engine.store(), self.engine.epoch());
        let open = store.open_run(step, epoch, new).await?;
        let id = RunId { step, number: open.number };
        let secrets = Secrets::of(self.engine.cluster(), &self.name.namespace, &open.context).await?;
        let printer = Printer::start(store, self.engine.shared_clock(), step, secrets.mask());
        let book = Book::new(store, self.engine.clock(), id, epoch, &open.calls);
        let program = Program {
            files: Arc::new(driver.files.clone()),
            file: action.file().to_owned(),
            function: action.function().to_owned(),
            context: open.context,
        };
        let doer = Doer {
            hands: self,
            driver: &driver,
            run,
            number: open.number,
            book: &book,
            printer: &printer,
            secrets: &secrets,
        };
        let end = hooks::run(self.engine.worker(), &program, &book, &doer).await;
        printer.finish().await;
        settle(end, action, id)
    }

    /// What the function of an action is told.
    async fn told(&self, driver: &DriverVersion, action: &ActionSpec) -> Result<Value, StepError> {
        let to = self.instance.as_ref().map(|instance| instance.application_version.clone());
        let kind = self.operation.kind;
        let from = match self.operation.goal.deployment {
            Some(id) if kind != OperationKind::Deploy => {
                let active = self.engine.store().active_instance(id).await?;
                active.map(|instance| instance.application_version)
            }
            _ => None,
        };
        let record = match self.operation.goal.deployment {
            Some(id) => self.engine.store().deployment(id).await?,
            None => None,
        };
        let told = Told {
            name: &self.name,
            environment: &self.operation.subject.environment,
            phase: record.map_or(DesiredPhase::Running, |record| record.phase),
            driver,
            action,
            request: self.operation.action.as_ref(),
            instance: self.instance.as_ref(),
            versions: (from, to.filter(|_| kind != OperationKind::Delete)),
            dry_run: false,
        };
        Ok(told.context())
    }
}

/// What follows from how a run ended.
fn settle(end: End, action: &ActionSpec, run: RunId) -> Result<Done, StepError> {
    let replays = Language::of(action.file()) == Some(Language::Starlark);
    let problem = match end {
        End::Returned(value) => {
            let note = (!value.is_null()).then(|| format!("it gave {}", short(&value.to_string())));
            return Ok(Done { note, ..Done::default() });
        }
        // what it called stays in the journal: the next try goes on there
        End::Transient(problem) if replays => return Err(StepError { problem, kind: StepErrorKind::Undone }),
        End::Transient(problem) => return Err(StepError::transient(problem)),
        End::InDoubt(problem) => return Err(StepError::in_doubt(problem)),
        End::Diverged(problem) => problem,
        End::Failed(failure) => failure.to_problem(),
    };
    if run.number <= action.retries {
        return Err(StepError { problem, kind: StepErrorKind::Again });
    }
    match action.on_failure {
        OnFailure::Stop => Err(lasting(problem)),
        OnFailure::Warn => {
            let note = Some(format!("it failed, which does not count: {}", problem.what));
            Ok(Done { note, warning: Some(Box::new(problem)), ..Done::default() })
        }
    }
}

/// A value in one short line.
fn short(text: &str) -> String {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn unknown_driver() -> Problem {
    Problem::new(
        "The action cannot be run",
        "the driver of the application is not there any more",
        "load the driver again",
    )
}

fn unknown_action(name: &str, driver: &DriverVersion) -> Problem {
    Problem::new(
        format!("There is no action '{name}'"),
        format!("the driver {} does not have it", driver.reference),
        "plan it again",
    )
}
