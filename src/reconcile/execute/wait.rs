//! Waiting until something has become so. A rollout that will not get there by itself ends the wait before its time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Hands, lasting, passing, stale};
use crate::domain::{Health, ObjectKey, Problem, Role, Step};
use crate::operate::{Done, StepError};
use crate::reconcile::situation::is_disposable;
use crate::reconcile::stuck::stuck;

/// How long nothing is heard before the server is asked.
const QUIET: SignedDuration = SignedDuration::from_secs(20);
/// How many objects that are left are named.
const NAMED: usize = 5;

impl Hands {
    pub(super) async fn wait(&self, step: &Step) -> Result<Done, StepError> {
        match &step.object {
            Some(key) => self.wait_healthy(key).await,
            None => self.wait_gone().await,
        }
    }

    async fn wait_healthy(&self, key: &ObjectKey) -> Result<Done, StepError> {
        let mut moved = self.moved.clone();
        let mut since: Option<(String, Timestamp)> = None;
        let mut doubt = Doubt { version: None, since: self.engine.clock().now(), patience: QUIET };
        loop {
            moved.mark_unchanged();
            let pause = match self.look(key, &mut since)? {
                Look::Good => return Ok(Done::default()),
                Look::Again(pause) => pause,
            };
            let version = self.engine.cluster().index().object(key).map(|object| object.resource_version);
            let quiet = doubt.left(version, self.engine.clock().now());
            self.engine.progress(&self.name).await;
            if quiet <= SignedDuration::ZERO {
                self.is_behind(key).await;
                doubt.patience = doubt.patience.saturating_mul(2);
                continue;
            }
            tokio::select! {
                changed = moved.changed() => if changed.is_err() { return Err(passing(ended())) },
                () = sleep(Some(pause.map_or(quiet, |pause| pause.min(quiet)))) => {}
            }
        }
    }

    /// One look at an object that is waited for; `since` is what it is stuck in, and since when.
    fn look(&self, key: &ObjectKey, since: &mut Option<(String, Timestamp)>) -> Result<Look, StepError> {
        let index = self.engine.cluster().index();
        if !index.is_complete(&key.namespace) {
            return Ok(Look::Again(None));
        }
        if !index.sees(&key.namespace, &key.kind) {
            // we may not look: it was written, and that is all that can be known
            return Ok(Look::Good);
        }
        let Some(object) = index.object(key) else {
            return Err(stale(format!("{key} is gone"), "somebody deleted it while it was waited for"));
        };
        match object.verdict.health {
            Health::Healthy | Health::Stopped | Health::Suspended => return Ok(Look::Good),
            Health::Degraded => {
                return Err(lasting(unfinished(key, object.verdict.headline().unwrap_or_default())));
            }
            _ => {}
        }
        let objects = index.objects_of(&self.name.namespace, &self.name.name);
        let Some(found) = stuck(key, &objects) else {
            *since = None;
            return Ok(Look::Again(None));
        };
        let now = self.engine.clock().now();
        let begun = match since {
            Some((family, begun)) if *family == found.family() => *begun,
            _ => {
                *since = Some((found.family().to_owned(), now));
                now
            }
        };
        let left = found.patience - now.duration_since(begun);
        match left <= SignedDuration::ZERO {
            true => Err(lasting(unfinished(key, format!("{}: {}", found.reason, found.message)))),
            false => Ok(Look::Again(Some(left))),
        }
    }

    async fn wait_gone(&self) -> Result<Done, StepError> {
        let index = self.engine.cluster().index();
        let left = || {
            let objects = index.objects_of(&self.name.namespace, &self.name.name);
            let pods = objects.into_iter().map(|object| object.key).filter(|key| key.kind == "Pod");
            let rows = index.inventory(&self.name.namespace, &self.name.name);
            let going = rows
                .into_iter()
                .filter(|row| Role::of(|label| row.summary.labels.contains_key(label)) != Role::Kept);
            let written = going.map(|row| row.summary.key.clone()).filter(is_disposable);
            pods.chain(written).collect()
        };
        self.until_gone(left).await?;
        Ok(Done::default())
    }

    /// Waits until nothing is left. What stays for long is named, and by what it is held: the step is tried again then, and
    /// shows that meanwhile.
    pub(super) async fn until_gone(&self, left: impl Fn() -> Vec<ObjectKey>) -> Result<(), StepError> {
        let mut moved = self.moved.clone();
        let begun = self.engine.clock().now();
        loop {
            moved.mark_unchanged();
            let objects = left();
            if objects.is_empty() {
                return Ok(());
            }
            let quiet = QUIET - self.engine.clock().now().duration_since(begun);
            if quiet <= SignedDuration::ZERO {
                return Err(passing(self.left(&objects).await));
            }
            tokio::select! {
                changed = moved.changed() => if changed.is_err() { return Err(passing(ended())) },
                () = sleep(Some(quiet)) => {}
            }
        }
    }

    /// What is left, and what holds it, as the server has it.
    pub(super) async fn left(&self, objects: &[ObjectKey]) -> Problem {
        let cluster = self.engine.cluster();
        let mut lines = Vec::new();
        for key in objects.iter().take(NAMED) {
            let Ok(found) = cluster.get(key).await else { continue };
            let Some(object) = found else {
                // gone, and nobody told us
                self.watch_anew(key);
                continue;
            };
            let finalizers = object["metadata"]["finalizers"].as_array().into_iter().flatten();
            let finalizers: Vec<&str> = finalizers.filter_map(serde_json::Value::as_str).collect();
            lines.push(match finalizers.is_empty() {
                true => format!("{key} is going"),
                false => format!("{key} is held by the finalizer {}", finalizers.join(", ")),
            });
        }
        let what = match objects {
            [one] => format!("{one} is not gone yet"),
            all => format!("{} objects are not gone yet", all.len()),
        };
        Problem::new(
            what,
            lines.join("; "),
            "wait for whoever the finalizer belongs to; take it off by hand only when that one is gone for good",
        )
    }

    /// Whether the server knows more of an object than the watch told: then everything there is listed anew.
    pub(super) async fn is_behind(&self, key: &ObjectKey) -> bool {
        let behind = self.engine.cluster().is_behind(key).await.unwrap_or(false);
        if behind {
            self.watch_anew(key);
        }
        behind
    }

    fn watch_anew(&self, key: &ObjectKey) {
        tracing::warn!(%key, "a watch fell silent: everything in its namespace is listed anew");
        self.engine.cluster().watch_anew(&key.namespace);
    }
}

/// How long nothing was heard of an object that is waited for. A watch may fall silent without an error: after a while the
/// server is asked once, then after twice that time.
struct Doubt {
    version: Option<String>,
    since: Timestamp,
    patience: SignedDuration,
}

impl Doubt {
    /// How much longer to believe the watch.
    fn left(&mut self, version: Option<String>, now: Timestamp) -> SignedDuration {
        if self.version != version {
            *self = Self { version, since: now, patience: QUIET };
        }
        self.patience - now.duration_since(self.since)
    }
}

enum Look {
    Good,
    Again(Option<SignedDuration>),
}

async fn sleep(pause: Option<SignedDuration>) {
    match pause {
        Some(pause) => tokio::time::sleep(Duration::try_from(pause).unwrap_or_default()).await,
        None => std::future::pending().await,
    }
}

fn unfinished(key: &ObjectKey, why: String) -> Problem {
    Problem::new(
        format!("{key} will not become healthy by itself"),
        why,
        "roll back to the instance before, or correct the cause and try again",
    )
}

fn ended() -> Problem {
    Problem::new("the engine is ending", "", "nothing: the next one goes on")
}
