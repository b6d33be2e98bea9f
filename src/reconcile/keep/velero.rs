//! Wishes for backups and restores that Velero carries out: what it can do, and what is to be known before.

use super::Data;
use crate::domain::backup::{
    Backup, BackupPart, BackupRequest, BackupState, Engine as BackupEngine, NewBackup, Request,
    RestoreRequest, Trigger,
};
use crate::domain::{Deployment, Environment, Plan, Problem};
use crate::reconcile::components::component_workloads;
use crate::reconcile::compose::{Asked, Basis, back_up_with, hooks_of_backup, restore_with};
use crate::reconcile::observe::Observed;

/// What Velero does not do for every version in use.
const KEEPS_DATA: &str = "Velero before 1.19 does not overwrite the data of volumes that exist: it brings back what is missing, \
                          and makes other objects what they were";
const GOES_ON: &str = "Velero cannot be told to stop: cancelling ends only the waiting for it";

impl Data {
    /// Whether Velero does it.
    pub(super) fn is_by_velero(&self) -> bool {
        match &self.restored {
            Some(backup) => backup.engine == BackupEngine::Velero,
            None => self.location.is_velero(),
        }
    }
}

/// Velero keeps an application as a whole.
pub(super) fn check_whole(record: &Deployment, components: &[String]) -> Result<(), Problem> {
    match components.first() {
        None => Ok(()),
        Some(chosen) => Err(Problem::new(
            format!("{chosen} of {} cannot be backed up alone", record.draft.name),
            format!(
                "{} is backed up to Velero, which keeps an application as a whole",
                record.draft.environment
            ),
            "name no components",
        )),
    }
}

/// Whether Velero can restore a backup into a deployment.
pub(super) fn check_restorable(
    backup: &Backup,
    request: &RestoreRequest,
    record: &Deployment,
    cluster: &str,
) -> Result<(), Problem> {
    let (id, name) = (&backup.id, &record.draft.name);
    let refused = |why: String, next: &str| {
        Err(Problem::new(format!("{id} cannot be restored into {name}"), why, next))
    };
    if !backup.state.is_final() {
        return Err(Problem::new(format!("{id} is not complete"), "it is being made", "wait for its end"));
    }
    if !matches!(backup.state, BackupState::Completed | BackupState::PartiallyFailed) {
        return refused(format!("it is {}", backup.state.as_str()), "choose another backup");
    }
    if backup.source.cluster != cluster {
        let next = "let Velero of this cluster see its storage location, then restore it there";
        return refused(format!("Velero keeps it on {}", backup.source.cluster), next);
    }
    if !backup.source.application.is_empty() && backup.source.application != *name {
        let why =
            format!("Velero restores things under their names, and it is of {}", backup.source.application);
        return refused(why, "restore it into an application of that name, in any environment");
    }
    if let Some(path) = &request.path {
        let why = format!("Velero does not restore single paths, as {}", path.path);
        return refused(why, "restore all of it into another environment, and copy the path");
    }
    if !request.components.is_empty() {
        let why = "Velero keeps an application as a whole".to_owned();
        return refused(why, "name no components");
    }
    Ok(())
}

/// Why Velero's backups are not verified here.
pub(in crate::reconcile) fn unverifiable(backup: &Backup) -> Problem {
    Problem::new(
        format!("{} cannot be read back", backup.id),
        "Velero keeps its data, and gives it out only by restoring it",
        format!(
            "prove it: velero restore create --from-backup {} --namespace-mappings OLD:NEW, into an empty namespace, and look \
             whether the application works there",
            backup.id
        ),
    )
}

/// The plan, and the backup that is made by it.
pub(super) fn plan(
    basis: &Basis<'_>,
    observed: &Observed,
    data: &Data,
) -> Result<(Plan, Option<NewBackup>), Problem> {
    let driver = observed.driver.clone().unwrap_or_default();
    let actions = hooks_of_backup(&driver.spec);
    let basis = Basis { actions: &actions, ..basis.clone() };
    let place = data.place();
    let holds = |spec: &crate::domain::driver::ComponentSpec| spec.backup_target.quiesce.is_some();
    let components = driver.spec.components.iter();
    let held: Vec<&str> = components.filter(|(_, spec)| holds(spec)).map(|(name, _)| name.as_str()).collect();
    let (plan, request) = match (&data.request, &data.restored) {
        (Request::Restore(asked), Some(backup)) => {
            let warnings = warnings(backup, asked, basis.environment);
            let workloads = component_workloads(&driver.spec, &observed.situation.objects);
            let what = Asked { place: &place, warnings: &warnings, held: &held };
            let plan = restore_with(&basis, &what, (backup, asked.safety_backup), &workloads);
            let made = BackupRequest { trigger: Trigger::Restore, ..BackupRequest::default() };
            (plan, asked.safety_backup.then_some(made))
        }
        _ => {
            let what = Asked { place: &place, warnings: &[], held: &held };
            (back_up_with(&basis, &what), Some(data.made()))
        }
    };
    let made = observed.situation.newest.clone().zip(request).map(|(instance, request)| NewBackup {
        engine: BackupEngine::Velero,
        location: data.location.name.clone(),
        request,
        instance,
        parts: vec![BackupPart::of_velero()],
    });
    Ok((plan, made))
}

/// What is to be known before a restore.
fn warnings(backup: &Backup, asked: &RestoreRequest, into: &Environment) -> Vec<String> {
    let mut said = vec![KEEPS_DATA.to_owned(), GOES_ON.to_owned()];
    if backup.source.environment != into.name {
        said.push(format!(
            "it is a backup of {}: everything of it is made in the namespace {}, with its secrets",
            backup.source.environment, into.namespace
        ));
    }
    if backup.state == BackupState::PartiallyFailed {
        let why = backup.problem.as_ref().map_or("", |problem| problem.why.as_str());
        said.push(format!("the backup is not whole: {why}"));
    }
    if !asked.safety_backup {
        said.push("what is there now is not kept: no safety backup is made".to_owned());
    }
    said
}

#[cfg(test)]
mod tests;
