//! Rolling updates and recreation: how many pods move from the old ReplicaSets to the new one in this step.

use serde_json::Value;

use super::super::object::{count, deleting, number, uid};
use super::super::pods::{self, PODS};
use super::{Rollout, Set, Which};

/// `(maxSurge, maxUnavailable)` in pods: surge rounded up, unavailability down, never both zero.
pub(super) fn limits(deployment: &Value, replicas: i64) -> (i64, i64) {
    let field = |name: &str| deployment.pointer(&format!("/spec/strategy/rollingUpdate/{name}"));
    let surge = resolve(field("maxSurge"), replicas, true);
    let unavailable = resolve(field("maxUnavailable"), replicas, false);
    let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
    (surge, unavailable.min(replicas))
}

/// An int-or-percent of `total`; 25 % when absent, as the API's default has it.
pub fn resolve(value: Option<&Value>, total: i64, up: bool) -> i64 {
    let percent = |percent: i64| {
        let scaled = percent * total;
        if up { (scaled + 99).div_euclid(100) } else { scaled.div_euclid(100) }
    };
    match value {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(0),
        Some(Value::String(text)) => {
            text.strip_suffix('%').and_then(|text| text.parse().ok()).map_or(0, percent)
        }
        _ => percent(25),
    }
}

impl Rollout<'_> {
    /// One step of a rolling update.
    pub(super) fn roll(&mut self) {
        self.adopt_revision(true);
        if self.grow_new() || self.shrink_old() {
            return;
        }
        if self.is_complete() {
            self.clean_up();
        }
    }

    fn grow_new(&mut self) -> bool {
        let Some(new) = &self.new else { return false };
        let present = new.replicas;
        let wanted = if present >= self.replicas {
            self.replicas
        } else {
            let room = self.replicas + self.surge - self.total();
            present + room.clamp(0, self.replicas - present)
        };
        self.resize(Which::New, wanted);
        wanted != present
    }

    fn shrink_old(&mut self) -> bool {
        let old: i64 = self.old.iter().map(|set| set.replicas).sum();
        if old == 0 {
            return false;
        }
        let starting = self.new.as_ref().map_or(0, |new| new.replicas - new.available());
        let spare = self.total() - (self.replicas - self.unavailable) - starting;
        if spare <= 0 {
            return false;
        }
        let broken = self.drop_unhealthy(spare);
        let healthy = self.drop_healthy();
        broken + healthy > 0
    }

    /// Old pods that are not available anyway go first.
    fn drop_unhealthy(&mut self, most: i64) -> i64 {
        let mut dropped = 0;
        for index in 0..self.old.len() {
            let set = &self.old[index];
            let unhealthy = (set.replicas - set.available()).max(0);
            let drop = unhealthy.min(most - dropped);
            if drop > 0 {
                let to = set.replicas - drop;
                self.resize(Which::Old(index), to);
                dropped += drop;
            }
        }
        dropped
    }

    /// Healthy old pods go as far as `maxUnavailable` allows.
    fn drop_healthy(&mut self) -> i64 {
        let available: i64 = self.sets().map(Set::available).sum();
        let most = available - (self.replicas - self.unavailable);
        let mut dropped = 0;
        for index in 0..self.old.len() {
            let present = self.old[index].replicas;
            let drop = present.min(most - dropped);
            if drop > 0 {
                self.resize(Which::Old(index), present - drop);
                dropped += drop;
            }
        }
        dropped
    }

    /// One step of strategy Recreate: the old pods go, all of them, before a new one comes.
    pub(super) fn recreate(&mut self) {
        self.adopt_revision(false);
        let mut shrunk = false;
        for index in 0..self.old.len() {
            if self.old[index].replicas > 0 {
                self.resize(Which::Old(index), 0);
                shrunk = true;
            }
        }
        if shrunk || self.old_pods_run() {
            return;
        }
        if self.new.is_none() {
            self.adopt_revision(true);
        }
        self.resize(Which::New, self.replicas);
        if self.is_complete() {
            self.clean_up();
        }
    }

    fn old_pods_run(&self) -> bool {
        self.old.iter().any(|set| {
            self.context.cache.owned(PODS, uid(&set.object)).any(|pod| !pods::is_finished(pod))
                || (count(&set.object, "/status/replicas") > 0 && !deleting(&set.object))
        })
    }

    /// Whether the status says that all pods are new and available.
    pub(super) fn is_complete(&self) -> bool {
        let deployment = self.deployment;
        ["updatedReplicas", "replicas", "availableReplicas"]
            .iter()
            .all(|field| count(deployment, &format!("/status/{field}")) == self.replicas)
            && number(deployment, "/status/observedGeneration") >= number(deployment, "/metadata/generation")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn percentages_round_towards_progress() {
        assert_eq!(resolve(Some(&json!("25%")), 3, true), 1);
        assert_eq!(resolve(Some(&json!("25%")), 3, false), 0);
        assert_eq!(resolve(Some(&json!(2)), 3, false), 2);
        assert_eq!(resolve(None, 10, true), 3);
    }

    #[test]
    fn surge_and_unavailable_are_never_both_zero() {
        let deployment =
            json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "10%"}}}});
        assert_eq!(limits(&deployment, 3), (0, 1));
        assert_eq!(limits(&deployment, 0), (0, 0));
    }
}
