//! The Lease by which the engines of several hosts agree on who works on a cluster. What is decided is in `elector`; here
//! it is read, watched and written.

use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, StreamExt};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::watcher::{self, Config, watcher};
use serde_json::json;
use tokio::time::Instant;

use crate::domain::labels;

use super::error::ClusterError;
use super::{Cluster, SYSTEM_NAMESPACE};

mod elector;

use elector::{Elector, Move, Versioned};
pub use elector::{LeaseRecord, LeaseTimes};

/// The Lease's name.
const LEASE: &str = "styrmin-engine";
/// The annotation by which another one asks the holder to hand it over.
const REQUEST: &str = "styrmin.io/takeover-requested-by";
/// The field manager of the Lease.
const MANAGER: &str = "styrmin-engine";
/// What errors call it.
const OBJECT: &str = "Lease/styrmin-engine in styrmin-system";

/// How a candidate stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// It holds the Lease, under this epoch.
    Won(u64),
    /// Another one holds it.
    Held(LeaseRecord),
    /// Styrmin's namespace does not exist: there is nothing to hold, and nobody to agree with.
    Nothing,
}

/// How a term ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was not renewed in time, or another one has it.
    Lost,
    /// That one asked for it.
    Asked(String),
}

type Events = Pin<Box<dyn Stream<Item = watcher::Result<watcher::Event<Lease>>> + Send>>;

/// Who wants to hold the Lease of a cluster.
pub struct Candidate {
    cluster: Cluster,
    identity: String,
    times: LeaseTimes,
    elector: Elector,
    start: Instant,
    /// While another one holds it.
    events: Option<Events>,
    /// The holder that was told last, and its epoch.
    told: Option<(String, u64)>,
    /// Whether the Lease may be ours: it was asked for, and not left since.
    taken: bool,
}

impl Candidate {
    /// A candidate by that name, which must never have been anybody's.
    pub fn new(cluster: Cluster, identity: &str, times: LeaseTimes) -> Self {
        let elector = Elector::new(identity, times);
        let (identity, start) = (identity.to_owned(), Instant::now());
        Self { cluster, identity, times, elector, start, events: None, told: None, taken: false }
    }

    /// Epochs up to this one were given already, and the engine of that name is known to have ended.
    pub fn know(&mut self, gone: Option<String>, epoch: u64) {
        self.elector.know(gone, epoch);
    }

