//! Kinds that a cluster may lack and gain later: one watch over the definitions, of their names only.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Weak;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::PartialObjectMeta;
use kube::runtime::watcher::{Config, DefaultBackoff, Event, watcher};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::super::error::ClusterError;
use super::super::link::LinkState;
use super::super::{Cluster, Inner};
use super::{cause, pause};

const NAME: &str = "the definitions";
/// How long to wait before kinds are looked for again where definitions may not be read.
const UNSEEN: Duration = Duration::from_secs(60);

/// What is known of the definitions.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Definitions {
    /// Those that there are, each with its version; by name.
    Known(BTreeMap<String, String>),
    /// They may not be read: how often the kinds themselves were looked for.
    Unreadable(u64),
}

impl Default for Definitions {
    fn default() -> Self {
        Self::Known(BTreeMap::new())
    }
}

impl Definitions {
    /// The version of a definition as it is known now, or the number of the look; none when it is not there.
    pub(super) fn version(&self, definition: &str) -> Option<String> {
        match self {
            Self::Known(all) => all.get(definition).cloned(),
            Self::Unreadable(looks) => Some(looks.to_string()),
        }
    }

    /// Whether definitions may be read: where not, a version only counts the looks at the kinds themselves.
    pub(super) fn are_readable(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// Takes over a change of one of them. A list came before it, so they are known.
    fn change(&mut self, change: impl FnOnce(&mut BTreeMap<String, String>)) {
        if let Self::Known(all) = self {
            change(all);
        }
    }
}

/// Starts the watch. It ends with `stop`.
pub(in super::super) fn watch_definitions(cluster: &Cluster, stop: CancellationToken) {
    let api: Api<PartialObjectMeta<CustomResourceDefinition>> = Api::all(cluster.0.client.clone());
    let (link, known) = (std::sync::Arc::clone(&cluster.0.link), cluster.0.definitions.clone());
    // not the cluster itself: that would keep it alive for ever
    let weak = std::sync::Arc::downgrade(&cluster.0);
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = follow(api, &weak, &link, &known) => {}
        }
        link.ended(NAME);
    });
}

/// Waits until it changed whether, or as what, a definition is there.
pub(super) async fn moved(known: &mut watch::Receiver<Definitions>, definition: &str, before: Option<&str>) {
    let differs = |all: &Definitions| all.version(definition).as_deref() != before;
    if known.wait_for(differs).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits until a definition that was there is there no more.
pub(super) async fn gone(known: &mut watch::Receiver<Definitions>, definition: &str) {
    for is_there in [true, false] {
        let is_so = |all: &Definitions| all.version(definition).is_some() == is_there;
        if known.wait_for(is_so).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn follow(
    api: Api<PartialObjectMeta<CustomResourceDefinition>>,
    weak: &Weak<Inner>,
    link: &LinkState,
    known: &watch::Sender<Definitions>,
) {
    let mut pauses = DefaultBackoff::default();
    let mut looks = 0_u64;
    loop {
        let mut events = pin!(watcher(api.clone(), Config::default()));
        let mut listed = BTreeMap::new();
        let denied = loop {
            let Some(step) = events.next().await else { break false };
            let event = match step {
                Ok(event) => event,
                Err(error) => {
                    let error = cause(NAME, &error);
                    link.failed(NAME, &error);
                    break matches!(error, ClusterError::Forbidden { .. } | ClusterError::NotFound { .. });
                }
            };
            if !matches!(event, Event::Init | Event::InitApply(_)) {
                link.answered(NAME);
            }
            take(event, &mut listed, known);
        };
        if denied {
            // a user of one namespace may not read definitions: the kinds themselves are looked for, now and then
            looks += 1;
            // once for all namespaces: the first one that looks asks for them all
            for watched in &super::WATCHED {
                if watched.definition.is_some() {
                    super::forget(weak, watched).await;
                }
            }
            set(known, Definitions::Unreadable(looks));
            link.pause(UNSEEN).await;
        } else {
            pause(link, &mut pauses).await;
        }
    }
}

fn take(
    event: Event<PartialObjectMeta<CustomResourceDefinition>>,
    listed: &mut BTreeMap<String, String>,
    known: &watch::Sender<Definitions>,
) {
    let named = |object: PartialObjectMeta<CustomResourceDefinition>| {
        let metadata = object.metadata;
        let going = metadata.deletion_timestamp.is_some();
        (metadata.name.unwrap_or_default(), metadata.resource_version.unwrap_or_default(), going)
    };
    match event {
        Event::Init => listed.clear(),
        Event::InitApply(object) => {
            let (name, version, _) = named(object);
            listed.insert(name, version);
        }
        Event::InitDone => set(known, Definitions::Known(std::mem::take(listed))),
        Event::Apply(object) => {
            let (name, version, going) = named(object);
            known.send_modify(|known| {
                known.change(|all| match going {
                    true => drop(all.remove(&name)),
                    false => drop(all.insert(name, version)),
                });
            });
        }
        Event::Delete(object) => {
            let (name, ..) = named(object);
            known.send_modify(|known| known.change(|all| drop(all.remove(&name))));
        }
    }
}

fn set(known: &watch::Sender<Definitions>, now: Definitions) {
    known.send_if_modified(|known| {
        let changed = *known != now;
        *known = now;
        changed
    });
}
