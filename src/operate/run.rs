//! The loop around [`decide`](super::decide): persist, do, persist, decide again.

use std::future::pending;
use std::time::Duration;

use futures::future::{AbortHandle, Abortable, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::domain::{Clock, Operation, OperationView};
use crate::store::{Store, StoreError};

use super::course::{Course, Flight};
use super::decide::Move;
use super::settle::Landed;
use super::{Executor, StepRun};

/// The journal is looked at again this long after the last time at the earliest, however often it changes.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// Carries operations out, in one epoch of the engine.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    /// The journal.
    pub store: &'a Store,
    /// The present.
    pub clock: &'a dyn Clock,
    /// The epoch in which the engine is held.
    pub epoch: u64,
}

impl Runner<'_> {
    /// Carries an operation out to its end, from wherever it stands, and gives it as it ended. `moved` counts up when something
    /// happened that may matter to it: then it is asked whether it is still wanted, and pauses before another try end. Orders and
    /// answers are seen when [`Store::changes`] counts up.
    ///
    /// It may be dropped at any point: called again, it goes on from what the journal says. Nothing else may carry the same
    /// operation out at the same time in the same epoch.
    ///
    /// # Errors
    /// It cannot be started (see [`Store::start_operation`]), or the journal cannot be written. What is in flight is dropped then.
    pub async fn run<E: Executor>(
        self,
        operation: &Operation,
        executor: &E,
        mut moved: watch::Receiver<u64>,
    ) -> Result<OperationView, StoreError> {
        let mut changes = self.store.changes();
        let limit = SignedDuration::from_secs(i64::from(operation.plan.time_limit()));
        let deadline = self.clock.now().saturating_add(limit).ok();
        let OperationView { operation, steps, .. } =
            self.store.start_operation(operation.id, self.epoch, deadline).await?;
        let mut course = Course::new(self, &operation, steps);
        let mut flights = FuturesUnordered::new();
        let mut next_look = Instant::now();
        course.look(executor).await?;
        loop {
            let decision = course.decide();
            if let [Move::Finish(state, problem)] = &decision.moves[..] {
                let problem = problem.clone();
                return self.store.finish_operation(operation.id, self.epoch, *state, problem).await;
            }
            if let Some(starting) = course.make(decision.moves).await? {
                for Flight { step, looks } in starting {
                    let (handle, registration) = AbortHandle::new_pair();
                    course.took_off(step.position, handle);
                    flights.push(Abortable::new(fly(executor, step, looks), registration));
                }
                continue;
            }
            tokio::select! {
                biased;
                Some(first) = flights.next() => {
                    let mut landed = vec![first];
                    // What else is ready is written down in the same transaction.
                    while let Some(Some(next)) = flights.next().now_or_never() {
                        landed.push(next);
                    }
                    course.land(landed.into_iter().flatten()).await?;
                }
                () = reach(decision.until, self.clock) => {}
                () = change(&mut moved) => {
                    course.end_pauses();
                    course.look(executor).await?;
                }
                () = change_after(next_look, &mut changes) => {
                    next_look = Instant::now() + LOOK_PAUSE;
                    course.look(executor).await?;
                }
            }
        }
    }
}

/// Does a step once, or looks whether it was done.
async fn fly<E: Executor>(executor: &E, step: StepRun<'_>, looks: bool) -> (usize, Landed) {
    let landed = match looks {
        true => Landed::Probed(executor.probe(step).await),
        false => Landed::Executed(executor.execute(step).await),
    };
    (step.position, landed)
}

async fn reach(until: Option<Timestamp>, clock: &dyn Clock) {
    match until {
        Some(until) => sleep(until.duration_since(clock.now()).try_into().unwrap_or_default()).await,
        None => pending().await,
    }
}

async fn change(counter: &mut watch::Receiver<u64>) {
    if counter.changed().await.is_err() {
        // Nobody counts any more.
        pending().await
    }
}

async fn change_after(at: Instant, counter: &mut watch::Receiver<u64>) {
    tokio::time::sleep_until(at).await;
    change(counter).await;
}

#[cfg(test)]
mod tests;
