//! What is done to backups in their location: they are read back, and deleted.

use super::keep::tag;
use super::progress::Teller;
use super::{Hands, after_tries, gone, ours, velero};
use crate::domain::backup::{
    Backup, BackupId, BackupOf, BackupPart, Depth, GroupRequest, Location, PartState, PartWork, Request,
    Verification,
};
use crate::domain::operation::{OperationView, StepProgress};
use crate::domain::{OperationId, Problem};
use crate::operate::{Done, StepError, StepErrorKind, StepRun};

/// How many faults are named.
const NAMED: usize = 5;

impl Hands {
    /// Reads a backup back, and notes what was found.
    pub(super) async fn verify(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        let Some(Request::Verify(request)) = &run.operation.request else {
            return Err(gone("nobody said what is to be verified"));
        };
        let backup = self.backup(&request.backup).await?;
        let location = self.location(&backup.location).await?;
        let found = self.look(&run, &location, &backup, request.depth).await;
        let problem = found.map_err(|error| after_tries(error, run.attempt))?;
        let (depth, at) = (request.depth, self.clock.now());
        let verification = Verification { depth, at, problem: problem.clone() };
        self.change(&backup.id, move |backup| {
            backup.verified.retain(|known| known.depth != depth);
            backup.verified.insert(0, verification);
        })
        .await?;
        match problem {
            None => Ok(Done { note: Some("nothing is wrong with it".to_owned()), ..Done::default() }),
            Some(problem) => Err(StepError::lasting(problem)),
        }
    }

    /// What is wrong with a backup.
    async fn look(
        &self,
        run: &StepRun<'_>,
        location: &Location,
        backup: &Backup,
        depth: Depth,
    ) -> Result<Option<Problem>, StepError> {
        let kept: Vec<&BackupPart> =
            backup.parts.iter().filter(|part| part.state == PartState::Completed).collect();
        if kept.is_empty() {
            let why = format!("it is {}", backup.state.as_str());
            return Ok(Some(Problem::new(format!("{} has nothing", backup.id), why, "delete it")));
        }
        let snapshots: Vec<String> =
            kept.iter().map(|part| part.snapshot.clone()).chain(backup.manifest.clone()).collect();
        let faults = self.means.check(location, Depth::Quick, snapshots.clone()).await?;
        if !faults.is_empty() {
            return Ok(Some(damaged(&backup.id, &faults)));
        }
        if depth != Depth::Full {
            return Ok(None);
        }
        let wrong = self.compare(run, location, &kept).await?;
        let faults = self.means.check(location, Depth::Full, snapshots).await?;
        let all: Vec<String> = faults.into_iter().chain(wrong).collect();
        Ok((!all.is_empty()).then(|| damaged(&backup.id, &all)))
    }

    /// Compares what is read back with what was read when it was kept.
    async fn compare(
        &self,
        run: &StepRun<'_>,
        location: &Location,
        kept: &[&BackupPart],
    ) -> Result<Vec<String>, StepError> {
        let total = kept.iter().map(|part| part.bytes).sum();
        let (mut wrong, mut before) = (Vec::new(), 0);
        let teller = Teller::new();
        for part in kept {
            let name = part.name();
            let tell = |progress: StepProgress| {
                let done = before + progress.done;
                teller.say(StepProgress { done, total: Some(total), item: name.clone(), ..progress });
            };
            let work = self.means.measure(location, &part.snapshot, &tell);
            match self.beside(run, &teller, work).await {
                Ok((bytes, digest)) if bytes == part.bytes && digest == part.digest => {}
                Ok((bytes, _)) if bytes != part.bytes => {
                    wrong.push(format!("{name} has {bytes} bytes, and had {}", part.bytes));
                }
                Ok(_) => wrong.push(format!("{name} is not what was kept: its digest differs")),
                Err(error) if error.kind == StepErrorKind::Lasting => {
                    wrong.push(format!("{name}: {}", error.problem.what));
                }
                Err(error) => return Err(error),
            }
            before += part.bytes;
        }
        Ok(wrong)
    }

    /// Deletes a backup: its snapshots, then its record. One that is gone is as good as deleted.
    pub(super) async fn delete(&self, run: StepRun<'_>, id: &BackupId) -> Result<Done, StepError> {
        let Some(backup) = self.store.backup(id).await.map_err(ours)? else { return Ok(Done::default()) };
        if backup.pinned {
            return Err(StepError::lasting(Problem::new(
                format!("{id} is pinned"),
                "somebody said that it stays",
                format!("styrmin backup unpin {id}"),
            )));
        }
        self.check_unused(run, &backup).await?;
        if velero::is_its(&backup) {
            return self.delete_with_velero(&backup).await;
        }
        let location = self.location(&backup.location).await?;
        let found = self.means.list(&location).await?;
        let tag = tag(id);
        let tagged = found.into_iter().filter(|found| found.tags.contains(&tag));
        let snapshots: Vec<String> = tagged.map(|found| found.snapshot).collect();
        if !snapshots.is_empty() {
            self.check_replaceable(run, &backup).await?;
            self.means.delete(&location, snapshots).await?;
        }
        self.store.forget_backup(id).await.map_err(ours)?;
        Ok(Done::default())
    }

