//! `styrmin sandbox serve`: runs the sandbox until a signal ends it.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Place;
use crate::app::home;
use crate::app::paths::Paths;
use crate::domain::Problem;
use crate::sandbox::clock::{Clock, SystemClock};
use crate::sandbox::faults::Scenario;
use crate::sandbox::scratch::Scratch;
use crate::sandbox::serve::{Credentials, Door, Kubeconfig, Limits, ServeError};
use crate::sandbox::{Sandbox, SandboxOptions, TlsPort};

/// The directory of certificates and token, in the sandbox's.
const CREDENTIALS: &str = "serve";
/// The kubeconfig, in the sandbox's directory.
const KUBECONFIG: &str = "kubeconfig";
/// The variable that says how much is logged, in `tracing`'s filter syntax.
const FILTER: &str = "STYRMIN_LOG";

/// Arguments of `sandbox serve`.
#[derive(Debug, Args)]
pub struct ServeArguments {
    #[command(flatten)]
    place: Place,
    /// Where the API server listens, loopback only; port 0 takes the one of the last time, or any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the ingress listens, loopback only; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8480")]
    ingress: SocketAddr,
    /// The port where the ingress listens for https, at the address of --ingress; 0 takes any free one [default: 8443, or
    /// any free one where it is taken]
    #[arg(long, value_name = "PORT", env = "STYRMIN_INGRESS_TLS_PORT")]
    ingress_tls_port: Option<u16>,
    /// Keep nothing: start empty, forget everything at the end, and leave the state directory alone
    #[arg(long)]
    ephemeral: bool,
    /// Where the kubeconfig is written; a file that speaks of other clusters is never touched
    /// [default: `kubeconfig` in the sandbox's directory]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Rules by which requests go wrong on purpose (YAML; docs/sandbox.md shows them)
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
}

/// Serves until ctrl-c, SIGTERM or SIGHUP.
///
/// # Errors
/// When the sandbox cannot start, or cannot be listened for.
pub fn run(arguments: ServeArguments) -> Result<(), Problem> {
    let begin = Instant::now();
    log_to_standard_error();
    let mut home = Home::of(&arguments)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Problem::new(
            "The program cannot start its threads",
            error.to_string(),
            "raise the limit of processes (ulimit -u)",
        )
    })?;
    let ended = runtime.block_on(serve(&arguments, &mut home, begin));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    ended
}

async fn serve(arguments: &ServeArguments, home: &mut Home, begin: Instant) -> Result<(), Problem> {
    let mut signals = Signals::new()?;
    if !arguments.ingress.ip().is_loopback() {
        let next = "give --ingress an address such as 127.0.0.1:8480";
        let why = format!("{} is not a loopback address", arguments.ingress);
        return Err(Problem::new("The sandbox cannot be served", why, next));
    }
    let scenario = arguments.faults.as_deref().map(scenario).transpose()?;
    let before = Kubeconfig::of_ours(&home.kubeconfig).map_err(|error| problem(&error))?;
    let door = Door::open(arguments.listen, before.address).await.map_err(|error| problem(&error))?;
    let options = SandboxOptions {
        directory: home.kept().map(Path::to_owned),
        seed: home::fresh_seed(),
        clock: Arc::new(SystemClock),
        ingress: arguments.ingress,
        ingress_tls: TlsPort::beside(arguments.ingress.port(), arguments.ingress_tls_port),
        executable: home::own_executable()?,
    };
    let started = Sandbox::start_reachable(options, Some(door.address())).await;
    let mut sandbox = started.map_err(|error| home::refused(&home.directory, &error))?;
    if let Some(scenario) = scenario {
        sandbox.faults().play(scenario);
    }
    // from here on nobody else runs the sandbox of this directory: its files are ours
    let served = open(&mut sandbox, door, &before, home).map_err(|error| problem(&error));
    let ingress = (sandbox.ingress_address(), sandbox.ingress_tls_address());
    let told = served.and_then(|address| tell(address, ingress, &home.kubeconfig, begin));
    if told.is_ok() {
        signals.recv().await;
    }
    sandbox.stop().await;
    told
}

/// Reads the rules of `--faults`.
fn scenario(path: &Path) -> Result<Scenario, Problem> {
    let refused = |why: String| {
        let next = "correct the file; docs/sandbox.md shows every rule";
        Problem::new(format!("The fault rules in {} cannot be played", path.display()), why, next)
    };
    let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    Scenario::parse(&text).map_err(|error| refused(error.to_string()))
}

