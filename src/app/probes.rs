//! Asks every external URL whether it answers: at once when it is new, or when its application's health or its ready endpoints
//! changed; soon again while it fails, every half minute while it works. "Does it work" is a fact, not a guess.
//!
//! Runs beside every engine, with a screen or without. What the screen shows are [`Results`]; what the engine writes into the
//! cluster is the coarser [`Reaches`], which changes only when there is something to say.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::route::{Beat, Endpoints, Probe, Reach};
use crate::domain::{Clock, Health, Problem};
use crate::ingress::probe::{Ask, probe};

mod runner;
mod schedule;
mod sentence;

use runner::Runner;
pub use sentence::sentence;

/// How long a phase of a probe may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most probes under way at once, but for those that a person asks for.
const PARALLEL: usize = 16;
/// The past probes that are kept of each URL.
const BEATS: usize = 60;
/// How many wishes for a probe may wait.
const WISHES: usize = 16;

/// The URLs that routes have.
pub type Targets = HashMap<String, Target>;
/// What was found, by URL: of each one that is probed.
pub type Results = Arc<HashMap<String, Arc<Watched>>>;
/// What was found in short, by URL: of each one that was probed at least once.
pub type Reaches = Arc<BTreeMap<String, Reach>>;
/// Probes a URL.
pub type Prober = Arc<dyn Fn(String) -> BoxFuture<'static, Probe> + Send + Sync>;

/// A URL, as far as it matters when it is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// How its application is.
    pub health: Health,
    /// Those of the Kubernetes Service behind it.
    pub endpoints: Option<Endpoints>,
    /// Whether it is left alone.
    pub unprobed: bool,
}

/// What is known of a URL that is probed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// The last probe; none before the first.
    pub probe: Option<Probe>,
    /// The last probes, oldest first.
    pub history: Arc<[Beat]>,
}

/// Somebody who wants a URL probed now.
struct Wish {
    url: String,
    answer: oneshot::Sender<Probe>,
}

/// Says what to probe, and has what was found. Cheap to clone.
#[derive(Clone)]
pub struct Probes {
    targets: watch::Sender<Targets>,
    results: watch::Receiver<Results>,
    reach: watch::Receiver<Reaches>,
    wishes: mpsc::Sender<Wish>,
    /// What is run, until it is.
    idle: Arc<Mutex<Option<Runner>>>,
}

/// Probes as this machine sees the network, by its clock.
pub fn from_here(clock: Arc<dyn Clock>) -> Prober {
    Arc::new(move |url| {
        let now = clock.now();
        Box::pin(async move { probe(&Ask::new(&url, PATIENCE), now).await })
    })
}

impl Probes {
    /// Nothing runs before [`Self::start`].
    pub fn new(prober: Prober) -> Self {
        let (targets, wanted) = watch::channel(Targets::new());
        let (found, results) = watch::channel(Results::default());
        let (told, reach) = watch::channel(Reaches::default());
        let (wishes, wished) = mpsc::channel(WISHES);
        let runner = Runner::new(prober, wanted, wished, runner::Told { results: found, reach: told });
        Self { targets, results, reach, wishes, idle: Arc::new(Mutex::new(Some(runner))) }
    }

    /// Probes until `stop`. The second time nothing happens.
    pub fn start(&self, stop: CancellationToken) {
        if let Some(runner) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take() {
            tokio::spawn(runner.run(stop));
        }
    }

    /// Where it is said what to probe.
    pub fn targets(&self) -> watch::Sender<Targets> {
        self.targets.clone()
    }

    /// What was found.
    pub fn results(&self) -> watch::Receiver<Results> {
        self.results.clone()
    }

    /// What was found, in short: published only when it says something else than before.
    pub fn reach(&self) -> watch::Receiver<Reaches> {
        self.reach.clone()
    }

    /// Probes `url` now, also when probes leave it alone otherwise: then nothing is kept of it.
    ///
    /// # Errors
    /// No route has this URL, or nothing is probed in this process (any more).
    pub async fn ask_now(&self, url: &str) -> Result<Probe, Problem> {
        let problem = |why: &str, next: &str| Problem::new(format!("{url} was not probed"), why, next);
        if !self.targets.borrow().contains_key(url) {
            return Err(problem("no application here has this URL by now", "look at the routes again"));
        }
        let ended = || problem("nothing is probed in this process, or it is about to end", "start it again");
        if self.idle.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Err(ended());
        }
        let (answer, answered) = oneshot::channel();
        let wish = Wish { url: url.to_owned(), answer };
        self.wishes.send(wish).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())
    }
}

#[cfg(test)]
mod tests;
