//! Waiting until something has become so. A rollout that will not get there by itself ends the wait before its time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Hands, lasting, passing, stale};
use crate::domain::{Health, ObjectKey, Problem, Step};
use crate::operate::{Done, StepError};
use crate::reconcile::stuck::stuck;

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
        loop {
            moved.mark_unchanged();
            let pause = match self.look(key, &mut since)? {
                Look::Good => return Ok(Done::default()),
                Look::Again(pause) => pause,
            };
            self.engine.progress(&self.name).await;
            tokio::select! {
                changed = moved.changed() => if changed.is_err() { return Err(passing(ended())) },
                () = sleep(pause) => {}
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
            Some((reason, begun)) if *reason == found.reason => *begun,
            _ => {
                *since = Some((found.reason.clone(), now));
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
        let mut moved = self.moved.clone();
        loop {
            moved.mark_unchanged();
            let pods = index
                .objects_of(&self.name.namespace, &self.name.name)
                .into_iter()
                .filter(|object| object.key.kind == "Pod")
                .count();
            let going = index
                .inventory(&self.name.namespace, &self.name.name)
                .iter()
                .filter(|row| crate::reconcile::situation::is_disposable(&row.summary.key))
                .count();
            if pods + going == 0 {
                return Ok(Done::default());
            }
            if moved.changed().await.is_err() {
                return Err(passing(ended()));
            }
        }
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
