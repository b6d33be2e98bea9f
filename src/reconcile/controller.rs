//! The loop: wakes names, works on them side by side but never on one twice, and keeps the pauses after failures.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::domain::canonical::canonical_json;
use crate::domain::operation::Subject;
use crate::domain::route::Reach;
use crate::domain::{ClusterRecord, DesiredPhase, Environment, Problem};

use super::decide::{Move, On, decide};
use super::engine::Engine;
use super::queue::{Name, Queue};
use super::situation::Situation;

/// How many deployments are worked on at once. Most of them only wait; how much is sent at once is limited elsewhere.
const WORKERS: usize = 4096;
/// More moves than any deployment needs: what takes longer goes in circles.
const MOVES_MAX: usize = 1000;

/// Reconciles until `stop` is cancelled, or a newer engine is seen, whose epoch is given then. What is in flight is dropped:
/// every move may be repeated.
pub(super) async fn run(engine: Engine, stop: CancellationToken) -> Option<u64> {
    let reach = Arc::clone(&engine.reach().borrow());
    let mut controller = Controller {
        queue: Queue::default(),
        known: BTreeMap::new(),
        places: BTreeMap::new(),
        generation: 0,
        work: JoinSet::new(),
        refused: None,
        looked: (false, false),
        reach,
        engine,
    };
    tokio::select! {
        () = stop.cancelled() => None,
        newest = controller.turn() => Some(newest),
    }
}

struct Controller {
    engine: Engine,
    queue: Queue,
    /// What was last seen in the records: revision and phase by name.
    known: BTreeMap<Name, (u64, DesiredPhase)>,
    /// What was last said of each environment, by namespace: a change of it concerns everything in it.
    places: BTreeMap<String, String>,
    /// The generation of the index up to which changes were looked at.
    generation: u64,
    work: JoinSet<(Name, Result<Option<Timestamp>, Problem>)>,
    /// When to read the records again after they could not be read.
    refused: Option<Timestamp>,
    /// Whether the cluster, and the records, were looked at since the start.
    looked: (bool, bool),
    /// What requests to URLs found when that was last looked at.
    reach: Arc<BTreeMap<String, Reach>>,
}

