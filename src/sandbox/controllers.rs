//! The controllers: what turns objects into other objects, as a real cluster's controller manager and scheduler do.
//!
//! ```text
//! Api changes → Cache (indexes) → routes: whom it concerns → Queue → sync (pure) → Outcome → execute → Api
//!                                                              ▲                      │
//!                                                              └── look again, retry ─┘
//! ```
//! One task runs them all, one object at a time. Each controller is a pure function from the cache and the time to the
//! writes that it wants; nothing is polled, and a change costs what it concerns, not what the cluster holds.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::{clock, object, selector};

mod autoscaler;
#[cfg(test)]
mod bench;
mod cache;
mod cronjob;
mod daemonset;
mod deployment;
pub mod disruption;
mod endpoints;
mod engine;
mod execute;
mod hash;
mod ingress;
mod job;
mod namespaces;
mod neighbours;
mod placing;
mod pods;
mod queue;
mod replicaset;
mod revision;
mod routes;
mod scheduler;
mod statefulset;
mod taints;
mod volumes;
mod write;

pub use cronjob::schedule::Schedule;
pub use volumes::PROVISIONER;

/// How many syncs are done before other tasks get their turn.
const TURN: usize = 16;

/// After much work the controllers rest for so many times as long as it took.
const REST: u32 = 4;
/// But not longer than this.
const LONGEST_REST: Duration = Duration::from_millis(100);
/// Nobody rests for less.
const WORTH_RESTING: Duration = Duration::from_millis(10);

/// Runs every controller until `stop` is cancelled.
pub async fn run(api: Api, stop: CancellationToken) {
    execute::make_classes(&api);
    let mut changes = api.changes();
    let mut engine = engine::Engine::new(api.clone());
    loop {
        changes.borrow_and_update();
        let begun = tokio::time::Instant::now();
        engine.catch_up();
        let mut turn = 0;
        while !stop.is_cancelled() && engine.step() {
            turn += 1;
            if turn % TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
        // a workload of thousands of pods is summed up once for many changes, not once for each
        let pause = (begun.elapsed() * REST).min(LONGEST_REST);
        if pause > WORTH_RESTING {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        let due = engine.next_due();
        tokio::select! {
            () = stop.cancelled() => break,
            changed = changes.changed() => if changed.is_err() { break },
            () = wait_until(&api, due) => {}
        }
    }
}

/// Waits until the sandbox's clock has reached a moment; for ever when there is none.
async fn wait_until(api: &Api, due: Option<Timestamp>) {
    match due {
        Some(due) => clock::sleep_until(&*api.clock(), due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
