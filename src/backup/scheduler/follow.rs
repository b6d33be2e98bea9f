//! What follows a run that made backups: they are verified, then those that have no place any more are deleted. Pure.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::backup::retention;
use crate::domain::backup::{
    Backup, BackupId, BackupState, Depth, PruneRequest, Request, Schedule, Trigger, VerifyRequest,
};
use crate::domain::{Intent, OperationKind, OperationView};

/// What is known after a run.
#[derive(Debug, Clone, Copy)]
pub struct Aftermath<'a> {
    /// The schedule.
    pub schedule: &'a Schedule,
    /// Its time zone.
    pub zone: &'a TimeZone,
    /// The backups that the run made.
    pub made: &'a [Backup],
    /// What was begun for the schedule since the run, oldest first.
    pub since: &'a [OperationView],
    /// All backups of the cluster.
    pub all: &'a [Backup],
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Something is under way.
    Wait,
    /// This is to be begun.
    Begin(Box<Intent>),
    /// Everything was done.
    Nothing,
}

/// What comes next after a run whose operation has ended.
pub fn next(aftermath: &Aftermath<'_>) -> Next {
    let Aftermath { schedule, zone, made, since, all } = *aftermath;
    if since.iter().any(|view| !view.operation.state.is_final()) {
        return Next::Wait;
    }
    if let Some(intent) = verification(schedule, made, since) {
        return Next::Begin(Box::new(intent));
    }
    let Some(retention) = &schedule.retention else { return Next::Nothing };
    let own: Vec<Backup> = all.iter().filter(|backup| is_own(schedule, backup)).cloned().collect();
    let mut requests = prunes(&own, retention::doomed(&own, retention, zone)).into_iter();
    match requests.find(|request| !since.iter().any(|view| prunes_in(view, &request.location))) {
        Some(request) => Next::Begin(Box::new(Intent::Prune(request))),
        None => Next::Nothing,
    }
}

/// The next verification: one for each complete backup, in order. However one of them ended, it is not begun again.
fn verification(schedule: &Schedule, made: &[Backup], since: &[OperationView]) -> Option<Intent> {
    let depth = schedule.verify?;
    let begun = since.iter().filter(|view| {
        matches!(view.operation.kind, OperationKind::Verify | OperationKind::Drill)
            && view.operation.parent.is_none()
    });
    let mut complete: Vec<&BackupId> = made
        .iter()
        .filter(|backup| backup.state == BackupState::Completed)
        .map(|backup| &backup.id)
        .collect();
    complete.sort();
    let backup = BackupId::clone(complete.get(begun.count())?);
    Some(match depth {
        Depth::Drill => Intent::Drill(backup),
        depth => Intent::Verify(VerifyRequest { backup, depth }),
    })
}

/// Whether a schedule made a backup, of what it is for now.
pub fn is_own(schedule: &Schedule, backup: &Backup) -> bool {
    backup.source.cluster == schedule.cluster
        && backup.source.environment == schedule.environment
        && schedule.application.as_ref().is_none_or(|name| *name == backup.source.application)
        && matches!(&backup.trigger, Trigger::Schedule { name } if *name == schedule.name)
}

/// What is to be asked for so that these backups go: one request for each location.
pub fn prunes(backups: &[Backup], doomed: Vec<BackupId>) -> Vec<PruneRequest> {
    let mut locations: BTreeMap<&str, Vec<BackupId>> = BTreeMap::new();
    for id in doomed {
        if let Some(backup) = backups.iter().find(|backup| backup.id == id) {
            locations.entry(&backup.location).or_default().push(id);
        }
    }
    let requests = locations.into_iter().map(|(location, backups)| PruneRequest {
        location: location.to_owned(),
        backups,
        orphans: Vec::new(),
        even_the_last: false,
    });
    requests.collect()
}

fn prunes_in(view: &OperationView, location: &str) -> bool {
    matches!(&view.operation.request, Some(Request::Prune(request)) if request.location == location)
}

#[cfg(test)]
mod tests;
