//! The tools for those who write drivers: the real binary, on drivers in temporary directories.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[path = "driver_tools/charts.rs"]
mod charts;
#[path = "driver_tools/cockpit.rs"]
mod cockpit;
#[path = "driver_tools/documents.rs"]
mod documents;
#[path = "driver_tools/git.rs"]
mod git;
#[path = "driver_tools/home.rs"]
mod home;
#[path = "driver_tools/lint.rs"]
mod lint;
#[path = "support/pty.rs"]
mod pty;
#[path = "driver_tools/render.rs"]
mod render;
#[path = "driver_tools/trial.rs"]
mod trial;
