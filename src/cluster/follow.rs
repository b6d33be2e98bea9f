//! Following objects of any kind until somebody has seen enough: one of them, or all in a namespace.

use futures::{Stream, StreamExt, stream};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watch_object, watcher};
use serde_json::Value;

use crate::domain::ObjectKey;

use super::error::ClusterError;
use super::{Cluster, project};

/// What became of the objects of a kind in a namespace.
#[derive(Debug, Clone, PartialEq)]
pub enum Followed {
    /// These are there, and no others: at first, and when a watch was lost and begins anew.
    All(Vec<Value>),
    /// This one was made, or changed.
    Changed(Box<Value>),
    /// This one is gone; as it was last.
    Gone(Box<Value>),
}

impl Cluster {
    /// The object whenever it changed, as it is now first; none when it does not exist. Ends never: what the watch loses is found
    /// again, with growing pauses. Each loss is told once.
    ///
    /// # Errors
    /// The cluster does not serve its kind, or does not answer.
    pub async fn follow(
        &self,
        key: &ObjectKey,
    ) -> Result<impl Stream<Item = Result<Option<Value>, ClusterError>> + Send + use<>, ClusterError> {
        let served = self.resolve(key).await?;
        let api = self.api(&served.resource, &key.namespace);
        let object = super::describe(key);
        let events = watch_object(api, &key.name).default_backoff();
        Ok(events.map(move |event| match event {
            Ok(found) => Ok(found.map(|object| project::complete(object, &served.resource))),
            Err(error) => Err(ClusterError::Unreachable { message: format!("{object}: {error}") }),
        }))
    }

    /// All objects of the kind of `key` in its namespace, and whatever becomes of them. Ends never, as [`Self::follow`].
    ///
    /// # Errors
    /// The cluster does not serve the kind, or does not answer.
    pub async fn follow_all(
        &self,
        key: &ObjectKey,
    ) -> Result<impl Stream<Item = Result<Followed, ClusterError>> + Send + use<>, ClusterError> {
        let served = self.resolve(key).await?;
        let api = self.api(&served.resource, &key.namespace);
        let what = format!("every {} in {}", key.kind, key.namespace);
        let events = watcher(api, watcher::Config::default()).default_backoff();
        let mut listed = Vec::new();
        let told = events.map(move |event| {
            let whole = |object| project::complete(object, &served.resource);
            match event {
                Ok(watcher::Event::Init) => {
                    listed.clear();
                    None
                }
                Ok(watcher::Event::InitApply(object)) => {
                    listed.push(whole(object));
                    None
                }
                Ok(watcher::Event::InitDone) => Some(Ok(Followed::All(std::mem::take(&mut listed)))),
                Ok(watcher::Event::Apply(object)) => Some(Ok(Followed::Changed(Box::new(whole(object))))),
                Ok(watcher::Event::Delete(object)) => Some(Ok(Followed::Gone(Box::new(whole(object))))),
                Err(error) => Some(Err(ClusterError::Unreachable { message: format!("{what}: {error}") })),
            }
        });
        Ok(told.flat_map(stream::iter))
    }
}
