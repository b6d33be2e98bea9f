//! When each URL is probed. Pure: the moment is handed in.
//!
//! Pauses differ from URL to URL, and are the same each time for one of them: a thousand URLs that became known together do not
//! go on being probed together.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use tokio::time::Instant;

use super::{PARALLEL, Target, Targets};

/// How long to wait after a probe that found the URL working, about.
const CALM: Duration = Duration::from_secs(30);
/// How long to wait after the first failure, about; it doubles up to [`CALM`].
const FIRST_RETRY: Duration = Duration::from_millis(250);
/// How far pauses are from what they are about.
const JITTER: f64 = 0.2;
/// The time in which many URLs that are due together are begun.
const SPREAD: Duration = Duration::from_secs(1);

/// The URLs that are probed.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    tracked: HashMap<String, Tracked>,
}

#[derive(Debug)]
struct Tracked {
    target: Target,
    failures: u32,
    next: Instant,
    under_way: bool,
    /// What is under way began before something changed.
    stale: bool,
}

impl Schedule {
    /// Takes over the targets: new ones and those that changed are due at once, or within a second when there are many of them. Gone
    /// ones, and those that are to be left alone, are forgotten. `under_way` says of a new one whether it is being probed already.
    pub(super) fn follow(&mut self, targets: &Targets, under_way: impl Fn(&str) -> bool, now: Instant) {
        let wanted = |url: &str| targets.get(url).is_some_and(|target| !target.unprobed);
        self.tracked.retain(|url, _| wanted(url));
        let mut fresh = Vec::new();
        for (url, target) in targets.iter().filter(|(_, target)| !target.unprobed) {
            match self.tracked.get_mut(url) {
                Some(tracked) if tracked.target == *target => {}
                Some(tracked) => {
                    tracked.target = *target;
                    tracked.failures = 0;
                    tracked.stale = tracked.under_way;
                    fresh.push(url);
                }
                None => {
                    let busy = under_way(url);
                    let new =
                        Tracked { target: *target, failures: 0, next: now, under_way: busy, stale: busy };
                    self.tracked.insert(url.clone(), new);
                    fresh.push(url);
                }
            }
        }
        let many = fresh.len() > PARALLEL;
        for url in fresh {
            if let Some(tracked) = self.tracked.get_mut(url) {
                tracked.next = if many { now + SPREAD.mul_f64(fraction(url, 0)) } else { now };
            }
        }
    }

    /// At most `room` URLs that are due, the longest due first.
    pub(super) fn due(&self, now: Instant, room: usize) -> Vec<String> {
        let mut due: Vec<_> =
            self.tracked.iter().filter(|(_, tracked)| !tracked.under_way && tracked.next <= now).collect();
        due.sort_by_key(|(url, tracked)| (tracked.next, *url));
        due.into_iter().take(room).map(|(url, _)| url.clone()).collect()
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.tracked.values().filter(|tracked| !tracked.under_way).map(|tracked| tracked.next).min()
    }

    /// A probe of it begins.
    pub(super) fn begin(&mut self, url: &str) {
        if let Some(tracked) = self.tracked.get_mut(url) {
            tracked.under_way = true;
            tracked.stale = false;
        }
    }

    /// A probe of it ended.
    pub(super) fn end(&mut self, url: &str, works: bool, now: Instant) {
        let Some(tracked) = self.tracked.get_mut(url) else { return };
        tracked.under_way = false;
        if std::mem::take(&mut tracked.stale) {
            tracked.next = now;
            return;
        }
        tracked.failures = if works { 0 } else { tracked.failures.saturating_add(1) };
        tracked.next = now + pause(url, tracked.failures);
    }

    /// Whether it is probed.
    pub(super) fn has(&self, url: &str) -> bool {
        self.tracked.contains_key(url)
    }

    /// All that are probed.
    pub(super) fn urls(&self) -> impl Iterator<Item = &String> {
        self.tracked.keys()
    }
}

/// How long to wait after that many failures in a row.
fn pause(url: &str, failures: u32) -> Duration {
    let about = match failures {
        0 => CALM,
        _ => FIRST_RETRY.saturating_mul(1 << (failures - 1).min(10)).min(CALM),
    };
    about.mul_f64(1.0 - JITTER + 2.0 * JITTER * fraction(url, failures))
}

