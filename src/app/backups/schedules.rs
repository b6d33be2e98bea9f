//! Schedules: adding, changing and looking at them.

use jiff::Timestamp;

use crate::backup::calendar::{self, Calendar};
use crate::backup::scheduler;
use crate::domain::backup::{RunOutcome, Schedule, ScheduleRun, ScheduleView};
use crate::domain::{Clock, Intent, OperationId, Problem, SystemClock, names, suggest};
use crate::store::Store;

/// How many runs of a schedule are shown.
const RUNS: u32 = 10;
/// The longest jitter, in seconds: half a day.
const JITTER_MAX: u32 = 12 * 3600;

/// The schedules of a cluster, with what was and what comes.
///
/// # Errors
/// The records cannot be read.
pub async fn views(store: &Store, cluster: &str, now: Timestamp) -> Result<Vec<ScheduleView>, Problem> {
    let mut views = Vec::new();
    for schedule in store.schedules(cluster).await? {
        let runs = store.runs(cluster, &schedule.name, RUNS).await?;
        views.push(calendar::view(schedule, runs, now));
    }
    Ok(views)
}

/// The same of all clusters, by cluster and name.
///
/// # Errors
/// The records cannot be read.
pub async fn all(store: &Store) -> Result<Vec<ScheduleView>, Problem> {
    let now = SystemClock.now();
    let mut found = Vec::new();
    for record in store.clusters().await? {
        found.extend(views(store, &record.name, now).await?);
    }
    Ok(found)
}

/// The schedule of this name, on whatever cluster.
///
/// # Errors
/// There is none, or several clusters have one.
pub async fn named(store: &Store, name: &str) -> Result<ScheduleView, Problem> {
    let all = all(store).await?;
    let mut found = all.iter().filter(|view| view.schedule.name == name);
    match (found.next(), found.next()) {
        (Some(view), None) => Ok(view.clone()),
        (Some(_), Some(_)) => Err(Problem::new(
            format!("Which schedule {name} is meant?"),
            "several clusters have one of this name",
            "remove one of them in the cockpit of its cluster",
        )),
        (None, _) => {
            let hint = suggest::hint(name, all.iter().map(|view| view.schedule.name.as_str()));
            Err(Problem::new(format!("There is no schedule {name}"), hint, "see styrmin schedule list"))
        }
    }
}

/// Records a new schedule, after everything in it was looked at.
///
/// # Errors
/// It means nothing, what it is for is not recorded, its name is taken, or its environment has no location.
pub async fn add(store: &Store, schedule: &Schedule) -> Result<ScheduleView, Problem> {
    names::check_label("schedule", &schedule.name)?;
    Calendar::of(schedule)?;
    if schedule.jitter > JITTER_MAX {
        let why = format!("{} s are more than {JITTER_MAX} s", schedule.jitter);
        return Err(Problem::new("The jitter is too long", why, "choose one of minutes"));
    }
    let (cluster, environment) = (&schedule.cluster, &schedule.environment);
    let Some(recorded) = store.environment(cluster, environment).await? else {
        let what = format!("There is no environment {environment} on {cluster}");
        let known = store.environments(cluster).await?;
        let hint = suggest::hint(environment, known.iter().map(|known| known.name.as_str()));
        return Err(Problem::new(what, hint, "deploy something in it first"));
    };
    if recorded.backup_location.is_none() {
        return Err(Problem::new(
            format!("The environment {environment} has no backup location"),
            "a schedule needs a place for its backups",
            format!("styrmin location assign NAME --environment {environment}"),
        ));
    }
    if let Some(application) = &schedule.application
        && store.find_deployment(cluster, environment, application).await?.is_none()
    {
        let what = format!("There is no application {application} in {environment}");
        return Err(Problem::new(what, "nothing of that name is deployed there", "name one that is"));
    }
    if store.schedule(cluster, &schedule.name).await?.is_some() {
        return Err(Problem::new(
            format!("The schedule {} exists already", schedule.name),
            "names are unique on a cluster",
            format!("choose another name, or remove it first: styrmin schedule remove {}", schedule.name),
        ));
    }
    store.upsert_schedule(schedule).await?;
    Ok(calendar::view(schedule.clone(), Vec::new(), schedule.created))
}

/// What a run of a schedule by hand comes down to, and its record: due between the minutes, so that it stands for none
/// that was planned.
///
/// # Errors
/// What it is for is gone.
pub async fn by_hand(store: &Store, schedule: &Schedule) -> Result<(Intent, ScheduleRun), Problem> {
    let now = SystemClock.now();
    let between =
        now.as_second().checked_mul(1000).and_then(|millis| Timestamp::from_millisecond(millis + 1).ok());
    let due = if now.subsec_nanosecond() == 0 { between.unwrap_or(now) } else { now };
    let run = ScheduleRun {
        schedule: schedule.name.clone(),
        due,
        at: now,
        outcome: RunOutcome::Begun,
        operation: None,
        backups: Vec::new(),
        problem: None,
    };
    Ok((scheduler::intent(store, schedule, due).await?, run))
}

/// Records a run by hand that was begun: what follows a run follows it too.
///
/// # Errors
/// The schedule was removed meanwhile.
pub async fn begun(
    store: &Store,
    cluster: &str,
    run: ScheduleRun,
    operation: OperationId,
) -> Result<(), Problem> {
    store.record_run(cluster, &ScheduleRun { operation: Some(operation), ..run }).await?;
    Ok(())
}
