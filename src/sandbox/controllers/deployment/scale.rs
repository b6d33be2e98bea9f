//! Scaling of a Deployment whose size changed, between and during roll-outs.

use std::cmp::Reverse;

use super::super::object::{annotation, count, created, deleting};
use super::{DESIRED, MAX, Rollout, Set, Which};

impl Rollout<'_> {
    /// Whether `spec.replicas` changed since the active ReplicaSets were last sized.
    pub(super) fn is_scaled(&self) -> bool {
        let wanted = self.replicas;
        self.sets().filter(|set| set.replicas > 0 && !deleting(&set.object)).any(|set| {
            let desired: Option<i64> =
                annotation(&set.object, DESIRED).and_then(|desired| desired.parse().ok());
            desired.is_some_and(|desired| desired != wanted)
        })
    }

    /// Applies the new size: to the only active ReplicaSet, or over all of them in proportion.
    pub(super) fn scale(&mut self) {
        if let Some(only) = self.active_or_latest() {
            self.resize(only, self.replicas);
        } else if self.is_saturated() {
            for index in 0..self.old.len() {
                if self.old[index].replicas > 0 {
                    self.resize(Which::Old(index), 0);
                }
            }
        } else if !self.recreates {
            self.spread();
        }
    }

    fn all(&self) -> Vec<Which> {
        let new = self.new.iter().map(|_| Which::New);
        new.chain((0..self.old.len()).map(Which::Old)).collect()
    }

    fn peek(&self, which: Which) -> Option<&Set> {
        match which {
            Which::New => self.new.as_ref(),
            Which::Old(index) => self.old.get(index),
        }
    }

    fn active(&self) -> Vec<Which> {
        let mut active = self.all();
        active.retain(|which| self.peek(*which).is_some_and(|set| set.replicas > 0));
        active
    }

    fn active_or_latest(&self) -> Option<Which> {
        match self.active().as_slice() {
            [] if self.new.is_some() => Some(Which::New),
            [] => self.old.len().checked_sub(1).map(Which::Old),
            [only] => Some(*only),
            _ => None,
        }
    }

    fn is_saturated(&self) -> bool {
        self.new.as_ref().is_some_and(|new| {
            annotation(&new.object, DESIRED) == Some(&self.replicas.to_string())
                && new.replicas == self.replicas
                && new.available() == self.replicas
        })
    }

    /// Proportional scaling: each active ReplicaSet keeps its share; what rounding leaves over goes to the largest.
    fn spread(&mut self) {
        let allowed = if self.replicas > 0 { self.replicas + self.surge } else { 0 };
        let mut active = self.active();
        let total: i64 = active.iter().filter_map(|which| self.peek(*which)).map(|set| set.replicas).sum();
        let add = allowed - total;
        active.sort_by_cached_key(|which| {
            let set = self.peek(*which);
            let born = set.and_then(|set| created(&set.object));
            // among equals a growing roll-out favours the newer, a shrinking one takes from the older
            let age = if add > 0 { Err(Reverse(born)) } else { Ok(born) };
            (Reverse(set.map(|set| set.replicas)), age)
        });
        let mut added = 0;
        let mut sizes: Vec<(Which, i64)> = Vec::new();
        for which in active {
            let Some(set) = self.peek(which) else { continue };
            let share = self.share(set, add, added);
            added += share;
            sizes.push((which, set.replicas + share));
        }
        if let Some((_, size)) = sizes.first_mut() {
            *size = (*size + add - added).max(0);
        }
        for (which, size) in sizes {
            self.resize(which, size);
        }
    }

    fn share(&self, set: &Set, add: i64, added: i64) -> i64 {
        if set.replicas == 0 || add == 0 || add == added {
            return 0;
        }
        let fraction = self.fraction(set);
        if add > 0 { fraction.min(add - added) } else { fraction.max(add - added) }
    }

    fn fraction(&self, set: &Set) -> i64 {
        if self.replicas == 0 {
            return -set.replicas;
        }
        let before = annotation(&set.object, MAX)
            .and_then(|most| most.parse().ok())
            .filter(|most: &i64| *most > 0)
            .unwrap_or_else(|| count(self.deployment, "/status/replicas").max(1));
        let size = set.replicas as f64 * (self.replicas + self.surge) as f64 / before as f64;
        size.round() as i64 - set.replicas
    }
}
