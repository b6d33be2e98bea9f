//! What the cluster serves: asked once per group and version, asked again when something is missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::Client;
use kube::core::ApiResource;
use tokio::sync::Mutex;

use super::error::ClusterError;

/// A kind that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served {
    /// How it is addressed.
    pub resource: ApiResource,
    /// Whether it lives in namespaces.
    pub namespaced: bool,
}

/// The cache. Its lock is held while it asks, so that a hundred who need the same group ask once.
pub(super) struct Discovery {
    client: Client,
    known: Mutex<BTreeMap<String, Arc<Vec<Served>>>>,
}

impl Discovery {
    pub(super) fn new(client: Client) -> Self {
        Self { client, known: Mutex::default() }
    }

    /// How `kind` of `api_version` (`apps/v1`) is addressed.
    pub(super) async fn resolve(&self, api_version: &str, kind: &str) -> Result<Served, ClusterError> {
        let mut known = self.known.lock().await;
        if let Some(found) = known.get(api_version).and_then(|served| find(served, kind)) {
            return Ok(found);
        }
        let served = Arc::new(self.ask(api_version).await?);
        let found = find(&served, kind);
        known.insert(api_version.to_owned(), served);
        found.ok_or_else(|| ClusterError::Unserved {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
        })
    }

    /// Everything that is served under `api_version`; nothing when the cluster does not know it.
    pub(super) async fn served(&self, api_version: &str) -> Result<Arc<Vec<Served>>, ClusterError> {
        let mut known = self.known.lock().await;
        if let Some(served) = known.get(api_version) {
            return Ok(Arc::clone(served));
        }
        let served = Arc::new(self.ask(api_version).await?);
        known.insert(api_version.to_owned(), Arc::clone(&served));
        Ok(served)
    }

    /// What is served under `api_version` may have changed: it is asked for when it is needed again.
    pub(super) async fn forget(&self, api_version: &str) {
        self.known.lock().await.remove(api_version);
    }

    async fn ask(&self, api_version: &str) -> Result<Vec<Served>, ClusterError> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let answer = if group.is_empty() {
            self.client.list_core_api_resources(version).await
        } else {
            self.client.list_api_group_resources(api_version).await
        };
        let list = match answer {
            Ok(list) => list,
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(Vec::new()),
            Err(error) => {
                return Err(ClusterError::from_kube(&format!("the kinds of {api_version}"), &error));
            }
        };
        let kinds = list.resources.into_iter().filter(|resource| !resource.name.contains('/'));
        let served = kinds.map(|found| Served {
            namespaced: found.namespaced,
            resource: ApiResource {
                group: group.to_owned(),
                version: version.to_owned(),
                api_version: api_version.to_owned(),
                kind: found.kind,
                plural: found.name,
            },
        });
        Ok(served.collect())
    }
}

fn find(served: &[Served], kind: &str) -> Option<Served> {
    served.iter().find(|served| served.resource.kind == kind).cloned()
}
