//! Steps that Velero does: its resources are written under names that follow from the operation, and followed to their end. After a
//! crash they are found by these names.

use serde_json::Value;

use super::progress::Teller;
use super::{Ground, Hands, after_tries, gone, ours};
use crate::backup::velero::{self, Report, Scope, VeleroError};
use crate::cluster::{Cluster, key};
use crate::domain::backup::{
    Backup, BackupId, BackupState, Engine, LocationKind, PartState, Request, RestoreRequest,
};
use crate::domain::operation::StepProgress;
use crate::domain::{Operation, Problem};
use crate::operate::{Done, StepError, StepErrorKind, StepRun};

/// The step that has Velero make a backup.
pub(super) const BACK_UP: &str = "back up with Velero";
/// The step that has it restore one.
pub(super) const RESTORE: &str = "restore with Velero";

impl Hands {
    /// Has Velero make a backup, and notes in the catalogue what became of it.
    pub(super) async fn back_up_with_velero(
        &self,
        run: StepRun<'_>,
        id: &BackupId,
    ) -> Result<Done, StepError> {
        let backup = self.backup(id).await?;
        if backup.state == BackupState::Completed {
            return Ok(Done { output: Some(id.0.clone()), ..Done::default() });
        }
        let made = self.write_backup(&run, &backup).await.map_err(|error| after_tries(error, run.attempt));
        match &made {
            Ok(report) => {
                let (state, problem) = (report.state, report.problem.clone());
                self.end_of_velero(id, state, problem).await?;
            }
            Err(error) if error.kind == StepErrorKind::Lasting => {
                self.end_of_velero(id, BackupState::Failed, Some(error.problem.clone())).await?;
            }
            Err(_) => {}
        }
        done(&made?, "kept", Some(id.0.clone()))
    }

    async fn write_backup(&self, run: &StepRun<'_>, backup: &Backup) -> Result<Report, StepError> {
        let (home, storage) = self.home(&backup.location).await?;
        let ground = self.ground(run.operation).await?;
        let scope = scope(&ground, run.operation, storage.as_deref());
        let object = velero::backup(&backup.id, &scope, &home, &run.labels());
        self.change(&backup.id, |backup| {
            backup.state = BackupState::Running;
            backup.parts.iter_mut().for_each(|part| part.state = PartState::Running);
        })
        .await?;
        velero::write(self.velero()?, &object).await.map_err(failed)?;
        self.follow_velero(run, &object).await
    }

    /// Follows a `Backup` or a `Restore` to its end, and says how far it is.
    async fn follow_velero(&self, run: &StepRun<'_>, object: &Value) -> Result<Report, StepError> {
        let (key, teller) = (key(object), Teller::new());
        let work = velero::follow(self.velero()?, &key, |report| teller.say(progress(report)));
        let ended = self.beside(run, &teller, work).await.map_err(failed)?;
        Ok(ended.report)
    }

    async fn end_of_velero(
        &self,
        id: &BackupId,
        state: BackupState,
        problem: Option<Problem>,
    ) -> Result<(), StepError> {
        let ended = self.clock.now();
        self.change(id, move |backup| {
            let part = match state {
                BackupState::Completed => PartState::Completed,
                _ => PartState::Failed,
            };
            for known in &mut backup.parts {
                (known.state, known.problem) = (part, problem.clone());
            }
            (backup.state, backup.problem, backup.ended) = (state, problem, Some(ended));
        })
        .await
    }

    /// Ends a backup of Velero's that its step did not end: it was cancelled, took too long, or never began.
    pub(super) async fn seal_with_velero(&self, run: StepRun<'_>, backup: Backup) -> Result<Done, StepError> {
        let stopped = self.store.orders(run.operation.id).await.map_err(ours)?;
        let stopped = stopped.cancelled_by.is_some() || stopped.superseded;
        let mut warning = None;
        if backup.state == BackupState::Running {
            let (home, _) = self.home(&backup.location).await?;
            // what it has begun besides that it ends by itself
            let asked = velero::cancel(self.velero()?, &home, &backup.id).await;
            warning = asked.err().map(|error| Box::new(error.problem()));
        }
        let view = self.store.operation(run.operation.id).await.map_err(ours)?;
        let its = view.as_ref().and_then(|view| {
            let steps = &view.operation.plan.steps;
            let position = steps.iter().position(|step| step.name == BACK_UP)?;
            view.steps.get(position)?.problem.clone()
        });
        let (state, problem) = match stopped {
            true => (BackupState::Cancelled, super::seal::cancelled()),
            false => (BackupState::Failed, its.unwrap_or_else(never_begun)),
        };
        self.end_of_velero(&backup.id, state, Some(problem)).await?;
        let note = format!("{} is {}", backup.id, state.as_str());
        Ok(Done { output: Some(backup.id.0), note: Some(note), warning, ..Done::default() })
    }

    /// Has Velero restore a backup into the application's namespace.
    pub(super) async fn restore_with_velero(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        let Some(Request::Restore(request)) = &run.operation.request else {
            return Err(gone("nobody said what is to be restored"));
        };
        let done = self.write_restore(&run, request).await;
        done.map_err(|error| after_tries(error, run.attempt))
    }

