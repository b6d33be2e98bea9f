//! The one thread that waits for networks and streams. `rustic_core` works in threads of its own, which wait for it: it must
//! not be one of a runtime that they block, nor end with one.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

use super::error::RepositoryError;

/// What runs it.
///
/// # Errors
/// No thread can be started.
pub(super) fn io() -> Result<Handle, RepositoryError> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(1)
            .thread_name("backup-io")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())
    });
    match runtime {
        Ok(runtime) => Ok(runtime.handle().clone()),
        Err(why) => Err(RepositoryError::Defect(format!("no thread for backups: {why}"))),
    }
}
