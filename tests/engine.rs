//! The engine against a Kubernetes: the embedded sandbox always, and a real API server when `STYRMIN_TEST_KUBECONFIG` names
//! the kubeconfig of one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a helper that fails fails its test"
)]

#[path = "engine/actions.rs"]
mod actions;
#[path = "engine/backups.rs"]
mod backups;
#[path = "engine/bad_input.rs"]
mod bad_input;
#[path = "engine/bench.rs"]
mod bench;
#[path = "engine/charts.rs"]
mod charts;
#[path = "engine/clock.rs"]
mod clock;
#[path = "engine/cluster.rs"]
mod cluster;
#[path = "engine/crash.rs"]
mod crash;
#[path = "engine/daemons.rs"]
mod daemons;
#[path = "engine/deploy.rs"]
mod deploy;
#[path = "engine/drift.rs"]
mod drift;
#[path = "engine/environments.rs"]
mod environments;
#[path = "engine/epoch.rs"]
mod epoch;
#[path = "engine/faults.rs"]
mod faults;
#[path = "engine/finally.rs"]
mod finally;
#[path = "engine/groups.rs"]
mod groups;
#[path = "engine/guillotine.rs"]
mod guillotine;
#[path = "engine/leases.rs"]
mod leases;
#[path = "engine/left_behind.rs"]
mod left_behind;
#[path = "engine/matrix.rs"]
mod matrix;
#[path = "engine/notes_actions.rs"]
mod notes_actions;
#[path = "engine/operations.rs"]
mod operations;
#[path = "engine/rig.rs"]
mod rig;
#[path = "engine/routes.rs"]
mod routes;
#[path = "engine/secrets.rs"]
mod secrets;
#[path = "engine/shared.rs"]
mod shared;
#[path = "engine/site.rs"]
mod site;
#[path = "engine/support.rs"]
mod support;
#[path = "engine/velero.rs"]
mod velero;
#[path = "engine/way_back.rs"]
mod way_back;
#[path = "support/wire.rs"]
mod wire;
#[path = "engine/yard.rs"]
mod yard;
