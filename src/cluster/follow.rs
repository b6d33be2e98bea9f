//! Following one object of any kind until somebody has seen enough.

use futures::{Stream, StreamExt};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watch_object;
use serde_json::Value;

use crate::domain::ObjectKey;

use super::error::ClusterError;
use super::{Cluster, project};

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
}
