//! A backup that is made within one step, as a function asks for it.

use std::collections::BTreeSet;

use super::keep::went_on_early;
use super::{Ground, Hands, after_tries, goal, gone, ours, velero};
use crate::domain::backup::{
    Backup, BackupId, BackupPart, BackupRequest, BackupState, Engine, NewBackup, PartState, Trigger,
};
use crate::domain::{Operation, Problem};
use crate::operate::{StepError, StepErrorKind, StepRun};

impl Hands {
    /// Makes a backup within one step; see [`Extension::back_up`](crate::operate::Extension::back_up).
    pub(super) async fn back_up_within(&self, run: StepRun<'_>, mark: &str) -> Result<String, StepError> {
        let id = BackupId::of(run.operation, mark);
        let ground = self.ground(run.operation).await?;
        let backup = match self.store.backup(&id).await.map_err(ours)? {
            Some(backup) => backup,
            None => self.record_within(run.operation, mark, &ground).await?,
        };
        if velero::is_its(&backup) {
            return self.back_up_with_velero(run, &id).await.map(|_| id.0);
        }
        if !backup.state.is_final() {
            self.keep_within(run, &ground, &backup).await?;
            self.seal(run, &id).await?;
        }
        let sealed = self.backup(&id).await?;
        match sealed.state {
            BackupState::Completed => Ok(id.0),
            state => Err(StepError::lasting(sealed.problem.unwrap_or_else(|| {
                Problem::new(format!("The backup {id} is {}", state.as_str()), "", "see its parts")
            }))),
        }
    }

    /// Keeps all parts of a backup. Whatever comes of it, what held still goes on, and nothing stands in any more.
    ///
    /// # Errors
    /// The first failure that may pass, or that of letting something go. What failed for good is noted in its part.
    async fn keep_within(&self, run: StepRun<'_>, ground: &Ground, backup: &Backup) -> Result<(), StepError> {
        let mut tried: Vec<&String> = Vec::new();
        let mut outcome = self.hold_and_keep(run, ground, backup, &mut tried).await;
        for name in tried {
            let resumed = self.let_go(run, ground, backup, name).await;
            outcome = outcome.and(resumed);
        }
        let cleared = self.means.clear(&ground.namespace, run.labels().to_vec()).await;
        outcome.and(cleared)
    }

    /// `tried` are the components that may hold still afterwards.
    async fn hold_and_keep<'b>(
        &self,
        run: StepRun<'_>,
        ground: &Ground,
        backup: &'b Backup,
        tried: &mut Vec<&'b String>,
    ) -> Result<(), StepError> {
        let mut failed: BTreeSet<&String> = BTreeSet::new();
        let names: BTreeSet<&String> = backup.parts.iter().map(|part| &part.component).collect();
        for name in names {
            let component = ground.component(&run, (name.as_str(), None))?;
            if component.spec.stops_for_backup() {
                self.fail_parts(&backup.id, name, runs_on(name)).await?;
                failed.insert(name);
            } else if component.spec.backup_target.quiesce.is_some() {
                tried.push(name);
                let held = self.means.quiesce(component).await;
                if let Err(error) = held.map_err(|error| after_tries(error, run.attempt)) {
                    if error.kind != StepErrorKind::Lasting {
                        return Err(error);
                    }
                    self.fail_parts(&backup.id, name, error.problem).await?;
                    failed.insert(name);
                }
            }
        }
        for part in backup.parts.iter().filter(|part| !failed.contains(&part.component)) {
            let held = tried.contains(&&part.component);
            match self.keep_part(run, &backup.id, &part.name(), held).await {
                Err(error) if error.kind != StepErrorKind::Lasting => return Err(error),
                // the part says why
                _ => {}
            }
        }
        Ok(())
    }

    /// Lets a component go. That it went on by itself before is noted in what was kept of it.
    async fn let_go(
        &self,
        run: StepRun<'_>,
        ground: &Ground,
        backup: &Backup,
        name: &str,
    ) -> Result<(), StepError> {
        if self.means.resume(ground.component(&run, (name, None))?).await? {
            return Ok(());
        }
        let component = name.to_owned();
        self.change(&backup.id, move |backup| {
            let kept = backup.parts.iter_mut().filter(|part| part.state == PartState::Completed);
            for part in kept.filter(|part| part.component == component) {
                part.problem.get_or_insert_with(|| went_on_early(&component));
            }
        })
        .await
    }

    /// Notes that nothing of a component is kept. What was kept before stays.
    async fn fail_parts(&self, id: &BackupId, component: &str, problem: Problem) -> Result<(), StepError> {
        let component = component.to_owned();
        self.change(id, move |backup| {
            let left = backup.parts.iter_mut().filter(|part| part.state != PartState::Completed);
            for part in left.filter(|part| part.component == component) {
                (part.state, part.problem) = (PartState::Failed, Some(problem.clone()));
            }
        })
        .await
    }

    async fn record_within(
        &self,
        operation: &Operation,
        mark: &str,
        ground: &Ground,
    ) -> Result<Backup, StepError> {
        let subject = &operation.subject;
        let environment =
            self.store.environment(&subject.cluster, &subject.environment).await.map_err(ours)?;
        let Some(location) = environment.and_then(|environment| environment.backup_location) else {
            return Err(StepError::lasting(Problem::new(
                format!("{} has no backup location", subject.environment),
                "nobody said where its backups are to be kept",
                format!("styrmin location assign NAME --environment {}", subject.environment),
            )));
        };
        let (engine, parts) = match self.location(&location).await?.is_velero() {
            true => (Engine::Velero, vec![BackupPart::of_velero()]),
            false => {
                let parts = BackupPart::planned(&ground.spec, &subject.environment, &subject.name, &[]);
                (Engine::Styrmin, parts)
            }
        };
        if parts.is_empty() {
            let why = "its driver declares no strategy for any component";
            return Err(StepError::lasting(Problem::new("There is nothing to back up", why, "")));
        }
        let (deployment, number) = goal(operation)?;
        let instance = self.store.instance(deployment, number).await.map_err(ours)?;
        let instance = instance.ok_or_else(|| gone("the instance is not recorded any more"))?;
        let request = BackupRequest { trigger: Trigger::Action, ..BackupRequest::default() };
        let backup = NewBackup { engine, location, request, instance, parts }.record(operation, mark);
        self.store.record_backup(&backup).await.map_err(ours)?;
        Ok(backup)
    }
}

/// Why a component is not kept that an action would have to stop.
fn runs_on(component: &str) -> Problem {
    Problem::new(
        format!("{component} cannot be backed up within an action"),
        "it has to be stopped for it, and an action stops nothing",
        "back up the application before the action: styrmin backup run",
    )
}
