//! Asks every external URL whether it answers: at once when it is new or its application's health changed, soon again while it
//! fails, every half minute while it works. "Does it work" is a fact, not a guess.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::route::Probe;
use crate::domain::{Clock, Health};
use crate::ingress;

/// How long one probe may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait after a probe that found the URL working.
const CALM: Duration = Duration::from_secs(30);
/// How long to wait after the first failure; it doubles up to [`CALM`].
const FIRST_RETRY: Duration = Duration::from_millis(250);
/// The most probes under way at once.
const PARALLEL: usize = 16;

/// The URLs to probe, each with the health of its application.
pub type Targets = HashMap<String, Health>;
/// The last result per URL.
pub type Results = Arc<HashMap<String, Probe>>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tracked {
    health: Health,
    failures: u32,
    next: Instant,
}

/// Probes until `stop`. Results are published whole, and only when one changed.
pub async fn run(
    mut targets: watch::Receiver<Targets>,
    results: watch::Sender<Results>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let mut tracked = HashMap::new();
    loop {
        follow(&mut tracked, &targets.borrow_and_update(), Instant::now());
        let due = due(&tracked, Instant::now());
        if !due.is_empty() {
            let found =
                join_all(due.iter().map(|url| ingress::probe::probe(url, PATIENCE, clock.now()))).await;
            note(&mut tracked, &results, due.into_iter().zip(found));
            continue;
        }
        let next = tracked.values().map(|tracked| tracked.next).min();
        tokio::select! {
            () = stop.cancelled() => return,
            changed = targets.changed() => if changed.is_err() { return },
            () = sleep_until(next) => {}
        }
    }
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Takes over the targets: new ones and those whose health changed are due at once, gone ones are forgotten.
fn follow(tracked: &mut HashMap<String, Tracked>, targets: &Targets, now: Instant) {
    tracked.retain(|url, _| targets.contains_key(url));
    for (url, health) in targets {
        let entry = tracked.entry(url.clone()).or_insert(Tracked { health: *health, failures: 0, next: now });
        if entry.health != *health {
            *entry = Tracked { health: *health, failures: 0, next: now };
        }
    }
}

fn due(tracked: &HashMap<String, Tracked>, now: Instant) -> Vec<String> {
    let due = tracked.iter().filter(|(_, tracked)| tracked.next <= now);
    due.map(|(url, _)| url.clone()).take(PARALLEL).collect()
}

fn note(
    tracked: &mut HashMap<String, Tracked>,
    results: &watch::Sender<Results>,
    found: impl Iterator<Item = (String, Probe)>,
) {
    let mut next: HashMap<String, Probe> = (**results.borrow()).clone();
    next.retain(|url, _| tracked.contains_key(url));
    for (url, probe) in found {
        if let Some(tracked) = tracked.get_mut(&url) {
            tracked.failures = if probe.works() { 0 } else { tracked.failures + 1 };
            tracked.next = Instant::now() + pause(tracked.failures);
        }
        next.insert(url, probe);
    }
    results.send_if_modified(|held| {
        let changed = **held != next;
        *held = Arc::new(next);
        changed
    });
}

fn pause(failures: u32) -> Duration {
    match failures {
        0 => CALM,
        _ => FIRST_RETRY.saturating_mul(1 << (failures - 1).min(10)).min(CALM),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_asked_again_soon_and_then_slower() {
        assert_eq!(pause(0), CALM);
        assert_eq!(pause(1), FIRST_RETRY);
        assert_eq!(pause(3), FIRST_RETRY * 4);
        assert_eq!(pause(50), CALM);
    }

    #[test]
    fn a_change_of_health_makes_a_url_due() {
        let now = Instant::now();
        let mut tracked = HashMap::new();
        let mut targets = Targets::from([("http://a".to_owned(), Health::Progressing)]);
        follow(&mut tracked, &targets, now);
        assert_eq!(due(&tracked, now), ["http://a"]);
        tracked.get_mut("http://a").unwrap().next = now + CALM;
        follow(&mut tracked, &targets, now);
        assert!(due(&tracked, now).is_empty(), "nothing changed");
        targets.insert("http://a".to_owned(), Health::Healthy);
        follow(&mut tracked, &targets, now);
        assert_eq!(due(&tracked, now), ["http://a"]);
        follow(&mut tracked, &Targets::new(), now);
        assert!(tracked.is_empty());
    }
}
