//! What a retention keeps of the backups of an environment or an application, and what it does not: for people, before it is done.

use crate::backup::calendar;
use crate::backup::retention::{self, Verdict};
use crate::backup::scheduler::follow::{is_own, prunes};
use crate::domain::Problem;
use crate::domain::backup::{Backup, PruneRequest, Retention, Schedule};
use crate::store::Store;

/// The verdicts on some backups, by one rule.
#[derive(Debug, Clone)]
pub struct Weighed {
    /// Whose rule it is: a schedule's name; none for one that a person gave.
    pub schedule: Option<String>,
    /// The rule.
    pub retention: Retention,
    /// The backups, newest first, each with what becomes of it and why.
    pub backups: Vec<(Backup, Verdict)>,
}

impl Weighed {
    /// What is to be asked for so that what has no place goes: one request for each location.
    pub fn requests(&self) -> Vec<PruneRequest> {
        let gone = self.backups.iter().filter(|(_, verdict)| !verdict.stays());
        let backups: Vec<Backup> = self.backups.iter().map(|(backup, _)| backup.clone()).collect();
        prunes(&backups, gone.map(|(backup, _)| backup.id.clone()).collect())
    }
}

/// What is weighed.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The cluster.
    pub cluster: &'a str,
    /// The environment.
    pub environment: &'a str,
    /// The application; none: all of them.
    pub application: Option<&'a str>,
}

/// Weighs backups: all of them by the retention that a person gives; without one, those of each schedule by its own.
///
/// # Errors
/// No schedule says what is kept, or the records cannot be read.
pub async fn weigh(
    store: &Store,
    scope: Scope<'_>,
    given: Option<(Retention, &str)>,
) -> Result<Vec<Weighed>, Problem> {
    let mut backups = store.backups(scope.cluster).await?;
    backups.retain(|backup| {
        backup.source.environment == scope.environment
            && scope.application.is_none_or(|name| name == backup.source.application)
    });
    if let Some((retention, zone)) = given {
        return Ok(vec![weighed(None, retention, zone, backups)?]);
    }
    let schedules = store.schedules(scope.cluster).await?;
    let keeping: Vec<(&Schedule, Retention)> = schedules
        .iter()
        .filter(|schedule| schedule.environment == scope.environment)
        .filter_map(|schedule| Some((schedule, schedule.retention?)))
        .collect();
    if keeping.is_empty() {
        return Err(Problem::new(
            format!("Nothing says what is kept in {}", scope.environment),
            "no schedule of the environment has a retention",
            "say it with --keep last=3,daily=7, or give a schedule one",
        ));
    }
    let each = keeping.into_iter().map(|(schedule, retention)| {
        let own = backups.iter().filter(|backup| is_own(schedule, backup)).cloned().collect();
        weighed(Some(&schedule.name), retention, &schedule.time_zone, own)
    });
    each.collect()
}

fn weighed(
    schedule: Option<&str>,
    retention: Retention,
    zone: &str,
    mut backups: Vec<Backup>,
) -> Result<Weighed, Problem> {
    let verdicts = retention::weigh(&backups, &retention, &calendar::zone(zone)?);
    // as the verdicts are
    backups.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
    let backups = backups.into_iter().zip(verdicts).collect();
    Ok(Weighed { schedule: schedule.map(str::to_owned), retention, backups })
}