/// Lets others in, and writes down how.
fn open(
    sandbox: &mut Sandbox,
    door: Door,
    before: &Kubeconfig,
    home: &mut Home,
) -> Result<SocketAddr, ServeError> {
    let now = SystemClock.now();
    let credentials = match home.kept() {
        Some(directory) => Credentials::open(&directory.join(CREDENTIALS), now)?,
        None => Credentials::fresh(now)?,
    };
    let address = door.address();
    before.write(&home.kubeconfig, address, &credentials)?;
    home.written = true;
    sandbox.serve(door, &credentials, Limits::of_this_process())?;
    Ok(address)
}

/// Says that it is there and how to come in: the last line can be given to a shell.
fn tell(
    address: SocketAddr,
    (http, https): (SocketAddr, SocketAddr),
    kubeconfig: &Path,
    begin: Instant,
) -> Result<(), Problem> {
    let took = begin.elapsed().as_millis();
    let path = kubeconfig.display().to_string().replace('\'', r"'\''");
    let text = format!(
        "The sandbox is ready after {took} ms: https://{address}, ingress http://{http} and https://{https}\nexport KUBECONFIG='{path}'\n"
    );
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| {
        let next = "give it an open standard output";
        Problem::new("The sandbox cannot say where it listens", error.to_string(), next)
    })
}

/// What ends a run: ctrl-c, SIGTERM, SIGHUP.
struct Signals([Signal; 3]);

impl Signals {
    /// Listens for them from now on.
    fn new() -> Result<Self, Problem> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                let next = "start it where programs may handle signals";
                Problem::new("The program cannot listen for signals", error.to_string(), next)
            })
        };
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Ok(Self([listen(interrupt)?, listen(terminate)?, listen(hangup)?]))
    }

    async fn recv(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// What a run writes to, and what of it goes when it ends.
struct Home {
    directory: PathBuf,
    /// The directory, when nothing is kept: it goes with the run.
    scratch: Option<Scratch>,
    kubeconfig: PathBuf,
    /// Whether the kubeconfig is of this run.
    written: bool,
}

impl Home {
    fn of(arguments: &ServeArguments) -> Result<Self, Problem> {
        let refused = |directory: &Path, error: std::io::Error| {
            Problem::new(
                format!("The directory {} cannot be made", directory.display()),
                error.to_string(),
                "make it writable for you, or name another --state",
            )
        };
        let (directory, scratch) = if arguments.ephemeral {
            let scratch = Scratch::new().map_err(|error| refused(&std::env::temp_dir(), error))?;
            (scratch.path().to_owned(), Some(scratch))
        } else {
            let directory = Paths::resolve(arguments.place.state.as_deref(), None)?.sandbox();
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
            made.map_err(|error| refused(&directory, error))?;
            (directory, None)
        };
        let kubeconfig = arguments.kubeconfig.clone().unwrap_or_else(|| directory.join(KUBECONFIG));
        let kubeconfig = std::path::absolute(&kubeconfig).unwrap_or(kubeconfig);
        Ok(Self { directory, scratch, kubeconfig, written: false })
    }

    /// Where the sandbox keeps its objects.
    fn kept(&self) -> Option<&Path> {
        self.scratch.is_none().then_some(self.directory.as_path())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.scratch.is_some() && self.written {
            // it speaks of a sandbox that is gone
            let _ = fs::remove_file(&self.kubeconfig);
        }
    }
}

fn log_to_standard_error() {
    let filter = EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr);
    // a second start in one process (tests) keeps the first
    let _ = subscriber.try_init();
}

/// What a person is told.
fn problem(error: &ServeError) -> Problem {
    let next = match error {
        ServeError::NotLoopback { .. } => {
            "give --listen an address such as 127.0.0.1:6443; from another machine, come through ssh -L"
        }
        ServeError::Address { .. } => {
            "end the program that has the port, or choose another --listen (port 0 takes any free one)"
        }
        ServeError::File { .. } => "make it readable and writable for you, or name another file or directory",
        ServeError::Foreign { .. } => {
            "nothing was changed; name a file of its own with --kubeconfig (KUBECONFIG may list several files)"
        }
        ServeError::Certificate(_) => {
            "remove the directory `serve` in the sandbox's directory: it is made anew"
        }
    };
    Problem::new("The sandbox cannot be served", error.to_string(), next)
}
