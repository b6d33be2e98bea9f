//! Garbage collection: objects whose owners are gone, foreground and orphaning deletion, namespaces and custom resource
//! definitions that end, old events.
//!
//! Each round looks at the objects as they are and does what follows from that, so it can be interrupted anywhere.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::api::Api;

mod ending;
mod owners;

pub use ending::DEFINITION_FINALIZER;

/// The field manager of its writes.
const MANAGER: &str = "garbage-collector";
/// How often old events are looked for, however much happens meanwhile.
const IDLE: Duration = Duration::from_secs(60);
/// How long a burst of changes is left to gather before the next round.
const GATHER: Duration = Duration::from_millis(20);
/// How many times as long as a round took it rests: a round looks at everything, so that thousands of changes in a row would
/// otherwise cost thousands of looks at thousands of objects.
const REST: u32 = 4;

/// Collects until `stop`.
pub async fn run(api: Api, stop: CancellationToken) {
    let mut news = api.collectable();
    let mut old = interval_at(Instant::now() + IDLE, IDLE);
    old.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        news.mark_unchanged();
        let begun = Instant::now();
        // what one object does to a round must not end the collection of all others
        if catch_unwind(AssertUnwindSafe(|| round(&api))).is_err() {
            tracing::error!("a round of the garbage collector panicked");
        }
        let pause = GATHER.max(begun.elapsed() * REST);
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            _ = old.tick() => ending::old_events(&api),
            () = stop.cancelled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// One look at everything; what it removes may free more, which the next round sees.
pub fn round(api: &Api) {
    owners::collect(api);
    ending::namespaces(api);
    ending::definitions(api);
}

#[cfg(test)]
mod tests;
