//! Objects as JSON, through `kube::Api`: made, changed, watched, waited for.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, WatchEvent,
    WatchParams,
};
use kube::core::{GroupVersionKind, Status};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Error};
use serde_json::Value;

use crate::ground::Ground;

/// `(plural, apiVersion, kind, namespaced)` of what the cases touch.
const RESOURCES: &[(&str, &str, &str, bool)] = &[
    ("namespaces", "v1", "Namespace", false),
    ("pods", "v1", "Pod", true),
    ("services", "v1", "Service", true),
    ("configmaps", "v1", "ConfigMap", true),
    ("secrets", "v1", "Secret", true),
    ("events", "v1", "Event", true),
    ("serviceaccounts", "v1", "ServiceAccount", true),
    ("persistentvolumeclaims", "v1", "PersistentVolumeClaim", true),
    ("persistentvolumes", "v1", "PersistentVolume", false),
    ("deployments", "apps/v1", "Deployment", true),
    ("replicasets", "apps/v1", "ReplicaSet", true),
    ("statefulsets", "apps/v1", "StatefulSet", true),
    ("daemonsets", "apps/v1", "DaemonSet", true),
    ("jobs", "batch/v1", "Job", true),
    ("cronjobs", "batch/v1", "CronJob", true),
    ("endpoints", "v1", "Endpoints", true),
    ("storageclasses", "storage.k8s.io/v1", "StorageClass", false),
    ("horizontalpodautoscalers", "autoscaling/v2", "HorizontalPodAutoscaler", true),
    ("ingresses", "networking.k8s.io/v1", "Ingress", true),
    ("endpointslices", "discovery.k8s.io/v1", "EndpointSlice", true),
    ("customresourcedefinitions", "apiextensions.k8s.io/v1", "CustomResourceDefinition", false),
];

/// The objects of one resource.
#[derive(Clone)]
pub struct Things {
    pub api: Api<DynamicObject>,
    plural: String,
    limit: Duration,
}

/// What a list answers.
#[derive(Debug)]
pub struct Listed {
    pub items: Vec<Value>,
    pub resource_version: String,
    pub next: String,
    pub remaining: Option<i64>,
}

impl Things {
    pub fn new(ground: &Ground, plural: &str, namespace: &str) -> Self {
        let known = RESOURCES.iter().find(|row| row.0 == plural);
        let (_, api_version, kind, namespaced) = known.unwrap_or_else(|| panic!("no resource {plural}"));
        let namespace = namespaced.then_some(namespace);
        Self::of(ground, &resource(api_version, kind, plural), namespace)
    }

