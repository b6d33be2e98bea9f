//! The whole program: the real binary in a pseudo-terminal, the demo tape, and journeys through the application on the sandbox.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[path = "whole/agents.rs"]
mod agents;
#[path = "whole/binary.rs"]
mod binary;
#[path = "whole/changes.rs"]
mod changes;
#[path = "whole/journeys.rs"]
mod journeys;
#[path = "whole/killed.rs"]
mod killed;
#[path = "whole/panics.rs"]
mod panics;
#[path = "support/pty.rs"]
mod pty;
#[path = "whole/secrets.rs"]
mod secrets;
#[path = "whole/sharing.rs"]
mod sharing;
#[path = "whole/svg.rs"]
mod svg;
#[path = "whole/tape.rs"]
mod tape;
#[path = "whole/unattended.rs"]
mod unattended;