impl Controller {
    /// Gives the epoch of a newer engine, once one is seen.
    async fn turn(&mut self) -> u64 {
        self.engine.cluster().watch_deployments();
        let mut moved = self.engine.cluster().generation();
        let mut recorded = self.engine.store().changes();
        let mut reach = self.engine.reach().clone();
        moved.mark_changed();
        recorded.mark_changed();
        loop {
            if let Some(newest) = self.engine.deposed_by() {
                tracing::warn!(newest, "a newer engine writes to this cluster");
                return newest;
            }
            self.start_due();
            self.engine.set_idle(self.is_idle());
            let pause = self.next_pause();
            tokio::select! {
                Ok(()) = moved.changed() => {
                    moved.mark_unchanged();
                    self.look_at_cluster();
                }
                Ok(()) = recorded.changed() => {
                    recorded.mark_unchanged();
                    self.look_at_records().await;
                }
                Ok(()) = reach.changed() => {
                    let now = reach.borrow_and_update().clone();
                    self.look_at_reach(now);
                }
                Some(done) = self.work.join_next() => {
                    if let Ok((name, outcome)) = done {
                        self.finish(&name, outcome);
                    }
                }
                () = sleep(pause) => {
                    if self.refused.is_some_and(|at| at <= self.now()) {
                        self.look_at_records().await;
                    }
                }
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.engine.clock().now()
    }

    fn is_idle(&self) -> bool {
        let due = self.queue.next_due().is_some_and(|at| at <= self.now());
        self.looked == (true, true) && self.work.is_empty() && !due
    }

    fn start_due(&mut self) {
        while self.work.len() < WORKERS {
            let Some(name) = self.queue.take(self.now()) else { return };
            let engine = self.engine.clone();
            self.work.spawn(async move {
                let outcome = guarded(pass(&engine, &name)).await;
                (name, outcome)
            });
        }
    }

    /// How long to sleep when nothing happens; none for as long as it takes.
    fn next_pause(&self) -> Option<Duration> {
        let due = if self.work.len() < WORKERS { self.queue.next_due() } else { None };
        let at = due.into_iter().chain(self.refused).min()?;
        Some(at.duration_since(self.now()).try_into().unwrap_or(Duration::ZERO))
    }

    /// Wakes every deployment of which something moved in the cluster.
    fn look_at_cluster(&mut self) {
        self.looked.0 = true;
        let now = self.now();
        let index = self.engine.cluster().index();
        let changes = index.changes_since(self.generation);
        self.generation = changes.generation;
        for (namespace, name) in changes.deployments {
            if let Some(resource) = index.custom_resource(&namespace, &name) {
                self.engine.saw_epoch(resource.trace.epoch);
            }
            // A custom resource may lie where nobody looked so far.
            self.engine.cluster().watch_namespace(&namespace);
            let name = Name { namespace, name };
            self.engine.nudge(&name);
            self.queue.wake(name, now);
        }
        let everyone: Vec<Name> = self.known.keys().cloned().collect();
        let unrecorded = index.custom_resources();
        let everyone = everyone.into_iter().chain(
            unrecorded
                .iter()
                .map(|resource| Name { namespace: resource.namespace.clone(), name: resource.name.clone() }),
        );
        for name in everyone.filter(|name| changes.completed.contains(&name.namespace)) {
            self.queue.wake(name, now);
        }
        if changes.listed {
            // Records without a custom resource show only now that all custom resources are known.
            for name in self.known.keys() {
                self.queue.wake(name.clone(), now);
            }
        }
    }

    /// Wakes every deployment of which a URL began or stopped to answer.
    fn look_at_reach(&mut self, reach: Arc<BTreeMap<String, Reach>>) {
        let before = std::mem::replace(&mut self.reach, reach);
        let urls: BTreeSet<String> = (before.keys().chain(self.reach.keys()))
            .filter(|url| before.get(*url) != self.reach.get(*url))
            .cloned()
            .collect();
        let now = self.now();
        for name in self.engine.answering_at(&urls) {
            self.queue.wake(name, now);
        }
    }

    /// Wakes every deployment whose record changed, and watches every environment.
    async fn look_at_records(&mut self) {
        match self.read_records().await {
            Ok(()) => {
                self.looked.1 = true;
                self.refused = None;
            }
            Err(problem) => {
                tracing::warn!(%problem, "the records cannot be read");
                self.refused = self.now().checked_add(jiff::SignedDuration::from_secs(5)).ok();
            }
        }
    }

    async fn read_records(&mut self) -> Result<(), Problem> {
        let cluster = self.engine.cluster().name();
        let environments = self.engine.store().environments(cluster).await?;
        let deployments = self.engine.store().deployments(cluster).await?;
        let record = self.engine.store().cluster(cluster).await?;
        let open = self.engine.store().open_subjects(cluster).await?;
        let now = self.now();
        let mut namespaces = BTreeMap::new();
        let mut places = BTreeMap::new();
        for environment in environments {
            places.insert(environment.namespace.clone(), place(&environment, record.as_ref(), &open));
            self.engine.cluster().watch_namespace(&environment.namespace);
            namespaces.insert(environment.name, environment.namespace);
        }
        let mut found = BTreeMap::new();
        for deployment in deployments {
            let Some(namespace) = namespaces.get(&deployment.draft.environment) else { continue };
            let name = Name { namespace: namespace.clone(), name: deployment.draft.name };
            found.insert(name, (deployment.revision, deployment.phase));
        }
        for (name, state) in &found {
            let moved = self.places.get(&name.namespace) != places.get(&name.namespace);
            if moved || self.known.get(name) != Some(state) {
                self.engine.nudge(name);
                self.queue.wake(name.clone(), now);
            }
        }
        self.known = found;
        self.places = places;
        for subject in open {
            let namespace = match subject.environment.is_empty() {
                // the cluster itself
                true => Some(String::new()),
                false => namespaces.get(&subject.environment).cloned(),
            };
            let Some(namespace) = namespace else { continue };
            // One that is being worked on is looked at once more: it may have looked before this was recorded.
            self.queue.wake(Name { namespace, name: subject.name }, now);
        }
        Ok(())
    }

    fn finish(&mut self, name: &Name, outcome: Result<Option<Timestamp>, Problem>) {
        match outcome {
            Ok(again) => {
                self.queue.succeeded(name, again);
                self.engine.set_trouble(name, None);
            }
            Err(problem) => {
                let next = self.queue.failed(name, self.engine.clock().now());
                self.engine.set_trouble(name, Some((problem, next)));
            }
        }
    }
}

/// What came of a pass. One that panicked has failed: its deployment is looked at again, and the others go on.
async fn guarded<T>(pass: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    AssertUnwindSafe(pass).catch_unwind().await.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        tracing::error!(said, "a pass panicked");
        Err(Problem::new("the engine broke while it worked on this", said, "report this: it is a defect"))
    })
}

