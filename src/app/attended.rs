//! A session without a screen for what a person asks for on the command line: it runs the engine while nobody else does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::paths::Paths;
use super::session::{self, Opened, Session};
use super::{Options, attend, log, threads};
use crate::domain::world::Link;
use crate::domain::{Clock, Problem, SystemClock};
use crate::store::Store;

/// How long the cluster has to answer before it is asked anyway.
const GREETING: Duration = Duration::from_secs(20);

/// A session, with the engine beside it whenever it is this process's turn.
pub struct Attended {
    /// What everything acts through.
    pub session: Session,
    stop: CancellationToken,
    leading: JoinHandle<()>,
}

impl Attended {
    /// Opens the records and the cluster, and waits until it answers.
    ///
    /// # Errors
    /// When something without which nothing can go on is missing or broken.
    pub async fn open(options: &Options) -> Result<Self, Problem> {
        let attended = Self::begin(options).await?;
        attended.greet().await?;
        Ok(attended)
    }

    /// Opens the records and the cluster, which may not have answered yet.
    ///
    /// # Errors
    /// When something without which nothing can go on is missing or broken.
    pub async fn begin(options: &Options) -> Result<Self, Problem> {
        let paths = Paths::resolve(options.state_dir.as_deref(), options.config_dir.as_deref())?;
        paths.make_state()?;
        log::start(&paths.state)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Store::open(&paths.state, Arc::clone(&clock))?;
        let Opened { session, leader, .. } = session::open(options, &paths, store, clock).await?;
        let stop = CancellationToken::new();
        let leading = tokio::spawn(leader.run(stop.clone()));
        attend(&session, &stop);
        Ok(Self { session, stop, leading })
    }

    /// Waits until the cluster answers; what is asked of one that does not tells why.
    ///
    /// # Errors
    /// The records cannot be read.
    pub async fn greet(&self) -> Result<(), Problem> {
        let cluster = &self.session.cluster;
        let environments = self.session.store.environments(cluster.name()).await?;
        for environment in &environments {
            cluster.watch_namespace(&environment.namespace);
        }
        // what was not listed yet looks as if it were not there
        let is_seen = || {
            let index = cluster.index();
            let mut namespaces = environments.iter().map(|environment| &environment.namespace);
            cluster.link() == Link::Live && namespaces.all(|namespace| index.is_complete(namespace))
        };
        let mut moved = cluster.generation();
        let answers = async {
            while !is_seen() {
                if moved.changed().await.is_err() {
                    return;
                }
            }
        };
        // what does not answer in time is asked anyway, and says why
        let _ = tokio::time::timeout(GREETING, answers).await;
        Ok(())
    }

    /// Lets go of the engine, where it runs here, and ends.
    pub async fn close(self) {
        self.stop.cancel();
        // a panic in it was told by the hook
        let _ = self.leading.await;
    }
}

/// What a person or the system asks of a process while it works.
pub struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-c.
    Cancel,
    /// The process has to go.
    Leave,
}

impl Interrupts {
    /// Listens from now on.
    ///
    /// # Errors
    /// Where programs may not handle signals.
    pub fn new() -> Result<Self, Problem> {
        let open = |kind| {
            signal(kind).map_err(|error| {
                let next = "start it where programs may handle signals";
                Problem::new("The program cannot listen for signals", error.to_string(), next)
            })
        };
        Ok(Self {
            interrupt: open(SignalKind::interrupt())?,
            terminate: open(SignalKind::terminate())?,
            hang_up: open(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Interrupt {
        tokio::select! {
            _ = self.interrupt.recv() => Interrupt::Cancel,
            _ = self.terminate.recv() => Interrupt::Leave,
            _ = self.hang_up.recv() => Interrupt::Leave,
        }
    }
}

/// Runs the work of a command that ends by itself, whatever signals it is sent.
///
/// # Errors
/// There are no threads; and what the work's own errors are.
pub fn wait_for<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let runtime = threads()?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(2));
    done
}

/// Opens the records of a state directory, which nobody has to be running on.
///
/// # Errors
/// They cannot be read.
pub fn records(state: Option<&Path>) -> Result<Store, Problem> {
    let paths = Paths::resolve(state, None)?;
    paths.make_state()?;
    Store::open(&paths.state, Arc::new(SystemClock))
}