    /// For a resource that is not in the table.
    pub fn of(ground: &Ground, resource: &ApiResource, namespace: Option<&str>) -> Self {
        let client = ground.client.clone();
        let api = match namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, resource),
            None => Api::all_with(client, resource),
        };
        Self { api, plural: resource.plural.clone(), limit: ground.limit }
    }

    pub async fn try_create(&self, object: Value) -> Result<Value, Status> {
        let object: DynamicObject = serde_json::from_value(object).expect("an object");
        refused(self.api.create(&PostParams::default(), &object).await)
    }

    pub async fn create(&self, object: Value) -> Value {
        self.must("create", self.try_create(object).await)
    }

    pub async fn find(&self, name: &str) -> Option<Value> {
        let found = self.must("get", self.api.get_opt(name).await.map_err(status_of));
        found.map(|object| value(&object))
    }

    pub async fn get(&self, name: &str) -> Value {
        self.find(name).await.unwrap_or_else(|| panic!("there is no {} {name}", self.plural))
    }

    pub async fn try_replace(&self, object: Value) -> Result<Value, Status> {
        let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
        let object: DynamicObject = serde_json::from_value(object).expect("an object");
        refused(self.api.replace(&name, &PostParams::default(), &object).await)
    }

    pub async fn replace(&self, object: Value) -> Value {
        self.must("replace", self.try_replace(object).await)
    }

    pub async fn try_patch(
        &self,
        name: &str,
        params: &PatchParams,
        patch: Patch<Value>,
    ) -> Result<Value, Status> {
        refused(self.api.patch(name, params, &patch).await)
    }

    /// A JSON merge patch.
    pub async fn merge(&self, name: &str, patch: Value) -> Value {
        self.must("patch", self.try_patch(name, &PatchParams::default(), Patch::Merge(patch)).await)
    }

    /// A JSON merge patch of the status subresource.
    pub async fn merge_status(&self, name: &str, patch: Value) -> Value {
        let patched = self.api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        self.must("patch status", refused(patched))
    }

    pub async fn try_apply(&self, manager: &str, force: bool, object: Value) -> Result<Value, Status> {
        let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
        let params = PatchParams { force, ..PatchParams::apply(manager) };
        self.try_patch(&name, &params, Patch::Apply(object)).await
    }

    pub async fn apply(&self, manager: &str, object: Value) -> Value {
        self.must("apply", self.try_apply(manager, false, object).await)
    }

    pub async fn try_delete(&self, name: &str, params: &DeleteParams) -> Result<(), Status> {
        self.api.delete(name, params).await.map(|_| ()).map_err(status_of)
    }

    pub async fn delete(&self, name: &str) {
        self.must("delete", self.try_delete(name, &DeleteParams::default()).await);
    }

    pub async fn try_list(&self, params: &ListParams) -> Result<Listed, Status> {
        let list = self.api.list(params).await.map_err(status_of)?;
        Ok(Listed {
            items: list.items.iter().map(value).collect(),
            resource_version: list.metadata.resource_version.unwrap_or_default(),
            next: list.metadata.continue_.unwrap_or_default(),
            remaining: list.metadata.remaining_item_count,
        })
    }

    pub async fn list(&self, params: &ListParams) -> Listed {
        self.must("list", self.try_list(params).await)
    }

    /// The names that a label selector finds.
    pub async fn names(&self, labels: &str) -> Vec<String> {
        names(&self.list(&ListParams::default().labels(labels)).await.items)
    }

    /// Watches from a resourceVersion, without a loop around it: each event as it comes over the wire.
    pub async fn watch(&self, params: &WatchParams, version: &str) -> Watch {
        let stream = self.api.watch(params, version).await.expect("a watch");
        Watch { events: stream.boxed(), limit: self.limit }
    }

    /// Waits until an object is as it should be, or gone (`None`), and answers it as it was then.
    pub async fn until(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(Option<&Value>) -> bool,
    ) -> Option<Value> {
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let what = format!("{} {name}: {what}", self.plural);
        self.follow(config, &what, |all| holds(all.values().next())).await.into_values().next()
    }

    /// Waits until an object that is there is as it should be.
    pub async fn until_is(&self, name: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let found = self.until(name, what, |object| object.is_some_and(&holds)).await;
        found.unwrap_or_else(|| panic!("{what}: {name} is gone"))
    }

    /// Waits until an object is gone.
    pub async fn until_gone(&self, name: &str) {
        self.until(name, "it is gone", |object| object.is_none()).await;
    }

    /// Waits until all objects with some labels are together as they should be.
    pub async fn until_all(&self, labels: &str, what: &str, holds: impl Fn(&[&Value]) -> bool) -> Vec<Value> {
        let config = watcher::Config::default().labels(labels);
        let what = format!("{} with {labels}: {what}", self.plural);
        let found = self.follow(config, &what, |all| holds(&all.values().collect::<Vec<_>>())).await;
        found.into_values().collect()
    }

    async fn follow(
        &self,
        config: watcher::Config,
        what: &str,
        holds: impl Fn(&BTreeMap<String, Value>) -> bool,
    ) -> BTreeMap<String, Value> {
        let mut all: BTreeMap<String, Value> = BTreeMap::new();
        let mut complete = false;
        let mut stream = pin!(watcher(self.api.clone(), config).default_backoff());
        let wait = async {
            while let Some(event) = stream.next().await {
                match event.unwrap_or(watcher::Event::Init) {
                    watcher::Event::Init => {
                        all.clear();
                        complete = false;
                    }
                    watcher::Event::InitDone => complete = true,
                    watcher::Event::InitApply(object) | watcher::Event::Apply(object) => {
                        all.insert(object.metadata.name.clone().unwrap_or_default(), value(&object));
                    }
                    watcher::Event::Delete(object) => {
                        all.remove(&object.metadata.name.unwrap_or_default());
                    }
                }
                if complete && holds(&all) {
                    return;
                }
            }
        };
        if tokio::time::timeout(self.limit, wait).await.is_err() {
            for object in all.values_mut() {
                object["metadata"].as_object_mut().and_then(|metadata| metadata.remove("managedFields"));
            }
            let seen = serde_json::to_string_pretty(&all).unwrap_or_default();
            panic!("{what}: not within {:?}; last seen: {seen}", self.limit);
        }
        all
    }

    fn must<T>(&self, what: &str, result: Result<T, Status>) -> T {
        result.unwrap_or_else(|status| {
            panic!("{what} {}: {} {}: {}", self.plural, status.code, status.reason, status.message)
        })
    }
}

