//! Repositories in directories and buckets, the public `restic` beside them, and everything that can go wrong on the way.
//!
//! `STYRMIN_RESTIC`, `STYRMIN_RCLONE` and `STYRMIN_WEED` name the programs (`.ci/run` brings them); without one the PATH is looked
//! through, and without that the tests that need it say that they were skipped. A bucket of our own (`bucket.rs`) does what no
//! real one does on demand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[path = "repository/bucket.rs"]
mod bucket;
#[path = "repository/ground.rs"]
mod ground;

#[path = "repository/damage.rs"]
mod damage;
#[path = "repository/killed.rs"]
mod killed;
#[path = "repository/opening.rs"]
mod opening;
#[path = "repository/public.rs"]
mod public;
#[path = "repository/servers.rs"]
mod servers;
#[path = "repository/streams.rs"]
mod streams;
#[path = "repository/together.rs"]
mod together;
#[path = "repository/trouble.rs"]
mod trouble;
