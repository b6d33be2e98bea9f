//! A real Traefik in front of the sandbox's pods: what an ingress controller of the field makes of our Ingresses, IngressRoutes and
//! HTTPRoutes, and the built-in `traefik` driver as it runs.
//!
//! `STYRMIN_TRAEFIK` names the program (`.ci/traefik` brings one); without it the one on the PATH is taken, and without one the
//! tests say that they were skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[path = "traefik/asking.rs"]
mod asking;
#[path = "traefik/custom_resources.rs"]
mod custom_resources;
#[path = "traefik/gateways.rs"]
mod gateways;
#[path = "traefik/ground.rs"]
mod ground;
#[path = "traefik/ingresses.rs"]
mod ingresses;
#[path = "traefik/objects.rs"]
mod objects;
#[path = "traefik/own.rs"]
mod own;
#[path = "traefik/redirects.rs"]
mod redirects;
