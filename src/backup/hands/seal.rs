//! The end of a backup: what it is, its manifest, and what tries that were cut off left behind.

use std::time::Duration;

use super::keep::{label, tag};
use super::{Hands, ours, velero};
use crate::backup::manifest::{self, Manifest};
use crate::domain::backup::{Backup, BackupId, BackupPart, BackupState, Location, PartState};
use crate::domain::{OperationView, Problem};
use crate::operate::{Done, StepError, StepRun};

/// How long is swept behind what comes to nothing.
const SWEPT_WITHIN: Duration = Duration::from_secs(60);

impl Hands {
    /// Ends a backup. One that has ended stays as it is.
    pub(super) async fn seal(&self, run: StepRun<'_>, id: &BackupId) -> Result<Done, StepError> {
        let mut backup = self.backup(id).await?;
        if backup.state.is_final() {
            return Ok(said(&backup, None));
        }
        if velero::is_its(&backup) {
            return self.seal_with_velero(run, backup).await;
        }
        let was_begun = backup.parts.iter().any(|part| part.state != PartState::Pending);
        let view = self.store.operation(run.operation.id).await.map_err(ours)?;
        end_parts(&mut backup, view.as_ref());
        let stopped = self.store.orders(run.operation.id).await.map_err(ours)?;
        let stopped = stopped.cancelled_by.is_some() || stopped.superseded;
        backup.state = outcome(&backup.parts, stopped);
        backup.problem = match backup.state {
            BackupState::Completed => None,
            BackupState::Cancelled => Some(cancelled()),
            _ => first_problem(&backup.parts),
        };
        backup.ended = Some(self.clock.now());
        let is_kept = matches!(backup.state, BackupState::Completed | BackupState::PartiallyFailed);
        let location = self.location(&backup.location).await;
        let mut warning = None;
        if is_kept {
            let location = location?;
            backup.manifest = Some(self.write_manifest(run, &location, &backup).await?);
            warning = self.sweep(&location, &backup, true).await.err();
        } else if let (Ok(location), true) = (location, was_begun) {
            forget_parts(&mut backup);
            // what nobody can use is not worth waiting for
            let sweep = tokio::time::timeout(SWEPT_WITHIN, self.sweep(&location, &backup, false));
            warning = sweep.await.unwrap_or_else(|_| Err(StepError::lasting(left_behind()))).err();
        }
        let sealed = backup.clone();
        self.change(id, move |known| {
            // whoever pinned it meanwhile is not overruled
            *known = Backup { pinned: known.pinned, verified: known.verified.clone(), ..sealed };
        })
        .await?;
        if let (BackupState::Failed, None) = (backup.state, &warning) {
            tracing::info!(backup = %id, "nothing of a backup was kept");
        }
        Ok(said(&backup, warning.map(|error| error.problem)))
    }

    async fn write_manifest(
        &self,
        run: StepRun<'_>,
        location: &Location,
        backup: &Backup,
    ) -> Result<String, StepError> {
        let (id, number) = super::goal(run.operation)?;
        let record = self.store.deployment(id).await.map_err(ours)?;
        let record = record.ok_or_else(|| super::gone("the deployment is not recorded any more"))?;
        let instance = self.store.instance(id, number).await.map_err(ours)?;
        let instance = instance.ok_or_else(|| super::gone("the instance is not recorded any more"))?;
        let draft = instance.draft.unwrap_or(record.draft);
        let mut manifest = Manifest::new(backup.clone(), record.uid, draft, instance.context);
        let written = self.store.inventory(id).await.map_err(ours)?;
        manifest.objects = written.into_iter().map(|item| item.key).collect();
        let bytes = manifest.write().map_err(StepError::lasting)?;
        let label = label(backup, manifest::PATH, manifest::TAG.to_owned());
        self.means.write(location, label, bytes).await
    }

