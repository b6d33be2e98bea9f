//! The sandbox's ingress with real traffic: real pods behind it, and clients of every kind in front.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may end at once"
)]

#[path = "sandbox_ingress/client.rs"]
mod client;
#[path = "sandbox_ingress/echo.rs"]
mod echo;
#[path = "sandbox_ingress/rig.rs"]
mod rig;
#[path = "support/wire.rs"]
mod wire;

#[path = "sandbox_ingress/balancer.rs"]
mod balancer;
#[path = "sandbox_ingress/hostile.rs"]
mod hostile;
#[path = "sandbox_ingress/lists.rs"]
mod lists;
#[path = "sandbox_ingress/routing.rs"]
mod routing;
#[path = "sandbox_ingress/tls.rs"]
mod tls;
