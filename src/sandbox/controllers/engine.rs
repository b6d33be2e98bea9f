//! The engine: keeps the cache and the queue current, and works off one key at a time.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::cache::Cache;
use super::execute::execute;
use super::object::{name, namespace};
use super::queue::Queue;
use super::routes::{self, Change, Key, WATCHED};
use super::write::{Context, Outcome};
use crate::sandbox::api::{Api, ChangeKind, Subscription, Watching};

/// How the controller of a key decides.
type Sync = fn(&Context<'_>, &Key) -> Outcome;

/// What is noted for a key whose controller panicked.
const PANICKED: &str = "the sandbox's controller failed on this object; its log says why";

/// The state of the controllers.
pub struct Engine {
    api: Api,
    feeds: Vec<(&'static str, Subscription)>,
    cache: Cache,
    queue: Queue,
    sync: Sync,
}

impl Engine {
    /// An engine that knows every object there is and has looked at none.
    pub fn new(api: Api) -> Self {
        Self::with(api, routes::sync)
    }

    fn with(api: Api, sync: Sync) -> Self {
        let feeds = WATCHED.iter().map(|resource| (*resource, api.subscribe(resource))).collect();
        let mut engine = Self { api, feeds, cache: Cache::default(), queue: Queue::default(), sync };
        for resource in WATCHED {
            engine.list(resource);
        }
        engine
    }

    /// Takes in every change since the last time.
    pub fn catch_up(&mut self) {
        for index in 0..self.feeds.len() {
            while let Some((resource, feed)) = self.feeds.get_mut(index) {
                let resource = *resource;
                match feed.ready() {
                    None => break,
                    Some(Watching::Changed(entry)) => {
                        let change = &entry.change;
                        let new = (change.kind != ChangeKind::Deleted).then(|| change.object.clone());
                        let old = change.old.clone().or_else(|| new.is_none().then(|| change.object.clone()));
                        self.take(resource, Change { old, new });
                    }
                    Some(Watching::Expired(_)) => {
                        *feed = self.api.subscribe(resource);
                        self.list(resource);
                    }
                }
            }
        }
    }

    fn take(&mut self, resource: &'static str, change: Change) {
        match (&change.old, &change.new) {
            (_, Some(new)) => self.cache.insert(resource, new.clone()),
            (Some(old), None) => self.cache.remove(resource, old),
            (None, None) => {}
        }
        for key in routes::affected(&self.cache, resource, &change) {
            self.queue.add(key);
        }
    }

    /// Reads all objects of a resource, and forgets those that are gone.
    fn list(&mut self, resource: &'static str) {
        let present = self.api.list(resource, None);
        let names: BTreeSet<(&str, &str)> =
            present.iter().map(|object| (namespace(object), name(object))).collect();
        let gone: Vec<Arc<Value>> = self
            .cache
            .all(resource)
            .filter(|object| !names.contains(&(namespace(object), name(object))))
            .cloned()
            .collect();
        for object in gone {
            self.take(resource, Change { old: Some(object), new: None });
        }
        for object in present {
            let old = self.cache.get(resource, namespace(&object), name(&object)).cloned();
            self.take(resource, Change { old, new: Some(object) });
        }
    }

    /// Works off one key. False when there is none.
    pub fn step(&mut self) -> bool {
        let now = self.api.now();
        let Some(key) = self.queue.take(now) else { return false };
        if self.cache.get(key.controller.resource(), &key.namespace, &key.name).is_none() {
            self.queue.forget(&key);
            return true;
        }
        let attempt = catch_unwind(AssertUnwindSafe(|| self.attempt(&key, now)));
        let (refusal, again) = attempt.unwrap_or_else(|_| {
            // one broken object must not stop the controllers of all others: it is tried again, later each time
            tracing::error!(?key, "a controller panicked");
            (Some(PANICKED.to_owned()), None)
        });
        self.queue.note(&key, refusal, again, now);
        self.catch_up();
        true
    }

    /// Decides and writes: why a write was refused, and when to look again.
    fn attempt(&self, key: &Key, now: Timestamp) -> (Option<String>, Option<Timestamp>) {
        let context = Context { cache: &self.cache, now, failure: self.queue.failure(key) };
        let outcome = (self.sync)(&context, key);
        let again = outcome.again;
        (execute(&self.api, key, outcome), again)
    }

    /// When the next delayed key is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_due()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::clock::ManualClock;

    fn broken(context: &Context<'_>, key: &Key) -> Outcome {
        assert!(key.name != "broken", "a bug");
        routes::sync(context, key)
    }

    #[test]
    fn a_panic_stops_nobody_else() {
        let clock = Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().expect("a timestamp")));
        let api = Api::new(clock.clone(), 7);
        let mut engine = Engine::with(api.clone(), broken);
        for name in ["broken", "whole"] {
            api.create("namespaces", json!({"metadata": {"name": name}}), "test").expect("a namespace");
        }
        engine.catch_up();
        while engine.step() {}
        assert!(api.get("serviceaccounts", "whole", "default").is_some());
        assert!(api.get("serviceaccounts", "broken", "default").is_none());
        let retry = engine.next_due().expect("it is tried again");
        engine.sync = routes::sync;
        clock.advance(retry.duration_since(api.now()));
        while engine.step() {}
        assert!(api.get("serviceaccounts", "broken", "default").is_some());
    }
}
