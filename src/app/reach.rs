//! What the probes found, in short: what the engine hears of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::probes::Results;
use crate::domain::route::Reach;

/// Where it is published.
pub type Publisher = watch::Sender<Arc<BTreeMap<String, Reach>>>;

/// Publishes what was found, when one of the facts is another one. How long something took is none.
pub fn publish(to: &Publisher, found: &Results) {
    let next: BTreeMap<String, Reach> =
        found.iter().map(|(url, probe)| (url.clone(), probe.reach())).collect();
    to.send_if_modified(|held| {
        let changed = **held != next;
        if changed {
            *held = Arc::new(next);
        }
        changed
    });
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::route::{Phases, Probe, ProbeOutcome};

    fn found(code: u16, micros: u32) -> Results {
        let probe = Probe {
            at: Timestamp::UNIX_EPOCH,
            outcome: ProbeOutcome::Answered(code),
            phases: Phases { http: Some(micros), ..Phases::default() },
            address: None,
            addresses: Vec::new(),
            hops: Vec::new(),
            certificate: None,
        };
        Arc::new(HashMap::from([("http://a".to_owned(), probe)]))
    }

    #[test]
    fn another_measurement_is_no_news() {
        let publisher = Publisher::default();
        let mut heard = publisher.subscribe();
        publish(&publisher, &found(200, 10));
        assert!(heard.has_changed().unwrap());
        heard.mark_unchanged();
        publish(&publisher, &found(200, 20));
        assert!(!heard.has_changed().unwrap(), "it took longer, that is all");
        publish(&publisher, &found(503, 20));
        assert!(!heard.borrow_and_update()["http://a"].works);
    }
}
