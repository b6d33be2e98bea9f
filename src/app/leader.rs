//! Who runs the engine. One process per state directory and cluster holds a file lock; among those of several hosts, one
//! holds the cluster's Lease; and every take-over has an epoch, without which nothing is written.
//!
//! ```text
//! wait for the lock ─► start the sandbox ─► win the Lease ─► claim the epoch ─► run the engine
//!        ▲                                        ▲                                   │ lost, or asked for by another host
//!        │ stopped, or asked for here             └───────────────────────────────────┤
//!        └──────────────────── let go, in the reverse order ◄─────────────────────────┘
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::backups::Beginner;
use super::home::SandboxHome;
use super::lock::{EngineLock, HeldLock};
use crate::backup::scheduler::Scheduler;
use crate::backup::velero::Mirror;
use crate::cluster::{Candidate, Cluster, Ended, LeaseTimes, Standing};
use crate::domain::{Clock, Problem};
use crate::reconcile::Engine;
use crate::sandbox::Sandbox;
use crate::store::{EngineRecord, Holder, Store};
use crate::ui::event::Event;

pub mod identity;

/// How long the one who asked for the engine has before any other takes it.
const TURN: Duration = Duration::from_secs(3);
/// How long to rest after something that went wrong and may be mended by somebody, at first and at most.
const REST: Duration = Duration::from_secs(2);
const REST_MAX: Duration = Duration::from_secs(60);
/// How long letting go of the Lease may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the leader works with.
#[derive(Clone)]
pub struct Office {
    /// The records.
    pub store: Store,
    /// The cluster.
    pub cluster: Cluster,
    /// The engine to run.
    pub engine: Engine,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who we are.
    pub me: Holder,
    /// The lock of this state directory and cluster.
    pub lock: EngineLock,
    /// Where the sandbox lives, when that is the cluster.
    pub home: Option<SandboxHome>,
    /// The Lease's numbers.
    pub times: LeaseTimes,
}

/// What was taken already when the program started.
pub struct Taken {
    /// The lock.
    pub lock: HeldLock,
    /// The sandbox, where that is the cluster.
    pub sandbox: Option<Sandbox>,
}

/// Runs the engine whenever it is this process's turn.
pub struct Leader {
    office: Office,
    taken: Option<Taken>,
    notices: Option<mpsc::Sender<Event>>,
    /// The trouble that was told last: trying again in vain is no news.
    told: Option<Problem>,
    rest: Duration,
    /// The next epoch is not below this one: the cluster has seen those before it.
    least: u64,
}

/// Why the engine was put down.
enum Down {
    /// The program ends.
    Stopped,
    /// Another process of this state directory asked for it, or had taken it.
    AskedHere,
    /// The Lease is gone: it is to be won again.
    Lease(Ended),
    /// There is a Lease to hold now.
    Home,
    /// An engine of this later epoch writes to the cluster.
    Deposed(u64),
}

impl Leader {
    /// A leader that has not begun.
    pub fn new(office: Office, taken: Option<Taken>) -> Self {
        Self { office, taken, notices: None, told: None, rest: REST, least: 0 }
    }

    /// Tells troubles there as well; they are logged in any case.
    #[must_use]
    pub fn telling(mut self, notices: mpsc::Sender<Event>) -> Self {
        self.notices = Some(notices);
        self
    }