    /// Nobody restores it at the moment, or will.
    async fn check_unused(&self, run: StepRun<'_>, backup: &Backup) -> Result<(), StepError> {
        let id = &backup.id;
        let open = self.store.open_operations(&run.operation.subject.cluster).await.map_err(ours)?;
        let maker = match backup.operation {
            Some(operation) => self.store.operation(operation).await.map_err(ours)?,
            None => None,
        };
        match uses(&open, backup, maker.and_then(|maker| maker.operation.parent)) {
            None => Ok(()),
            Some(open) => Err(StepError::transient(Problem::new(
                format!("{id} is being restored"),
                format!("operation {open} reads it"),
                "nothing: it is deleted afterwards",
            ))),
        }
    }

    /// What was planned may be long ago: backups that were to stay may have gone, or turned out to be damaged.
    async fn check_replaceable(&self, run: StepRun<'_>, backup: &Backup) -> Result<(), StepError> {
        if matches!(&run.operation.request, Some(Request::Prune(request)) if request.even_the_last) {
            return Ok(());
        }
        let known = self.store.backups(&backup.source.cluster).await.map_err(ours)?;
        match backup.is_last_good(&known) {
            false => Ok(()),
            true => Err(StepError::lasting(Problem::new(
                format!("{} is not deleted", backup.id),
                "it has the newest good copy of a component",
                "make a new backup first, or delete it with --even-the-last",
            ))),
        }
    }

    /// Deletes a snapshot that no backup has.
    pub(super) async fn delete_orphan(&self, run: StepRun<'_>, snapshot: &str) -> Result<Done, StepError> {
        let location = self.location_of(run)?;
        let location = self.location(&location).await?;
        let known = self.store.backups_in(&location.name).await.map_err(ours)?;
        let found = self.means.list(&location).await?;
        let Some(found) = found.into_iter().find(|found| found.snapshot == snapshot) else {
            return Ok(Done::default());
        };
        let is_its = |backup: &&Backup| {
            let has = backup.manifest.as_deref() == Some(snapshot)
                || backup.parts.iter().any(|part| part.snapshot == snapshot);
            has || (!backup.state.is_final() && found.tags.contains(&tag(&backup.id)))
        };
        if let Some(owner) = known.iter().find(is_its) {
            return Err(StepError::lasting(Problem::new(
                format!("The snapshot {snapshot} is no orphan"),
                format!("the backup {} has it", owner.id),
                "nothing: it stays",
            )));
        }
        self.means.delete(&location, vec![snapshot.to_owned()]).await?;
        Ok(Done::default())
    }

    pub(super) async fn prune(&self, run: StepRun<'_>) -> Result<Done, StepError> {
        let location = self.location_of(run)?;
        let location = self.location(&location).await?;
        let said = self.means.prune(&location).await.map_err(|error| after_tries(error, run.attempt))?;
        Ok(Done { note: Some(said), ..Done::default() })
    }

    fn location_of(&self, run: StepRun<'_>) -> Result<String, StepError> {
        let location = run.operation.subject.as_location();
        location.map(str::to_owned).ok_or_else(|| gone("the operation is not about a location"))
    }
}

/// The open operation that restores a backup, or is to; `parent` is the one that the backup was made for, as a part.
pub(super) fn uses(
    open: &[OperationView],
    backup: &Backup,
    parent: Option<(OperationId, usize)>,
) -> Option<OperationId> {
    let id = &backup.id;
    let reads = |view: &&OperationView| match &view.operation.request {
        Some(Request::Restore(request)) => request.backup == *id,
        Some(Request::Group(request)) => {
            parent.is_some_and(|(parent, _)| parent == view.operation.id) || names(request, id)
        }
        _ => false,
    };
    open.iter().find(reads).map(|view| view.operation.id)
}

fn names(group: &GroupRequest, id: &BackupId) -> bool {
    let restores = |work: &PartWork| matches!(work, PartWork::Restore { backup: BackupOf::Known(known), .. } if known == id);
    group.proves.as_ref() == Some(id) || group.parts.iter().any(|part| restores(&part.work))
}

fn damaged(id: &BackupId, faults: &[String]) -> Problem {
    let mut lines: Vec<String> = faults.iter().take(NAMED).cloned().collect();
    if faults.len() > NAMED {
        lines.push(format!("and {} more", faults.len() - NAMED));
    }
    Problem::new(
        format!("{id} is damaged"),
        lines.join("\n"),
        "make another backup; what is not damaged can still be restored, component by component",
    )
}
