//! Styrmin: a terminal cockpit that deploys applications on Kubernetes and operates them.
//!
//! The rooms and the direction of their dependencies (`tests/architecture.rs` holds them):
//!
//! ```text
//! main → cli → app → { ui, reconcile, hooks, backup, ingress, cluster, store, sandbox }
//! reconcile → { cluster, store, driver, operate, ingress } → domain
//! operate → { store, domain }
//! backup → { cluster, store, operate } → domain
//! hooks → domain: what its calls do to a cluster is handed to it
//! ui → domain        (never kube, rusqlite, cluster, store, reconcile)
//! sandbox → nothing of ours: it is a Kubernetes of its own, and only app picks it
//! domain → std, serde, time
//! ```

pub mod app;
pub mod backup;
pub mod cli;
pub mod cluster;
pub mod domain;
pub mod driver;
pub mod hooks;
pub mod ingress;
pub mod operate;
pub mod reconcile;
pub mod sandbox;
pub mod store;
pub mod ui;
