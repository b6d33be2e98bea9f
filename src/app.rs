//! The composition root: the one room that knows all others. It wires them, owns the event loop and the terminal, and starts
//! and ends everything in the order of its dependencies.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::{Clock, Problem, SystemClock, World};
use crate::store::Store;
use crate::ui::event::Event;
use crate::ui::{Model, UiConfig};

pub mod actions;
pub mod attended;
pub mod backups;
mod classes;
mod config;
pub mod drivers;
pub mod effects;
pub mod frames;
pub mod home;
mod input;
pub mod keeping;
mod last_words;
pub mod leader;
pub mod links;
mod lock;
mod log;
pub mod output;
pub mod panics;
pub mod paths;
pub mod probes;
pub mod projector;
pub mod recorder;
mod replay;
pub mod route;
mod route_facts;
pub mod run;
pub mod session;
pub mod terminal;
pub mod world;

pub use replay::{ReplayedFrame, replay};

use effects::Effects;
use leader::Leader;
use paths::Paths;
use projector::Projector;
use recorder::Recorder;
use run::{Cockpit, Inbox};
use session::{Opened, Session};
use terminal::TerminalGuard;

/// How many replies may wait for the loop. A log that is faster than the screen waits here, not in memory.
const REPLIES: usize = 256;

/// What a run is started with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The cluster.
    pub target: Target,
    /// Keep nothing.
    pub ephemeral: bool,
    /// The port of the sandbox's ingress; 0 takes any.
    pub ingress_port: u16,
    /// The same for https. None: 8443, or any free one where that is taken or `ingress_port` is 0.
    pub ingress_tls_port: Option<u16>,
    /// Driver directories named on the command line.
    pub drivers: Vec<PathBuf>,
    /// Overrides where records are kept.
    pub state_dir: Option<PathBuf>,
    /// Overrides where a person's own files are.
    pub config_dir: Option<PathBuf>,
    /// How it looks.
    pub look: Look,
    /// The program that the sandbox's known images are run by; this one when none (tests name the built binary).
    pub executable: Option<PathBuf>,
}

/// Which cluster to open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Target {
    /// The kubeconfig's current context; the sandbox where there is no kubeconfig.
    #[default]
    Detect,
    /// As [`Self::Detect`]; in a pod without a kubeconfig, the cluster that the pod runs in.
    DetectInPod,
    /// The embedded sandbox.
    Sandbox,
    /// A kubeconfig and a context of it.
    Kubeconfig {
        /// The file; the usual one when none.
        path: Option<PathBuf>,
        /// The context; the current one when none.
        context: Option<String>,
    },
}

/// How the cockpit looks and listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// The theme that was asked for.
    pub theme: Option<String>,
    /// The keymap that was asked for.
    pub keymap: Option<String>,
    /// ASCII characters only.
    pub ascii: bool,
    /// Nothing moves by itself.
    pub reduced_motion: bool,
    /// URLs are plain text.
    pub no_links: bool,
    /// No colours (`NO_COLOR`).
    pub no_color: bool,
}

/// Runs the cockpit until the person leaves.
///
/// # Errors
/// When it cannot start or cannot go on; the terminal is given back before.
pub fn run(options: Options) -> Result<(), Problem> {
    let temporary = options.ephemeral.then(temporary_state).transpose()?;
    let state = temporary.as_ref().map(|directory| directory.0.as_path()).or(options.state_dir.as_deref());
    let paths = Paths::resolve(state, options.config_dir.as_deref())?;
    paths.make_state()?;
    log::start(&paths.state)?;
    let runtime = threads()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::open(&paths.state, Arc::clone(&clock))?;
    let ended = runtime.block_on(cockpit(&options, &paths, store, clock));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    ended
}

