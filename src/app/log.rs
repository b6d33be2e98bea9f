//! The log: a file in the state directory, because the terminal belongs to the cockpit; standard error for the agent.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use crate::domain::Problem;

/// The variable that says how much is logged, in `tracing`'s filter syntax; warnings when it is not set.
const FILTER: &str = "STYRMIN_LOG";
/// A log that has grown beyond this is put aside as `styrmin.log.old` at the next start, in bytes.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Starts logging into `directory`. Asking twice in one process keeps the first log.
///
/// # Errors
/// When the file cannot be opened.
pub fn start(directory: &Path) -> Result<(), Problem> {
    let path = directory.join("styrmin.log");
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LARGEST) {
        // the old log is of less worth than a start
        let _ = fs::rename(&path, directory.join("styrmin.log.old"));
    }
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(|error| {
        Problem::new(
            format!("The log {} cannot be written", path.display()),
            error.to_string(),
            "make it writable, or name another --state-dir",
        )
    })?;
    let filter = EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Mutex::new(file));
    // a second start in one process (tests) keeps the first
    let _ = subscriber.try_init();
    Ok(())
}

/// Starts logging to standard error, one line per event: what the engine does, when nothing else is asked for.
pub fn to_standard_error() {
    let usual = || EnvFilter::new("warn,styrmin::app=info,styrmin::reconcile=info");
    let filter = EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| usual());
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr);
    let _ = subscriber.try_init();
}
