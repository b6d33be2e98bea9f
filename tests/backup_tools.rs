//! Backups, locations and schedules from the command line: the real binary, on records and locations in temporary directories.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[path = "backup_tools/backups.rs"]
mod backups;
#[path = "backup_tools/home.rs"]
mod home;
#[path = "backup_tools/journey.rs"]
mod journey;
#[path = "backup_tools/locations.rs"]
mod locations;
#[path = "backup_tools/schedules.rs"]
mod schedules;