/// The events of a watch.
pub struct Watch {
    events: futures::stream::BoxStream<'static, Result<WatchEvent<DynamicObject>, Error>>,
    limit: Duration,
}

/// An event of a watch.
#[derive(Debug, PartialEq)]
pub enum Seen {
    Added(String),
    Modified(String),
    Deleted(String),
    Bookmark(String),
    Refused(u16, String),
    End,
}

impl Watch {
    /// The next event, with the object's name; bookmarks carry their resourceVersion.
    pub async fn next(&mut self) -> Seen {
        self.next_object().await.0
    }

    /// The next event and its object.
    pub async fn next_object(&mut self) -> (Seen, Value) {
        let event = tokio::time::timeout(self.limit, self.events.next()).await;
        let name = |object: &DynamicObject| object.metadata.name.clone().unwrap_or_default();
        match event.expect("the next event in time") {
            None => (Seen::End, Value::Null),
            Some(Ok(WatchEvent::Added(object))) => (Seen::Added(name(&object)), value(&object)),
            Some(Ok(WatchEvent::Modified(object))) => (Seen::Modified(name(&object)), value(&object)),
            Some(Ok(WatchEvent::Deleted(object))) => (Seen::Deleted(name(&object)), value(&object)),
            Some(Ok(WatchEvent::Bookmark(mark))) => {
                (Seen::Bookmark(mark.metadata.resource_version), Value::Null)
            }
            Some(Ok(WatchEvent::Error(status))) => {
                (Seen::Refused(status.code, status.reason.clone()), Value::Null)
            }
            Some(Err(error)) => panic!("the watch broke: {error}"),
        }
    }

    /// The next event that is no bookmark.
    pub async fn next_change(&mut self) -> (Seen, Value) {
        loop {
            let (seen, object) = self.next_object().await;
            if !matches!(seen, Seen::Bookmark(_)) {
                return (seen, object);
            }
        }
    }
}

/// A resource by its `apiVersion`, kind and plural.
pub fn resource(api_version: &str, kind: &str, plural: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

pub fn value(object: &DynamicObject) -> Value {
    serde_json::to_value(object).expect("JSON")
}

pub fn names(objects: &[Value]) -> Vec<String> {
    objects.iter().map(|object| text(object, "/metadata/name").to_owned()).collect()
}

pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// The `status` and `reason` of a condition.
pub fn condition<'a>(object: &'a Value, kind: &str) -> (&'a str, &'a str) {
    let all = object.pointer("/status/conditions").and_then(Value::as_array);
    let found = all.and_then(|all| all.iter().find(|condition| text(condition, "/type") == kind));
    found.map_or(("", ""), |condition| (text(condition, "/status"), text(condition, "/reason")))
}

pub fn version(object: &Value) -> String {
    text(object, "/metadata/resourceVersion").to_owned()
}

fn refused(result: Result<DynamicObject, Error>) -> Result<Value, Status> {
    result.map(|object| value(&object)).map_err(status_of)
}

/// What the server said; anything but a Status from it fails the test.
pub fn status_of(error: Error) -> Status {
    match error {
        Error::Api(status) => *status,
        other => panic!("no answer from the API server: {other:?}"),
    }
}