    /// Leads whenever it is its turn, until `stop`; everything is let go of in order before it ends.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let taken = match self.taken.take() {
                Some(taken) => Some(taken),
                None => tokio::select! {
                    () = stop.cancelled() => return,
                    taken = self.take() => taken,
                },
            };
            let Some(taken) = taken else { continue };
            self.lead(taken, &stop).await;
        }
        if let Some(Taken { sandbox: Some(sandbox), .. }) = self.taken.take() {
            sandbox.stop().await;
        }
    }

    /// Waits for the lock and starts the sandbox. None when it is another's turn, or something went wrong.
    async fn take(&mut self) -> Option<Taken> {
        let lock = match self.office.lock.take(&self.office.me).await {
            Ok(lock) => lock,
            Err(problem) => {
                self.trouble(problem).await;
                return None;
            }
        };
        if let Some(other) = self.office.requester().await {
            drop(lock);
            self.office.give_way_to(&other).await;
            return None;
        }
        match self.open_sandbox().await {
            Ok(sandbox) => {
                self.rest = REST;
                Some(Taken { lock, sandbox })
            }
            Err(problem) => {
                drop(lock);
                self.trouble(problem).await;
                None
            }
        }
    }

    async fn open_sandbox(&self) -> Result<Option<Sandbox>, Problem> {
        let Some(home) = &self.office.home else { return Ok(None) };
        let sandbox = home.start(&self.office.store, true).await?;
        self.office.cluster.retry_now();
        match prepare(&self.office.cluster).await {
            Ok(()) => Ok(Some(sandbox)),
            Err(problem) => {
                home.stop(sandbox).await;
                Err(problem)
            }
        }
    }

    /// Term after term, until the lock is to be let go of.
    async fn lead(&mut self, taken: Taken, stop: &CancellationToken) {
        let Taken { lock, sandbox } = taken;
        let office = self.office.clone();
        let mut candidate = Candidate::new(office.cluster.clone(), &office.me.identity, office.times);
        let before = office.record().await;
        let known = before.as_ref().map_or(0, |record| record.epoch);
        // who had this lock has let go of it, or died
        let predecessor = before.filter(|record| record.here).and_then(|record| record.holder);
        candidate.know(predecessor.map(|holder| holder.identity), known);
        loop {
            let down = tokio::select! {
                () = stop.cancelled() => break,
                () = office.asked_by_another() => break,
                won = self.win(&mut candidate) => match won {
                    Ok(won) => self.term(&mut candidate, won, stop).await,
                    Err(problem) => Err(problem),
                },
            };
            match down {
                Ok(Down::Stopped | Down::AskedHere) => break,
                Ok(Down::Lease(ended)) => tracing::info!(?ended, "the lease is given up"),
                Ok(Down::Home) => {}
                Ok(Down::Deposed(newest)) => {
                    // whoever has the Lease is right; when that is us, the epoch has to be above
                    candidate.know(None, newest);
                    self.least = newest.saturating_add(1);
                }
                Err(problem) => tokio::select! {
                    () = stop.cancelled() => break,
                    () = office.asked_by_another() => break,
                    () = self.trouble(problem) => {}
                },
            }
        }
        let _ = tokio::time::timeout(FAREWELL, candidate.release()).await;
        if let (Some(home), Some(sandbox)) = (&office.home, sandbox) {
            home.stop(sandbox).await;
        }
        drop(lock);
    }

    /// One term: claims the epoch, runs the engine, and puts it down.
    async fn term(
        &mut self,
        candidate: &mut Candidate,
        won: Option<u64>,
        stop: &CancellationToken,
    ) -> Result<Down, Problem> {
        let office = self.office.clone();
        let cluster = office.cluster.name();
        let epoch = office.store.claim_engine(cluster, &office.me, won.unwrap_or(0).max(self.least)).await?;
        candidate.know(None, epoch);
        (self.told, self.rest) = (None, REST);
        tracing::info!(cluster, epoch, "the engine runs here");
        office.engine.lead(epoch);
        let engine_stop = stop.child_token();
        let mut running = tokio::spawn({
            let (engine, stop) = (office.engine.clone(), engine_stop.clone());
            async move { engine.run(stop).await }
        });
        let scheduling = tokio::spawn(office.scheduler().run(engine_stop.clone()));
        let mirror = Mirror::new(office.store.clone(), office.cluster.clone());
        let mirroring = tokio::spawn(mirror.run(engine_stop.clone()));
        let down = tokio::select! {
            // an engine that was stopped has ended too, and that is no defect
            biased;
            () = stop.cancelled() => Some(Down::Stopped),
            () = office.asked_by_another() => Some(Down::AskedHere),
            ended = candidate.keep(), if won.is_some() => Some(Down::Lease(ended)),
            () = office.cluster.home_appears(), if won.is_none() => Some(Down::Home),
            ended = &mut running => ended.ok().flatten().map(Down::Deposed),
        };
        engine_stop.cancel();
        if !running.is_finished() {
            // it ends at a safe point; a panic was told by the hook
            let _ = running.await;
        }
        let _ = tokio::join!(scheduling, mirroring);
        tracing::info!(cluster, epoch, "the engine is put down");
        let released = office.store.release_engine(cluster, epoch).await;
        if !matches!(down, Some(Down::Lease(Ended::Lost))) {
            let _ = tokio::time::timeout(FAREWELL, candidate.release()).await;
        }
        released?;
        down.ok_or_else(|| {
            Problem::new(
                "The engine has ended by a defect",
                "its task panicked, or ended by itself",
                "it begins again by itself; report this with the log",
            )
        })
    }

    /// Waits until the Lease is ours; its epoch, or none where there is no Lease to hold. Meanwhile the records say who
    /// has it, and what a person asks of that one is passed on.
    async fn win(&self, candidate: &mut Candidate) -> Result<Option<u64>, Problem> {
        let office = &self.office;
        let mut passed_on = false;
        loop {
            let standing = tokio::select! {
                standing = candidate.stand() => standing.map_err(|error| error.problem())?,
                () = office.asked_by_me(), if !passed_on => {
                    passed_on = true;
                    if let Err(error) = candidate.ask().await {
                        self.tell(error.problem());
                    }
                    continue;
                }
            };
            match standing {
                Standing::Won(epoch) => return Ok(Some(epoch)),
                Standing::Nothing => return Ok(None),
                Standing::Held(lease) => {
                    tracing::info!(holder = lease.holder, "the engine runs elsewhere");
                    let holder = identity::holder(&lease.holder);
                    let since = lease.acquired.unwrap_or_else(|| office.clock.now());
                    let name = office.cluster.name();
                    office.store.note_engine(name, &holder, since, lease.transitions).await?;
                }
            }
        }
    }

    /// Says what is wrong, and rests; longer every time.
    async fn trouble(&mut self, problem: Problem) {
        if self.told.as_ref() != Some(&problem) {
            self.tell(problem.clone());
            self.told = Some(problem);
        }
        tokio::time::sleep(self.rest).await;
        self.rest = (self.rest * 2).min(REST_MAX);
    }

    fn tell(&self, problem: Problem) {
        tracing::warn!(%problem, "the engine does not run here");
        if let Some(notices) = &self.notices {
            // a cockpit that is closed hears nothing any more
            let _ = notices.try_send(Event::Notice(problem));
        }
    }
}

