//! The face of the engine: plans, wishes, the loop, and what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::cluster::Cluster;
use crate::domain::route::Reach;
use crate::domain::{
    Clock, Deployment, DeploymentDraft, DeploymentId, DesiredPhase, Drift, DriftMode, DriverRef,
    DriverVersion, ObjectKey, OperationId, Problem,
};
use crate::driver::chart::Seed;
use crate::hooks::Worker;
use crate::operate::{Extension, Runner};
use crate::store::{Store, StoreError};

use super::drivers::Drivers;
use super::queue::Name;
use super::random::{Random, identifier};
use super::seed::Keepsake;
use super::situation::{Rendered, Trace, Written};

/// How many writes are under way at once: enough to keep a server busy, few enough to leave it room for others.
const WRITES_AT_ONCE: usize = 16;

/// The engine of one cluster. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    store: Store,
    cluster: Cluster,
    drivers: Arc<Drivers>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    worker: Worker,
    extension: Arc<dyn Extension>,
    reach: Reaches,
    memory: Mutex<Memory>,
    idle: watch::Sender<bool>,
    /// Counts up when something was found that others are to see.
    found: watch::Sender<u64>,
    /// How many writes are under way at once.
    writes: Semaphore,
    /// The epoch in which this engine may write; 0 before it leads.
    epoch: AtomicU64,
    /// The newest epoch in which any engine was seen to write to this cluster.
    newest: AtomicU64,
}

/// What an engine has of the machine that it runs on.
pub struct Surroundings {
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Randomness that is no secret.
    pub random: Arc<dyn Random>,
    /// What runs the functions of drivers.
    pub worker: Worker,
    /// Who does the steps of backups.
    pub extension: Arc<dyn Extension>,
    /// What requests to external URLs find, by URL: changed only when one of them is another fact.
    pub reach: Reaches,
}

/// What requests to external URLs find, as it is published: in short, so that no measurement makes a change.
pub type Reaches = watch::Receiver<Arc<BTreeMap<String, Reach>>>;

/// What is kept in memory only: losing it costs work, never correctness.
#[derive(Default)]
struct Memory {
    deployments: BTreeMap<Name, Remembered>,
    /// The identifiers that plans were made with: a plan that is carried out must give the same host names.
    planned: BTreeMap<(String, String), String>,
    /// The keys of digests that plans were made with, for Secrets that do not exist yet.
    digest_keys: BTreeMap<(String, String), Zeroizing<Vec<u8>>>,
}

#[derive(Default)]
struct Remembered {
    trace: Trace,
    rendered: Option<(String, Rendered)>,
    /// The digest of the instance that was last planned, and its moment.
    planned: Option<(String, Timestamp)>,
    /// What its chart is rendered with, and the instance that it was last read for. Never logged, never shown.
    keepsake: Option<(Keepsake, Option<String>)>,
    /// The seed that a plan was made with which nobody confirmed yet.
    planned_seed: Option<Seed>,
    trouble: Option<Trouble>,
    /// Whether an operation is under way: what kept it before is no news then.
    trying: bool,
    /// What drifted, as it was last looked at; the text names what was looked at.
    drift: Option<(String, Vec<Drift>)>,
    /// What is done about drift.
    mode: DriftMode,
    /// Who changed the custom resource that was imported last.
    editor: Option<String>,
    /// The operation up to which secret answers that nobody needs any more were looked for.
    tidied: Option<OperationId>,
    /// Where it answers.
    urls: BTreeSet<String>,
    /// Wakes the operation that is being carried out.
    moved: Option<watch::Sender<u64>>,
}

/// What keeps the engine from going on with a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong.
    pub problem: Problem,
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again by itself; any change ends the wait.
    pub next_try: Timestamp,
}

impl Engine {
    /// An engine over these records and this cluster. It does nothing before [`Self::run`].
    pub fn new(store: Store, cluster: Cluster, drivers: Arc<Drivers>, surroundings: Surroundings) -> Self {
        let Surroundings { clock, random, worker, extension, reach } = surroundings;
        Self(Arc::new(Inner {
            store,
            cluster,
            drivers,
            clock,
            random,
            worker,
            extension,
            reach,
            memory: Mutex::default(),
            idle: watch::Sender::new(false),
            found: watch::Sender::new(0),
            writes: Semaphore::new(WRITES_AT_ONCE),
            epoch: AtomicU64::new(0),
            newest: AtomicU64::new(0),
        }))
    }

