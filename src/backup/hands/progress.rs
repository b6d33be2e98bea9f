//! How far a step is: said to the records beside the work.

use tokio::sync::watch;

use super::{Hands, StepRun};
use crate::domain::call::StepId;
use crate::domain::operation::StepProgress;

/// What a step says of how far it is. Only the last word counts.
pub(super) struct Teller(watch::Sender<StepProgress>);

impl Teller {
    pub(super) fn new() -> Self {
        Self(watch::Sender::default())
    }

    pub(super) fn say(&self, progress: StepProgress) {
        self.0.send_replace(progress);
    }
}

impl Hands {
    /// Does `work`, and records how far it says to be. What is recorded never holds the work up, and ends with it.
    pub(super) async fn beside<T>(
        &self,
        run: &StepRun<'_>,
        teller: &Teller,
        work: impl Future<Output = T> + Send,
    ) -> T {
        let step = StepId { operation: run.operation.id, position: run.position };
        tokio::select! {
            biased;
            done = work => done,
            never = self.record(step, teller.0.subscribe()) => match never {},
        }
    }

    async fn record(
        &self,
        step: StepId,
        mut said: watch::Receiver<StepProgress>,
    ) -> std::convert::Infallible {
        while said.changed().await.is_ok() {
            let mut progress = said.borrow_and_update().clone();
            progress.at = progress.at.or_else(|| Some(self.clock.now()));
            if let Err(error) = self.store.tell_progress(step, &progress).await {
                tracing::debug!(%error, "how far a step is was not recorded");
            }
        }
        std::future::pending().await
    }
}
