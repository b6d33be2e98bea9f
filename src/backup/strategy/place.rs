//! Where a component is worked on: the pod and the container.

use crate::cluster::Cluster;
use crate::domain::driver::ComponentSpec;
use crate::domain::world::LogTarget;

use super::StrategyError;

/// What is looked for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The cluster; the namespace has to be watched.
    pub cluster: &'a Cluster,
    /// The namespace.
    pub namespace: &'a str,
    /// The deployment's name.
    pub deployment: &'a str,
    /// The component's name.
    pub name: &'a str,
    /// The component.
    pub component: &'a ComponentSpec,
    /// The volume, of the strategy `disk`.
    pub volume: Option<&'a str>,
}

/// Where a component is worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The container.
    pub target: LogTarget,
    /// The component's name.
    pub name: String,
    /// The component.
    pub component: ComponentSpec,
    /// The volume, of the strategy `disk`, and where it is in the container.
    pub volume: Option<(String, String)>,
}

/// Finds the container of a component that runs: in a pod that is ready, the first by name.
///
/// # Errors
/// When there is none, it has no process, or does not mount the volume.
pub async fn find(_wanted: Wanted<'_>) -> Result<Place, StrategyError> {
    Err(StrategyError::lasting("not built yet", "", ""))
}
