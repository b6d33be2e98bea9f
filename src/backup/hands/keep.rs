//! Reading the components of an application, and keeping what was read.

use super::means::{Kept, Label};
use super::progress::Teller;
use super::{Ground, Hands, after_tries, goal, gone, helper, ours, velero};
use crate::domain::backup::{
    Backup, BackupId, BackupPart, BackupRequest, BackupState, Engine, NewBackup, PartState, Trigger,
};
use crate::domain::text::bytes;
use crate::domain::{Operation, Problem};
use crate::operate::{Done, StepError, StepErrorKind, StepRun};

/// The tag of everything that is ours.
pub(super) const OURS: &str = "styrmin";
/// How many backups are looked at for how much to expect.
const LOOKED_AT: u32 = 10;

/// The tag of everything of one backup.
pub(super) fn tag(id: &BackupId) -> String {
    format!("backup:{id}")
}

/// What stands on a snapshot of a backup.
pub(super) fn label(backup: &Backup, path: &str, what: String) -> Label {
    Label {
        host: backup.source.cluster.clone(),
        path: path.to_owned(),
        tags: vec![OURS.to_owned(), tag(&backup.id), what],
        time: backup.created,
    }
}

impl Hands {
    /// Keeps one part of a backup. What is kept already is not read again.
    pub(super) async fn keep(&self, run: StepRun<'_>, id: &BackupId, name: &str) -> Result<Done, StepError> {
        let backup = self.backup(id).await?;
        let part = backup.parts.iter().find(|part| part.name() == name);
        let part = part.ok_or_else(|| gone(format!("the backup {id} has no part '{name}'")))?;
        if part.state == PartState::Completed {
            return Ok(kept_before());
        }
        self.begin(id, name).await?;
        let kept = self.read(&run, &backup, part).await.map_err(|error| after_tries(error, run.attempt));
        self.note(id, name, &kept).await?;
        let kept = kept?;
        let warning = kept.warnings.into_iter().next().map(Box::new);
        let note = format!("{} read, {} of them new", bytes(kept.bytes), bytes(kept.stored));
        Ok(Done { output: Some(kept.snapshot), note: Some(note), warning, ..Done::default() })
    }

    async fn read(&self, run: &StepRun<'_>, backup: &Backup, part: &BackupPart) -> Result<Kept, StepError> {
        let ground = self.ground(run.operation).await?;
        let location = self.location(&backup.location).await?;
        let mut component = ground.component(run, (&part.component, part.volume.as_deref()))?;
        component.helper = component.spec.stops_for_backup().then(|| helper(run));
        let label = label(backup, &part.path, format!("part:{}", part.name()));
        let expected = self.expected(run.operation, part).await?;
        let teller = Teller::new();
        let tell = |progress| teller.say(progress);
        let work = self.means.keep(&location, label, component, (expected, &tell));
        self.beside(run, &teller, work).await
    }

    /// How much there was of it the last time.
    async fn expected(&self, operation: &Operation, part: &BackupPart) -> Result<Option<u64>, StepError> {
        let known = self.store.backups_of(&operation.subject, LOOKED_AT).await.map_err(ours)?;
        let before = known.iter().flat_map(|backup| &backup.parts);
        let mut same = before.filter(|known| known.path == part.path && known.state == PartState::Completed);
        Ok(same.next().map(|known| known.bytes))
    }

    async fn begin(&self, id: &BackupId, name: &str) -> Result<(), StepError> {
        let name = name.to_owned();
        self.change(id, move |backup| {
            backup.state = BackupState::Running;
            if let Some(part) = backup.parts.iter_mut().find(|part| part.name() == name) {
                (part.state, part.problem) = (PartState::Running, None);
            }
        })
        .await
    }

    /// Writes down what came of a part. What is tried again stays as it is.
    async fn note(&self, id: &BackupId, name: &str, kept: &Result<Kept, StepError>) -> Result<(), StepError> {
        if kept.as_ref().is_err_and(|error| error.kind != StepErrorKind::Lasting) {
            return Ok(());
        }
        let (name, kept) = (name.to_owned(), kept.clone());
        self.change(id, move |backup| {
            let Some(part) = backup.parts.iter_mut().find(|part| part.name() == name) else { return };
            match kept {
                Ok(kept) => {
                    part.state = PartState::Completed;
                    (part.bytes, part.stored) = (kept.bytes, kept.stored);
                    (part.digest, part.snapshot, part.server) = (kept.digest, kept.snapshot, kept.server);
                    part.problem = kept.warnings.into_iter().next();
                }
                Err(error) => (part.state, part.problem) = (PartState::Failed, Some(error.problem)),
            }
        })
        .await
    }

    pub(super) async fn quiesce(&self, run: StepRun<'_>, component: &str) -> Result<Done, StepError> {
        let ground = self.ground(run.operation).await?;
        self.means.quiesce(ground.component(&run, (component, None))?).await?;
        Ok(Done::default())
    }

    pub(super) async fn resume(&self, run: StepRun<'_>, component: &str) -> Result<Done, StepError> {
        let ground = self.ground(run.operation).await?;
        let in_time = self.means.resume(ground.component(&run, (component, None))?).await;
        let in_time = in_time.map_err(|error| after_tries(error, run.attempt))?;
        if in_time {
            return Ok(Done::default());
        }
        let late = Problem::new(
            format!("{component} went on before its backup was complete"),
            "it holds still for a limited time, and that was over; or its pod is another one",
            "raise `limit` in the driver; what was read may not be of one moment",
        );
        Ok(Done { warning: Some(Box::new(late)), ..Done::default() })
    }

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
            let held: Vec<&String> = held(&ground, &backup);
            for name in &held {
                self.means.quiesce(ground.component(&run, (name.as_str(), None))?).await?;
            }
            let mut outcome = Ok(());
            for part in &backup.parts {
                outcome = self.keep(run, &id, &part.name()).await.map(drop);
                if outcome.as_ref().is_err_and(|error| error.kind != StepErrorKind::Lasting) {
                    break;
                }
            }
            for name in &held {
                self.means.resume(ground.component(&run, (name.as_str(), None))?).await?;
            }
            if let Err(error) = outcome
                && error.kind != StepErrorKind::Lasting
            {
                return Err(error);
            }
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

/// The components of a backup that are made to hold still.
fn held<'a>(ground: &Ground, backup: &'a Backup) -> Vec<&'a String> {
    let declares = |name: &&String| {
        ground.spec.components.get(*name).is_some_and(|known| known.backup_target.quiesce.is_some())
    };
    let mut names: Vec<&String> = backup.parts.iter().map(|part| &part.component).filter(declares).collect();
    names.dedup();
    names
}

fn kept_before() -> Done {
    Done { note: Some("it was kept already".to_owned()), ..Done::default() }
}
