//! Runs the probes: each in a task of its own, so that a slow one holds up nobody.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::schedule::Schedule;
use super::{BEATS, PARALLEL, Prober, Reaches, Results, Targets, Watched, Wish};
use crate::domain::route::{Beat, Probe};

/// Where it is told what was found.
pub(super) struct Told {
    pub(super) results: watch::Sender<Results>,
    pub(super) reach: watch::Sender<Reaches>,
}

type Waiting = HashMap<String, Vec<oneshot::Sender<Probe>>>;

/// Runs the probes.
pub(super) struct Runner {
    prober: Prober,
    targets: watch::Receiver<Targets>,
    wishes: mpsc::Receiver<Wish>,
    told: Told,
    schedule: Schedule,
    running: JoinSet<Probe>,
    under_way: HashMap<Id, String>,
    /// Who waits for the probe that is under way.
    waiting: Waiting,
    /// Who asked while one was under way: it may have seen what was before, so another one follows.
    later: Waiting,
    watched: HashMap<String, Arc<Watched>>,
    /// Whether something was found that is not told yet.
    news: bool,
}

impl Runner {
    pub(super) fn new(
        prober: Prober,
        targets: watch::Receiver<Targets>,
        wishes: mpsc::Receiver<Wish>,
        told: Told,
    ) -> Self {
        Self {
            prober,
            targets,
            wishes,
            told,
            schedule: Schedule::default(),
            running: JoinSet::new(),
            under_way: HashMap::new(),
            waiting: Waiting::new(),
            later: Waiting::new(),
            watched: HashMap::new(),
            news: false,
        }
    }

    /// Probes until `stop`, or until nobody is left to say what.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        self.follow();
        loop {
            self.publish();
            let room = PARALLEL.saturating_sub(self.running.len());
            for url in self.schedule.due(Instant::now(), room) {
                self.begin(url);
            }
            // where there is no room, the end of one that is under way is what to wait for
            let next = self.schedule.next().filter(|_| self.running.len() < PARALLEL);
            tokio::select! {
                () = stop.cancelled() => return,
                changed = self.targets.changed() => match changed {
                    Ok(()) => self.follow(),
                    Err(_) => return,
                },
                Some(wish) = self.wishes.recv() => self.wish(wish),
                Some(ended) = self.running.join_next_with_id() => self.take(ended),
                () = sleep_until(next) => {}
            }
            // what ended together is told together
            while let Some(ended) = self.running.try_join_next_with_id() {
                self.take(ended);
            }
        }
    }

    fn follow(&mut self) {
        let running = |url: &str| self.under_way.values().any(|busy| busy == url);
        self.schedule.follow(&self.targets.borrow_and_update(), running, Instant::now());
        let before = self.watched.len();
        self.watched.retain(|url, _| self.schedule.has(url));
        self.news |= self.watched.len() != before;
        for url in self.schedule.urls() {
            if !self.watched.contains_key(url) {
                self.watched.insert(url.clone(), Arc::default());
                self.news = true;
            }
        }
    }

    fn wish(&mut self, Wish { url, answer }: Wish) {
        if self.under_way.values().any(|busy| *busy == url) {
            self.later.entry(url).or_default().push(answer);
        } else {
            self.waiting.entry(url.clone()).or_default().push(answer);
            self.begin(url);
        }
    }

    fn begin(&mut self, url: String) {
        self.schedule.begin(&url);
        let task = self.running.spawn((self.prober)(url.clone()));
        self.under_way.insert(task.id(), url);
    }

    fn take(&mut self, ended: Result<(Id, Probe), JoinError>) {
        let (id, probe) = match ended {
            Ok((id, probe)) => (id, Some(probe)),
            Err(error) => {
                // a defect; whoever waits is told that there is no answer
                tracing::error!(%error, "a probe broke off");
                (error.id(), None)
            }
        };
        let Some(url) = self.under_way.remove(&id) else { return };
        self.schedule.end(&url, probe.as_ref().is_some_and(Probe::works), Instant::now());
        for waiting in self.waiting.remove(&url).unwrap_or_default() {
            if let Some(probe) = &probe {
                // whoever asked may have gone
                let _ = waiting.send(probe.clone());
            }
        }
        if let Some(probe) = probe {
            self.note(&url, probe);
        }
        if let Some(later) = self.later.remove(&url) {
            self.waiting.insert(url.clone(), later);
            self.begin(url);
        }
    }

    fn note(&mut self, url: &str, probe: Probe) {
        let Some(watched) = self.watched.get_mut(url) else { return };
        let history = with(&watched.history, probe.beat());
        *watched = Arc::new(Watched { probe: Some(probe), history });
        self.news = true;
    }

    fn publish(&mut self) {
        if !std::mem::take(&mut self.news) {
            return;
        }
        let reach: BTreeMap<_, _> = self
            .watched
            .iter()
            .filter_map(|(url, watched)| Some((url.clone(), watched.probe.as_ref()?.reach())))
            .collect();
        self.told.results.send_replace(Arc::new(self.watched.clone()));
        self.told.reach.send_if_modified(|held| {
            let differs = **held != reach;
            if differs {
                *held = Arc::new(reach);
            }
            differs
        });
    }
}

/// The history with one more beat, without those that are too old for it.
fn with(history: &[Beat], beat: Beat) -> Arc<[Beat]> {
    let kept = &history[(history.len() + 1).saturating_sub(BEATS)..];
    kept.iter().copied().chain([beat]).collect()
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
