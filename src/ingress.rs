//! Host names, routes and URLs of external services, who may connect, and whether they answer. Pure, but for [`probe`].

mod allow;
mod brought;
pub mod certificate;
mod check;
mod class;
mod detect;
mod frozen;
pub mod hosts;
mod policies;
pub mod probe;
mod redirect;
mod render;
pub mod url;

pub use allow::{Adapter, adapter};
pub use brought::allow_on;
pub use check::{UNENFORCED, check, not_taken};
pub use class::name_class;
pub use detect::{Detected, detect};
pub use frozen::{FrozenHosts, hosts_of, routing_of, tls_of};
pub use hosts::{Hosts, hosts};
pub use policies::{
    ENVIRONMENT_POLICIES, Gate, Guarded, PolicySet, environment_policies, place as proxies, policies,
};
pub use redirect::settle_redirect;
pub use render::{Redirect, Route, RouteSet, render, tls_secret};
pub use url::url;

pub use crate::domain::environment::DEDICATED;
pub use crate::domain::route::read;

/// The class of an environment's own ingress controller.
pub fn dedicated_class(environment: &str) -> String {
    format!("styrmin-{environment}")
}