    async fn write_restore(&self, run: &StepRun<'_>, request: &RestoreRequest) -> Result<Done, StepError> {
        let backup = self.backup(&request.backup).await?;
        let (home, _) = self.home(&backup.location).await?;
        let ground = self.ground(run.operation).await?;
        let from =
            self.store.environment(&backup.source.cluster, &backup.source.environment).await.map_err(ours)?;
        let from = from.map_or_else(|| ground.namespace.clone(), |from| from.namespace);
        let scope = scope(&ground, run.operation, None);
        let name = run.child_name(&run.operation.subject.name);
        let object = velero::restore(&name, &backup.id, (&from, &scope), &home, &run.labels());
        velero::write(self.velero()?, &object).await.map_err(failed)?;
        let report = self.follow_velero(run, &object).await?;
        done(&report, "restored", Some(name))
    }

    /// Has Velero delete a backup with its data, and waits until it has.
    pub(super) async fn delete_with_velero(&self, backup: &Backup) -> Result<Done, StepError> {
        let cluster = self.velero()?;
        if backup.source.cluster != cluster.name() {
            return Err(StepError::lasting(Problem::new(
                format!("{} is not of this cluster", backup.id),
                format!("Velero keeps it on {}", backup.source.cluster),
                format!("delete it there: --cluster {}", backup.source.cluster),
            )));
        }
        let (home, _) = self.home(&backup.location).await?;
        let there = velero::is_there(cluster, &home, &backup.id).await.map_err(failed)?;
        if there {
            velero::delete(cluster, &home, &backup.id).await.map_err(failed)?;
            velero::until_deleted(cluster, &home, &backup.id).await.map_err(failed)?;
        }
        self.store.forget_backup(&backup.id).await.map_err(ours)?;
        Ok(Done::default())
    }

    /// The namespace that Velero runs in, and its storage location: as a location says.
    async fn home(&self, location: &str) -> Result<(String, Option<String>), StepError> {
        match self.location(location).await?.kind {
            LocationKind::Velero { namespace, storage_location } => Ok((namespace, storage_location)),
            _ => Err(StepError::lasting(Problem::new(
                format!("{location} is not Velero's any more"),
                "the location was changed since this was planned",
                "plan it again",
            ))),
        }
    }

    fn velero(&self) -> Result<&Cluster, StepError> {
        self.velero.as_ref().ok_or_else(|| {
            let why = "the engine was started without a cluster for it";
            StepError::lasting(Problem::new("Velero cannot be reached", why, "report this: it is a defect"))
        })
    }
}

fn scope<'a>(ground: &'a Ground, operation: &'a Operation, storage: Option<&'a str>) -> Scope<'a> {
    let subject = &operation.subject;
    Scope {
        namespace: &ground.namespace,
        environment: &subject.environment,
        application: Some((&subject.name, &ground.spec.components)),
        storage_location: storage,
    }
}

/// Velero counts items: their sizes it does not tell.
fn progress(report: &Report) -> StepProgress {
    let item = match report.items {
        (0, None) => report.phase.clone(),
        (done, Some(total)) => format!("{done} of {total} items ({})", report.phase),
        (done, None) => format!("{done} items ({})", report.phase),
    };
    StepProgress { item, ..StepProgress::default() }
}

/// What a step comes to that Velero has ended.
fn done(report: &Report, verb: &str, output: Option<String>) -> Result<Done, StepError> {
    if let Some(problem) = &report.problem {
        return Err(StepError::lasting(problem.clone()));
    }
    let warning = (report.warnings > 0).then(|| {
        let what = format!("Velero has {} warnings", report.warnings);
        Box::new(Problem::new(what, "", "see what it logged: velero backup logs, velero restore logs"))
    });
    let note = Some(format!("{} items {verb}", report.items.0));
    Ok(Done { output, note, warning, ..Done::default() })
}

fn failed(error: VeleroError) -> StepError {
    match error.is_transient() {
        true => StepError::transient(error.problem()),
        false => StepError::lasting(error.problem()),
    }
}

fn never_begun() -> Problem {
    Problem::new("Velero was not asked for it", "a step before it failed", "see the operation")
}

/// Whether Velero makes and keeps a backup.
pub(super) fn is_its(backup: &Backup) -> bool {
    backup.engine == Engine::Velero
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_told_as_items_and_what_went_wrong_counts() {
        let report = |items, state, problem| Report {
            phase: "InProgress".to_owned(),
            state,
            items,
            warnings: 2,
            problem,
        };
        let told = progress(&report((3, Some(9)), BackupState::Running, None));
        assert_eq!((told.item.as_str(), told.done, told.total), ("3 of 9 items (InProgress)", 0, None));
        assert_eq!(progress(&report((0, None), BackupState::Queued, None)).item, "InProgress");
        let well = done(&report((9, Some(9)), BackupState::Completed, None), "kept", None).unwrap();
        assert_eq!(well.warning.unwrap().what, "Velero has 2 warnings");
        let partly = report((9, None), BackupState::PartiallyFailed, Some(never_begun()));
        assert_eq!(done(&partly, "kept", None).unwrap_err().kind, StepErrorKind::Lasting);
    }
}
