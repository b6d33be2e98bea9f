//! What an action prints: cut into lines, masked, kept in the records as it comes.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::secrets::Mask;
use crate::cluster::Captured;
use crate::domain::Clock;
use crate::domain::call::{OutputLine, OutputSource, StepId};
use crate::domain::text::plain;
use crate::store::Store;

/// How many lines wait at most: who prints faster waits.
const WAITING: usize = 1024;
/// How many lines are written down at once.
const AT_ONCE: usize = 256;
/// The longest line, in characters.
const LONGEST: usize = 2000;

/// Takes lines for one step.
pub(super) struct Printer {
    lines: mpsc::Sender<OutputLine>,
    clock: Arc<dyn Clock>,
    mask: Mask,
    writer: JoinHandle<()>,
}

impl Printer {
    pub fn start(store: &Store, clock: &Arc<dyn Clock>, step: StepId, mask: Mask) -> Self {
        let (lines, mut waiting) = mpsc::channel(WAITING);
        let store = store.clone();
        let writer = tokio::spawn(async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, AT_ONCE).await > 0 {
                if let Err(error) = store.add_lines(step, std::mem::take(&mut batch)).await {
                    tracing::warn!(%error, "what an action printed is lost");
                }
            }
        });
        Self { lines, clock: Arc::clone(clock), mask, writer }
    }

    /// Prints a text, line by line.
    pub async fn print(&self, source: OutputSource, text: &str) {
        for line in self.mask.cover(text).lines() {
            let text: String = plain(line).chars().take(LONGEST).collect();
            // nobody takes lines any more only when the process ends
            let _ = self.lines.send(OutputLine { at: self.clock.now(), source, text }).await;
        }
    }

    /// The text with its secrets covered.
    pub fn cover(&self, text: &str) -> String {
        self.mask.cover(text)
    }

    /// What was captured, with its secrets covered.
    pub fn cover_captured(&self, captured: &Captured) -> String {
        match captured.is_truncated() {
            true => self.mask.cover_cut(&captured.text()),
            false => self.mask.cover(&captured.text()),
        }
    }

    /// What covers secrets.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Waits until everything is written down.
    pub async fn finish(self) {
        drop(self.lines);
        let _ = self.writer.await;
    }
}
