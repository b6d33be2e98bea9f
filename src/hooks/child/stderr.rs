//! The last that a child wrote to its standard error.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::ChildStderr;
use tokio::task::JoinHandle;

/// How much is kept.
const KEPT: usize = 4096;

/// How long the end of the stream is waited for after the child's: what it started may hold it open.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads it all, so that the child never waits, and keeps the end.
pub struct Stderr {
    kept: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Stderr {
    /// Begins to read.
    pub fn follow(mut stream: ChildStderr) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&kept);
        let task = tokio::spawn(async move {
            let mut part = [0; 4096];
            while let Ok(read) = stream.read(&mut part).await
                && read > 0
            {
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&part[..read]);
                let over = kept.len().saturating_sub(KEPT);
                kept.drain(..over);
            }
        });
        Self { kept, task }
    }

    /// What is kept, once there is no more.
    pub async fn last_words(&mut self) -> String {
        let _ = tokio::time::timeout(PATIENCE, &mut self.task).await;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).trim().to_owned()
    }
}

impl Drop for Stderr {
    fn drop(&mut self) {
        self.task.abort();
    }
}
