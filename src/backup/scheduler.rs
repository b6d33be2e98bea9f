//! Makes backups when their schedules say so: a loop around pure decisions, which runs only where the engine does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::calendar::Calendar;
use super::velero;
use crate::domain::backup::{Backup, BackupRequest, RunOutcome, Schedule, ScheduleRun, Trigger};
use crate::domain::{Clock, Intent, OperationId, OperationKind, OperationView, Problem};
use crate::store::{Store, StoreError};

pub mod decide;
pub mod follow;
mod patience;

use decide::{Decision, Situation, decide};
use follow::{Aftermath, Next};
use patience::{Trouble, Vain};

/// How long a burst of changes may gather.
const CALM: Duration = Duration::from_secs(1);
/// How long it sleeps at most while a run comes: the clock may be put forward meanwhile.
const LOOK: Duration = Duration::from_secs(30);
/// How many runs of a schedule are read.
const RUNS: u32 = 200;
/// How many runs back something may follow that was not begun yet.
const FOLLOWED: usize = 5;

/// Begins operations. What it begins is planned as for a person, and recorded under the name of the actor.
pub trait Starter: Send + Sync {
    /// Plans it and records it.
    ///
    /// # Errors
    /// It cannot be planned or recorded now: something else is under way, or it is wrong.
    fn begin<'a>(&'a self, intent: &'a Intent, actor: &'a str)
    -> BoxFuture<'a, Result<OperationId, Problem>>;
}

/// Under which name a schedule acts.
pub fn actor(schedule: &str) -> String {
    format!("schedule/{schedule}")
}

/// Looks at the schedules of a cluster and sees to them.
pub struct Scheduler {
    store: Store,
    cluster: String,
    clock: Arc<dyn Clock>,
    starter: Arc<dyn Starter>,
    /// Runs after which nothing is left to be done: they are not looked at again.
    settled: BTreeSet<(String, Timestamp)>,
    /// The tries of a schedule's run that were in vain.
    tried: BTreeMap<String, Vain>,
    /// What cannot be begun after runs.
    troubles: BTreeMap<(String, Timestamp), Trouble>,
}

impl Scheduler {
    /// A scheduler of a cluster that has not begun.
    pub fn new(store: Store, cluster: &str, clock: Arc<dyn Clock>, starter: Arc<dyn Starter>) -> Self {
        let (settled, tried, troubles) = Default::default();
        Self { store, cluster: cluster.to_owned(), clock, starter, settled, tried, troubles }
    }

