//! Backups: what is read from an application, where it is kept, and how it comes back; when they are made, and which ones stay.
//!
//! - [`calendar`], [`scheduler`]: when a schedule is due, and what makes its backups
//! - [`hands`]: the steps of operations, and what the catalogue says of them
//! - [`manifest`]: what is written beside the data
//! - [`repository`]: a repository in a directory or a bucket; knows nothing of Kubernetes
//! - [`retention`]: which backups stay, and why
//! - [`scan`], [`sweep`]: a location and the catalogue, compared
//! - [`secrets`]: the values of the secrets that a location names
//! - [`strategy`]: how the data of a component becomes a stream, and comes back
//! - [`velero`]: what Velero makes and keeps in our place

pub mod calendar;
pub mod hands;
pub mod manifest;
pub mod repository;
pub mod retention;
pub mod scan;
pub mod scheduler;
pub mod secrets;
pub mod strategy;
pub mod sweep;
pub mod velero;

#[cfg(test)]
mod sample_tests;

use std::sync::Arc;

use crate::cluster::Cluster;
use crate::domain::Clock;
use crate::operate::Extension;
use crate::store::Store;

/// Who does the steps of backups, over these records and this cluster.
pub fn extension(store: Store, cluster: Cluster, clock: Arc<dyn Clock>) -> Arc<dyn Extension> {
    let tools = Arc::new(hands::Tools::new(cluster.clone()));
    Arc::new(hands::Hands::new(store, clock, tools).with_velero(cluster))
}
