//! The watch of the custom resource's definition, and as long as that exists, of the custom resources.

use std::sync::Arc;

use kube::Api;
use kube::api::DynamicObject;
use kube::core::ApiResource;
use kube::runtime::watcher::{Config, Event};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::conditions::Conditions;
use crate::domain::world::Installed;

use super::super::Cluster;
use super::super::outdated::Lacking;
use super::super::resource::{API_VERSION, DEFINITION, DeploymentResource, KIND, StyrminDeployment, VERSION};
use super::{Feed, News, follow};

const WATCH_NAME: &str = "StyrminDeployment everywhere";

/// Starts the watch of the definition.
pub(in super::super) fn watch_definition(cluster: &Cluster, stop: CancellationToken) {
    let definitions = ApiResource {
        group: "apiextensions.k8s.io".to_owned(),
        version: "v1".to_owned(),
        api_version: "apiextensions.k8s.io/v1".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
        plural: "customresourcedefinitions".to_owned(),
    };
    let api: Api<DynamicObject> = Api::all_with(cluster.0.client.clone(), &definitions);
    let config = Config::default().fields(&format!("metadata.name={DEFINITION}"));
    let mut sink = DefinitionSink {
        feed: Feed::of(cluster),
        client: cluster.0.client.clone(),
        installed: Arc::clone(&cluster.0.installed),
        lacking: Arc::clone(&cluster.0.lacking),
        stop: stop.clone(),
        following: None,
        listed: false,
    };
    let link = Arc::clone(&cluster.0.link);
    tokio::spawn(async move {
        let watch = follow(api, config, DEFINITION, &link, |news| sink.take(news));
        tokio::select! {
            () = stop.cancelled() => {}
            () = watch => {}
        }
    });
}

struct DefinitionSink {
    feed: Feed,
    client: kube::Client,
    installed: Arc<watch::Sender<Installed>>,
    /// What of ours the definition does not have.
    lacking: Arc<Lacking>,
    stop: CancellationToken,
    /// Ends the watch of the custom resources, while there is one.
    following: Option<CancellationToken>,
    /// Whether the list in progress has the definition.
    listed: bool,
}

impl DefinitionSink {
    fn take(&mut self, news: News) {
        match news {
            News::Event(Event::Init) => self.listed = false,
            News::Event(Event::InitApply(object)) => {
                self.read(&object);
                self.listed |= is_established(&object);
            }
            News::Event(Event::InitDone) => self.settle(self.listed),
            News::Event(Event::Apply(object)) => {
                self.read(&object);
                self.settle(is_established(&object));
            }
            News::Event(Event::Delete(_)) => self.settle(false),
            // A user of one namespace may not read definitions: whether ours exists shows when its objects are asked for.
            News::Denied => self.follow(),
            News::Absent => self.settle(false),
        }
    }

    /// An older Styrmin may have installed it.
    fn read(&self, definition: &DynamicObject) {
        if self.lacking.read(&definition.data) {
            self.feed.index.touch();
        }
    }

    /// Asks for the custom resources, from now on.
    fn follow(&mut self) {
        if self.following.is_none() {
            let stop = self.stop.child_token();
            self.following = Some(stop.clone());
            follow_resources(self.feed.clone(), self.client.clone(), Arc::clone(&self.installed), stop);
        }
    }

    fn settle(&mut self, established: bool) {
        if established {
            self.follow();
        }
        if !established {
            if let Some(stop) = self.following.take() {
                stop.cancel();
            }
            self.feed.index.forget_deployments();
            self.lacking.forget();
        }
        let now = if established { Installed::Yes } else { Installed::No };
        note(&self.installed, now, &self.feed);
    }
}

fn note(installed: &watch::Sender<Installed>, now: Installed, feed: &Feed) {
    if installed.send_replace(now) != now {
        feed.index.touch();
    }
}

fn is_established(object: &DynamicObject) -> bool {
    // the data is without the generation: one that was just changed is served all the same
    object.metadata.deletion_timestamp.is_none()
        && Conditions::of(&object.data).holds("Established").is_some()
}

fn follow_resources(
    feed: Feed,
    client: kube::Client,
    installed: Arc<watch::Sender<Installed>>,
    stop: CancellationToken,
) {
    let resource = ApiResource {
        group: "styrmin.io".to_owned(),
        version: VERSION.to_owned(),
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        plural: "styrmindeployments".to_owned(),
    };
    let api: Api<DynamicObject> = Api::all_with(client, &resource);
    tokio::spawn(async move {
        let mut listed = Vec::new();
        let index = Arc::clone(&feed.index);
        let watch = follow(api, Config::default(), WATCH_NAME, &feed.link, |news| match news {
            News::Event(Event::Init) => listed.clear(),
            News::Event(Event::InitApply(object)) => listed.extend(read(object)),
            News::Event(Event::InitDone) => {
                note(&installed, Installed::Yes, &feed);
                index.reset_deployments(std::mem::take(&mut listed));
            }
            News::Event(Event::Apply(object)) => {
                if let Some(resource) = read(object) {
                    index.apply_deployment(resource);
                }
            }
            News::Event(Event::Delete(object)) => {
                let metadata = object.metadata;
                let text = |field: Option<String>| field.unwrap_or_default();
                index.delete_deployment(
                    &text(metadata.namespace),
                    &text(metadata.name),
                    &text(metadata.resource_version),
                );
            }
            // A server that denies them does not say whether there is such a kind.
            News::Denied => {
                index.forget_deployments();
                note(&installed, Installed::Unknown, &feed);
            }
            News::Absent => {
                index.forget_deployments();
                note(&installed, Installed::No, &feed);
            }
        });
        tokio::select! {
            () = stop.cancelled() => {}
            () = watch => {}
        }
        feed.link.ended(WATCH_NAME);
    });
}

/// One malformed object must not end the watch of all: it is skipped, and logged.
fn read(object: DynamicObject) -> Option<DeploymentResource> {
    let name = object.metadata.name.clone();
    match object.try_parse::<StyrminDeployment>() {
        Ok(resource) => Some(resource.into()),
        Err(error) => {
            tracing::warn!(?name, %error, "a StyrminDeployment cannot be read");
            None
        }
    }
}
