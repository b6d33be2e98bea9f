//! The watches. One task per kind and namespace lists once, then follows; every failure ends in a list anew after a pause,
//! so that the index never drifts from the cluster.
//!
//! kube's watcher resumes by itself after an error, but silently: nobody would learn that the link is back. And an HTTP 410
//! at the start of a watch makes it retry the same expired version for ever. Both are cured by starting it anew after any
//! error: the list that follows is the sign of life.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt;
use kube::Api;
use kube::api::DynamicObject;
use kube::core::ApiResource;
use kube::runtime::watcher::{Config, DefaultBackoff, Error, Event, watcher};
use tokio_util::sync::CancellationToken;

use crate::domain::labels;

use super::error::ClusterError;
use super::index::Index;
use super::link::LinkState;
use super::{Cluster, Inner, project};

mod definition;
mod definitions;

pub(super) use definition::watch_definition;
pub(super) use definitions::{Definitions, watch_definitions};

/// How often a kind whose definition is there is asked for before that definition moves again.
const SERVED_AFTER: usize = 6;

/// A kind that is watched in every namespace of an environment.
struct Watched {
    api_version: &'static str,
    kind: &'static str,
    /// Only objects that carry our label: kinds of which a namespace may hold many, or whose content is none of our business.
    ours: bool,
    /// The definition of a kind that a cluster may lack, or gain later.
    definition: Option<&'static str>,
}

const fn all(api_version: &'static str, kind: &'static str) -> Watched {
    Watched { api_version, kind, ours: false, definition: None }
}

const fn ours(api_version: &'static str, kind: &'static str) -> Watched {
    Watched { api_version, kind, ours: true, definition: None }
}

const fn taught(api_version: &'static str, kind: &'static str, definition: &'static str) -> Watched {
    Watched { api_version, kind, ours: false, definition: Some(definition) }
}

/// What runs, what it needs, and what a driver may render. A kind that the cluster does not serve is skipped;
/// where it may be taught, it is watched as soon as it is.
const WATCHED: [Watched; 24] = [
    all("v1", "Pod"),
    all("v1", "Event"),
    all("v1", "Service"),
    all("v1", "PersistentVolumeClaim"),
    ours("v1", "ConfigMap"),
    ours("v1", "Secret"),
    ours("v1", "ServiceAccount"),
    all("apps/v1", "Deployment"),
    all("apps/v1", "StatefulSet"),
    all("apps/v1", "DaemonSet"),
    all("apps/v1", "ReplicaSet"),
    all("batch/v1", "Job"),
    ours("batch/v1", "CronJob"),
    ours("autoscaling/v2", "HorizontalPodAutoscaler"),
    ours("policy/v1", "PodDisruptionBudget"),
    all("networking.k8s.io/v1", "Ingress"),
    ours("networking.k8s.io/v1", "NetworkPolicy"),
    all("discovery.k8s.io/v1", "EndpointSlice"),
    ours("rbac.authorization.k8s.io/v1", "Role"),
    ours("rbac.authorization.k8s.io/v1", "RoleBinding"),
    taught("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes.gateway.networking.k8s.io"),
    taught("gateway.networking.k8s.io/v1", "Gateway", "gateways.gateway.networking.k8s.io"),
    taught("traefik.io/v1alpha1", "IngressRoute", "ingressroutes.traefik.io"),
    taught("cert-manager.io/v1", "Certificate", "certificates.cert-manager.io"),
];

/// Whether objects of this kind are watched, so that waiting for them makes sense.
pub(super) fn is_watched(api_version: &str, kind: &str) -> bool {
    WATCHED.iter().any(|watched| watched.api_version == api_version && watched.kind == kind)
}

/// The same for objects that do not carry our label.
pub(super) fn is_watched_whole(api_version: &str, kind: &str) -> bool {
    WATCHED.iter().any(|watched| watched.api_version == api_version && watched.kind == kind && !watched.ours)
}

/// What a watch needs of the cluster. Not the cluster itself: that would keep it alive for ever.
#[derive(Clone)]
struct Feed {
    index: Arc<Index>,
    link: Arc<LinkState>,
}

impl Feed {
    fn of(cluster: &Cluster) -> Self {
        Self { index: Arc::clone(&cluster.0.index), link: Arc::clone(&cluster.0.link) }
    }
}

