//! Actions, run by the real worker: what they call, how they are taken up after a crash, and what they cannot do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[path = "hooks/support.rs"]
mod support;

#[path = "hooks/bounds.rs"]
mod bounds;
#[path = "hooks/check.rs"]
mod check;
#[path = "hooks/crash.rs"]
mod crash;
#[path = "hooks/errors.rs"]
mod errors;
#[path = "hooks/gone.rs"]
mod gone;
#[path = "hooks/python.rs"]
mod python;
#[path = "hooks/starlark.rs"]
mod starlark;
