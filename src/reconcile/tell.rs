//! Telling: the status of the custom resource, and what drifted.

use crate::cluster::{ClusterError, key};
use crate::domain::drift::DriftAnswer;
use crate::domain::names::digest;
use crate::domain::{DesiredPhase, Drift, DriftMode};

use super::act::Failure;
use super::decide::{Move, decide};
use super::engine::Engine;
use super::observe::Observed;
use super::queue::Name;
use super::report;
use super::situation::Need;

impl Engine {
    /// Writes the status that follows, if it differs from the one that stands.
    pub(super) async fn tell(&self, observed: &Observed, next: &Move) -> Result<(), Failure> {
        let Some(resource) = &observed.situation.resource else { return Ok(()) };
        // Before the lists are complete nothing is known, and what nobody recorded is not ours to judge.
        let silent = !observed.situation.complete || observed.situation.record.is_none();
        if silent || matches!(next, Move::Release | Move::DropRecord) {
            return Ok(());
        }
        let status = self.cluster().sayable(report::status(&observed.situation, resource, next));
        match self.cluster().write_status(resource, &status).await {
            Ok(true) => {
                let stopped = observed.situation.phase() != DesiredPhase::Running;
                for (bad, reason, message) in report::turns(&resource.status.routes, &status.routes) {
                    // what was stopped on purpose is no news to worry about
                    self.note(Some(resource), bad && !stopped, reason, &message).await;
                }
                Ok(())
            }
            Ok(false) | Err(ClusterError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells how far something that is waited for has come. Nothing depends on it.
    pub(super) async fn progress(&self, name: &Name) {
        let Ok(observed) = self.observe(name).await else { return };
        let next = decide(&observed.situation);
        if let Err(failure) = self.tell(&observed, &next).await {
            tracing::debug!(problem = %failure.problem, "the status was not written");
        }
    }

    /// Finds out which fields of drifted objects are not as they were written: once per change, and only where it is somebody's
    /// business.
    pub(super) async fn look_at_drift(&self, name: &Name, observed: &Observed) {
        let situation = &observed.situation;
        let mode = situation.work.drift;
        self.set_drift_mode(name, mode);
        let drifted: Vec<_> = (situation.rendered_objects().iter())
            .filter_map(|object| match situation.need(object) {
                Some(need @ (Need::Drift | Need::Fight)) if mode != DriftMode::Ignore => Some((object, need)),
                _ => None,
            })
            .collect();
        let lines: Vec<String> = (drifted.iter())
            .map(|(object, need)| {
                let owned = situation.live.get(&object.key).map(|live| (&live.uid, &live.owned));
                format!("{} {owned:?} {need:?}\n", object.key)
            })
            .collect();
        let seen = if lines.is_empty() { String::new() } else { digest(lines.concat().as_bytes()) };
        if self.knows_drift(name, &seen) {
            return;
        }
        if drifted.is_empty() {
            self.set_drift(name, None);
            return;
        }
        let objects = match (&situation.record, &situation.newest) {
            (Some(record), Some(newest)) => {
                let instance = (&newest.context, newest.digest.as_str());
                self.parts(name, observed, record, instance).await.unwrap_or_default().0.objects
            }
            _ => Vec::new(),
        };
        let known = self.drifts().remove(name).unwrap_or_default();
        let mut found = Vec::new();
        for (object, need) in drifted {
            let rendered = objects.iter().find(|candidate| key(candidate) == object.key);
            let fields = match rendered {
                Some(rendered) => self.cluster().drifted_fields(rendered).await.unwrap_or(Some(Vec::new())),
                None => Some(Vec::new()),
            };
            let rounds = situation.trace.0.get(&object.key).map_or(0, |written| written.corrections.len());
            found.push(Drift {
                object: object.key.clone(),
                missing: fields.is_none(),
                fields: fields.unwrap_or_default(),
                since: (known.iter().find(|known| known.object == object.key))
                    .map_or(situation.now, |known| known.since),
                answer: match (need, mode) {
                    (Need::Fight, _) => DriftAnswer::Fought(u32::try_from(rounds).unwrap_or(u32::MAX)),
                    (_, DriftMode::Correct) => DriftAnswer::Correcting,
                    _ => DriftAnswer::Tolerated,
                },
            });
        }
        self.set_drift(name, Some((seen, found)));
    }
}
