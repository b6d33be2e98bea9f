//! What the cluster can do: its version, and every kind that it serves.

use std::collections::BTreeSet;

use super::Cluster;
use super::error::ClusterError;

/// What the cluster can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The server's version: `v1.33.1`.
    pub version: String,
    /// Groups with versions, and kinds in them: `apps/v1`, `apps/v1/Deployment`, `v1`, `v1/Pod`.
    pub api_versions: BTreeSet<String>,
}

impl Cluster {
    /// What the cluster can do. Kinds are asked for once per group and version. A group that an extension serves and that does
    /// not answer is left out, as clients do it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn capabilities(&self) -> Result<Capabilities, ClusterError> {
        let client = &self.0.client;
        let version = self.unary("the version", client.apiserver_version()).await?;
        let core = self.unary("the core versions", client.list_core_api_versions()).await?;
        let groups = self.unary("the groups", client.list_api_groups()).await?;
        let grouped = groups.groups.into_iter().flat_map(|group| group.versions);
        let versions = core.versions.into_iter().chain(grouped.map(|version| version.group_version));
        let mut api_versions = BTreeSet::new();
        for version in versions {
            let Ok(served) = self.0.discovery.served(&version).await else { continue };
            api_versions.extend(served.iter().map(|served| format!("{version}/{}", served.resource.kind)));
            api_versions.insert(version);
        }
        Ok(Capabilities { version: version.git_version, api_versions })
    }
}