    /// Reconciles until `stop` is cancelled, or an engine of a later epoch is seen to write: then it gives that epoch, and
    /// writes nothing more in its own.
    pub async fn run(&self, stop: CancellationToken) -> Option<u64> {
        tokio::select! {
            ended = super::controller::run(self.clone(), stop) => ended,
            never = self.record_findings() => match never {},
        }
    }

    /// What keeps deployments from going on, by namespace and name.
    pub fn problems(&self) -> BTreeMap<Name, Trouble> {
        let memory = self.memory();
        let troubled = memory.deployments.iter().filter(|(_, known)| !known.trying);
        troubled.filter_map(|(name, known)| Some((name.clone(), known.trouble.clone()?))).collect()
    }

    /// Whether the loop has looked at everything and waits for a change.
    pub fn idle(&self) -> watch::Receiver<bool> {
        self.0.idle.subscribe()
    }

    /// Waits until there is room for one more write.
    pub(super) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        // never closed
        self.0.writes.acquire().await.ok()
    }

    /// The epoch in which this engine may write.
    pub fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::SeqCst)
    }

    /// The epoch of a newer engine, when one was seen to write.
    pub(super) fn deposed_by(&self) -> Option<u64> {
        let newest = self.0.newest.load(Ordering::SeqCst);
        (newest > self.epoch()).then_some(newest)
    }

    /// A custom resource says that an engine wrote to it in this epoch.
    pub(super) fn saw_epoch(&self, epoch: u64) {
        self.0.newest.fetch_max(epoch, Ordering::SeqCst);
    }

    pub(super) fn runner(&self) -> Runner<'_> {
        Runner { store: self.store(), clock: self.clock(), epoch: self.epoch() }
    }

    /// Says that this engine leads from now on, in this epoch. What it remembers of an earlier one is forgotten: others have
    /// written meanwhile.
    pub fn lead(&self, epoch: u64) {
        self.0.epoch.store(epoch, Ordering::SeqCst);
        self.memory().deployments.clear();
    }

    /// What is not as it was written, by namespace and name.
    pub fn drifts(&self) -> BTreeMap<Name, Vec<Drift>> {
        let memory = self.memory();
        let drifted = memory.deployments.iter();
        drifted.filter_map(|(name, known)| Some((name.clone(), known.drift.clone()?.1))).collect()
    }

    pub(super) fn drift_mode(&self, name: &Name) -> DriftMode {
        self.memory().deployments.get(name).map(|known| known.mode).unwrap_or_default()
    }

    pub(super) fn set_drift_mode(&self, name: &Name, mode: DriftMode) {
        self.memory().deployments.entry(name.clone()).or_default().mode = mode;
    }

    /// Whether the drift of `name` was looked at as it is described by `key`.
    pub(super) fn knows_drift(&self, name: &Name, key: &str) -> bool {
        let memory = self.memory();
        let known = memory.deployments.get(name).and_then(|known| known.drift.as_ref());
        known.map_or(key.is_empty(), |(known, _)| known == key)
    }

    pub(super) fn set_drift(&self, name: &Name, drift: Option<(String, Vec<Drift>)>) {
        self.memory().deployments.entry(name.clone()).or_default().drift = drift;
        self.tell_found();
    }

    pub(super) fn corrections(&self, name: &Name, key: &ObjectKey) -> Vec<Timestamp> {
        let memory = self.memory();
        let written = memory.deployments.get(name).and_then(|known| known.trace.0.get(key));
        written.map(|written| written.corrections.clone()).unwrap_or_default()
    }

    /// What an operation on `name` is woken by.
    pub(super) fn moved(&self, name: &Name) -> watch::Receiver<u64> {
        let mut memory = self.memory();
        let known = memory.deployments.entry(name.clone()).or_default();
        known.moved.get_or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// Says that something was found that others are to see.
    fn tell_found(&self) {
        self.0.found.send_modify(|count| *count = count.wrapping_add(1));
        self.cluster().index().touch();
    }

    pub(super) fn found(&self) -> watch::Receiver<u64> {
        self.0.found.subscribe()
    }

    /// Remembers who changed the custom resource, for the operation that follows.
    pub(super) fn set_editor(&self, name: &Name, editor: Option<String>) {
        self.memory().deployments.entry(name.clone()).or_default().editor = editor;
    }

    /// Whether an operation is another one than the last time: what earlier ones left is looked for then.
    pub(super) fn is_news(&self, name: &Name, operation: OperationId) -> bool {
        let mut memory = self.memory();
        let known = memory.deployments.entry(name.clone()).or_default();
        known.tidied.replace(operation) != Some(operation)
    }

    pub(super) fn take_editor(&self, name: &Name) -> Option<String> {
        self.memory().deployments.get_mut(name)?.editor.take()
    }

    /// Something of `name` moved.
    pub(super) fn nudge(&self, name: &Name) {
        let memory = self.memory();
        let sender = memory.deployments.get(name).and_then(|known| known.moved.as_ref());
        if let Some(sender) = sender {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    pub(super) fn set_idle(&self, idle: bool) {
        self.0.idle.send_if_modified(|before| std::mem::replace(before, idle) != idle);
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    /// The driver versions that can be deployed.
    pub(super) fn drivers(&self) -> &Drivers {
        &self.0.drivers
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.0.cluster
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// The clock, for tasks of their own.
    pub(super) fn shared_clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// What runs the functions of drivers.
    pub(super) fn worker(&self) -> &Worker {
        &self.0.worker
    }

    /// Who does the steps of backups.
    pub(super) fn extension(&self) -> &dyn Extension {
        &*self.0.extension
    }

    /// What requests to external URLs find.
    pub(super) fn reach(&self) -> &Reaches {
        &self.0.reach
    }

    /// Remembers at which URLs a deployment answers: it is looked at again when one of them begins or stops to.
    pub(super) fn set_urls(&self, name: &Name, urls: BTreeSet<String>) {
        self.memory().deployments.entry(name.clone()).or_default().urls = urls;
    }

    /// The deployments that answer at any of these URLs.
    pub(super) fn answering_at(&self, urls: &BTreeSet<String>) -> Vec<Name> {
        let memory = self.memory();
        let concerned = memory.deployments.iter().filter(|(_, known)| !known.urls.is_disjoint(urls));
        concerned.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn random(&self) -> &dyn Random {
        &*self.0.random
    }

    /// A driver version, from memory or from the records.
    pub(super) async fn driver(
        &self,
        reference: &DriverRef,
    ) -> Result<Option<Arc<DriverVersion>>, StoreError> {
        if let Some(found) = self.0.drivers.get(reference) {
            return Ok(Some(found));
        }
        let recorded = self.store().driver(reference).await?;
        Ok(recorded.map(|version| {
            self.0.drivers.insert(version.clone());
            Arc::new(version)
        }))
    }

    /// Records the driver version that a deployment is about to pin.
    pub(super) async fn ensure_driver(&self, reference: &DriverRef) -> Result<Arc<DriverVersion>, Problem> {
        let Some(driver) = self.driver(reference).await? else {
            return Err(Problem::new(
                format!("there is no driver {reference}"),
                "it is neither built in nor loaded",
                "load it, or choose another version",
            ));
        };
        self.store().record_driver(&driver).await?;
        Ok(driver)
    }

    /// A new deployment, as its plan has it: with the identifier that it gets when that is confirmed.
    pub(super) fn planned(&self, draft: &DeploymentDraft) -> Deployment {
        let key = (draft.environment.clone(), draft.name.clone());
        let uid = self.memory().planned.entry(key).or_insert_with(|| identifier(self.random())).clone();
        Deployment {
            id: DeploymentId(0),
            uid,
            draft: draft.clone(),
            phase: DesiredPhase::Running,
            revision: 1,
            created_at: self.clock().now(),
        }
    }

    /// The moment that a new instance with this digest was made, as its plan has it: the same until it is recorded.
    pub(super) fn planned_moment(&self, name: &Name, digest: &str) -> Timestamp {
        let now = self.clock().now();
        let mut memory = self.memory();
        let known = memory.deployments.entry(name.clone()).or_default();
        match &known.planned {
            Some((planned, moment)) if planned == digest => *moment,
            _ => known.planned.insert((digest.to_owned(), now)).1,
        }
    }

    /// What is kept of a deployment, when what the instance of this digest looked up is known to be in it.
    pub(super) fn remembered_keepsake(&self, name: &Name, instance: Option<&str>) -> Option<Keepsake> {
        let memory = self.memory();
        let (known, read_for) = memory.deployments.get(name)?.keepsake.as_ref()?;
        let is_known = instance
            .is_none_or(|digest| known.lookups.contains_key(digest) || read_for.as_deref() == Some(digest));
        is_known.then(|| known.clone())
    }

    /// Remembers what was read when the instance of this digest was asked for, or was written.
    pub(super) fn remember_keepsake(&self, name: &Name, instance: Option<&str>, keepsake: &Keepsake) {
        let mut memory = self.memory();
        let known = memory.deployments.entry(name.clone()).or_default();
        known.keepsake = Some((keepsake.clone(), instance.map(str::to_owned)));
        known.planned_seed = None;
    }

    /// The seed that was planned first counts.
    pub(super) fn remember_planned_seed(&self, name: &Name, seed: Seed) -> Seed {
        let mut memory = self.memory();
        let known = memory.deployments.entry(name.clone()).or_default();
        known.planned_seed.get_or_insert(seed).clone()
    }

    /// The key of the digests in a Secret that is made when the plan is confirmed.
    pub(super) fn planned_digest_key(
        &self,
        environment: &str,
        deployment: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let key = (environment.to_owned(), deployment.to_owned());
        if let Some(known) = self.memory().digest_keys.get(&key) {
            return Ok(known.clone());
        }
        let made = super::vault::new_digest_key()?;
        Ok(self.memory().digest_keys.entry(key).or_insert(made).clone())
    }

    pub(super) fn trace(&self, name: &Name) -> Trace {
        self.memory().deployments.get(name).map(|known| known.trace.clone()).unwrap_or_default()
    }

    pub(super) fn set_trace(&self, name: &Name, trace: Trace) {
        self.memory().deployments.entry(name.clone()).or_default().trace = trace;
    }

    pub(super) fn trace_written(&self, name: &Name, key: ObjectKey, written: Written) {
        self.memory().deployments.entry(name.clone()).or_default().trace.0.insert(key, written);
    }

    pub(super) fn trace_removed(&self, name: &Name, key: &ObjectKey) {
        if let Some(known) = self.memory().deployments.get_mut(name) {
            known.trace.0.remove(key);
        }
    }

    pub(super) fn remembered(&self, name: &Name, key: &str) -> Option<Rendered> {
        let memory = self.memory();
        let (known, rendered) = memory.deployments.get(name)?.rendered.as_ref()?;
        (known == key).then(|| rendered.clone())
    }

    pub(super) fn remember(&self, name: &Name, key: String, rendered: &Rendered) {
        self.memory().deployments.entry(name.clone()).or_default().rendered = Some((key, rendered.clone()));
    }

    pub(super) fn forget(&self, name: &Name) {
        self.memory().deployments.remove(name);
        self.tell_found();
    }

    pub(super) fn is_troubled(&self, name: &Name) -> bool {
        self.memory().deployments.get(name).is_some_and(|known| known.trouble.is_some())
    }

    /// An operation on `name` is carried on: what kept it from that is over, or will be told again.
    pub(super) fn set_trying(&self, name: &Name) {
        let mut memory = self.memory();
        let Some(known) = memory.deployments.get_mut(name) else { return };
        let news = known.trouble.is_some() && !known.trying;
        known.trying = true;
        drop(memory);
        if news {
            self.tell_found();
        }
    }

    /// Remembers what is wrong with a deployment, or that nothing is; says so when that is news.
    pub(super) fn set_trouble(&self, name: &Name, trouble: Option<(Problem, Timestamp)>) {
        let now = self.clock().now();
        let mut memory = self.memory();
        if trouble.is_none() && !memory.deployments.contains_key(name) {
            return;
        }
        let known = memory.deployments.entry(name.clone()).or_default();
        let (before, tried) = (known.trouble.take(), std::mem::take(&mut known.trying));
        known.trouble = trouble.map(|(problem, next_try)| {
            let same = before.as_ref().filter(|before| before.problem == problem);
            Trouble { since: same.map_or(now, |before| before.since), problem, next_try }
        });
        let news = known.trouble != before || (tried && known.trouble.is_some());
        drop(memory);
        if news {
            self.tell_found();
        }
    }

    pub(super) fn forget_planned(&self, draft: &DeploymentDraft) {
        let key = (draft.environment.clone(), draft.name.clone());
        let mut memory = self.memory();
        memory.planned.remove(&key);
        memory.digest_keys.remove(&key);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