/// Starts the watches of a namespace.
pub(super) fn watch_namespace(cluster: &Cluster, namespace: &str, stop: CancellationToken) {
    let feed = Feed::of(cluster);
    for watched in &WATCHED {
        feed.index.expect(namespace, watched.kind);
        let weak = Arc::downgrade(&cluster.0);
        let (feed, namespace, stop) = (feed.clone(), namespace.to_owned(), stop.clone());
        tokio::spawn(async move {
            let watch = async {
                match watched.definition {
                    Some(definition) => follow_taught(&weak, &feed, (watched, definition), &namespace).await,
                    None => follow_if_served(&weak, &feed, watched, &namespace).await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = watch => {}
            }
            feed.link.ended(&format!("{} in {namespace}", watched.kind));
        });
    }
}

async fn follow_if_served(weak: &Weak<Inner>, feed: &Feed, watched: &Watched, namespace: &str) {
    match resolve(weak, feed, watched).await {
        Some(api) => follow_kind(feed, watched, namespace, api).await,
        None => feed.index.hide(namespace, watched.kind),
    }
}

/// Follows a kind for as long as it is defined, and again whenever it is.
async fn follow_taught(
    weak: &Weak<Inner>,
    feed: &Feed,
    (watched, definition): (&Watched, &str),
    namespace: &str,
) {
    let Some(mut known) = weak.upgrade().map(|inner| inner.definitions.subscribe()) else { return };
    loop {
        let (before, readable) = {
            let known = known.borrow_and_update();
            (known.version(definition), known.are_readable())
        };
        let found = async {
            let mut pauses = DefaultBackoff::default();
            for _ in 0..SERVED_AFTER {
                let found = resolve(weak, feed, watched).await;
                if found.is_some() || before.is_none() || !readable {
                    return found;
                }
                // a definition is served a moment after it is there
                feed.index.hide(namespace, watched.kind);
                pause(&feed.link, &mut pauses).await;
                forget(weak, watched).await;
            }
            None
        };
        if let Some(api) = found.await {
            tokio::select! {
                () = follow_kind(feed, watched, namespace, api) => {}
                () = definitions::gone(&mut known, definition) => {}
            }
            feed.index.hide(namespace, watched.kind);
        } else {
            feed.index.hide(namespace, watched.kind);
            definitions::moved(&mut known, definition, before.as_deref()).await;
        }
        // whoever counts the looks forgot it already
        if known.borrow().are_readable() {
            forget(weak, watched).await;
        }
    }
}

async fn forget(weak: &Weak<Inner>, watched: &Watched) {
    if let Some(inner) = weak.upgrade() {
        inner.discovery.forget(watched.api_version).await;
    }
}

type Target = (kube::Client, ApiResource);

/// How the kind is addressed, asked until the cluster answers; none when it does not serve it.
async fn resolve(weak: &Weak<Inner>, feed: &Feed, watched: &Watched) -> Option<Target> {
    let mut pauses = DefaultBackoff::default();
    let name = format!("the kinds of {}", watched.api_version);
    loop {
        let inner = weak.upgrade()?;
        match inner.discovery.served(watched.api_version).await {
            Ok(served) => {
                feed.link.answered(&name);
                let found = served.iter().find(|served| served.resource.kind == watched.kind)?;
                return Some((inner.client.clone(), found.resource.clone()));
            }
            Err(error) => feed.link.failed(&name, &error),
        }
        drop(inner);
        pause(&feed.link, &mut pauses).await;
    }
}

async fn follow_kind(feed: &Feed, watched: &Watched, namespace: &str, (client, resource): Target) {
    let api: Api<DynamicObject> = Api::namespaced_with(client, namespace, &resource);
    let config = match watched.ours {
        true => Config::default().labels(labels::DEPLOYMENT),
        false => Config::default(),
    };
    let name = format!("{} in {namespace}", watched.kind);
    if watched.kind == "Event" {
        let mut sink = EventSink { feed, namespace, resource: &resource, listed: Vec::new() };
        follow(api, config, &name, &feed.link, |event| sink.take(event)).await;
    } else {
        let mut sink = RowSink { feed, namespace, resource: &resource, listed: Vec::new() };
        follow(api, config, &name, &feed.link, |event| sink.take(event)).await;
    }
}

/// What a watch says to whoever keeps its objects.
#[expect(clippy::large_enum_variant, reason = "handed over once by value, never kept")]
enum News {
    /// A step of kube's watcher.
    Event(Event<DynamicObject>),
    /// We may not see this kind here: as far as we know there is no object.
    Denied,
    /// There is no such kind any more.
    Absent,
}

/// Lists, then follows, for ever; after any error it starts anew.
async fn follow(
    api: Api<DynamicObject>,
    config: Config,
    name: &str,
    link: &LinkState,
    mut sink: impl FnMut(News),
) {
    let mut pauses = DefaultBackoff::default();
    loop {
        let mut events = pin!(watcher(api.clone(), config.clone()));
        while let Some(step) = events.next().await {
            match step {
                Ok(event) => {
                    if !matches!(event, Event::Init | Event::InitApply(_)) {
                        link.answered(name);
                    }
                    sink(News::Event(event));
                }
                Err(error) => {
                    let error = cause(name, &error);
                    tracing::debug!(watch = name, %error, "watch starts anew");
                    link.failed(name, &error);
                    match error {
                        ClusterError::Forbidden { .. } => sink(News::Denied),
                        ClusterError::NotFound { .. } => sink(News::Absent),
                        _ => {}
                    }
                    break;
                }
            }
        }
        pause(link, &mut pauses).await;
    }
}

fn cause(name: &str, error: &Error) -> ClusterError {
    match error {
        Error::InitialListFailed(error) | Error::WatchStartFailed(error) | Error::WatchFailed(error) => {
            ClusterError::from_kube(name, error)
        }
        Error::WatchError(status) => ClusterError::from_status(name, status),
        Error::NoResourceVersion => {
            let message = "a list without a resourceVersion cannot be followed".to_owned();
            ClusterError::Other { object: name.to_owned(), message }
        }
    }
}

async fn pause(link: &LinkState, pauses: &mut DefaultBackoff) {
    link.pause(pauses.next().unwrap_or(Duration::from_secs(30))).await;
}

/// Keeps the rows of one kind.
struct RowSink<'a> {
    feed: &'a Feed,
    namespace: &'a str,
    resource: &'a ApiResource,
    listed: Vec<project::Row>,
}

