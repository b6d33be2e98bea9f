//! Strategies of backups against real programs: PostgreSQL, MariaDB, tar and shells of this machine, behind pods of the sandbox.
//!
//! Where a server is not installed its tests say that they are skipped, and why. `.ci/databases` installs them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[path = "strategies/bench.rs"]
mod bench;
#[path = "strategies/disk.rs"]
mod disk;
#[path = "strategies/mariadb.rs"]
mod mariadb;
#[path = "strategies/postgres.rs"]
mod postgres;
#[path = "strategies/quiesce.rs"]
mod quiesce;
#[path = "strategies/stand_ins.rs"]
mod stand_ins;
#[path = "strategies/tools.rs"]
mod tools;
