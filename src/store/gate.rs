//! Doors before and after every write, for tests that let the process die there.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::Store;

/// Is passed before and after every write. A future that never ends is a process that died there.
pub trait Gate: Send + Sync {
    /// `before start the steps`, `after start the steps`: the write has not begun, or is committed and its caller does not know.
    fn pass(&self, point: String) -> BoxFuture<'static, ()>;
}

impl Store {
    /// The same records, with a gate around every write through this handle and its clones.
    #[must_use]
    pub fn gated(self, gate: Arc<dyn Gate>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    pub(super) async fn pass(&self, side: &str, action: &str) {
        if let Some(gate) = &self.gate {
            gate.pass(format!("{side} {action}")).await;
        }
    }
}
