//! Backups: what is read from an application, where it is kept, and how it comes back.
//!
//! - [`hands`]: the steps of operations, and what the catalogue says of them
//! - [`manifest`]: what is written beside the data
//! - [`repository`]: a repository in a directory or a bucket; knows nothing of Kubernetes
//! - [`secrets`]: the values of the secrets that a location names
//! - [`strategy`]: how the data of a component becomes a stream, and comes back

pub mod hands;
pub mod manifest;
pub mod repository;
pub mod secrets;
pub mod strategy;
pub mod velero;

use std::sync::Arc;

use crate::cluster::Cluster;
use crate::domain::Clock;
use crate::operate::Extension;
use crate::store::Store;

/// Who does the steps of backups, over these records and this cluster.
pub fn extension(store: Store, cluster: Cluster, clock: Arc<dyn Clock>) -> Arc<dyn Extension> {
    Arc::new(hands::Hands::new(store, clock, Arc::new(hands::Tools::new(cluster))))
}