    /// Waits until it holds the Lease, or there is news of who does.
    ///
    /// # Errors
    /// The cluster denies the Lease. Everything else is tried again.
    pub async fn stand(&mut self) -> Result<Standing, ClusterError> {
        loop {
            let step = self.step().await;
            match step {
                Ok(Some(standing)) => {
                    self.events = None;
                    return Ok(standing);
                }
                Ok(None) => {}
                Err(error @ (ClusterError::Forbidden { .. } | ClusterError::Unauthorized { .. })) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::debug!(%error, "the lease is tried again");
                    tokio::time::sleep(self.times.retry).await;
                }
            }
            if let Some(standing) = self.news() {
                return Ok(standing);
            }
        }
    }

    /// One step towards the Lease; says how it stands when it is over.
    async fn step(&mut self) -> Result<Option<Standing>, ClusterError> {
        let now = self.start.elapsed();
        match self.elector.decide(now) {
            Move::Read if !self.read().await? && !self.has_home().await? => {
                return Ok(Some(Standing::Nothing));
            }
            Move::Read => {}
            Move::Write { record, over, acquires } => {
                self.write(record, over, acquires).await?;
                return Ok(self.elector.epoch(self.start.elapsed()).map(Standing::Won));
            }
            Move::Wait(until) => self.wait(until).await,
            // without a term there is nothing to give
            Move::GiveWay(_) => self.elector.doubt(),
        }
        Ok(None)
    }

    /// The holder, when it is another one than was told last.
    fn news(&mut self) -> Option<Standing> {
        let record = self.elector.record()?;
        let holder = (record.holder.clone(), record.transitions);
        if record.holder.is_empty() || record.holder == self.identity || self.told.as_ref() == Some(&holder) {
            return None;
        }
        self.told = Some(holder);
        Some(Standing::Held(record.clone()))
    }

    /// Waits for a change of the Lease, but not longer than until then.
    async fn wait(&mut self, until: Duration) {
        let end = self.start + until;
        let api: Api<Lease> = self.api();
        let only = Config::default().fields(&format!("metadata.name={LEASE}"));
        let events = self.events.get_or_insert_with(|| Box::pin(watcher(api, only)));
        let event = tokio::select! {
            event = events.next() => event,
            () = tokio::time::sleep_until(end) => return,
        };
        let now = self.start.elapsed();
        match event {
            Some(Ok(watcher::Event::Apply(lease) | watcher::Event::InitApply(lease))) => {
                self.elector.see(Some(versioned(&lease)), now);
            }
            Some(Ok(watcher::Event::Delete(_))) => self.elector.see(None, now),
            Some(Ok(watcher::Event::Init | watcher::Event::InitDone)) => {}
            Some(Err(_)) | None => {
                // as client-go, which never watches: look again soon
                self.events = None;
                self.elector.doubt();
                tokio::time::sleep(self.times.retry).await;
            }
        }
    }

    /// Renews the Lease until it is lost, or another one asks for it.
    pub async fn keep(&mut self) -> Ended {
        loop {
            let Some(end) = self.elector.lapses().map(|end| self.start + end) else { return Ended::Lost };
            // a call that hangs does not outlive the term
            match tokio::time::timeout_at(end, self.renew()).await {
                Ok(Some(ended)) => return ended,
                Ok(None) => {}
                Err(_) => {
                    self.elector.doubt();
                    return Ended::Lost;
                }
            }
        }
    }

    /// The next step of a holder; says how the term ended, if it did.
    async fn renew(&mut self) -> Option<Ended> {
        let now = self.start.elapsed();
        if self.elector.epoch(now).is_none() {
            return Some(Ended::Lost);
        }
        let done = match self.elector.decide(now) {
            Move::GiveWay(other) => return Some(Ended::Asked(other)),
            Move::Read => self.read().await.map(|_| ()),
            Move::Write { record, over, acquires } => self.write(record, over, acquires).await,
            Move::Wait(until) => {
                tokio::time::sleep_until(self.start + until).await;
                Ok(())
            }
        };
        if let Err(error) = done {
            tracing::warn!(%error, "the lease is not renewed");
            // somebody wrote in between: it is read again almost at once
            let soon = matches!(error, ClusterError::Stale { .. });
            tokio::time::sleep(if soon { self.times.retry / 10 } else { self.times.retry }).await;
        }
        None
    }

    /// Leaves the Lease to the next one, if it is ours. What does not succeed is left to lapse.
    pub async fn release(&mut self) {
        // the answer to the last write may have been lost
        for _ in 0..3 {
            if !self.taken {
                return;
            }
            if let Some((record, version)) = self.elector.release() {
                self.taken = self.write(record, Some(version), false).await.is_err();
            } else {
                let Ok(_) = self.read().await else { return };
                self.taken = self.elector.record().is_some_and(|record| record.holder == self.identity);
            }
        }
    }

    /// Asks the holder to hand it over.
    ///
    /// # Errors
    /// The cluster denies it, or does not answer.
    pub async fn ask(&mut self) -> Result<(), ClusterError> {
        let patch = json!({"metadata": {"annotations": {REQUEST: self.identity}}});
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let api: Api<Lease> = self.api();
        self.cluster.unary(OBJECT, api.patch(LEASE, &params, &Patch::Merge(&patch))).await?;
        Ok(())
    }

    /// Reads the Lease; false when there is none.
    async fn read(&mut self) -> Result<bool, ClusterError> {
        let api: Api<Lease> = self.api();
        let found = self.timed(api.get_opt(LEASE)).await.inspect_err(|_| self.elector.doubt())?;
        let there = found.is_some();
        self.elector.see(found.as_ref().map(versioned), self.start.elapsed());
        Ok(there)
    }

    /// Whether Styrmin's namespace exists; yes where that may not be asked.
    async fn has_home(&mut self) -> Result<bool, ClusterError> {
        let api: Api<Namespace> = Api::all(self.cluster.0.client.clone());
        match self.timed(api.get_opt(SYSTEM_NAMESPACE)).await {
            Ok(found) => Ok(found.is_some()),
            Err(ClusterError::Forbidden { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn write(
        &mut self,
        mut record: LeaseRecord,
        over: Option<String>,
        acquires: bool,
    ) -> Result<(), ClusterError> {
        let now = self.cluster.0.clock.now();
        record.renewed = Some(now);
        if acquires {
            record.acquired = Some(now);
            self.taken = true;
        }
        let api: Api<Lease> = self.api();
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let lease = lease(&record, over.clone());
        let sent = self.start.elapsed();
        let answer = match over {
            Some(_) => self.timed(api.replace(LEASE, &params, &lease)).await,
            None => self.timed(api.create(&params, &lease)).await,
        };
        let written = answer.inspect_err(|_| self.elector.doubt())?;
        // as the server has it: its times are cut to microseconds
        self.elector.written(versioned(&written), acquires, sent, self.start.elapsed());
        Ok(())
    }

    /// As client-go: no call takes longer than half of the time in which to renew.
    async fn timed<T>(&mut self, request: impl Future<Output = kube::Result<T>>) -> Result<T, ClusterError> {
        let longest = (self.times.renew_deadline / 2).max(Duration::from_secs(1));
        let answer = match tokio::time::timeout(longest, request).await {
            Ok(answer) => answer.map_err(|error| ClusterError::from_kube(OBJECT, &error)),
            Err(_) => {
                let message = format!("{OBJECT}: no answer within {} s", longest.as_secs());
                Err(ClusterError::Unreachable { message })
            }
        };
        // a connection that is cut silently fails no watch for minutes: what asks all the time finds out
        match &answer {
            Ok(_) => self.cluster.0.link.answered(OBJECT),
            Err(error) => self.cluster.0.link.failed(OBJECT, error),
        }
        answer
    }

    fn api(&self) -> Api<Lease> {
        Api::namespaced(self.cluster.0.client.clone(), SYSTEM_NAMESPACE)
    }
}

impl Cluster {
    /// Waits until Styrmin's namespace exists: from then on there is a Lease to hold.
    pub async fn home_appears(&self) {
        let api: Api<Namespace> = Api::all(self.0.client.clone());
        let only = Config::default().fields(&format!("metadata.name={SYSTEM_NAMESPACE}"));
        let mut events = std::pin::pin!(watcher(api, only));
        let mut pauses = watcher::DefaultBackoff::default();
        while let Some(event) = events.next().await {
            match event {
                Ok(watcher::Event::Apply(_) | watcher::Event::InitApply(_)) => return,
                Ok(_) => {}
                Err(_) => {
                    let pause = pauses.next().unwrap_or(Duration::from_secs(30));
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

fn versioned(lease: &Lease) -> Versioned {
    let nothing = LeaseSpec::default();
    let spec = lease.spec.as_ref().unwrap_or(&nothing);
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0);
    let annotations = lease.metadata.annotations.as_ref();
    let record = LeaseRecord {
        holder: spec.holder_identity.clone().unwrap_or_default(),
        duration: Duration::from_secs(seconds),
        transitions: spec.lease_transitions.and_then(|count| u64::try_from(count).ok()).unwrap_or(0),
        acquired: spec.acquire_time.as_ref().map(|time| time.0),
        renewed: spec.renew_time.as_ref().map(|time| time.0),
        requested_by: annotations.and_then(|all| all.get(REQUEST).cloned()),
    };
    (record, lease.metadata.resource_version.clone().unwrap_or_default())
}

fn lease(record: &LeaseRecord, version: Option<String>) -> Lease {
    let seconds = i32::try_from(record.duration.as_secs()).unwrap_or(i32::MAX).max(1);
    let request = record.requested_by.iter().map(|by| (REQUEST.to_owned(), by.clone()));
    Lease {
        metadata: ObjectMeta {
            name: Some(LEASE.to_owned()),
            namespace: Some(SYSTEM_NAMESPACE.to_owned()),
            resource_version: version,
            labels: Some([(labels::MANAGED_BY.to_owned(), labels::MANAGER.to_owned())].into()),
            annotations: Some(request.collect()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(record.holder.clone()),
            lease_duration_seconds: Some(seconds),
            lease_transitions: Some(i32::try_from(record.transitions).unwrap_or(i32::MAX)),
            acquire_time: record.acquired.map(MicroTime),
            renew_time: record.renewed.map(MicroTime),
            ..LeaseSpec::default()
        }),
    }
}
