//! Real kubectl binaries against `styrmin sandbox serve`: the sandbox is a Kubernetes if they say so.
//!
//! `STYRMIN_KUBECTL` names the binaries, separated by colons (`.ci/run` brings several versions); without it the one on the PATH
//! is taken, and without one the tests say that they were skipped. Every case runs once per binary, on a sandbox of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[macro_use]
#[path = "kubectl/ground.rs"]
mod ground;
#[path = "support/pty.rs"]
mod pty;
#[path = "support/served.rs"]
mod served;

#[path = "kubectl/discovering.rs"]
mod discovering;
#[path = "kubectl/helm.rs"]
mod helm;
#[path = "kubectl/inside.rs"]
mod inside;
#[path = "kubectl/operating.rs"]
mod operating;
#[path = "kubectl/reading.rs"]
mod reading;
#[path = "kubectl/rollouts.rs"]
mod rollouts;
#[path = "kubectl/writing.rs"]
mod writing;