/// Runs the engine without a screen whenever it is this process's turn, until a signal.
///
/// # Errors
/// When it cannot start.
pub fn agent(options: Options) -> Result<(), Problem> {
    let paths = Paths::resolve(options.state_dir.as_deref(), options.config_dir.as_deref())?;
    paths.make_state()?;
    log::to_standard_error();
    let runtime = threads()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::open(&paths.state, Arc::clone(&clock))?;
    let ended = runtime.block_on(async {
        let stop = CancellationToken::new();
        stop_on_signals(&stop);
        let Opened { session, leader, sandbox: _, notices } =
            session::open(&options, &paths, store, clock).await?;
        for notice in notices {
            tracing::warn!(%notice, "something is left out");
        }
        tracing::info!(cluster = session.cluster.name(), me = session.me.identity, "the agent is ready");
        attend(&session, &stop);
        leader.run(stop).await;
        tracing::info!("the agent ends");
        Ok(())
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    ended
}

/// Runs work that a command consists of, until it is done or a signal ends it: then what it started is ended, too.
///
/// # Errors
/// There are no threads, or a signal came; and what the work's own errors are.
pub fn block_on<T, E: From<Problem>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let runtime = threads()?;
    let done = runtime.block_on(async {
        let stop = CancellationToken::new();
        stop_on_signals(&stop);
        tokio::select! {
            done = work => done,
            () = stop.cancelled() => {
                Err(Problem::new("It was interrupted", "a signal asked for it", "start it again").into())
            }
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    done
}

fn threads() -> Result<Runtime, Problem> {
    Runtime::new().map_err(|error| {
        Problem::new(
            "The program cannot start its threads",
            error.to_string(),
            "raise the limit of processes (ulimit -u)",
        )
    })
}

async fn cockpit(
    options: &Options,
    paths: &Paths,
    store: Store,
    clock: Arc<dyn Clock>,
) -> Result<(), Problem> {
    let remembered = store.setting(session::THEME).await?;
    let terminal_kind = config::TerminalKind::from_environment();
    let (config, mut notices) = config::load(&paths.config, &options.look, remembered, &terminal_kind)?;
    let Opened { session, leader, sandbox: _, notices: more } =
        session::open(options, paths, store, Arc::clone(&clock)).await?;
    notices.extend(more);
    show(config, notices, (session, leader), paths, clock).await
}

/// Takes the terminal and runs the loop on it.
async fn show(
    config: UiConfig,
    notices: Vec<Problem>,
    (session, leader): (Session, Leader),
    paths: &Paths,
    clock: Arc<dyn Clock>,
) -> Result<(), Problem> {
    let stop = CancellationToken::new();
    let (replies, events) = mpsc::channel(REPLIES);
    let (guard, terminal) = match TerminalGuard::enter() {
        Ok(entered) => entered,
        Err(problem) => {
            // what was taken is let go of in order
            stop.cancel();
            leader.run(stop).await;
            return Err(problem);
        }
    };
    let leading = tokio::spawn(leader.telling(replies.clone()).run(stop.clone()));
    let size = terminal.size().map_or((80, 24), |size| (size.width, size.height));
    stop_on_signals(&stop);
    let recorder = Recorder::new(size);
    let recordings = paths.recordings();
    panics::install(panics::Panics {
        recorder: recorder.clone(),
        recordings,
        clock: Arc::clone(&clock),
        notices: replies.clone(),
    });
    for notice in notices {
        // the channel is new and empty: there is room
        let _ = replies.try_send(Event::Notice(notice));
    }
    let world = wire(&session, &replies, &stop);
    let effects = Effects::new(session, replies);
    let cockpit = Cockpit {
        terminal,
        model: Model::new(config, size),
        effects,
        recorder,
        clock,
        links: links::Links::default(),
    };
    let ended = match input::terminal() {
        Ok(input) => cockpit.run(Inbox { input, events, world, stop: stop.clone() }).await,
        Err(problem) => Err(problem),
    };
    stop.cancel();
    drop(guard);
    // a panic in it was told by the hook
    let _ = leading.await;
    ended
}

/// Starts what runs beside the loop: the watches, the probes, the projector. Returns where pictures appear.
pub fn wire(
    session: &Session,
    notices: &mpsc::Sender<Event>,
    stop: &CancellationToken,
) -> watch::Receiver<Arc<World>> {
    let (ends, asked) = watch::channel(last_words::Ends::new());
    let (said, words) = watch::channel(last_words::Words::default());
    tokio::spawn(last_words::run(session.cluster.clone(), asked, said, stop.clone()));
    project(session, notices, (ends, words), stop)
}

/// Starts what runs beside an engine without a screen: the watches, and the probes of the routes that they show.
pub fn attend(session: &Session, stop: &CancellationToken) {
    let (notices, mut told) = mpsc::channel(REPLIES);
    let (ends, _) = watch::channel(last_words::Ends::new());
    let (unsaid, words) = watch::channel(last_words::Words::default());
    // nobody looks at the picture: it says which routes there are
    drop(project(session, &notices, (ends, words), stop));
    drop(notices);
    tokio::spawn(async move {
        while let Some(notice) = told.recv().await {
            if let Event::Notice(problem) = notice {
                tracing::warn!(%problem, "the records cannot be read");
            }
        }
        drop(unsaid);
    });
}

/// Starts the watches, the probes, the reading of certificates and the projector. Returns where pictures appear.
fn project(
    session: &Session,
    notices: &mpsc::Sender<Event>,
    (ends, words): (watch::Sender<last_words::Ends>, watch::Receiver<last_words::Words>),
    stop: &CancellationToken,
) -> watch::Receiver<Arc<World>> {
    session.start();
    session.probes.start(stop.clone());
    let (targets, probes) = (session.probes.targets(), session.probes.results());
    let (wants, asked) = watch::channel(route_facts::Wants::new());
    let (read, facts) = watch::channel(route_facts::Facts::default());
    tokio::spawn(route_facts::run(session.cluster.clone(), asked, read, stop.clone()));
    let (world, pictures) = watch::channel(Arc::new(World::default()));
    let notices = notices.clone();
    let projector =
        Projector { session: session.clone(), world, targets, probes, ends, words, wants, facts, notices };
    tokio::spawn(projector.run(stop.clone()));
    pictures
}

fn stop_on_signals(stop: &CancellationToken) {
    for kind in [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()] {
        let Ok(mut signals) = signal(kind) else { continue };
        let stop = stop.clone();
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                stop.cancel();
            }
        });
    }
}

/// A directory that is removed when the program ends.
struct TemporaryState(PathBuf);

impl TemporaryState {
    /// How often, and how long after each other, it is tried while threads that go on write into it.
    const TRIES: u32 = 100;
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);
}

impl Drop for TemporaryState {
    fn drop(&mut self) {
        for _ in 0..Self::TRIES {
            match std::fs::remove_dir_all(&self.0) {
                Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {
                    std::thread::sleep(Self::PAUSE);
                }
                // what cannot be removed is in the system's temporary directory anyway
                _ => break,
            }
        }
    }
}

fn temporary_state() -> Result<TemporaryState, Problem> {
    let path = std::env::temp_dir().join(format!("styrmin-{}", std::process::id()));
    match std::fs::create_dir(&path) {
        Ok(()) => Ok(TemporaryState(path)),
        Err(error) => Err(Problem::new(
            format!("The temporary directory {} cannot be made", path.display()),
            error.to_string(),
            "set TMPDIR to a directory that you may write",
        )),
    }
}