    /// Sees to the schedules until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut changes = self.store.changes();
        while !stop.is_cancelled() {
            changes.mark_unchanged();
            // what it is in the midst of is gone on with by the next one, as after a crash
            let turn = tokio::select! {
                () = stop.cancelled() => return,
                turn = self.turn() => turn,
            };
            let wake = match turn {
                Ok(wake) => wake,
                Err(problem) => {
                    tracing::warn!(%problem, "the schedules cannot be seen to");
                    Some(self.clock.now())
                }
            };
            let rest = wake.map(|wake| rest(self.clock.now(), wake));
            let sleep = async {
                match rest {
                    Some(rest) => tokio::time::sleep(rest).await,
                    None => std::future::pending().await,
                }
            };
            let moved = async {
                let moved = changes.changed().await;
                tokio::time::sleep(CALM).await;
                moved
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep => {}
                // nobody will say anything any more
                moved = moved => if moved.is_err() { return },
            }
        }
    }

    /// Sees once to every schedule. Gives when to look again, if nothing changes before.
    ///
    /// # Errors
    /// The records cannot be read or written.
    pub async fn turn(&mut self) -> Result<Option<Timestamp>, Problem> {
        let mut wake: Option<Timestamp> = None;
        for schedule in self.store.schedules(&self.cluster).await? {
            // one that means nothing is told in its view
            let Ok(calendar) = Calendar::of(&schedule) else { continue };
            // Velero keeps its own, as the mirror writes them
            if velero::location_of(&self.store, &self.cluster, &schedule.environment).await?.is_some() {
                continue;
            }
            let next = self.see_to(&schedule, &calendar).await?;
            wake = wake.into_iter().chain(next).min();
        }
        Ok(wake)
    }

    async fn see_to(
        &mut self,
        schedule: &Schedule,
        calendar: &Calendar,
    ) -> Result<Option<Timestamp>, Problem> {
        let runs = self.store.runs(&self.cluster, &schedule.name, RUNS).await?;
        let open = self.follow_up(schedule, calendar, &runs).await?;
        let situation = Situation { schedule, calendar, runs: &runs, open, now: self.clock.now() };
        let Decision { change, note, claim, resume, wake } = decide(&situation);
        if !change.is_empty() {
            // the run that was tried is given up
            self.tried.remove(&schedule.name);
        }
        for run in &change {
            self.store.update_run(&self.cluster, run).await?;
        }
        for run in &note {
            self.store.record_run(&self.cluster, run).await?;
        }
        if let Some(run) = claim {
            if self.store.record_run(&self.cluster, &run).await? {
                self.begin(schedule, run).await?;
            }
        } else if let Some(run) = resume {
            match self.begun(schedule, &run, &runs).await? {
                Some(operation) => {
                    self.tried.remove(&schedule.name);
                    self.is_begun(run, operation).await?;
                }
                None if self.may_try(schedule) => self.begin(schedule, run).await?,
                None => {}
            }
        }
        Ok(wake.into_iter().chain(self.again(schedule)).min())
    }

    /// When something of a schedule is to be tried again.
    fn again(&self, schedule: &Schedule) -> Option<Timestamp> {
        let after = self.troubles.iter().filter(|((name, _), _)| *name == schedule.name);
        let vain = self.tried.get(&schedule.name).into_iter();
        let vain = vain.chain(after.filter_map(|(_, trouble)| trouble.vain.as_ref()));
        // what waits for something else although its time has come is looked at when that changes
        vain.filter_map(Vain::next).filter(|next| *next > self.clock.now()).min()
    }

    /// Whether enough time has passed since the last try.
    fn may_try(&self, schedule: &Schedule) -> bool {
        self.tried.get(&schedule.name).is_none_or(|tried| tried.may_try(self.clock.now()))
    }

    /// Begins a recorded run. What stands in its way now is recorded, and looked at again when something changes; what fails is
    /// tried for a while.
    async fn begin(&mut self, schedule: &Schedule, run: ScheduleRun) -> Result<(), Problem> {
        let before = self.tried.remove(&schedule.name);
        let problem = match self.in_the_way(schedule).await? {
            Some(problem) => problem,
            None => match self.try_begin(schedule, &run).await {
                Ok(operation) => return self.is_begun(run, operation).await,
                Err(problem) => match self.in_the_way(schedule).await? {
                    // somebody was faster
                    Some(problem) => problem,
                    None => {
                        let vain = Vain::once_more(before, run.due, self.clock.now());
                        return self.in_vain(vain, run, problem).await;
                    }
                },
            },
        };
        let run = ScheduleRun { problem: Some(problem), ..run };
        Ok(self.store.update_run(&self.cluster, &run).await?)
    }

    /// A run could not be begun: it is tried again, or given up.
    async fn in_vain(&mut self, vain: Vain, run: ScheduleRun, problem: Problem) -> Result<(), Problem> {
        let given_up = vain.is_enough();
        tracing::warn!(schedule = run.schedule, %problem, given_up, "a scheduled backup was not begun");
        let outcome = if given_up { RunOutcome::Refused } else { RunOutcome::Begun };
        if !given_up {
            self.tried.insert(run.schedule.clone(), vain);
        }
        let run = ScheduleRun { outcome, problem: Some(problem), ..run };
        Ok(self.store.update_run(&self.cluster, &run).await?)
    }

    async fn try_begin(&self, schedule: &Schedule, run: &ScheduleRun) -> Result<OperationId, Problem> {
        let intent = intent(&self.store, schedule, run.due).await?;
        self.starter.begin(&intent, &actor(&schedule.name)).await
    }

    async fn is_begun(&self, run: ScheduleRun, operation: OperationId) -> Result<(), Problem> {
        let run = ScheduleRun { operation: Some(operation), problem: None, ..run };
        Ok(self.store.update_run(&self.cluster, &run).await?)
    }

    /// What is under way where a schedule would begin something.
    async fn in_the_way(&self, schedule: &Schedule) -> Result<Option<Problem>, Problem> {
        let open = self.store.open_operations(&self.cluster).await?;
        let is_there = |view: &&OperationView| {
            let subject = &view.operation.subject;
            subject.environment == schedule.environment
                && (subject.name.is_empty()
                    || schedule.application.as_ref().is_none_or(|name| *name == subject.name))
        };
        Ok(open.iter().find(is_there).map(|view| {
            let operation = &view.operation;
            let why = format!("operation {} is under way: {}", operation.id, operation.plan.title);
            Problem::new("The scheduled backup waits", why, "nothing: it begins when that has ended")
        }))
    }

    /// The operation that was begun for a run before a crash, or before it could be noted.
    async fn begun(
        &self,
        schedule: &Schedule,
        run: &ScheduleRun,
        runs: &[ScheduleRun],
    ) -> Result<Option<OperationId>, StoreError> {
        let known: BTreeSet<OperationId> = runs.iter().filter_map(|run| run.operation).collect();
        let since = self.acted(schedule, |view| {
            let operation = &view.operation;
            operation.kind == OperationKind::Backup
                && operation.times.created >= run.at
                && !known.contains(&operation.id)
        });
        Ok(since.await?.first().map(|view| view.operation.id))
    }

    /// The operations that a schedule began, of those that match: oldest first. Not what these are made of.
    async fn acted(
        &self,
        schedule: &Schedule,
        matches: impl Fn(&OperationView) -> bool,
    ) -> Result<Vec<OperationView>, StoreError> {
        let actor = actor(&schedule.name);
        let mut found = self.store.operations(&self.cluster, u32::MAX).await?;
        found.retain(|view| {
            view.operation.origin.actor == actor && view.operation.parent.is_none() && matches(view)
        });
        found.reverse();
        Ok(found)
    }

    /// Does what follows the last runs. Gives the operation of a run that has not ended.
    async fn follow_up(
        &mut self,
        schedule: &Schedule,
        calendar: &Calendar,
        runs: &[ScheduleRun],
    ) -> Result<Option<OperationId>, Problem> {
        let mut newer: Option<OperationId> = None;
        for run in runs.iter().filter(|run| run.operation.is_some()).take(FOLLOWED) {
            let Some(id) = run.operation else { continue };
            let key = (schedule.name.clone(), run.due);
            if !self.settled.contains(&key) {
                let ended = self.store.operation(id).await?;
                if ended.is_some_and(|view| !view.operation.state.is_final()) {
                    return Ok(Some(id));
                }
                if self.after(schedule, calendar, run, newer).await? {
                    self.troubles.remove(&key);
                    self.settled.insert(key);
                }
            }
            newer = Some(id);
        }
        Ok(None)
    }

    /// Goes on with what follows one run. Gives whether nothing is left to be done.
    async fn after(
        &mut self,
        schedule: &Schedule,
        calendar: &Calendar,
        run: &ScheduleRun,
        newer: Option<OperationId>,
    ) -> Result<bool, Problem> {
        let Some(id) = run.operation else { return Ok(true) };
        let all = self.store.backups(&self.cluster).await?;
        let made = self.made(id, &all).await?;
        let mut run = run.clone();
        let backups: Vec<_> = made.iter().map(|backup| backup.id.clone()).collect();
        if run.backups != backups {
            run.backups = backups;
            self.store.update_run(&self.cluster, &run).await?;
        }
        let since = self.acted(schedule, |view| {
            let it = view.operation.id;
            it > id && newer.is_none_or(|newer| it < newer)
        });
        let since = since.await?;
        let zone = calendar.zone();
        let key = (schedule.name.clone(), run.due);
        loop {
            let given_up = self.troubles.get(&key).map_or(&[][..], |trouble| &trouble.given_up);
            let all = &all;
            let next = follow::next(&Aftermath { schedule, zone, made: &made, since: &since, all, given_up });
            match next {
                Next::Nothing => return Ok(true),
                Next::Wait => return Ok(false),
                // what an older run left undone would mix with what follows the newer one
                Next::Begin(_) if newer.is_some() => return Ok(true),
                Next::Begin(intent) => {
                    if !self.begin_after(&mut run, *intent).await? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Begins what follows a run, unless it was just tried. What cannot be begun is tried for a while. Gives whether it is given up
    /// now: what comes after it is then begun.
    async fn begin_after(&mut self, run: &mut ScheduleRun, intent: Intent) -> Result<bool, Problem> {
        let (key, now) = ((run.schedule.clone(), run.due), self.clock.now());
        let before = self.troubles.get(&key).and_then(|trouble| trouble.vain);
        if before.is_some_and(|before| !before.may_try(now)) {
            return Ok(false);
        }
        let begun = self.starter.begin(&intent, &actor(&run.schedule)).await;
        let trouble = self.troubles.entry(key).or_default();
        let mut given_up = false;
        let problem = match begun {
            Ok(_) => {
                trouble.vain = None;
                // of what was given up it goes on to tell
                run.problem.clone().filter(|_| !trouble.given_up.is_empty())
            }
            Err(problem) => {
                let vain = Vain::once_more(before, run.due, now);
                given_up = vain.is_enough();
                tracing::warn!(schedule = run.schedule, %problem, given_up, "what follows a backup was not begun");
                trouble.vain = (!given_up).then_some(vain);
                if given_up {
                    trouble.given_up.push(intent);
                }
                Some(problem)
            }
        };
        if run.problem != problem {
            run.problem = problem;
            self.store.update_run(&self.cluster, run).await?;
        }
        Ok(given_up)
    }

    /// The backups that an operation made, or those that it is made of.
    async fn made(&self, id: OperationId, all: &[Backup]) -> Result<Vec<Backup>, StoreError> {
        let mut found = Vec::new();
        let mut parents: BTreeMap<OperationId, Option<OperationId>> = BTreeMap::new();
        for backup in all {
            let Some(by) = backup.operation.filter(|by| *by >= id) else { continue };
            if by != id && !parents.contains_key(&by) {
                let parent = self.store.operation(by).await?.and_then(|view| view.operation.parent);
                parents.insert(by, parent.map(|(parent, _)| parent));
            }
            if by == id || parents.get(&by).copied().flatten() == Some(id) {
                found.push(backup.clone());
            }
        }
        Ok(found)
    }
}

/// What a run of a schedule comes down to.
///
/// # Errors
/// The application is gone, or the records cannot be read.
pub async fn intent(store: &Store, schedule: &Schedule, due: Timestamp) -> Result<Intent, Problem> {
    let trigger = Trigger::Schedule { name: schedule.name.clone() };
    let Some(application) = &schedule.application else {
        let group = format!("{}-{}", schedule.name, due.strftime("%Y%m%dt%H%M%S"));
        let request = BackupRequest { trigger, group: Some(group), ..BackupRequest::default() };
        return Ok(Intent::BackUpEnvironment(schedule.environment.clone(), request));
    };
    let found = store.find_deployment(&schedule.cluster, &schedule.environment, application).await?;
    let Some(deployment) = found else {
        return Err(Problem::new(
            format!("There is no application {application} in {} to be backed up", schedule.environment),
            format!("the schedule {} is for it, and it was taken away", schedule.name),
            format!("styrmin schedule remove {}", schedule.name),
        ));
    };
    Ok(Intent::BackUp(deployment.id, BackupRequest { trigger, ..BackupRequest::default() }))
}

/// How long to rest until `wake`.
fn rest(now: Timestamp, wake: Timestamp) -> Duration {
    let left = Duration::try_from(wake.duration_since(now)).unwrap_or_default();
    left.clamp(CALM, LOOK)
}

#[cfg(test)]
mod tests;
