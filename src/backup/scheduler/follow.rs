//! What follows a run that made backups: they are verified, then those that have no place any more are deleted. Pure.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::backup::retention;
use crate::domain::backup::{
    Backup, BackupId, BackupState, Depth, PruneRequest, Request, Schedule, Trigger, VerifyRequest,
};
use crate::domain::{Intent, OperationView};

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
    /// What could not be begun, and is not tried any more.
    pub given_up: &'a [Intent],
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
    let Aftermath { schedule, zone, since, all, given_up, .. } = *aftermath;
    if since.iter().any(|view| !view.operation.state.is_final()) {
        return Next::Wait;
    }
    if let Some(intent) = verification(aftermath) {
        return Next::Begin(Box::new(intent));
    }
    let Some(retention) = &schedule.retention else { return Next::Nothing };
    let own: Vec<Backup> = all.iter().filter(|backup| is_own(schedule, backup)).cloned().collect();
    let mut requests = prunes(&own, retention::doomed(&own, retention, zone)).into_iter();
    let is_left = |request: &PruneRequest| {
        let location = &request.location;
        let is_it = |intent: &Intent| matches!(intent, Intent::Prune(it) if it.location == *location);
        !since.iter().any(|view| prunes_in(view, location)) && !given_up.iter().any(is_it)
    };
    match requests.find(is_left) {
        Some(request) => Next::Begin(Box::new(Intent::Prune(request))),
        None => Next::Nothing,
    }
}

/// The next verification: one for each complete backup, in order. However one of them ended, it is not begun again.
fn verification(aftermath: &Aftermath<'_>) -> Option<Intent> {
    let Aftermath { schedule, made, since, given_up, .. } = *aftermath;
    let depth = schedule.verify?;
    let is_left = |id: &&BackupId| {
        let is_it = |intent: &Intent| match intent {
            Intent::Verify(request) => request.backup == **id,
            Intent::Drill(backup) => backup == *id,
            _ => false,
        };
        !since.iter().any(|view| verifies(view, id)) && !given_up.iter().any(is_it)
    };
    let complete = made.iter().filter(|backup| backup.state == BackupState::Completed);
    let backup = complete.map(|backup| &backup.id).filter(is_left).min()?.clone();
    Some(match depth {
        Depth::Drill => Intent::Drill(backup),
        depth => Intent::Verify(VerifyRequest { backup, depth }),
    })
}

fn verifies(view: &OperationView, id: &BackupId) -> bool {
    match &view.operation.request {
        Some(Request::Verify(request)) => request.backup == *id,
        Some(Request::Group(request)) => request.proves.as_ref() == Some(id),
        _ => false,
    }
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
