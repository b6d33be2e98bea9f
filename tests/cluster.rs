//! How a cluster behaves, through `kube::Client` alone.
//!
//! Every case runs on the embedded sandbox (`…::on_sandbox::…`), and once more on a real API server (`…::on_real::…`) when
//! `STYRMIN_TEST_KUBECONFIG` names a kubeconfig; otherwise that half says that it was skipped. A case that needs what the
//! oldest supported server lacks is listed under `only_sandbox` with the reason.

#![allow(
    clippy::unwrap_used,
    clippy::result_large_err,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[macro_use]
#[path = "cluster/ground.rs"]
mod ground;
#[path = "cluster/things.rs"]
mod things;

#[path = "cluster/access.rs"]
mod access;
#[path = "cluster/apply.rs"]
mod apply;
#[path = "cluster/cronjobs.rs"]
mod cronjobs;
#[path = "cluster/custom.rs"]
mod custom;
#[path = "cluster/custom_versions.rs"]
mod custom_versions;
#[path = "cluster/deletion.rs"]
mod deletion;
#[path = "cluster/discovery.rs"]
mod discovery;
#[path = "cluster/eviction.rs"]
mod eviction;
#[path = "cluster/exec.rs"]
mod exec;
#[path = "cluster/jobs.rs"]
mod jobs;
#[path = "cluster/lists.rs"]
mod lists;
#[path = "cluster/objects.rs"]
mod objects;
#[path = "cluster/patches.rs"]
mod patches;
#[path = "cluster/printers.rs"]
mod printers;
#[path = "cluster/proxies.rs"]
mod proxies;
#[path = "cluster/rollouts.rs"]
mod rollouts;
#[path = "cluster/routes.rs"]
mod routes;
#[path = "cluster/rules.rs"]
mod rules;
#[path = "cluster/run_job.rs"]
mod run_job;
#[path = "cluster/scale.rs"]
mod scale;
#[path = "cluster/services.rs"]
mod services;
#[path = "cluster/tables.rs"]
mod tables;
#[path = "cluster/velero.rs"]
mod velero;
#[path = "cluster/watches.rs"]
mod watches;
#[path = "cluster/workloads.rs"]
mod workloads;
