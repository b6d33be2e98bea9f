//! The engine: it makes what runs equal to what is desired, and tells how far it got.
//!
//! ```text
//! records ─┐                                 ┌─► draw ─► compose: a plan (pure) ─► journal
//!          ├─► observe ─► decide (pure) ─► act ─┴─► operate ─► execute: the cluster, step by step
//! watches ─┘   (asks nobody)                  └─► report: status of the custom resource
//!
//! person ─► wish ─► propose (draw + what the server says) ─► confirm: the same plan, recorded
//! ```
//!
//! It is level-triggered. A wake-up says only that something moved; what to do is decided from the whole situation, one move at
//! a time, each of which may be repeated. So it does not matter whether it was started, woken, or killed in between, and a newer
//! wish overtakes an older one at the next move. When all is as it should be, nothing is sent and nothing is asked.

mod act;
mod collisions;
mod components;
mod compose;
mod confirm;
mod controller;
mod decide;
mod draw;
mod drivers;
mod engine;
mod execute;
mod findings;
mod give_back;
mod group;
mod install;
mod keep;
mod locations;
mod note;
mod observe;
mod order;
mod own_secret;
mod owner;
mod ownership;
mod parts;
mod place;
mod preview;
mod queue;
mod random;
mod rehearse;
mod render;
mod report;
mod routes;
mod routing;
mod seed;
mod situation;
mod stuck;
mod tell;
mod upgrade;
mod vault;
mod wish;

pub use components::{component_statuses, component_views, urls};
pub use drivers::Drivers;
pub use engine::{Engine, Reaches, Surroundings, Trouble};
pub use queue::Name;
pub use random::{Random, SeededRandom, identifier};
pub use routes::{Carried, Gateways, RouteSources, routes};