impl Office {
    /// What makes backups by schedule, beside the engine.
    fn scheduler(&self) -> Scheduler {
        let name = self.cluster.name();
        let starter = Beginner::new(self.store.clone(), self.engine.clone(), name);
        Scheduler::new(self.store.clone(), name, Arc::clone(&self.clock), Arc::new(starter))
    }

    async fn record(&self) -> Option<EngineRecord> {
        self.store.engine(self.cluster.name()).await.ok().flatten()
    }

    /// Who asked for the engine, if that is another process than this one.
    async fn requester(&self) -> Option<String> {
        let by = self.record().await?.takeover_requested_by?;
        (by != self.me.identity).then_some(by)
    }

    /// Waits until the records say so.
    async fn until(&self, holds: impl Fn(Option<&str>) -> bool) {
        let mut changes = self.store.changes();
        loop {
            let record = self.record().await;
            if holds(record.and_then(|record| record.takeover_requested_by).as_deref()) {
                return;
            }
            if changes.changed().await.is_err() {
                // nobody will say anything any more
                std::future::pending::<()>().await;
            }
        }
    }

    async fn asked_by_another(&self) {
        self.until(|by| by.is_some_and(|by| by != self.me.identity)).await;
    }

    async fn asked_by_me(&self) {
        self.until(|by| by == Some(self.me.identity.as_str())).await;
    }

    /// Gives the one who asked its turn; when it does not come, the request is void.
    async fn give_way_to(&self, other: &str) {
        let answered = self.until(|by| by != Some(other));
        if tokio::time::timeout(TURN, answered).await.is_err() {
            let dropped = self.store.drop_takeover(self.cluster.name(), other).await;
            if let Err(error) = dropped {
                tracing::warn!(%error, "a request for the engine stays");
            }
        }
    }
}

/// Installs Styrmin on the sandbox: it is ours, and nobody is to be asked.
///
/// # Errors
/// When the sandbox refuses it: that is a defect.
pub async fn prepare(cluster: &Cluster) -> Result<(), Problem> {
    let plan = cluster.installation().await?;
    cluster.install(&plan.hash()).await
}
