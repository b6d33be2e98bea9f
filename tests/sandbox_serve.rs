//! The sandbox for other programs: who comes in, what bad input does, what survives.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[path = "sandbox_serve/rig.rs"]
mod rig;
#[path = "support/wire.rs"]
mod wire;

#[path = "sandbox_serve/binary.rs"]
mod binary;
#[path = "sandbox_serve/entry.rs"]
mod entry;
#[path = "sandbox_serve/hostile.rs"]
mod hostile;
#[path = "sandbox_serve/limits.rs"]
mod limits;
#[path = "sandbox_serve/portable.rs"]
mod portable;