impl RowSink<'_> {
    fn take(&mut self, news: News) {
        let index = &self.feed.index;
        match news {
            News::Event(Event::Init) => self.listed.clear(),
            News::Event(Event::InitApply(object)) => self.listed.push(project::row(object, self.resource)),
            News::Event(Event::InitDone) => {
                index.reset(self.namespace, &self.resource.kind, std::mem::take(&mut self.listed));
            }
            News::Event(Event::Apply(object)) => index.apply(project::row(object, self.resource)),
            News::Event(Event::Delete(object)) => {
                let version = object.metadata.resource_version.clone().unwrap_or_default();
                index.delete(&project::row(object, self.resource).summary.key, &version);
            }
            News::Denied | News::Absent => index.hide(self.namespace, &self.resource.kind),
        }
    }
}

/// Keeps the events of a namespace.
struct EventSink<'a> {
    feed: &'a Feed,
    namespace: &'a str,
    resource: &'a ApiResource,
    listed: Vec<(String, crate::domain::object::EventSummary)>,
}

impl EventSink<'_> {
    fn take(&mut self, news: News) {
        match news {
            News::Event(Event::Init) => self.listed.clear(),
            News::Event(Event::InitApply(object)) => self.listed.extend(self.read(object)),
            News::Event(Event::InitDone) => {
                self.feed.index.reset_events(self.namespace, std::mem::take(&mut self.listed));
            }
            News::Event(Event::Apply(object)) => {
                if let Some((uid, event)) = self.read(object) {
                    self.feed.index.apply_event(self.namespace, &uid, event);
                }
            }
            // The server forgets events after an hour; what was seen stays until newer ones push it out.
            News::Event(Event::Delete(_)) => {}
            News::Denied | News::Absent => {
                self.feed.index.reset_events(self.namespace, Vec::new());
            }
        }
    }

    fn read(&self, object: DynamicObject) -> Option<(String, crate::domain::object::EventSummary)> {
        let uid = object.metadata.uid.clone()?;
        Some((uid, project::event(&project::complete(object, self.resource))?))
    }
}

#[cfg(test)]
mod tests;
