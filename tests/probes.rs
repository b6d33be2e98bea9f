//! Probes against servers that a test makes, each of which goes wrong in its own way. Nothing leaves this machine.
//!
//! The moment handed in ([`ground::now`]) is years after the machine's: certificates hold, or do not, at that moment alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "probes/authority.rs"]
mod authority;
#[path = "probes/ground.rs"]
mod ground;

#[path = "probes/faults.rs"]
mod faults;
#[path = "probes/handshakes.rs"]
mod handshakes;
#[path = "probes/plain.rs"]
mod plain;
#[path = "probes/redirects.rs"]
mod redirects;
