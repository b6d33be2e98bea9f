//! Reading the components of an application, and keeping what was read.

use super::means::{Kept, Label};
use super::progress::Teller;
use super::{Hands, after_tries, gone, helper, ours};
use crate::domain::backup::{Backup, BackupId, BackupPart, BackupState, PartState};
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
    /// Keeps one part of a backup, as a step of it.
    pub(super) async fn keep(&self, run: StepRun<'_>, id: &BackupId, name: &str) -> Result<Done, StepError> {
        let component = name.split_once('/').map_or(name, |(component, _)| component);
        let quiesce = format!("quiesce {component}");
        let held = run.operation.plan.steps.iter().any(|step| step.name == quiesce);
        self.keep_part(run, id, name, held).await
    }

    /// Keeps one part of a backup; one that is `held` has to hold still for as long. What is kept already is not read again.
    pub(super) async fn keep_part(
        &self,
        run: StepRun<'_>,
        id: &BackupId,
        name: &str,
        held: bool,
    ) -> Result<Done, StepError> {
        let backup = self.backup(id).await?;
        let part = backup.parts.iter().find(|part| part.name() == name);
        let part = part.ok_or_else(|| gone(format!("the backup {id} has no part '{name}'")))?;
        if part.state == PartState::Completed {
            return Ok(kept_before());
        }
        self.begin(id, name).await?;
        let kept =
            self.read(&run, &backup, part, held).await.map_err(|error| after_tries(error, run.attempt));
        self.note(id, name, &kept).await?;
        let kept = kept?;
        let warning = kept.warnings.into_iter().next().map(Box::new);
        let note = format!("{} read, {} of them new", bytes(kept.bytes), bytes(kept.stored));
        Ok(Done { output: Some(kept.snapshot), note: Some(note), warning, ..Done::default() })
    }

    async fn read(
        &self,
        run: &StepRun<'_>,
        backup: &Backup,
        part: &BackupPart,
        held: bool,
    ) -> Result<Kept, StepError> {
        let ground = self.ground(run.operation).await?;
        let location = self.location(&backup.location).await?;
        let mut component = ground.component(run, (&part.component, part.volume.as_deref()))?;
        component.helper = component.spec.stops_for_backup().then(|| helper(run));
        let label = label(backup, &part.path, format!("part:{}", part.name()));
        let expected = self.expected(run.operation, part).await?;
        let teller = Teller::new();
        let tell = |progress| teller.say(progress);
        let work = self.means.keep(&location, label, component, (expected, &tell));
        let kept = self.beside(run, &teller, work).await?;
        let component = ground.component(run, (&part.component, part.volume.as_deref()))?;
        match !held || self.means.holds(component).await? {
            true => Ok(kept),
            // its snapshot is swept away when the backup is sealed
            false => Err(StepError::lasting(went_on(&part.name()))),
        }
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
        // what was kept of it was whole before: that is looked at when it is read
        Ok(Done { warning: Some(Box::new(went_on_early(component))), ..Done::default() })
    }
}

fn went_on(part: &str) -> Problem {
    Problem::new(
        format!("{part} is not of one moment"),
        "it holds still for a limited time, and that was over before all was read; or its pod is another one",
        "raise `limit` in the driver",
    )
}

/// Its own parts are whole, but not of the moment of all others.
pub(super) fn went_on_early(component: &str) -> Problem {
    Problem::new(
        format!("{component} went on before the whole backup was complete"),
        "it holds still for a limited time, and that was over; or its pod is another one",
        "raise `limit` in the driver; parts that were read later may be of another moment",
    )
}

fn kept_before() -> Done {
    Done { note: Some("it was kept already".to_owned()), ..Done::default() }
}