async fn sleep(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

/// Works on one deployment until there is nothing to do: observe, decide, report, act, again. Gives the time at which it wants
/// to be looked at even if nothing changes.
async fn pass(engine: &Engine, name: &Name) -> Result<Option<Timestamp>, Problem> {
    // Another try at what failed is no news: the status stays as it was until the try ends.
    let retry = engine.is_troubled(name);
    let of_many = name.name.starts_with(Subject::ENVIRONMENT) || name.name == Subject::CLUSTER;
    if name.namespace.is_empty() && of_many {
        engine.carry_group(&engine.subject("", &name.name)).await?;
        return Ok(None);
    }
    if name.name.is_empty() && !name.namespace.is_empty() {
        engine.carry_groups_in(&name.namespace).await?;
        return Ok(None);
    }
    if name.namespace.is_empty() && name.name.starts_with(Subject::LOCATION) {
        engine.carry_in_location(name).await?;
        return Ok(None);
    }
    if name.namespace.is_empty() {
        engine.carry_installation().await?;
        return Ok(None);
    }
    // that the status may not be written keeps nothing from being done; it is told at the end
    let mut untold = None;
    for _ in 0..MOVES_MAX {
        let mut observed = engine.observe(name).await?;
        if let Some(newest) = engine.deposed_by() {
            return Err(deposed(newest));
        }
        if observed.situation.is_torn() {
            continue;
        }
        if engine.give_back_ended(name, &observed.situation).await? {
            continue;
        }
        engine.drop_old_answers(name, &observed.situation).await?;
        let next = decide(&observed.situation);
        tracing::debug!(namespace = name.namespace, name = name.name, ?next, "move");
        engine.set_trace(name, observed.situation.trace.clone());
        engine.look_at_drift(name, &observed).await;
        if !retry || matches!(next, Move::Wait(_) | Move::Stall(_)) {
            untold = match engine.tell(&observed, &next).await {
                Err(failure) if failure.lasting => Some(failure.problem),
                Err(failure) => return Err(failure.problem),
                Ok(()) => None,
            };
        }
        match &next {
            Move::Wait(waiting) if waiting.on == On::Retry => {
                return Err(retrying(&observed.situation, waiting.until));
            }
            Move::Wait(waiting) => return untold.map_or(Ok(waiting.until), Err),
            Move::Stall(problem) => return Err(problem.clone()),
            _ => {}
        }
        if let Err(failure) = engine.act(name, &mut observed, &next).await {
            if failure.lasting {
                // What a person has to see stands in the custom resource too.
                let stalled = Move::Stall(failure.problem.clone());
                if let Err(untold) = engine.tell(&observed, &stalled).await {
                    tracing::warn!(problem = %untold.problem, "the status was not written");
                }
            }
            return Err(failure.problem);
        }
    }
    Err(Problem::new(
        format!("{} does not settle", name.name),
        format!("{MOVES_MAX} moves did not bring it where it should be"),
        "report this with the events of its custom resource: it is a defect",
    ))
}

/// What an environment's applications depend on: what is said of it and of its cluster, and whether something is done to all of it.
fn place(environment: &Environment, cluster: Option<&ClusterRecord>, open: &[Subject]) -> String {
    let is_here = |subject: &&Subject| match subject.environment.is_empty() {
        true => subject.name == Subject::CLUSTER,
        false => subject.environment == environment.name && subject.name.is_empty(),
    };
    canonical_json(&json!([environment, cluster, open.iter().filter(is_here).count()]))
}

fn deposed(newest: u64) -> Problem {
    Problem::new(
        "another engine has taken over",
        format!("one of epoch {newest} writes to this cluster"),
        "nothing: that one goes on",
    )
}

/// What failed, and when it is tried again.
fn retrying(situation: &Situation, until: Option<Timestamp>) -> Problem {
    let last = situation.work.latest.as_ref();
    let mut problem = last.and_then(|operation| operation.problem.clone()).unwrap_or_else(|| {
        let title = last.map_or_else(String::new, |operation| operation.plan.title.clone());
        Problem::new(format!("{title} failed"), "see its steps", "")
    });
    if let Some(until) = until {
        problem.next = format!("{}; it is tried again at {}", problem.next, until.strftime("%H:%M:%S"));
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pass_that_panics_has_failed_and_says_why() {
        let broken = guarded(async { if true { panic!("index out of {}", "bounds") } else { Ok(()) } });
        let problem = broken.await.unwrap_err();
        assert_eq!((problem.why.as_str(), problem.next.contains("defect")), ("index out of bounds", true));
        assert_eq!(guarded(async { Ok(7) }).await.ok(), Some(7));
    }
}
