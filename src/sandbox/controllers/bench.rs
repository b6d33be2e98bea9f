//! A bench for unit tests: a cache that takes the controllers' writes as the API would, minus the API's own rules.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::cache::Cache;
use super::object::{deleting, list, name, stamp, text, uid};
use super::pods::PODS;
use super::routes::{self, Controller, Key};
use super::write::{Context, Target, Write, set_condition};

/// The cache, the time, and what was told.
pub struct Bench {
    pub cache: Cache,
    pub now: Timestamp,
    pub events: Vec<(bool, String, String)>,
    version: u64,
}

impl Bench {
    pub fn new() -> Self {
        let now = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        Self { cache: Cache::default(), now, events: Vec::new(), version: 0 }
    }

    pub fn advance(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub fn add(&mut self, resource: &'static str, mut object: Value) -> Arc<Value> {
        self.version += 1;
        let metadata = &mut object["metadata"];
        if metadata.get("name").is_none() {
            let base = text(metadata, "/generateName").to_owned();
            metadata["name"] = json!(format!("{base}{:05}", self.version));
        }
        if metadata.get("uid").is_none() {
            metadata["uid"] = json!(format!("uid-{}", self.version));
            metadata["creationTimestamp"] = json!(stamp(self.now));
            if metadata.get("generation").is_none() {
                metadata["generation"] = json!(1);
            }
        }
        metadata["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(object);
        self.cache.insert(resource, object.clone());
        object
    }

    pub fn get(&self, resource: &'static str, namespace: &str, name: &str) -> Arc<Value> {
        self.cache
            .get(resource, namespace, name)
            .cloned()
            .unwrap_or_else(|| panic!("no {resource} {namespace}/{name}"))
    }

    pub fn uid(&self, resource: &'static str, namespace: &str, name: &str) -> String {
        uid(&self.get(resource, namespace, name)).to_owned()
    }

    pub fn names(&self, resource: &'static str) -> Vec<String> {
        self.cache.all(resource).map(|object| name(object).to_owned()).collect()
    }

    /// Changes an object as a person would: its generation goes up when its spec changes.
    pub fn change(
        &mut self,
        resource: &'static str,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) {
        let old = self.get(resource, namespace, name);
        let mut new = (*old).clone();
        change(&mut new);
        if new["spec"] != old["spec"] {
            new["metadata"]["generation"] = json!(new["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
        }
        self.add(resource, new);
    }

    pub fn remove(&mut self, resource: &'static str, namespace: &str, name: &str) {
        let object = self.get(resource, namespace, name);
        self.cache.remove(resource, &object);
    }

    /// Makes one pod Running and Ready.
    pub fn ready(&mut self, namespace: &str, name: &str) {
        let now = stamp(self.now);
        self.change(PODS, namespace, name, |pod| {
            let node = match super::scheduler::aimed_at(pod) {
                "" => "sandbox".to_owned(),
                node => node.to_owned(),
            };
            pod["spec"]["nodeName"] = json!(node);
            pod["status"]["phase"] = json!("Running");
            pod["status"]["conditions"] =
                json!([{"type": "Ready", "status": "True", "lastTransitionTime": now}]);
        });
    }

    /// Makes every pod Running and Ready that is not yet.
    pub fn ready_all(&mut self) {
        let waiting: Vec<(String, String)> = self
            .cache
            .all(PODS)
            .filter(|pod| text(pod, "/status/phase").is_empty() || text(pod, "/status/phase") == "Pending")
            .map(|pod| (text(pod, "/metadata/namespace").to_owned(), name(pod).to_owned()))
            .collect();
        for (namespace, name) in waiting {
            self.ready(&namespace, &name);
        }
    }

    /// Ends one pod.
    pub fn finish(&mut self, namespace: &str, name: &str, phase: &str) {
        let now = stamp(self.now);
        self.change(PODS, namespace, name, |pod| {
            pod["status"] = json!({"phase": phase, "containerStatuses": [
                {"name": "c", "state": {"terminated": {"finishedAt": now}}}]});
        });
    }

    /// Runs the controllers over everything until nobody wants anything; returns the earliest time somebody wants to look again.
    pub fn settle(&mut self) -> Option<Timestamp> {
        for _ in 0..200 {
            let mut wrote = false;
            let mut again: Option<Timestamp> = None;
            for key in self.keys() {
                let context = Context { cache: &self.cache, now: self.now, failure: None };
                let outcome = routes::sync(&context, &key);
                again = [again, outcome.again].into_iter().flatten().min();
                wrote |= outcome.writes.iter().any(|write| !matches!(write, Write::Event(_)));
                for write in outcome.writes {
                    self.apply(write);
                }
            }
            if !wrote {
                return again;
            }
        }
        panic!("the controllers do not come to rest");
    }

    fn keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        for controller in Controller::ALL.iter().filter(|controller| controller.resource() != PODS) {
            for object in self.cache.all(controller.resource()) {
                keys.push(Key::of(*controller, object));
            }
        }
        keys
    }

    fn apply(&mut self, write: Write) {
        match write {
            Write::Create { resource, object, note } => {
                let fixed = text(&object, "/metadata/name").to_owned();
                let namespace = text(&object, "/metadata/namespace").to_owned();
                assert!(
                    fixed.is_empty() || self.cache.get(resource, &namespace, &fixed).is_none(),
                    "{resource} {fixed} exists already"
                );
                let created = self.add(resource, object);
                if let Some(note) = note {
                    self.events.push((
                        note.warning,
                        note.reason.into(),
                        format!("{}{}", note.message, name(&created)),
                    ));
                }
            }
            Write::Merge { target, patch } => self.edit(&target, |object| json_patch::merge(object, &patch)),
            Write::Status { target, status } => self.edit(&target, |object| object["status"] = status),
            Write::Condition { target, condition } => {
                let now = self.now;
                self.edit(&target, |object| {
                    let mut conditions = list(object, "/status/conditions").to_vec();
                    set_condition(&mut conditions, condition, now, &[]);
                    object["status"]["conditions"] = json!(conditions);
                });
            }
            Write::Delete { target, note } => {
                if let Some(note) = note {
                    self.events.push((note.warning, note.reason.into(), note.message));
                }
                let object = self.get(target.resource, &target.namespace, &target.name);
                assert_eq!(uid(&object), target.uid);
                if list(&object, "/metadata/finalizers").is_empty() {
                    self.cache.remove(target.resource, &object);
                } else {
                    let now = stamp(self.now);
                    self.edit(&target, |object| object["metadata"]["deletionTimestamp"] = json!(now));
                }
            }
            Write::Event(note) => self.events.push((note.warning, note.reason.into(), note.message)),
        }
    }

    fn edit(&mut self, target: &Target, change: impl FnOnce(&mut Value)) {
        self.change(target.resource, &target.namespace, &target.name, change);
        let object = self.get(target.resource, &target.namespace, &target.name);
        let gone = deleting(&object) && list(&object, "/metadata/finalizers").is_empty();
        if gone {
            self.cache.remove(target.resource, &object);
        }
    }
}

/// The reasons of the events so far.
pub fn reasons(bench: &Bench) -> Vec<&str> {
    bench.events.iter().map(|(_, reason, _)| reason.as_str()).collect()
}