    /// Deletes the snapshots of a backup that it does not have: those of tries that were cut off; all of them, when it comes to nothing.
    async fn sweep(&self, location: &Location, backup: &Backup, is_kept: bool) -> Result<(), StepError> {
        let tag = tag(&backup.id);
        let parts = backup.parts.iter().map(|part| part.snapshot.as_str());
        let has: Vec<&str> = parts.chain(backup.manifest.as_deref()).filter(|_| is_kept).collect();
        let found = self.means.list(location).await?;
        let left = found.into_iter().filter(|found| found.tags.contains(&tag));
        let left: Vec<String> =
            left.map(|found| found.snapshot).filter(|known| !has.contains(&known.as_str())).collect();
        match left.is_empty() {
            true => Ok(()),
            false => self.means.delete(location, left).await,
        }
    }
}

/// Parts that have not ended failed: their steps say why.
fn end_parts(backup: &mut Backup, view: Option<&OperationView>) {
    for part in &mut backup.parts {
        if matches!(part.state, PartState::Completed | PartState::Failed) {
            continue;
        }
        part.state = PartState::Failed;
        part.problem = view
            .and_then(|view| problem_of(view, &part.name()))
            .or_else(|| Some(Problem::new(format!("{} was not kept", part.name()), "it was never read", "")));
    }
}

/// What is swept away is not there any more.
fn forget_parts(backup: &mut Backup) {
    for part in backup.parts.iter_mut().filter(|part| part.state == PartState::Completed) {
        part.state = PartState::Failed;
        part.snapshot.clear();
        part.problem = Some(Problem::new(
            format!("{} was kept, and is not any more", part.name()),
            "the rest of the backup came to nothing",
            "make a new one",
        ));
    }
}

fn problem_of(view: &OperationView, part: &str) -> Option<Problem> {
    let name = format!("back up {part}");
    let position = view.operation.plan.steps.iter().position(|step| step.name == name)?;
    view.steps.get(position)?.problem.clone()
}

/// What a backup is, by its parts. What somebody ended is complete all the same when everything was kept.
fn outcome(parts: &[BackupPart], stopped: bool) -> BackupState {
    let kept = parts.iter().filter(|part| part.state == PartState::Completed).count();
    match (kept, stopped) {
        (all, _) if all == parts.len() && all > 0 => BackupState::Completed,
        (_, true) => BackupState::Cancelled,
        (0, false) => BackupState::Failed,
        _ => BackupState::PartiallyFailed,
    }
}

fn first_problem(parts: &[BackupPart]) -> Option<Problem> {
    parts.iter().filter(|part| part.state == PartState::Failed).find_map(|part| part.problem.clone())
}

pub(super) fn cancelled() -> Problem {
    Problem::new(
        "It was ended before everything was kept",
        "somebody asked for it, or wanted something newer",
        "make another one",
    )
}

fn left_behind() -> Problem {
    Problem::new(
        "What was kept in vain was not deleted",
        "the location did not answer in time",
        "styrmin location sweep NAME --delete, once it answers",
    )
}

fn said(backup: &Backup, warning: Option<Problem>) -> Done {
    let note = format!("{} is {}", backup.id, backup.state.as_str());
    Done {
        output: Some(backup.id.0.clone()),
        note: Some(note),
        warning: warning.map(Box::new),
        ..Done::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(state: PartState) -> BackupPart {
        BackupPart {
            component: "db".into(),
            strategy: "disk".into(),
            volume: None,
            state,
            bytes: 0,
            stored: 0,
            digest: String::new(),
            snapshot: String::new(),
            path: String::new(),
            server: String::new(),
            problem: None,
        }
    }

    #[test]
    fn a_backup_is_what_its_parts_are() {
        use PartState::{Completed, Failed};
        for (parts, stopped, state) in [
            (vec![Completed, Completed], false, BackupState::Completed),
            (vec![Completed, Completed], true, BackupState::Completed),
            (vec![Completed, Failed], false, BackupState::PartiallyFailed),
            (vec![Completed, Failed], true, BackupState::Cancelled),
            (vec![Failed, Failed], false, BackupState::Failed),
            (vec![Failed], true, BackupState::Cancelled),
            (vec![], false, BackupState::Failed),
        ] {
            let parts: Vec<BackupPart> = parts.into_iter().map(part).collect();
            assert_eq!(outcome(&parts, stopped), state, "{parts:?} {stopped}");
        }
    }
}
