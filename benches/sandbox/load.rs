//! The requests that are measured, in a namespace of their own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures::stream::{self, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::Client;
use kube::api::{
    Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use serde_json::json;
use tokio::sync::Barrier;

/// How many requests fill the cluster at once.
const FILLERS: usize = 32;

/// A namespace, and numbers that make names unique in it.
pub struct Load {
    client: Client,
    namespace: String,
    maps: Api<ConfigMap>,
    made: AtomicUsize,
}

impl Load {
    /// Makes the namespace.
    pub async fn new(client: Client, base: &str) -> Self {
        let namespace = format!("{base}-{}", std::process::id());
        let object = Namespace {
            metadata: ObjectMeta { name: Some(namespace.clone()), ..ObjectMeta::default() },
            ..Namespace::default()
        };
        Api::all(client.clone()).create(&PostParams::default(), &object).await.unwrap();
        let maps = Api::namespaced(client.clone(), &namespace);
        Self { client, namespace, maps, made: AtomicUsize::new(0) }
    }

    fn map(name: &str, value: &str) -> ConfigMap {
        ConfigMap {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                labels: Some(BTreeMap::from([("app".to_owned(), "load".to_owned())])),
                ..ObjectMeta::default()
            },
            data: Some(BTreeMap::from([("value".to_owned(), value.repeat(8))])),
            ..ConfigMap::default()
        }
    }

    fn next_names(&self, count: usize) -> std::ops::Range<usize> {
        let from = self.made.fetch_add(count, Ordering::Relaxed);
        from..from + count
    }

    async fn create_all(&self, count: usize, at_once: usize) {
        stream::iter(self.next_names(count))
            .map(|number| async move {
                self.maps.create(&PostParams::default(), &Self::map(&format!("m{number:06}"), "one")).await
            })
            .buffer_unordered(at_once)
            .try_for_each(|_| std::future::ready(Ok(())))
            .await
            .unwrap();
    }

    /// Makes that many, as fast as it goes.
    pub async fn fill(&self, count: usize) {
        self.create_all(count, FILLERS).await;
    }

    /// Creations per second.
    pub async fn create_rate(&self, count: usize, at_once: usize) -> f64 {
        let started = Instant::now();
        self.create_all(count, at_once).await;
        count as f64 / started.elapsed().as_secs_f64()
    }

    /// Replacements per second.
    pub async fn update_rate(&self, count: usize, at_once: usize) -> f64 {
        let started = Instant::now();
        stream::iter(0..count)
            .map(|number| async move {
                let name = format!("m{number:06}");
                self.maps.replace(&name, &PostParams::default(), &Self::map(&name, "two")).await
            })
            .buffer_unordered(at_once)
            .try_for_each(|_| std::future::ready(Ok(())))
            .await
            .unwrap();
        count as f64 / started.elapsed().as_secs_f64()
    }

    /// Server-side applies per second.
    pub async fn apply_rate(&self, base: &str, count: usize, at_once: usize) -> f64 {
        let params = PatchParams::apply("bench").force();
        let params = &params;
        let started = Instant::now();
        stream::iter(0..count)
            .map(|number| async move {
                let name = format!("{base}{number:06}");
                let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
                    "data": {"value": "applied", "other": "too"}});
                self.maps.patch(&name, params, &Patch::Apply(&object)).await
            })
            .buffer_unordered(at_once)
            .try_for_each(|_| std::future::ready(Ok(())))
            .await
            .unwrap();
        count as f64 / started.elapsed().as_secs_f64()
    }

    /// Reads of one object per second.
    pub async fn get_rate(&self, count: usize) -> f64 {
        let started = Instant::now();
        for number in 0..count {
            self.maps.get(&format!("m{number:06}")).await.unwrap();
        }
        count as f64 / started.elapsed().as_secs_f64()
    }

    /// How long a list of everything in the namespace takes; the best of five.
    pub async fn list_milliseconds(&self) -> f64 {
        let mut best = f64::MAX;
        for _ in 0..5 {
            let started = Instant::now();
            self.maps.list(&ListParams::default()).await.unwrap();
            best = best.min(started.elapsed().as_secs_f64() * 1000.0);
        }
        best
    }

    /// Events that reach watchers per second, when `changes` objects are made under the eyes of `watchers`.
    pub async fn fan_out(&self, watchers: usize, changes: usize) -> f64 {
        let from = self.maps.list(&ListParams::default().limit(1)).await.unwrap();
        let from = from.metadata.resource_version.unwrap();
        let ready = Arc::new(Barrier::new(watchers + 1));
        let tasks: Vec<_> = (0..watchers)
            .map(|_| {
                let (maps, from, ready) = (self.maps.clone(), from.clone(), ready.clone());
                tokio::spawn(async move {
                    let mut events = maps.watch(&WatchParams::default(), &from).await.unwrap().boxed();
                    ready.wait().await;
                    let mut seen = 0;
                    while seen < changes {
                        match events.next().await.expect("the watch goes on").unwrap() {
                            WatchEvent::Added(_) => seen += 1,
                            other => panic!("{other:?}"),
                        }
                    }
                })
            })
            .collect();
        ready.wait().await;
        let started = Instant::now();
        self.create_all(changes, 1).await;
        for task in tasks {
            task.await.unwrap();
        }
        (watchers * changes) as f64 / started.elapsed().as_secs_f64()
    }

    /// Takes the namespace away.
    pub async fn clear(&self) {
        let all = Api::<Namespace>::all(self.client.clone());
        all.delete(&self.namespace, &DeleteParams::default()).await.unwrap();
    }
}