/// A number from 0 to 1 that looks like chance, and is the same for a URL each time.
fn fraction(url: &str, turn: u32) -> f64 {
    let mut hasher = DefaultHasher::new();
    (url, turn).hash(&mut hasher);
    // 32 bits are enough, and exact as a float
    f64::from(u32::try_from(hasher.finish() >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Health;
    use crate::domain::route::Endpoints;

    const TARGET: Target = Target { health: Health::Progressing, endpoints: None, unprobed: false };

    fn about(pause: Duration, wanted: Duration) -> bool {
        pause >= wanted.mul_f64(1.0 - JITTER) && pause <= wanted.mul_f64(1.0 + JITTER)
    }

    fn one(target: Target) -> Targets {
        Targets::from([("http://a".to_owned(), target)])
    }

    fn follow(schedule: &mut Schedule, targets: &Targets, now: Instant) {
        schedule.follow(targets, |_| false, now);
    }

    #[test]
    fn failures_are_asked_again_soon_and_then_slower() {
        let url = "http://a";
        assert!(about(pause(url, 0), CALM));
        assert!(about(pause(url, 1), FIRST_RETRY));
        assert!(about(pause(url, 3), FIRST_RETRY * 4));
        assert!(about(pause(url, 50), CALM) && about(pause(url, u32::MAX), CALM));
        assert_eq!(pause(url, 2), pause(url, 2), "the same each time");
    }

    #[test]
    fn urls_drift_apart() {
        let pauses: Vec<Duration> = (0..1_000).map(|number| pause(&format!("http://{number}"), 0)).collect();
        assert!(pauses.iter().all(|pause| about(*pause, CALM)));
        let in_first_half = pauses.iter().filter(|pause| **pause < CALM).count();
        assert!((400..600).contains(&in_first_half), "{in_first_half}");
    }

    #[test]
    fn few_new_urls_are_due_at_once_and_many_within_a_second() {
        let now = Instant::now();
        let many =
            |count: usize| (0..count).map(|number| (format!("http://{number}"), TARGET)).collect::<Targets>();
        let mut few = Schedule::default();
        follow(&mut few, &many(PARALLEL), now);
        assert_eq!(few.due(now, 100).len(), PARALLEL);
        let mut schedule = Schedule::default();
        follow(&mut schedule, &many(1_000), now);
        let early = schedule.due(now + SPREAD / 10, 1_000).len();
        assert!((50..200).contains(&early), "{early} of 1000 in the first tenth");
        assert_eq!(schedule.due(now + SPREAD, 2_000).len(), 1_000);
        assert_eq!(schedule.due(now + SPREAD, PARALLEL).len(), PARALLEL);
    }

    #[test]
    fn a_change_of_health_or_endpoints_makes_a_url_due() {
        let now = Instant::now();
        let mut schedule = Schedule::default();
        follow(&mut schedule, &one(TARGET), now);
        schedule.begin("http://a");
        assert!(schedule.due(now, 1).is_empty() && schedule.next().is_none(), "under way");
        schedule.end("http://a", true, now);
        follow(&mut schedule, &one(TARGET), now);
        assert!(schedule.due(now, 1).is_empty(), "nothing changed");
        assert!(schedule.next().is_some_and(|next| about(next - now, CALM)));
        let healthy = Target { health: Health::Healthy, ..TARGET };
        follow(&mut schedule, &one(healthy), now);
        assert_eq!(schedule.due(now, 1), ["http://a"]);
        schedule.begin("http://a");
        schedule.end("http://a", false, now);
        follow(
            &mut schedule,
            &one(Target { endpoints: Some(Endpoints { ready: 1, total: 1 }), ..healthy }),
            now,
        );
        assert_eq!(schedule.due(now, 1), ["http://a"]);
        follow(&mut schedule, &Targets::new(), now);
        assert!(!schedule.has("http://a"));
    }

    #[test]
    fn what_changed_under_way_is_asked_again() {
        let now = Instant::now();
        let mut schedule = Schedule::default();
        follow(&mut schedule, &one(TARGET), now);
        schedule.begin("http://a");
        follow(&mut schedule, &one(Target { health: Health::Healthy, ..TARGET }), now);
        assert!(schedule.due(now, 1).is_empty(), "one at a time");
        schedule.end("http://a", false, now);
        assert_eq!(schedule.due(now, 1), ["http://a"]);
        schedule.begin("http://a");
        schedule.end("http://a", false, now);
        assert!(
            schedule.next().is_some_and(|next| about(next - now, FIRST_RETRY)),
            "the stale failure does not count"
        );
    }

    #[test]
    fn what_is_left_alone_is_not_tracked() {
        let now = Instant::now();
        let mut schedule = Schedule::default();
        follow(&mut schedule, &one(TARGET), now);
        follow(&mut schedule, &one(Target { unprobed: true, ..TARGET }), now);
        assert!(!schedule.has("http://a") && schedule.next().is_none());
        schedule.follow(&one(TARGET), |_| true, now);
        assert!(schedule.due(now, 1).is_empty(), "it comes back while its last probe is still under way");
        schedule.end("http://a", true, now);
        assert_eq!(schedule.due(now, 1), ["http://a"]);
    }
}
